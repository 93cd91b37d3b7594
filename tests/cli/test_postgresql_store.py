"""The same commands, with a store on a real PostgreSQL: one machine's processes, or several's."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.cli.workspace import Workspace, wait_until
from tests.worlds.databases import Postgres
from tests.worlds.faults import Fault
from tests.worlds.scim2 import Scim2

CROWD = [f"p{number:02}" for number in range(50)]
SHORT = {"PROVISOR_LEASE_S": "2.5"}
"""Tests do not wait for ten seconds."""


@pytest.fixture
def workspace(tmp_path: Path, scim2: Scim2, pg_store: str) -> Workspace:
    """Return a workspace whose store is on a server; nothing of it is in the folder but the key."""
    made = Workspace(tmp_path, scim2, {"PROVISOR_STORE": pg_store, **SHORT})
    made.hire("ada", "bob", "cyd")
    assert made.provisor("init").code == 0
    made.apply()
    return made


def in_time(workspace: Workspace) -> None:
    """Run cycles until one is let, which is soon after the lease has ended."""
    began = time.monotonic()
    while (ended := workspace.run()).code == 6:
        assert time.monotonic() - began < 30
    assert ended.code == 0, ended.err


def ends_as_it_should(workspace: Workspace) -> None:
    """Everybody is there once, and nothing is left to be sent."""
    workspace.server.misbehave()
    in_time(workspace)
    assert workspace.active() == {*workspace.people}
    assert "0 changes, nothing sent" in workspace.run().out


@contextmanager
def begun(workspace: Workspace, delay_s: float = 0.2) -> Generator[subprocess.Popen[str]]:
    """Give a cycle that has much to do against a slow target, and has begun to."""
    workspace.hire(*CROWD)
    workspace.server.misbehave(Fault(what="delay", method="POST", path="/Users", delay_s=delay_s))
    before = len(workspace.server.writes())
    with workspace.begin("run", "people") as process:
        wait_until(lambda: len(workspace.server.writes()) > before)
        try:
            yield process
        finally:
            process.kill()


def test_a_workspace_lives_on_a_server(workspace: Workspace, pg_store: str) -> None:
    planned = workspace.provisor("plan", "people")
    ran = workspace.run()

    assert "create" in planned.out
    assert ran.code == 0, ran.err
    assert workspace.active() == {"ada", "bob", "cyd"}
    assert workspace.status()["status"]["lastExecution"]["state"] == "Succeeded"
    assert "ada" in workspace.provisor("logs", "people").out
    assert workspace.provisor("explain", "people", "ada").code == 0
    assert {f.name for f in workspace.folder.iterdir() if f.suffix in (".db", ".key")} == {
        "provisor.key"
    }
    with psycopg.connect(pg_store) as connection:
        assert connection.execute("SELECT count(*) FROM standing").fetchone() == (4,)


def test_its_place_may_stand_in_a_file(workspace: Workspace, pg_store: str) -> None:
    del workspace.environment["PROVISOR_STORE"]
    assert workspace.run().code == 2

    workspace.write("provisor.store", f"{pg_store}\n")

    assert workspace.run().code == 0


def test_the_password_is_told_to_nobody(workspace: Workspace) -> None:
    there = workspace.environment["PROVISOR_STORE"]
    workspace.environment["PROVISOR_STORE"] = there.replace("hr-password", "wrong-word")

    refused = workspace.provisor("status", "people")

    assert refused.code == 5
    assert "password authentication failed" in refused.err
    assert "wrong-word" not in refused.err


def test_a_password_that_nobody_has_said_is_asked_for(workspace: Workspace) -> None:
    there = workspace.environment["PROVISOR_STORE"]
    workspace.environment["PROVISOR_STORE"] = there.replace(":hr-password", "")

    refused = workspace.provisor("status", "people", PGPASSFILE="/nowhere")

    assert refused.code == 5
    assert "PGPASSFILE" in refused.err


def test_an_address_that_leads_nowhere_is_told_in_a_sentence(tmp_path: Path, scim2: Scim2) -> None:
    made = Workspace(tmp_path, scim2, {"PROVISOR_STORE": "postgresql://127.0.0.1:1/nothing"})

    assert "PostgreSQL cannot be reached" in made.provisor("init").err
    assert made.provisor("init", PROVISOR_STORE="mysql://x/y").code == 5


def test_killed_it_goes_on_elsewhere_once_the_lease_has_ended(workspace: Workspace) -> None:
    with begun(workspace) as process:
        busy = workspace.run()
        process.kill()
        process.communicate()
        in_time(workspace)

    assert busy.code == 6
    ends_as_it_should(workspace)


def test_frozen_it_loses_the_job_and_wakes_to_no_effect(workspace: Workspace) -> None:
    with begun(workspace) as sleeper:
        sleeper.send_signal(signal.SIGSTOP)
        workspace.server.misbehave()
        in_time(workspace)
        written = len(workspace.server.writes())

        sleeper.send_signal(signal.SIGCONT)
        _, err = sleeper.communicate(timeout=60)

    # Who froze in a transaction was cut off by the database; who did not finds the job taken.
    assert sleeper.returncode in (5, 6), err
    ways = ("another process has taken the job over", "cannot be reached", "idle-in-transaction")
    assert any(way in err for way in ways), err
    # What it was about to hand over when it froze, having asked the lease for it, may go out.
    assert len(workspace.server.writes()) <= written + 1
    ends_as_it_should(workspace)


def test_a_server_that_is_killed_and_comes_back_costs_a_cycle_and_nothing_else(
    workspace: Workspace, postgres: Postgres
) -> None:
    with begun(workspace) as process:
        postgres.kill()
        _, err = process.communicate(timeout=60)
        postgres.start()

    assert process.returncode == 5, err
    assert "PostgreSQL cannot be reached" in err
    ends_as_it_should(workspace)


def test_a_pause_reaches_a_cycle_on_another_machine(workspace: Workspace) -> None:
    workspace.hire(*(f"q{number:02}" for number in range(60)))
    with begun(workspace, delay_s=0.5) as process:
        paused = workspace.provisor("pause", "people")
        process.communicate(timeout=60)

    assert paused.code == 0
    assert len(workspace.users()) < 113
    assert workspace.status()["status"]["code"] == "Paused"
    assert workspace.provisor("start", "people").code == 0
    ends_as_it_should(workspace)
