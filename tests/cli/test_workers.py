"""Several workers on one store: each cycle is run by one of them. What befalls them is in
`tests/crash`."""

from __future__ import annotations

import asyncio
import signal
import subprocess
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.cli.workspace import PATIENCE_S, Workspace, wait_until
from tests.worlds import pgstores
from tests.worlds.databases import Postgres
from tests.worlds.faults import Fault
from tests.worlds.scim2 import Scim2

CROWD = [f"p{number:02}" for number in range(40)]
SHORT = {"PROVISOR_LEASE_S": "2.5"}


@pytest.fixture
def workspace(tmp_path: Path, scim2: Scim2, pg_store: str) -> Workspace:
    """Return a workspace on a server, with forty people and a job that is due every second."""
    made = Workspace(tmp_path, scim2, {"PROVISOR_STORE": pg_store, **SHORT})
    made.hire(*CROWD)
    assert made.provisor("init").code == 0
    made.apply()
    with pgstores.opened(pg_store) as store:  # nobody may configure less than a minute
        (job,) = asyncio.run(store.jobs())
        asyncio.run(store.put_job(replace(job, schedule=timedelta(seconds=1))))
    made.server.misbehave(Fault(what="delay", method="POST", path="/Users", delay_s=0.4))
    return made


@contextmanager
def workers(workspace: Workspace, count: int) -> Generator[list[subprocess.Popen[str]]]:
    with ExitStack() as stack:
        begun = [stack.enter_context(workspace.begin("worker")) for _ in range(count)]
        try:
            yield begun
        finally:
            for one in begun:
                one.send_signal(signal.SIGCONT)
                one.kill()
            for one in begun:
                one.communicate()


def everybody_is_there_once(workspace: Workspace) -> None:
    workspace.server.misbehave()
    wait_until(lambda: workspace.active() == {*workspace.people})
    wait_until(lambda: _has_succeeded(workspace))
    creates = [
        one
        for one in workspace.server.writes()
        if one.method == "POST" and one.path.endswith("/Users")
    ]
    assert len([one for one in creates if one.status == 201]) == len(workspace.people)


def _has_succeeded(workspace: Workspace) -> bool:
    last = workspace.status()["status"]["lastExecution"]
    return last is not None and last["state"] == "Succeeded" and last["countEscrowed"] == 0


def test_workers_keep_everybody_true(workspace: Workspace, pg_store: str) -> None:
    with workers(workspace, 2) as begun:
        everybody_is_there_once(workspace)
        workspace.dismiss("p00")
        workspace.hire("late")
        wait_until(lambda: workspace.active() == {*workspace.people})

        for one in begun:
            one.send_signal(signal.SIGTERM)
        assert [one.wait(30) for one in begun] == [143, 143]


def asked(url: str) -> tuple[int, str]:
    try:
        with urlopen(url, timeout=PATIENCE_S) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as refusal:
        return refusal.code, refusal.read().decode()


def test_a_worker_tells_how_it_is_and_what_it_has_measured(
    workspace: Workspace, postgres: Postgres
) -> None:
    with workspace.begin("worker", "--port", "0") as worker:
        try:
            assert worker.stderr is not None
            said = next(line for line in worker.stderr if "tells how it is at" in line)
            url = said.split()[-1]
            wait_until(lambda: workspace.active() == {*workspace.people})
            assert asked(f"{url}/health")[0] == asked(f"{url}/ready")[0] == 200
            wait_until(lambda: "provisor_requests_total{" in asked(f"{url}/metrics")[1])
            assert asked(f"{url}/nothing")[0] == 404

            postgres.kill()
            try:
                assert asked(f"{url}/ready")[0] == 503
                assert asked(f"{url}/health")[0] == 200
            finally:
                postgres.start()
            wait_until(lambda: asked(f"{url}/ready")[0] == 200)

            worker.send_signal(signal.SIGTERM)
            assert worker.wait(PATIENCE_S) == 143
        finally:
            worker.kill()


def test_a_store_that_is_a_file_has_no_workers(tmp_path: Path, scim2: Scim2) -> None:
    made = Workspace(tmp_path, scim2)
    assert made.provisor("init").code == 0

    refused = made.provisor("worker")

    assert refused.code == 5
    assert "workers share a store on PostgreSQL" in refused.err
