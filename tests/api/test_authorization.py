"""Who may: every route asks for a permission, and the table says which."""

from __future__ import annotations

import re
import threading

import pytest

from provisor.graph.http.routes import ROUTES, Route
from provisor.settings.tokens import SCOPES
from tests.api.served import TENANT, Reply, Served, command

OPEN = {
    ("GET", "health"),
    ("GET", "ready"),
    ("GET", "metadata/endpoints"),
    ("POST", "{tenant}/oauth2/v2.0/token"),
}


def address(route: Route) -> str:
    path = re.sub(r"\{\w+\}", "11111111-1111-1111-1111-111111111111", route.path)
    return f"/beta/{path}" if route.is_versioned else f"/{path}"


def test_every_route_asks_for_a_permission_or_is_meant_to_be_open() -> None:
    assert {(one.method, one.path) for one in ROUTES if one.is_open} == OPEN
    for route in ROUTES:
        assert set(route.scopes) <= set(SCOPES), route.path


def test_nobody_passes_without_a_token(house: Served) -> None:
    for route in ROUTES:
        if not route.is_open:
            answer = house.send(route.method, address(route), b"{}", token="")
            assert answer.status == 401, route.path


@pytest.fixture(scope="module")
def uploader(house: Served) -> str:
    return house.token_of("SynchronizationData-User.Upload")


@pytest.fixture(scope="module")
def reader(house: Served) -> str:
    return house.token_of("Synchronization.Read.All", "Application.Read.All")


def test_a_permission_opens_its_own_routes_only(house: Served, uploader: str) -> None:
    for route in ROUTES:
        if route.is_open or "SynchronizationData-User.Upload" in route.scopes:
            continue
        answer = house.send(route.method, address(route), b"{}", token=uploader)
        assert (answer.status, answer.error["code"]) == (403, "Authorization_RequestDenied")


def test_a_reader_reads_and_does_not_write(house: Served, sync: str, job: str, reader: str) -> None:
    assert house.send("GET", job, token=reader).status == 200
    for method, path in (("POST", f"{job}/start"), ("DELETE", job), ("GET", f"{sync}/secrets")):
        assert house.send(method, path, token=reader).status == 403


def test_owners_touch_their_own_and_nothing_else(house: Served, job: str) -> None:
    owner = house.token_of("Application.ReadWrite.OwnedBy")
    assert house.send("GET", job, token=owner).status == 403
    assert house.send("GET", "/beta/servicePrincipals", token=owner).status == 403


def test_a_revoked_key_is_refused_at_once(house: Served) -> None:
    token = house.token_of("Application.Read.All")
    assert house.send("GET", "/v1.0/applications", token=token).status == 200
    command(house.folder, "token", "revoke", "application.read.all")
    assert house.send("GET", "/v1.0/applications", token=token).status == 401
    assert token.encode() not in (house.folder / "provisor.db").read_bytes()


def test_another_host_is_none_of_ours(house: Served) -> None:
    answer = house.send("GET", "/health", headers={"Host": "evil.example"})
    assert (answer.status, answer.error["code"]) == (400, "InvalidHost")
    forged = house.get("/beta/servicePrincipals", **{"X-Forwarded-Host": "evil.example"})
    assert "evil.example" not in forged.body.decode()


def test_nothing_that_is_answered_or_logged_shows_a_secret(house: Served, sync: str) -> None:
    marked = "marked-secret-0123456789"
    pairs = [
        {"key": "BaseAddress", "value": house.target_url},
        {"key": "SecretToken", "value": marked},
        {"key": "AppKey", "value": f"{marked}-app"},
    ]
    assert house.put(f"{sync}/secrets", {"value": pairs}).status == 204
    job = house.post(f"{sync}/jobs", {"templateId": "scim"}).json["id"]
    answers: list[Reply] = [
        house.get(f"{sync}?$expand=jobs,templates"),
        house.get(f"{sync}/secrets"),
        house.post(f"{sync}/jobs/{job}/validateCredentials", {"useSavedCredentials": True}),
        house.get(f"{sync}/jobs/{job}?$expand=schema"),
    ]
    assert answers[2].status == 400
    for answer in answers:
        assert marked not in answer.body.decode()
        assert marked not in str(answer.headers)
    assert marked not in "".join(house.words)
    for name in ("provisor.db", "provisor.db-wal"):
        file = house.folder / name
        assert not file.exists() or marked.encode() not in file.read_bytes()


def test_what_is_changed_by_many_at_once_is_changed_by_one(house: Served, sync: str) -> None:
    answers: list[int] = []

    def create() -> None:
        answers.append(house.post(f"{sync}/jobs", {"templateId": "scim"}).status)

    threads = [threading.Thread(target=create) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [201] + [409] * 7
    assert house.get(f"{sync}/jobs/$count").body == b"1"


def test_throttled_requests_say_when_to_come_again(house: Served, job: str) -> None:
    rule = house.get(f"{job}/schema").json["synchronizationRules"][0]["id"]
    subject = {"objectId": "nobody", "objectTypeName": "User"}
    body = {"parameters": [{"ruleId": rule, "subjects": [subject]}]}
    answers = [house.post(f"{job}/provisionOnDemand", body) for _ in range(12)]
    refused = [answer for answer in answers if answer.status == 429]
    if refused:  # a busy machine may be slower than the limit
        assert refused[0].error["code"] == "TooManyRequests"
        assert int(refused[0].headers["retry-after"]) >= 1


def test_the_tenant_comes_from_the_credential_alone(house: Served) -> None:
    other = "00000000-0000-4000-8000-000000000000"
    form = b"grant_type=client_credentials&client_id=x&client_secret=y"
    media = {"Content-Type": "application/x-www-form-urlencoded"}
    assert house.send("POST", f"/{other}/oauth2/v2.0/token", form, media, token="").status == 401
    assert house.send("POST", f"/{TENANT}/oauth2/v2.0/token", form, media, token="").status == 401
