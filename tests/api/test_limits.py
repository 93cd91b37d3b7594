"""Whatever is too much is refused, with a code of its own, before it costs anything."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from provisor.graph.http.throttle import BULK_UPLOAD, LOGS, ON_DEMAND
from tests.api.served import Reply, Served, serving, target, workspace

DOCS = Path(__file__).parents[2] / "docs" / "api.md"
DEEP = 250


def codes(answer: Reply) -> list[str]:
    """Return the codes of everything that an error is about."""
    return [str(one["code"]) for one in answer.error["details"]]


def nested(levels: int) -> bytes:
    return b'{"a":' * levels + b"1" + b"}" * levels


def raw(house: Served, *parts: bytes, patience_s: float = 60) -> tuple[int, dict[str, Any]]:
    """Send bytes as they are; return status and body of the answer."""
    with socket.create_connection(("127.0.0.1", house.port), timeout=patience_s) as wire:
        for part in parts:
            wire.sendall(part)
        said = b""
        while more := wire.recv(65_536):
            said += more
    head, _, body = said.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


# what a request may be


@pytest.mark.parametrize("extra", [0, 1])
def test_a_body_is_as_long_as_its_route_takes(house: Served, job: str, extra: int) -> None:
    body = b"{}" + b" " * ((1 << 20) - 2 + extra)
    answer = house.send("POST", f"{job}/pause", body)
    assert answer.status == (413 if extra else 204)
    if extra:
        assert answer.error["code"] == "RequestEntityTooLarge"


def test_a_body_that_does_not_say_how_long_it_is_is_counted(house: Served) -> None:
    head = (
        f"POST /v1.0/applicationTemplates/x/instantiate HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: Bearer {house.token}\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    chunk = b"%x\r\n" % (1 << 19) + b" " * (1 << 19) + b"\r\n"
    status, body = raw(house, head.encode(), chunk, chunk, b"1\r\n \r\n0\r\n\r\n")
    assert (status, body["error"]["code"]) == (413, "RequestEntityTooLarge")


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "schema"), ("PATCH", "schema"), ("POST", "schema/parseExpression"), ("PATCH", ""),
     ("POST", "restart"), ("POST", "plan")],
)  # fmt: skip
def test_no_json_is_taken_that_nests_too_deeply(
    house: Served, job: str, method: str, path: str
) -> None:
    answer = house.send(method, f"{job}/{path}", nested(DEEP))
    assert answer.status == 400
    assert codes(answer) == ["DocumentTooDeep"]


def test_not_even_when_it_is_an_upload(house: Served, job: str) -> None:
    media = {"Content-Type": "application/scim+json"}
    answer = house.send("POST", f"{job}/bulkUpload", nested(DEEP), media)
    assert (answer.status, answer.error["code"]) == (400, "Invalid Data Format")


def test_an_address_is_not_endless(house: Served) -> None:
    long = house.get(f"/v1.0/servicePrincipals?$filter={'x' * 20_000}")
    assert (long.status, long.error["code"]) == (414, "RequestUriTooLong")


def test_a_head_is_not_endless(house: Served) -> None:
    head = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Much: " + b"x" * 70_000
    status, body = raw(house, head)
    assert (status, body["error"]["code"]) == (431, "RequestHeaderFieldsTooLarge")
    assert body["error"]["innerError"]["request-id"]


def test_what_is_no_http_is_told_so(house: Served) -> None:
    status, body = raw(house, b"HELO there\r\n\r\n")
    assert (status, body["error"]["code"]) == (400, "BadRequest")


def test_slow_heads_and_slow_bodies_are_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a second of patience in the place of half a minute and a minute."""
    hasty = tmp_path / "hasty"
    hasty.mkdir()
    (hasty / "sitecustomize.py").write_text(
        "from provisor.graph.http import protocol, service\n"
        "protocol.HEAD_WITHIN_S = service.BODY_WITHIN_S = 1\n",
        encoding="utf-8",
    )
    (tmp_path / "work").mkdir()
    with target() as scim:
        token = workspace(tmp_path / "work", scim)
        monkeypatch.setenv("PYTHONPATH", str(hasty))
        with serving(tmp_path / "work", scim, token) as house:
            status, body = raw(house, b"GET /health HTTP/1.1\r\nHost: 127.0")
            assert (status, body["error"]["code"]) == (408, "RequestTimeout")
            head = (
                "POST /v1.0/applicationTemplates/x/instantiate HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                f"Authorization: Bearer {token}\r\nContent-Length: 100\r\n\r\n"
            )
            status, body = raw(house, head.encode(), b"{")
            assert (status, body["error"]["code"]) == (408, "RequestTimeout")
            assert house.send("GET", "/health", token="").status == 200


# what may be asked


