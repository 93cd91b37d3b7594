"""What Terraform's azuread provider sends, replayed as it was captured (spec: graph-clients 4)."""

from __future__ import annotations

import base64
import http.client
import json
import socket
import ssl
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.api.served import (
    TENANT,
    Client,
    Reply,
    Served,
    command,
    serving,
    target,
    workspace,
)
from tests.api.tls import certificate

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

SCOPE_ARGUMENTS = tuple(part for scope in SCOPES for part in ("--scope", scope))


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


# over TLS, as the provider is pointed at a server

SUFFIXES = (
    "azureDataLakeStoreFileSystem", "acrLoginServer", "sqlServerHostname",
    "azureDataLakeAnalyticsCatalogAndJob", "keyVaultDns", "storage", "azureFrontDoorEndpointSuffix",
    "storageSyncEndpointSuffix", "mhsmDns", "mysqlServerEndpoint", "postgresqlServerEndpoint",
    "mariadbServerEndpoint", "synapseAnalytics", "attestationEndpoint",
)  # fmt: skip


def over_tls(port: int, trusted: Path, request: bytes) -> tuple[int, Any]:
    """Send a request as it was captured, byte for byte; return status and JSON of the answer."""
    trust = ssl.create_default_context(cafile=str(trusted))
    with (
        socket.create_connection(("localhost", port), timeout=60) as plain,
        trust.wrap_socket(plain, server_hostname="localhost") as wire,
    ):
        wire.sendall(request)
        answer = http.client.HTTPResponse(wire)
        answer.begin()
        content = answer.read()
        return answer.status, json.loads(content) if content else None


def captured(method: str, path: str, port: int, token: str = "", body: bytes = b"") -> bytes:
    """Return a request in the provider's own spelling and order of headers."""
    is_form = path.endswith("/token")
    media = "application/x-www-form-urlencoded" if is_form else HEADERS["Content-Type"]
    lines = [
        f"{method} {path} HTTP/1.1",
        f"Host: localhost:{port}",
        f"User-Agent: {HEADERS['User-Agent']}",
        *([f"Content-Length: {len(body)}"] if body or method == "POST" else []),
        f"Accept: {HEADERS['Accept']}",
        *([f"Authorization: Bearer {token}"] if token else []),
        f"Content-Type: {media}",
        f"Odata-Maxversion: {HEADERS['OData-MaxVersion']}",
        f"Odata-Version: {HEADERS['OData-Version']}",
        "Accept-Encoding: gzip",
        "Connection: close",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def test_the_provider_starts_and_reads_its_data_sources_over_tls(tmp_path: Path) -> None:
    trusted = certificate(tmp_path)
    with target() as scim:
        token = workspace(tmp_path, scim)
        made = command(tmp_path, "token", "create", "terraform", *SCOPE_ARGUMENTS, "--json")
        key = json.loads(made)
        with serving(tmp_path, scim, token, *trusted.arguments) as house:
            port = house.port

            def ask_it(method: str, path: str, token: str = "", body: bytes = b"") -> Any:
                request = captured(method, path, port, token, body)
                status, said = over_tls(port, trusted.certificate, request)
                assert status in (200, 201, 204), said
                return said

            found = ask_it("GET", "/metadata/endpoints?api-version=2022-09-01")
            base = f"https://localhost:{port}/"
            assert found["microsoftGraphResourceId"] == base
            assert found["authentication"]["loginEndpoint"] == base
            assert found["authentication"]["identityProvider"] == "AAD"
            assert set(SUFFIXES) <= set(found["suffixes"])
            form = {
                "client_id": key["id"],
                "client_secret": key["token"],
                "grant_type": "client_credentials",
                "scope": f"{base}.default",
            }
            granted = ask_it("POST", f"/{TENANT}/oauth2/v2.0/token", body=urlencode(form).encode())
            assert (granted["token_type"], granted["expires_in"]) == ("Bearer", 3599)
            claims = claims_of(granted["access_token"])
            assert {"tid", "oid", "appid", "roles", "aud"} <= set(claims)
            assert int(str(claims["exp"])) - int(str(claims["iat"])) == 3599

            mine = granted["access_token"]
            (principal,) = ask_it("GET", "/v1.0/servicePrincipals", mine)["value"]
            for option in (
                f"appId%20eq%20%27{principal['appId']}%27",
                "displayName%20eq%20%27people%27",
            ):
                path = f"/v1.0/servicePrincipals?%24filter={option}"
                assert ask_it("GET", path, mine)["value"] == [principal]
            one = ask_it("GET", f"/v1.0/servicePrincipals/{principal['id']}", mine)
            assert {name: value for name, value in one.items() if "@" not in name} == principal


def test_whoever_tries_secrets_is_slowed_down(house: Served) -> None:
    form = {"client_id": "guessed", "client_secret": "no", "grant_type": "client_credentials"}
    media = {"Content-Type": "application/x-www-form-urlencoded"}
    path = f"/{TENANT}/oauth2/v2.0/token"
    answers = [
        house.send("POST", path, urlencode(form).encode(), media, token="") for _ in range(12)
    ]
    assert [one.status for one in answers[:3]] == [401] * 3
    assert answers[-1].status == 429
    assert int(answers[-1].headers["retry-after"]) > 0
