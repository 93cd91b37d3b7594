"""Two tenants on one server: nothing of the one is told to the other, on any route."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import uuid4

import pytest

from provisor.graph.http.routes import ROUTES, Route
from tests.api.served import TARGET_TOKEN, TENANT, Client, Reply, Served, command, wait_until

OTHER = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
NAMELESS = {"applicationTemplates/{gallery}", "applicationTemplates/{gallery}/instantiate"}
"""Routes whose key names nothing that belongs to a tenant."""


@dataclass(frozen=True, slots=True)
class Theirs:
    """Ids of one thing of every kind, of the workspace's own tenant."""

    keys: Mapping[str, str]
    marks: tuple[str, ...]
    """Texts that only this tenant may see."""


@pytest.fixture(scope="module")
def other(house: Served) -> Client:
    """Return a client of a second tenant of the same server, who may do everything."""
    command(house.folder, "tenant", "add", OTHER, "--name", "Other")
    made = command(house.folder, "--tenant", OTHER, "token", "create", "other", "--scope",
                   "Directory.ReadWrite.All", "--json")  # fmt: skip
    return Client(house.port, str(json.loads(made)["token"]))


@pytest.fixture(scope="module")
def theirs(house: Served) -> Theirs:
    principal = house.principal("Marked of the first tenant")
    at = f"/beta/servicePrincipals/{principal}"
    secrets = [
        {"key": "BaseAddress", "value": house.target_url},
        {"key": "SecretToken", "value": TARGET_TOKEN},
    ]
    assert house.put(f"{at}/synchronization/secrets", {"value": secrets}).status == 204
    jobs = f"{at}/synchronization/jobs"
    job = house.post(jobs, {"templateId": "scim"}).json["id"]
    template = {"id": "Marked", "applicationId": str(uuid4()), "factoryTag": "CustomSCIM"}
    assert house.post(f"{at}/synchronization/templates", template).status == 201
    assert house.post(f"{jobs}/{job}/start").status == 204
    wait_until(lambda: house.get(f"{jobs}/{job}").json["status"]["code"] == "Active")
    assert house.post(f"{jobs}/{job}/pause").status == 204
    assigned = house.post(f"{at}/appRoleAssignedTo", {"principalId": "ada"}).json
    log = house.get(f"/beta/auditLogs/provisioning?$filter=jobId%20eq%20'{job}'&$top=1")
    directory = house.get(f"{jobs}/{job}/schema/directories").json["value"][0]["id"]
    apps = house.get("/beta/applications").json["value"]
    app = next(one["id"] for one in apps if one["displayName"].startswith("Marked"))
    person = house.get("/beta/users/ada").json["id"]
    keys = {
        "sp": principal, "app": app, "job": job, "tpl": "Marked", "dir": directory,
        "assignment": assigned["id"], "log": log.json["value"][0]["id"], "object": "ada",
        "person": person, "gallery": "8adf8e6e-67b2-4cf2-a259-e3dc5476c621", "tenant": TENANT,
    }  # fmt: skip
    return Theirs(keys, ("Marked", principal, app, job, "ada@example.com", person))


def shaped(id: str) -> str:
    """Return an id of the same form that nobody has."""
    dashed = r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
    return re.sub(rf"{dashed}|^[A-Za-z]+$", lambda _: str(uuid4()), id)


def address(route: Route, keys: Mapping[str, str]) -> str:
    def key(match: re.Match[str]) -> str:
        assert match[1] in keys, f"{route.path}: say in this test what a {match[1]} is"
        return keys[match[1]]

    return "/beta/" + re.sub(r"{(\w+)}", key, route.path)


def without(reply: Reply, keys: Mapping[str, str]) -> tuple[int, str]:
    """Return what was answered, but for the ids asked for and those of the request itself."""
    text = reply.body.decode()
    # The longest first: a short one may stand within another, as "ada" does in many a GUID.
    for name, value in sorted(keys.items(), key=lambda pair: -len(pair[1])):
        text = text.replace(value, f"<{name}>")
    text = re.sub(r'"(date|request-id|client-request-id)":"[^"]*"', "", text)
    return reply.status, text


