"""Real processes, a real server, the real store: killed, frozen and asked to stop at any moment."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.firm import PATIENCE_S, PEOPLE, Site, send, site

KILLS = 20
BUSY = 6


@pytest.fixture
def seed() -> int:
    """Return what decides the moments; SEED repeats a run."""
    return int(os.environ.get("SEED") or random.SystemRandom().randrange(2**31))


@pytest.fixture
def place(tmp_path: Path, seed: int) -> Iterator[Site]:
    print(f"SEED={seed}")  # noqa: T201 - shown when a test fails
    with site(tmp_path, seed) as made:
        yield made


def test_twenty_kills_leave_the_target_as_it_should_be(place: Site, seed: int) -> None:
    chance, in_the_middle = random.Random(seed), 0
    for _ in range(KILLS):
        mark = place.mark
        after = chance.randrange(0, 40)  # writes; a first cycle has some 70, a later one some 30
        with place.running() as process:
            was_hit = place.wait_for_writes(process, after, mark)
            send(process, signal.SIGKILL)
        in_the_middle += was_hit and bool(place.effects(mark))
        place.firm.change()
    assert in_the_middle >= KILLS // 2, "too few kills came between the first and the last export"

    place.run_on()

    place.check()
    place.check_quiet()
    made = [e for e in place.effects() if e.what == "created" and e.endpoint == "Users"]
    assert len(made) == len(place.says("Users")), "somebody was made twice"


def test_the_status_counts_what_the_server_has_written(place: Site) -> None:
    mark = place.mark
    place.run()
    place.check_counts(mark)
    for _ in range(3):
        place.firm.change()
        mark = place.mark
        place.run()
        place.check_counts(mark)
    place.check()


def test_a_frozen_process_keeps_the_job_and_goes_on_when_it_wakes(place: Site) -> None:
    with place.running() as process:
        assert place.wait_for_writes(process, 10)
        send(process, signal.SIGSTOP)
        assert place.provisor("run", "people").returncode == BUSY
        send(process, signal.SIGCONT)
        assert process.wait(PATIENCE_S) == 0
    place.check()
    place.check_quiet()


def test_a_sleeper_whose_job_was_taken_over_wakes_to_no_effect(place: Site) -> None:
    """As where no lock of the operating system holds: the job is taken over meanwhile."""
    with place.running() as process:
        assert place.wait_for_writes(process, PEOPLE // 3)
        send(process, signal.SIGSTOP)
        for lock in (place.folder / "locks").iterdir():
            lock.unlink()
        place.run()
        place.firm.change()
        place.run()
        status = place.status()
        send(process, signal.SIGCONT)
        assert process.wait(PATIENCE_S) not in (0, 1), "it noticed nothing, or broke"
    assert place.status() == status, "the sleeper wrote to the store"
    place.check()
    place.check_quiet()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_who_is_asked_to_stop_settles_what_is_in_flight(
    place: Site, number: signal.Signals, code: int
) -> None:
    mark = place.mark
    with place.running() as process:
        assert place.wait_for_writes(process, 10, mark)
        send(process, number)
        assert process.wait(PATIENCE_S) == code
    place.check_counts(mark)
    assert len(place.effects(mark)) < PEOPLE, "it went on to the end"

    place.run()

    place.check()
    place.check_quiet()
