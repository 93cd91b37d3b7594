"""The fake as a process of its own: for benchmarks, and for tests that kill."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.worlds.processes import Server

MODULE = "tests.fakes.scim.server"


def ask(url: str, method: str = "GET", body: object = None) -> tuple[int, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, json.loads(refusal.read() or b"null")


def test_it_is_switched_while_it_runs_and_keeps_a_log(tmp_path: Path) -> None:
    log = tmp_path / "access.jsonl"
    server = Server(
        MODULE, "--obey", "--switch", "booleans_as_text", "--switch", "page_max=1",
        "--access-log", str(log),
    )  # fmt: skip
    try:
        url = str(server.greeting["url"])
        for name in ("ada", "bob"):
            assert ask(f"{url}/Users", "POST", {"userName": name, "active": True})[0] == 201
        listed = ask(f"{url}/Users")[1]
        assert listed["totalResults"] == 2
        assert [user["active"] for user in listed["Resources"]] == ["True"]

        server.ask("switch", switches={"page_max": 0})
        assert len(ask(f"{url}/Users")[1]["Resources"]) == 2
        control = url.removesuffix("/scim/v2") + "/__control"
        fault = {"what": "refuse", "status": 503, "times": 1}
        assert ask(control, "POST", {"do": "misbehave", "faults": [fault]}) == (200, {})
        assert [ask(f"{url}/Users")[0] for _ in range(2)] == [503, 200]

        lines = [json.loads(line) for line in log.read_text().splitlines()]
        assert [(line["method"], line["status"], line["effect"]) for line in lines] == [
            ("POST", 201, "created 1"),
            ("POST", 201, "created 2"),
            ("GET", 200, ""),
            ("GET", 200, ""),
            ("GET", 503, ""),
            ("GET", 200, ""),
        ]
        users = server.ask("resources")["Users"]
        assert isinstance(users, list)

        server.ask("switch_off")
        with pytest.raises(urllib.error.URLError):
            ask(f"{url}/Users")
        server.ask("switch_on")
        assert ask(f"{url}/Users")[1]["totalResults"] == 2
        server.ask("reset")
        assert ask(f"{url}/Users")[1]["totalResults"] == 0
    finally:
        server.stop()
