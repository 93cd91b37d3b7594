"""Processes that are busy, stopped, killed and watched."""

from __future__ import annotations

import signal
import subprocess

import pytest

from tests.cli.workspace import Workspace, wait_until
from tests.worlds.faults import Fault

CROWD = [f"p{number:02}" for number in range(100)]
SLOW = Fault(what="delay", method="POST", path="/Users", delay_s=0.4)


def begin_slowly(workspace: Workspace) -> subprocess.Popen[str]:
    """Begin a cycle with much to do against a slow target; return once it has written."""
    workspace.hire(*CROWD)
    workspace.server.misbehave(SLOW)
    before = len(workspace.server.writes())
    process = workspace.begin("run", "people")
    wait_until(lambda: len(workspace.server.writes()) > before)
    assert process.poll() is None
    return process


def ends_as_it_should(workspace: Workspace) -> None:
    """One more cycle, and everybody is there once."""
    workspace.server.misbehave()
    ended = workspace.run()
    assert ended.code == 0, ended.out
    assert workspace.active() == {*workspace.people}
    again = workspace.run()
    assert "0 changes, nothing sent" in again.out


def test_a_second_run_says_so_and_goes(running: Workspace) -> None:
    with begin_slowly(running) as first:
        busy = running.provisor("run", "people")
        one = running.provisor("provision", "people", "ada")
        told = running.provisor("status", "people")
        first.communicate()

    assert busy.code == 6
    assert f"a cycle of this job is running in process {first.pid}" in busy.err
    assert one.code == 6
    assert told.code == 0
    assert first.returncode == 0
    ends_as_it_should(running)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_settles_what_is_in_flight_and_leaves_the_rest(
    running: Workspace, number: signal.Signals, code: int
) -> None:
    with begin_slowly(running) as process:
        process.send_signal(number)
        _, err = process.communicate()

    assert process.returncode == code, err
    assert "stopped by a signal" in err
    created = len(running.users())
    assert 5 < created < 5 + len(CROWD)
    status = running.status()["status"]["lastExecution"]
    assert status["countExported"] == created - 5, "every answer was waited for"
    ends_as_it_should(running)


@pytest.mark.parametrize("moment", [1, 6, 20])
def test_killed_at_any_moment_it_goes_on_without_a_duplicate(
    running: Workspace, moment: int
) -> None:
    running.hire(*CROWD)
    running.server.misbehave(Fault(what="delay", method="POST", path="/Users", delay_s=0.1))
    before = len(running.server.writes())
    with running.begin("run", "people") as process:
        wait_until(lambda: len(running.server.writes()) - before >= moment)
        process.kill()
        process.communicate()

    assert process.returncode == -signal.SIGKILL
    ends_as_it_should(running)


def test_a_pause_reaches_a_cycle_in_another_process(running: Workspace) -> None:
    with begin_slowly(running) as process:
        paused = running.provisor("pause", "people")
        process.communicate()

    assert paused.code == 0
    assert "it stops at the next object" in paused.err
    assert len(running.users()) < 5 + len(CROWD)
    assert running.status()["status"]["code"] == "Paused"
    assert running.provisor("start", "people").code == 0
    ends_as_it_should(running)


def test_a_restart_reaches_a_cycle_in_another_process(running: Workspace) -> None:
    with begin_slowly(running) as process:
        restarted = running.provisor("restart", "people")
        process.communicate()

    assert restarted.code == 0
    assert running.status()["schedule"]["state"] == "Active"
    ends_as_it_should(running)


def test_a_delete_reaches_a_cycle_in_another_process(running: Workspace) -> None:
    with begin_slowly(running) as process:
        deleted = running.provisor("delete", "people", "--yes")
        process.communicate()

    assert deleted.code == 0
    assert running.provisor("status", "people").code == 2


def test_watching_runs_when_a_cycle_is_due_and_ends_with_a_signal(workspace: Workspace) -> None:
    workspace.apply()
    with workspace.begin("run", "people", "--watch") as process:
        assert process.stderr is not None
        assert "next cycle at" in process.stderr.readline()
        assert len(workspace.active()) == 5
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate()

    assert process.returncode == 143
    assert "people: Succeeded, initial cycle" in out


def test_watching_waits_for_a_job_that_is_paused(workspace: Workspace) -> None:
    workspace.apply()
    workspace.provisor("pause", "people")
    with workspace.begin("run", "people", "--watch") as process:
        assert process.stderr is not None
        assert "people is not scheduled" in process.stderr.readline()
        assert not workspace.server.writes()
        assert workspace.provisor("start", "people").code == 0
        assert "next cycle at" in process.stderr.readline()
        assert len(workspace.active()) == 5
        process.send_signal(signal.SIGTERM)
        process.communicate()
