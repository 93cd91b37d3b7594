"""Secrets never come back, and go nowhere but where they were given for."""

from __future__ import annotations

import json
import threading
from base64 import b64encode
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote

import pytest

from provisor.graph.credentials import MASKED
from tests.api.served import Served, wait_until


class Echo(BaseHTTPRequestHandler):
    """A target that refuses everything, and repeats what it knows while it does."""

    told: tuple[str, ...] = ()
    heard: list[str] = []  # noqa: RUF012

    def do_GET(self) -> None:
        Echo.heard.append(str(self.headers.get("authorization")))
        said = [str(self.headers.get("authorization")), *Echo.told]
        said += [quote(text, safe="") for text in said]
        said += [b64encode(f"client:{text}".encode()).decode() for text in said]
        body = json.dumps({"detail": " ".join(said), "status": "500"}).encode()
        self.send_response(500)
        self.send_header("Content-Type", "application/json")
        self.send_header("x-request-id", said[0])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        """Nobody looks on."""


@contextmanager
def echoing() -> Generator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/scim"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def empty(house: Served) -> str:
    return f"/beta/servicePrincipals/{house.principal()}/synchronization"


def pairs(**values: str) -> dict[str, object]:
    return {"value": [{"key": key, "value": value} for key, value in values.items()]}


def test_what_a_target_repeats_of_any_secret_is_told_nowhere(house: Served, empty: str) -> None:
    marks = {key: f"marked/{key.lower()}+{number:04d}" for number, key in enumerate(sorted(MASKED))}
    Echo.told = tuple(marks.values())
    with echoing() as address:
        given = {"BaseAddress": address, **marks}
        assert house.put(f"{empty}/secrets", pairs(**given)).status == 204
        job = house.post(f"{empty}/jobs", {"templateId": "scim"}).json["id"]
        at = f"{empty}/jobs/{job}"
        answers = [house.post(f"{at}/validateCredentials", {"useSavedCredentials": True})]
        assert answers[0].status == 400
        assert house.post(f"{at}/start").status == 204
        wait_until(lambda: house.get(at).json["status"]["lastExecution"])
        listed = [{"key": key, "value": value} for key, value in given.items()]
        tried = {"useSavedCredentials": False, "credentials": listed}
        rule = house.get(f"{at}/schema").json["synchronizationRules"][0]["id"]
        subject = {"objectId": "ada", "objectTypeName": "User"}
        wanted = {"parameters": [{"ruleId": rule, "subjects": [subject]}]}
        answers += [
            house.get(at),
            house.get(f"{empty}?$expand=jobs,templates"),
            house.get(f"{empty}/secrets"),
            house.post(f"{empty}/jobs/validateCredentials", tried),
            house.post(f"{empty}/acquireAccessToken", {"credentials": listed[:1]}),
            house.post(f"{at}/provisionOnDemand", wanted),
            house.get(f"/beta/auditLogs/provisioning?$filter=jobId%20eq%20'{job}'"),
        ]
        assert house.post(f"{at}/pause").status == 204
    words = "".join(house.words)
    files = b"".join(
        (house.folder / name).read_bytes()
        for name in ("provisor.db", "provisor.db-wal")
        if (house.folder / name).exists()
    )
    assert any("marked" in text for text in Echo.heard), "the target did hear one"
    for key, mark in marks.items():
        inside = b64encode(mark.encode()).decode()[3:-4]
        for spelling in (mark, quote(mark, safe=""), inside):
            for answer in answers:
                assert spelling not in answer.body.decode(), (key, spelling, answer.body)
            assert spelling not in words
            assert spelling.encode() not in files, (key, spelling)


def test_a_saved_secret_follows_no_address_it_was_not_given_for(house: Served, empty: str) -> None:
    at, again = f"{empty}/secrets", "CredentialsMustBeGivenAgain"
    here, there = "https://scim.example/v2", "https://elsewhere.example/v2"
    assert house.put(at, pairs(BaseAddress=here, SecretToken="a-token")).status == 204
    assert house.put(at, pairs(BaseAddress=f"{here}/users", SecretToken="*")).status == 204
    ways = (
        pairs(BaseAddress=there, SecretToken="*"),
        pairs(BaseAddress="https://scim.example:8443/v2", SecretToken="*"),
        pairs(BaseAddress="http://scim.example/v2", SecretToken="*"),
        pairs(BaseAddress=here, SecretToken="*", Oauth2TokenExchangeUri=there),
    )
    for way in ways:
        refused = house.put(at, way)
        assert (refused.status, refused.error["code"]) == (400, again)
        credentials = {"useSavedCredentials": False, "credentials": way["value"]}
        refused = house.post(f"{empty}/jobs/validateCredentials", credentials)
        assert (refused.status, refused.error["code"]) == (400, again)
    assert house.put(at, pairs(SecretToken="*")).status == 204, "the address is forgotten,"
    refused = house.put(at, pairs(BaseAddress=there, SecretToken="*"))
    assert refused.error["code"] == again, "and what the token was given for is not"
    assert house.put(at, pairs(BaseAddress=there, SecretToken="another")).status == 204


def test_a_saved_client_secret_is_not_sent_to_another_token_endpoint(
    house: Served, empty: str
) -> None:
    with echoing() as address:
        kept = {
            "Oauth2TokenExchangeUri": "https://login.example/token",
            "Oauth2ClientId": "client",
            "Oauth2ClientSecret": "marked-client-secret",
            "Oauth2RedirectUri": "https://here.example/",
        }
        assert house.put(f"{empty}/secrets", pairs(**kept)).status == 204
        Echo.heard.clear()
        given = {"Oauth2TokenExchangeUri": address, "Oauth2AuthorizationCode": "code"}
        listed = pairs(**given)["value"]
        refused = house.post(f"{empty}/acquireAccessToken", {"credentials": listed})
        assert refused.error["code"] == "CredentialsMustBeGivenAgain"
        assert Echo.heard == []