def test_anothers_object_is_answered_as_an_unknown_one_on_every_route(
    house: Served, other: Client, theirs: Theirs
) -> None:
    before = everything(house, theirs)
    for route in ROUTES:
        if not route.is_versioned or "{" not in route.path or route.path in NAMELESS:
            continue
        unknown = {name: shaped(id) for name, id in theirs.keys.items()}
        body = b"{}" if route.method != "GET" else b""
        headers = {"Content-Type": route.media} if body else {}
        known = other.send(route.method, address(route, theirs.keys), body, headers)
        nobodys = other.send(route.method, address(route, unknown), body, headers)
        assert without(known, theirs.keys) == without(nobodys, unknown), route.path
        assert known.status >= 400, route.path
    assert everything(house, theirs) == before


def everything(house: Served, theirs: Theirs) -> list[object]:
    """Return what the first tenant says of its own."""
    at = f"/beta/servicePrincipals/{theirs.keys['sp']}"
    paths = (at, f"{at}/synchronization?$expand=templates", f"{at}/appRoleAssignedTo",
             f"{at}/synchronization/jobs/{theirs.keys['job']}/schema")  # fmt: skip
    return [house.get(path).json for path in paths]


def test_no_list_names_anything_of_anothers(other: Client, theirs: Theirs) -> None:
    for route in ROUTES:
        if route.method != "GET" or "{" in route.path or "applicationTemplates" in route.path:
            continue
        path = f"/beta/{route.path}" if route.is_versioned else f"/{route.path}"
        text = other.get(path).body.decode()
        for mark in theirs.marks:
            assert mark not in text, path
    assert other.get("/beta/servicePrincipals/$count").body == b"0"
    assert other.get("/beta/users/$count").body == b"0"


def test_the_second_tenant_has_a_life_of_its_own(other: Client, theirs: Theirs) -> None:
    gallery = "/v1.0/applicationTemplates/8adf8e6e-67b2-4cf2-a259-e3dc5476c621/instantiate"
    made = other.post(gallery, {"displayName": "Marked of the second"}).json["servicePrincipal"]
    assert made["appOwnerOrganizationId"] == OTHER
    sync = f"/v1.0/servicePrincipals/{made['id']}/synchronization"
    job = other.post(f"{sync}/jobs", {"templateId": "API2SCIM"}).json
    assert OTHER.replace("-", "") in job["id"]
    assert other.get(f"{sync}/templates/Marked").status == 404
    assert other.delete(f"{sync}/jobs/{job['id']}").status == 204


def test_a_page_link_is_of_one_tenant_and_one_filter(house: Served, other: Client) -> None:
    house.principal("One")
    house.principal("Two")
    at = "/v1.0/servicePrincipals"
    link = house.get(f"{at}?$top=1").json["@odata.nextLink"].removeprefix(house.url)
    assert house.get(link).status == 200
    assert other.get(link).status == 400
    assert house.get(f"{link}&$filter=displayName%20eq%20'Two'").status == 400


def test_a_token_of_an_hour_is_of_the_tenant_of_its_key(house: Served, other: Client) -> None:
    listed = json.loads(command(house.folder, "--tenant", OTHER, "token", "list", "--json"))
    (key,) = (one["id"] for one in listed["value"] if one["name"] == "other")
    form = f"grant_type=client_credentials&client_id={key}&client_secret={other.token}".encode()
    media = {"Content-Type": "application/x-www-form-urlencoded"}
    at = "oauth2/v2.0/token"
    refused = house.send("POST", f"/{TENANT}/{at}", form, media, token="")
    nobodys = house.send("POST", f"/{uuid4()}/{at}", form, media, token="")
    assert (refused.status, refused.body) == (nobodys.status, nobodys.body) == (401, refused.body)
    granted = house.send("POST", f"/{OTHER}/{at}", form, media, token="")
    assert granted.status == 200
    short = Client(house.port, granted.json["access_token"])
    names = [one["displayName"] for one in short.get("/v1.0/servicePrincipals").json["value"]]
    assert names in ([], ["Marked of the second"])
