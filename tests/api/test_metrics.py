"""What operators are shown of a server at work: measures that survive it, and a log."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path
from typing import Any, cast

import pytest

from provisor.telemetry.catalog import BY_NAME
from tests.api.served import (
    TARGET_TOKEN,
    Served,
    command,
    serving,
    target,
    token_for,
    wait_until,
    workspace,
)
from tests.api.test_serving import children

LINE = re.compile(r"(\w+)(?:\{(.*)\})? (\S+)")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Shown(dict[str, dict[frozenset[tuple[str, str]], float]]):
    """What `/metrics` shows: a value by name and labels."""

    def of(self, name: str, **labels: str) -> float:
        """Return the sum of what has these labels, whatever else it has."""
        wanted = set(labels.items())
        return sum(v for found, v in self.get(name, {}).items() if wanted <= found)


def shown(text: str) -> Shown:
    made = Shown()
    for line in text.splitlines():
        if not line.startswith("#"):
            found = LINE.fullmatch(line)
            assert found, line
            name, labels, value = found.groups()
            made.setdefault(name, {})[frozenset(LABEL.findall(labels or ""))] = float(value)
    return made


def metrics(served: Served, **headers: str) -> Shown:
    reply = served.get("/metrics", **headers)
    assert reply.status == 200, reply.body
    assert reply.headers["content-type"].startswith("text/plain; version=0.0.4")
    return shown(reply.body.decode())


def job_path(served: Served) -> str:
    found = served.get("/beta/servicePrincipals").json["value"][0]["id"]
    at = f"/beta/servicePrincipals/{found}/synchronization/jobs"
    return f"{at}/{served.get(at).json['value'][0]['id']}"


def carried_through(served: Served, exported: int) -> None:
    """Start the job, and wait until so many objects have been written in all."""
    job = job_path(served)
    assert served.post(f"{job}/start").status == 204
    assert served.post(f"{job}/restart", {"criteria": {"resetScope": "Watermark"}}).status == 204
    wait_until(lambda: metrics(served).of("provisor_objects_total", outcome="exported") >= exported)


def test_what_was_done_is_counted_and_survives_whoever_counted(tmp_path: Path) -> None:
    with target() as scim:
        token = workspace(tmp_path, scim)
        with serving(tmp_path, scim, token) as served:
            assert metrics(served).of("provisor_jobs", status="Paused") == 1
            carried_through(served, 2)
            wait_until(lambda: metrics(served).of("provisor_requests_total", operation="export"))
            now = metrics(served)
            assert now.of("provisor_objects_total", job="people", outcome="exported") == 2
            assert now.of("provisor_job_links", job="people") == 2
            assert now.of("provisor_jobs", status="Active") == 1
            assert now.of("provisor_store_up") == 1
            assert now.of("provisor_store_bytes") > 0
            assert 0 <= now.of("provisor_job_lag_seconds", job="people") < 300
            exports = now.of("provisor_requests_total", operation="export", outcome="ok")
            assert exports == now.of("provisor_request_seconds_count", operation="export") == 2
            os.kill(children(served.process.pid)[0], signal.SIGKILL)
            cycles = now.of("provisor_cycles_total")
            after = metrics(served)
            assert after.of("provisor_requests_total", operation="export") == exports
            served.process.kill()
        with serving(tmp_path, scim, token) as served:
            again = metrics(served)
            assert again.of("provisor_objects_total", outcome="exported") == 2
            assert again.of("provisor_cycles_total") == cycles
            served.hire("ada", "bob", "cyd")
            carried_through(served, 3)
            assert metrics(served).of("provisor_objects_total", outcome="exported") == 3


def test_everything_shown_is_in_the_catalog(house: Served) -> None:
    for name in metrics(house):
        assert BY_NAME.get(name) or BY_NAME[re.sub("_(bucket|sum|count)$", "", name)]


def test_measures_are_for_whom_they_are_permitted(house: Served) -> None:
    assert house.send("GET", "/metrics", token="").status == 401
    assert house.send("GET", "/metrics", token=house.token_of("User.Read.All")).status == 403
    assert house.send("GET", "/metrics", token=house.token_of("Metrics.Read.All")).status == 200


def test_a_tenant_is_shown_its_own_and_a_neighbour_all(tmp_path: Path) -> None:
    other = "8b7c1f0e-98c5-4b84-9f2e-6e3c1f1d7a55"
    with target() as scim:
        token = workspace(tmp_path, scim)
        command(tmp_path, "tenant", "add", other)
        of_other = token_for(tmp_path, "--tenant", other)
        with serving(tmp_path, scim, token, "--local-metrics") as served:
            text = served.send("GET", "/metrics", token=of_other).body.decode()
            assert "people" not in text
            assert "provisor_jobs_due 0" in text
            assert "provisor_api_requests_total" not in text

            neighbour = served.send("GET", "/metrics", token="")
            assert (neighbour.status, b"people" in neighbour.body) == (200, True)
            passed_on = {"X-Forwarded-For": "192.0.2.1"}
            assert served.send("GET", "/metrics", headers=passed_on, token="").status == 401
            assert served.send("GET", "/metrics", token="wrong").status == 401
            assert served.send("GET", "/openapi.json", token="").status == 401


def test_neighbours_and_proxies_do_not_go_together(tmp_path: Path) -> None:
    command(tmp_path, "init")
    with pytest.raises(AssertionError, match="--local-metrics"):
        command(tmp_path, "serve", "--local-metrics", "--trusted-proxy", "127.0.0.1")


def logged(served: Served) -> list[dict[str, Any]]:
    return [cast(dict[str, Any], json.loads(line)) for line in served.words if line.startswith("{")]


def test_the_log_names_job_cycle_and_object_and_nothing_personal(tmp_path: Path) -> None:
    with target() as scim:
        token = workspace(tmp_path, scim)
        arguments = ("--log-format", "json", "--log-level", "debug")
        with serving(tmp_path, scim, token, *arguments) as served:
            served.hire("ada", "bob", mail="not an address at all")
            carried_through(served, 2)
            wait_until(lambda: any(one["event"] == "cycle ended" for one in logged(served)))
            lines = logged(served)
        ended = {one["cycle"] for one in lines if one["event"] == "cycle ended"}
        decided = [one for one in lines if one["event"] == "decided"]
        assert {one["object"] for one in decided} >= {"ada", "bob"}
        assert {one["job"] for one in decided} == {"people"}
        assert ended & {one["cycle"] for one in decided}
        assert all(one["level"] and one["timestamp"].endswith("Z") for one in lines)
        everything = "\n".join(map(json.dumps, lines))
        for secret in (TARGET_TOKEN, token, "Ada Example", "ada@example.com", "not an address"):
            assert secret not in everything, secret