@pytest.mark.parametrize(
    ("filter", "code"),
    [
        ("(" * 21 + "id eq 'a'" + ")" * 21, "FilterTooDeep"),
        ("not " * 21 + "id eq 'a'", "FilterTooDeep"),
        (" or ".join(["id eq 'a'"] * 101), "FilterTooWide"),
        (f"id eq '{'a' * 4_100}'", "FilterTooLong"),
    ],
)
def test_a_filter_has_bounds(house: Served, filter: str, code: str) -> None:
    asked = filter.replace(" ", "%20")
    for path in ("/v1.0/servicePrincipals", "/v1.0/auditLogs/provisioning", "/v1.0/users"):
        answer = house.get(f"{path}?$filter={asked}")
        assert (answer.status, codes(answer)) == (400, [code]), path


def test_a_page_has_bounds(house: Served, job: str) -> None:
    for top in ("0", "1001"):
        answer = house.get(f"/v1.0/auditLogs/provisioning?$top={top}")
        assert (answer.status, codes(answer)) == (400, ["PageTooLarge"])
    assert house.get(f"{job}/schema/functions?$top=1000000").status == 200
    assert house.get(f"{job}/schema/functions?$top=9999999999").status == 400


# what a schema may be


def edited(house: Served, job: str) -> dict[str, Any]:
    return dict(house.get(f"{job}/schema").json)


def test_a_schema_has_so_many_directories(house: Served, job: str) -> None:
    schema = edited(house, job)
    schema["directories"] += [{"id": str(n), "name": f"d{n}", "objects": []} for n in range(20)]
    answer = house.put(f"{job}/schema", schema)
    assert (answer.status, answer.error["code"]) == (400, "RequestParameterInvalid")
    assert "TooManyDirectories" in codes(answer)


def test_an_object_mapping_has_so_many_attribute_mappings(house: Served, job: str) -> None:
    schema = edited(house, job)
    mapping = schema["synchronizationRules"][0]["objectMappings"][0]
    mapping["attributeMappings"] = mapping["attributeMappings"][:1] * 1_001
    answer = house.put(f"{job}/schema", schema)
    assert answer.status == 400
    assert "TooManyAttributeMappings" in codes(answer)


def test_an_expression_is_so_long_and_gives_so_much(house: Served, job: str) -> None:
    long = house.post(f"{job}/schema/parseExpression", {"expression": '"' + "a" * 10_001 + '"'})
    assert (long.status, long.json["parsingSucceeded"]) == (200, False)
    assert long.json["error"]["code"] == "ExpressionTooLong"

    much = 'Replace([a], "x", , , "' + "y" * 5_000 + '", , )'
    asked = {
        "expression": much,
        "testInputObject": {"properties": [{"key": "a", "value": "x" * 1_000}]},
    }
    answer = house.post(f"{job}/schema/parseExpression", asked)
    assert (answer.status, answer.json["evaluationSucceeded"]) == (200, False)
    assert answer.json["error"]["code"] == "ResultTooLong"
    assert len(answer.body) < 20_000


# how often


@pytest.mark.parametrize("limit", [ON_DEMAND, BULK_UPLOAD, LOGS])
def test_what_comes_too_often_is_told_when_to_come_again(
    house: Served, job: str, limit: Any
) -> None:
    rule = edited(house, job)["synchronizationRules"][0]["id"]
    subject = {"objectId": "nobody", "objectTypeName": "User"}
    wanted = {"parameters": [{"ruleId": rule, "subjects": [subject]}]}
    # A caller of our own: nobody else's patience is used up.
    impatient = house.token_of("AuditLog.Read.All") if limit is LOGS else ""

    def once() -> Reply:
        if limit is ON_DEMAND:
            return house.post(f"{job}/provisionOnDemand", wanted)
        if limit is BULK_UPLOAD:
            return house.post(f"{job}/bulkUpload", {})
        return house.send("GET", "/v1.0/auditLogs/provisioning?$top=1", token=impatient)

    for _ in range(limit.requests * 3):
        answer = once()
        if answer.status == 429:
            assert answer.error["code"] == "TooManyRequests"
            assert 1 <= int(answer.headers["retry-after"]) <= limit.seconds
            return
    pytest.skip("this machine is too slow to ask too often")


def test_every_code_of_a_limit_is_in_the_documentation() -> None:
    told = DOCS.read_text(encoding="utf-8")
    for code in (
        "RequestEntityTooLarge", "RequestUriTooLong", "RequestHeaderFieldsTooLarge",
        "RequestTimeout", "DocumentTooDeep", "FilterTooLong", "FilterTooDeep", "FilterTooWide",
        "PageTooLarge", "TooManyRequests",
    ):  # fmt: skip
        assert f"`{code}`" in told, code


def test_a_page_beyond_the_end_is_empty(house: Served, job: str) -> None:
    assert house.get(f"{job}/schema/functions?$skip=99999").json["value"] == []
