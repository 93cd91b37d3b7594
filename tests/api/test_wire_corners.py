"""What clients of other languages send, and what a careful reader of the contract tries."""

from __future__ import annotations

import gzip
import json
import socket

import pytest

from tests.api.served import PATIENCE_S, Reply, Served

JSON = "application/json"


def restart(house: Served, job: str, body: bytes, **headers: str) -> Reply:
    sent = {
        "Content-Type": JSON,
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    return house.send("POST", f"{job}/restart", body, sent)


def test_a_body_may_come_compressed(house: Served, job: str) -> None:
    """As Go's clients send each; one that another encoding is refused sends it again as it is."""
    packed = gzip.compress(b'{"criteria": {"resetScope": "Escrows"}}')
    assert restart(house, job, packed, Content_Encoding="gzip").status == 204
    for wrong in (packed[:-4], packed + b"more", b"no gzip"):
        refused = restart(house, job, wrong, Content_Encoding="gzip")
        assert (refused.status, refused.error["code"]) == (400, "BadRequest")
    bomb = restart(house, job, gzip.compress(b" " * (1 << 24)), Content_Encoding="gzip")
    assert bomb.status == 413
    other = restart(house, job, b"x", Content_Encoding="br")
    assert (other.status, other.headers["accept-encoding"]) == (415, "gzip")
    assert house.post(f"{job}/pause").status == 204


def test_a_mark_of_the_byte_order_is_passed_over(house: Served, job: str) -> None:
    assert restart(house, job, b"\xef\xbb\xbf" + b'{"criteria": {}}').status == 204
    assert house.post(f"{job}/pause").status == 204


@pytest.mark.parametrize(
    "scope", ["15", 15, "escrows,watermark", ["Escrows"], "Escrows, Watermark", "", None]
)
def test_flags_in_every_spelling(house: Served, job: str, scope: object) -> None:
    body = json.dumps({"criteria": {"resetScope": scope}}).encode()
    assert restart(house, job, body).status == 204
    assert house.post(f"{job}/pause").status == 204


def test_criteria_stand_bare_or_in_capitals(house: Served, job: str) -> None:
    for body in ({"resetScope": "Escrows"}, {"Criteria": {"ResetScope": "Escrows"}}):
        assert house.post(f"{job}/restart", body).status == 204
    assert house.post(f"{job}/pause").status == 204


def heard(house: Served, request: str, body: bytes = b"") -> bytes:
    """Send a request as it is written here; return all that comes back."""
    text = request.replace("HOST", f"127.0.0.1:{house.port}").replace("KEY", house.token)
    head = text.replace("\n", "\r\n").encode()
    with socket.create_connection(("127.0.0.1", house.port), PATIENCE_S) as line:
        line.sendall(head + b"\r\n\r\n" + body)
        answer = b""
        while part := line.recv(65536):
            answer += part
    return answer


WHO = "Host: HOST\nAuthorization: Bearer KEY\nConnection: close"


@pytest.mark.parametrize(
    "kind",
    [
        "Content-Type: application/x-www-form-urlencoded\nContent-Length: 0",
        "Content-Type: text/plain; charset=utf-8\nContent-Length: 0",
        "Content-Type: application/json; charset=utf-8\nContent-Length: 0",
        "X-Nothing: at all",
    ],
)
def test_an_action_without_a_body_is_taken_whatever_it_is_called(
    house: Served, job: str, kind: str
) -> None:
    assert heard(house, f"POST {job}/pause HTTP/1.1\n{WHO}\n{kind}").startswith(b"HTTP/1.1 204 ")


def test_a_body_in_pieces_or_asked_for_first_is_taken(house: Served, job: str) -> None:
    pieces = "Content-Type: application/json\nTransfer-Encoding: chunked"
    answer = heard(house, f"POST {job}/restart HTTP/1.1\n{WHO}\n{pieces}", b"2\r\n{}\r\n0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 204 ")
    asked = "Content-Type: application/json\nContent-Length: 2\nExpect: 100-continue"
    answer = heard(house, f"POST {job}/pause HTTP/1.1\n{WHO}\n{asked}", b"{}")
    assert answer.startswith(b"HTTP/1.1 100 ")
    assert b"HTTP/1.1 204 " in answer


def test_an_address_may_name_its_server_too(house: Served, job: str) -> None:
    """RFC 9112 3.2.2: whoever speaks through a proxy writes the whole of it."""
    answer = heard(house, f"GET http://HOST{job}?$select=id HTTP/1.1\n{WHO}")
    assert answer.startswith(b"HTTP/1.1 200 ")


def test_what_only_looks_may_leave_the_body_away_and_other_verbs_are_told_which(
    house: Served, job: str
) -> None:
    looked = house.send("HEAD", job)
    assert (looked.status, looked.body) == (200, b"")
    for verb in ("OPTIONS", "PUT", "TRACE"):
        told = house.send(verb, job)
        assert (told.status, told.headers["allow"]) == (405, "DELETE, GET, PATCH")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("?$select=ID,%20Status", 200),
        ("?select=id", 200),
        ("?$select=id&$select=status", 400),
        ("?$select=status/code", 400),
        ("?$expand=schema($select=version)", 200),
        ("?$expand=nothing", 400),
        ("?$search=x", 400),
        ("?$apply=x", 400),
        ("?$format=json", 200),
        ("?foo=bar", 200),
    ],
)
def test_query_options_of_a_job(house: Served, job: str, path: str, status: int) -> None:
    assert house.get(job + path).status == status


@pytest.mark.parametrize(
    ("interval", "status"),
    [
        ("P0DT1H30M0S", 200), ("PT90M", 200), ("P1D", 200), ("PT2700S", 200),
        ("-PT5M", 400), ("1:00:00", 400), ("PT", 400), ("P", 400), ("", 400), (5, 400),
    ],
)  # fmt: skip
def test_durations(house: Served, job: str, interval: object, status: int) -> None:
    assert house.patch(job, {"schedule": {"interval": interval}}).status == status


def test_every_problem_of_a_schema_is_told_at_once_with_its_place(house: Served, job: str) -> None:
    schema = house.get(f"{job}/schema").json
    rule = schema["synchronizationRules"][0]
    mapping = rule["objectMappings"][0]
    rule["sourceDirectoryName"] = "nowhere"
    mapping["targetObjectName"] = "Nothing"
    mapping["attributeMappings"][2]["source"] = {"type": "Function", "expression": "Foo("}
    refused = house.put(f"{job}/schema", schema)
    assert refused.status == 400
    told = {one["target"]: one["code"] for one in refused.error["details"]}
    at = "synchronizationRules[0]"
    assert told[f"{at}.sourceDirectoryName"] == "DirectoryUnknown"
    assert told[f"{at}.objectMappings[0].targetObjectName"] == "ObjectUnknown"
    wrong = f"{at}.objectMappings[0].attributeMappings[2].source.expression"
    assert told[wrong] == "InvalidExpression"
