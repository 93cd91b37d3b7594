"""What Terraform's azuread provider sends, replayed as it was captured (spec: graph-clients 4)."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from urllib.parse import urlencode

import pytest

from tests.api.served import TENANT, Client, Reply, Served, command

HEADERS = {
    "Accept": "application/json; charset=utf-8; IEEE754Compatible=false",
    "Content-Type": "application/json; charset=utf-8",
    "OData-Version": "4.0",
    "OData-MaxVersion": "4.0",
    "User-Agent": "HashiCorp Terraform/1.11.4 Terraform Plugin SDK/2.40",
}
SCOPES = (
    "Synchronization.ReadWrite.All",
    "Application.Read.All",
    "AppRoleAssignment.ReadWrite.All",
)


def claims_of(token: str) -> dict[str, object]:
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


@pytest.fixture(scope="module")
def key(house: Served) -> dict[str, str]:
    """Return an API key as Terraform is given it."""
    arguments = [part for scope in SCOPES for part in ("--scope", scope)]
    made = command(house.folder, "token", "create", "terraform", *arguments, "--json")
    return json.loads(made)


@pytest.fixture
def terraform(house: Served, key: dict[str, str]) -> Client:
    """Go through what every start of the provider does; return a client with its token."""
    found = house.send("GET", "/metadata/endpoints?api-version=2022-09-01", token="")
    login = found.json["authentication"]["loginEndpoint"]
    assert login == f"{house.url}/"
    form = {
        "client_id": key["id"],
        "client_secret": key["token"],
        "grant_type": "client_credentials",
        "scope": f"{house.url}/.default",
    }
    media = {"Content-Type": "application/x-www-form-urlencoded"}
    path = f"/{TENANT}/oauth2/v2.0/token"
    granted = house.send("POST", path, urlencode(form).encode(), media, token="")
    assert granted.status == 200, granted.body
    assert granted.json["token_type"] == "Bearer"
    token = granted.json["access_token"]
    claims = claims_of(token)
    assert claims["oid"] == claims["appid"] == key["id"]
    assert claims["tid"] == TENANT
    assert set(SCOPES) == set(claims["roles"])  # pyright: ignore[reportArgumentType]
    return Client(house.port, token)


def ask(client: Client, method: str, path: str, body: object = None) -> Reply:
    content = b"" if body is None else json.dumps(body).encode()
    return client.send(method, path, content, HEADERS)


def test_the_whole_life_of_secrets_and_a_job(house: Served, terraform: Client) -> None:
    sp = house.principal("Terraform")
    at = f"/v1.0/servicePrincipals/{sp}"
    sync = f"{at}/synchronization"

    pairs = [
        {"key": "BaseAddress", "value": house.target_url},
        {"key": "SecretToken", "value": "a-token-that-nobody-may-see"},
    ]
    assert ask(terraform, "PUT", f"{sync}/secrets", {"value": pairs}).status == 204
    for _ in range(6):
        read = ask(terraform, "GET", f"{sync}/secrets")
        assert "application/json" in read.headers["content-type"]
        assert [(one["key"], one["value"]) for one in read.json["value"]] == [
            ("BaseAddress", house.target_url),
            ("SecretToken", "*"),
        ]

    assert ask(terraform, "GET", at).json["id"] == sp
    wanted = {"@odata.type": "#microsoft.graph.synchronizationJob", "templateId": "customappsso"}
    made = ask(terraform, "POST", f"{sync}/jobs", wanted)
    assert made.status == 201
    job = f"{sync}/jobs/{made.json['id']}"
    for _ in range(5):
        assert ask(terraform, "GET", job).json["schedule"]["interval"] == "PT40M"
    assert ask(terraform, "POST", f"{job}/start").status == 204
    assert ask(terraform, "GET", job).json["schedule"]["state"] == "Active"

    rule = ask(terraform, "GET", f"{job}/schema").json["synchronizationRules"][0]["id"]
    subject = {"objectId": "ada", "objectTypeName": "User"}
    parameters = {"parameters": [{"ruleId": rule, "subjects": [subject]}]}
    assert ask(terraform, "POST", f"{job}/provisionOnDemand", parameters).status == 200

    assert ask(terraform, "POST", f"{job}/pause").status == 204
    assert ask(terraform, "GET", job).json["schedule"]["state"] != "Active"

    assert ask(terraform, "DELETE", job).status == 204
    for _ in range(5):
        assert ask(terraform, "GET", job).status == 404
    emptied = [{**pair, "value": ""} for pair in pairs]
    assert ask(terraform, "PUT", f"{sync}/secrets", {"value": emptied}).status == 204
    for _ in range(5):
        assert ask(terraform, "GET", f"{sync}/secrets").json["value"] == []


def test_assignments_are_made_read_and_taken_back(house: Served, terraform: Client) -> None:
    sp = house.principal("Assigned")
    at = f"/v1.0/servicePrincipals/{sp}"
    role = ask(terraform, "GET", at).json["appRoles"][0]["id"]
    body = {"principalId": "ada", "resourceId": sp, "appRoleId": role}
    made = ask(terraform, "POST", f"{at}/appRoleAssignedTo", body)
    assert made.status == 201
    assert made.json["resourceId"] == sp
    listed = ask(terraform, "GET", f"{at}/appRoleAssignedTo").json["value"]
    assert listed == [{k: v for k, v in made.json.items() if "@" not in k}]
    assert ask(terraform, "POST", f"{at}/appRoleAssignedTo", body).status == 409
    one = f"{at}/appRoleAssignedTo/{made.json['id']}"
    assert ask(terraform, "DELETE", one).status == 204
    assert ask(terraform, "GET", one).status == 404


def test_a_wrong_secret_is_refused_as_oauth_does(house: Served, key: dict[str, str]) -> None:
    form = {"client_id": key["id"], "client_secret": "no", "grant_type": "client_credentials"}
    media = {"Content-Type": "application/x-www-form-urlencoded"}
    path = f"/{TENANT}/oauth2/v2.0/token"
    refused = house.send("POST", path, urlencode(form).encode(), media, token="")
    assert (refused.status, refused.json["error"]) == (401, "invalid_client")


def test_a_forged_token_is_refused(house: Served, terraform: Client) -> None:
    head, claims, mac = terraform.token.split(".")
    forged = {**claims_of(terraform.token), "roles": ["Directory.ReadWrite.All"]}
    part = base64.urlsafe_b64encode(json.dumps(forged).encode()).decode().rstrip("=")
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    for token in (f"{head}.{part}.{mac}", f"{none}.{part}.", f"{none}.{claims}.{mac}"):
        client = replace(terraform, token=token)
        assert ask(client, "GET", "/v1.0/servicePrincipals").status == 401
