"""One cycle of a job at a time on one host, and a lock that dies with its process."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from provisor.runtime.lease import (
    Busy,
    FileLeases,
    asking,
    asking_soon,
    holder,
    lease,
    lease_when_free,
)

HOLDS = """
import sys
from pathlib import Path
from provisor.runtime.lease import FileLeases, lease
with lease(FileLeases(Path(sys.argv[1])), "job"):
    print("held", flush=True)
    sys.stdin.read()
"""


class Clock:
    """Time that passes when somebody waits, and lets others run."""

    def __init__(self) -> None:
        self.slept_s = 0.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    async def sleep(self, seconds: float) -> None:
        self.slept_s += seconds
        await asyncio.sleep(0)


def test_a_second_holder_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    with lease(FileLeases(tmp_path), "job"):
        with (
            pytest.raises(Busy, match=r"running in process \d+") as refused,
            lease(FileLeases(tmp_path), "job"),
        ):
            pass
        assert refused.value.holder == holder(FileLeases(tmp_path), "job")


def test_other_jobs_run_side_by_side(tmp_path: Path) -> None:
    with lease(FileLeases(tmp_path), "one"), lease(FileLeases(tmp_path), "other"):
        pass


def test_it_is_free_again_when_it_was_given_back(tmp_path: Path) -> None:
    with lease(FileLeases(tmp_path), "job"):
        pass
    with lease(FileLeases(tmp_path), "job"):
        pass


def test_it_dies_with_a_process_that_was_killed(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    with process.stdout, process.stdin:
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(Busy), lease(FileLeases(tmp_path), "job"):
            pass

        process.send_signal(signal.SIGKILL)
        process.wait()

    with lease(FileLeases(tmp_path), "job"):
        pass


def test_whoever_stops_a_job_is_known_as_long_as_he_lives(tmp_path: Path) -> None:
    with (
        asking(FileLeases(tmp_path), "job"),
        pytest.raises(Busy),
        asking(FileLeases(tmp_path), "job"),
    ):
        pass
    with asking(FileLeases(tmp_path), "job"):
        pass


async def ask_while_somebody_does(folder: Path) -> float:
    """Return how long was waited for in vain."""
    clock = Clock()
    with asking(FileLeases(folder), "job"), pytest.raises(Busy):
        async with asking_soon(FileLeases(folder), "job", clock):
            pass
    return clock.slept_s


def test_who_asks_gives_way_for_a_moment_only(tmp_path: Path) -> None:
    assert 1 < asyncio.run(ask_while_somebody_does(tmp_path)) < 10


async def wait_for_it(folder: Path) -> None:
    clock, told = Clock(), list[str]()

    async def hold(until: asyncio.Event) -> None:
        with lease(FileLeases(folder), "job"):
            await until.wait()

    enough = asyncio.Event()
    holding = asyncio.create_task(hold(enough))
    await asyncio.sleep(0)

    async def wait() -> None:
        async with lease_when_free(FileLeases(folder), "job", clock, lambda: told.append("waits")):
            told.append("has it")

    waiting = asyncio.create_task(wait())
    while not clock.slept_s:  # noqa: ASYNC110
        await asyncio.sleep(0)
    assert told == ["waits"]
    enough.set()
    await waiting
    await holding
    assert told == ["waits", "has it"]


def test_it_can_be_waited_for(tmp_path: Path) -> None:
    asyncio.run(wait_for_it(tmp_path))


def test_a_failure_of_who_holds_it_is_not_taken_for_a_lock_that_is_held(tmp_path: Path) -> None:
    async def fail() -> None:
        async with lease_when_free(FileLeases(tmp_path), "job", Clock(), lambda: None):
            raise Busy("something else is busy")

    with pytest.raises(Busy, match="something else"):
        asyncio.run(asyncio.wait_for(fail(), 5))
