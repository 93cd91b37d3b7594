"""Several workers on one store: each cycle is run by one, and by another if that one dies."""

from __future__ import annotations

import asyncio
import signal
import subprocess
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from tests.cli.workspace import Workspace, wait_until
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


def who_runs(workspace: Workspace, store: str) -> int:
    """Return the process that has the job; 0 where nobody has."""
    with psycopg.connect(store) as connection:
        row = connection.execute(
            "SELECT holder FROM lease WHERE name LIKE '%%.lock' AND name <> 'schedule.lock'"
        ).fetchone()
    return int(row[0].rpartition(":")[2]) if row else 0


def at_work(
    workspace: Workspace, store: str, begun: list[subprocess.Popen[str]]
) -> subprocess.Popen[str]:
    """Wait until a cycle is under way; return the worker that runs it."""
    wait_until(lambda: len(workspace.server.writes()) > 2 and who_runs(workspace, store) != 0)
    pid = who_runs(workspace, store)
    return next(one for one in begun if one.pid == pid)


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


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_worker_that_dies_or_sleeps_in_a_cycle_loses_it_to_another(
    workspace: Workspace, pg_store: str, how: signal.Signals
) -> None:
    with workers(workspace, 3) as begun:
        victim = at_work(workspace, pg_store, begun)
        victim.send_signal(how)

        wait_until(lambda: who_runs(workspace, pg_store) not in (0, victim.pid))
        wait_until(lambda: workspace.active() == {*workspace.people})
        victim.send_signal(signal.SIGCONT)
        everybody_is_there_once(workspace)


def test_workers_outlive_the_death_of_their_database(
    workspace: Workspace, pg_store: str, postgres: Postgres
) -> None:
    with workers(workspace, 2) as begun:
        at_work(workspace, pg_store, begun)
        postgres.kill()
        postgres.start()

        everybody_is_there_once(workspace)
        assert [one.poll() for one in begun] == [None, None]


def test_a_store_that_is_a_file_has_no_workers(tmp_path: Path, scim2: Scim2) -> None:
    made = Workspace(tmp_path, scim2)
    assert made.provisor("init").code == 0

    refused = made.provisor("worker")

    assert refused.code == 5
    assert "workers share a store on PostgreSQL" in refused.err
