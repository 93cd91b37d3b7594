"""Two servers over one store: a job never overlaps itself, though one is frozen and woken."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any, cast

from tests.api.served import Served, serving, target, wait_until, workspace
from tests.api.test_serving import children

PEOPLE = 1_000


def accounts(house: Served) -> list[str]:
    """Return the user names that the target has, each as often as it has it."""
    held = cast("dict[str, list[dict[str, Any]]]", house.target.ask("resources"))
    return [user["userName"] for user in held.get("Users", [])]


def family(house: Served) -> list[int]:
    """Return a server and the schedule beside it."""
    wait_until(lambda: children(house.process.pid))
    return [house.process.pid, *children(house.process.pid)]


def freeze(house: Served, processes: list[int]) -> None:
    """Stop processes while none of them writes to the store: a lock held there would stop all."""

    def stop() -> bool:
        for process in processes:
            os.kill(process, signal.SIGSTOP)
        if can_be_written(house.folder / "provisor.db"):
            return True
        for process in processes:
            os.kill(process, signal.SIGCONT)
        return False

    wait_until(stop)


def can_be_written(store: Path) -> bool:
    with closing(sqlite3.connect(store, timeout=0, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        connection.execute("ROLLBACK")
    return True


def run(house: Served) -> int:
    """Run a cycle by hand, in a third process; return its exit code."""
    command = [sys.executable, "-m", "provisor", "--workspace", str(house.folder), "run", "people"]
    return subprocess.run(command, capture_output=True, timeout=90, check=False).returncode


def test_a_server_that_was_frozen_in_a_cycle_wakes_to_go_on_alone(tmp_path: Path) -> None:
    people = [f"p{number:04d}" for number in range(PEOPLE)]
    with target() as scim:
        token = workspace(tmp_path, scim)
        with serving(tmp_path, scim, token) as first:
            first.hire(*people)
            found = first.get("/beta/servicePrincipals").json["value"][0]["id"]
            at = f"/beta/servicePrincipals/{found}/synchronization/jobs"
            job = f"{at}/{first.get(at).json['value'][0]['id']}"
            frozen = family(first)
            assert first.post(f"{job}/start").status == 204
            wait_until(lambda: accounts(first))
            freeze(first, frozen)
            try:
                with serving(tmp_path, scim, token) as second:
                    # It answers, is told to start, and has the job no more than who runs by hand.
                    family(second)
                    assert run(second) == 6
                    before = accounts(second)
                    assert second.post(f"{job}/start").status == 204
                    assert second.get(job).json["status"]["progress"]
                    assert run(second) == 6
                    assert accounts(second) == before
                    for process in frozen:
                        os.kill(process, signal.SIGCONT)
                    wait_until(lambda: second.get(job).json["status"]["code"] == "Active")
                    assert len(accounts(second)) == len(set(accounts(second))) == PEOPLE
            finally:
                for process in frozen:
                    os.kill(process, signal.SIGCONT)


def test_a_server_that_died_in_a_cycle_is_followed_by_the_other(tmp_path: Path) -> None:
    people = [f"p{number:04d}" for number in range(PEOPLE)]
    with target() as scim:
        token = workspace(tmp_path, scim)
        with serving(tmp_path, scim, token) as first, serving(tmp_path, scim, token) as second:
            first.hire(*people)
            found = first.get("/beta/servicePrincipals").json["value"][0]["id"]
            at = f"/beta/servicePrincipals/{found}/synchronization/jobs"
            job = f"{at}/{first.get(at).json['value'][0]['id']}"
            dying = family(first)
            family(second)
            assert first.post(f"{job}/start").status == 204
            wait_until(lambda: accounts(first))
            for process in dying:
                os.kill(process, signal.SIGKILL)
            wait_until(lambda: second.get(job).json["status"]["code"] == "Active")
            assert len(accounts(second)) == len(set(accounts(second))) == PEOPLE
