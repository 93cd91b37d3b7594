"""The short form of `make crash` with workers."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.workers import SHORT_FORM, Siege, taken
from tests.crash.working import hall
from tests.worlds import databases
from tests.worlds.databases import Postgres


@pytest.fixture
def seed() -> int:
    """Return what decides the moments; SEED repeats a run."""
    return int(os.environ.get("SEED") or random.SystemRandom().randrange(2**31))


@pytest.fixture
def siege(tmp_path: Path, seed: int) -> Iterator[Siege]:
    if not databases.POSTGRES:
        pytest.skip(databases.NO_POSTGRES)
    print(f"SEED={seed}")  # noqa: T201 - shown when a test fails
    with Postgres.run() as server, hall(tmp_path, seed, server, 2 + seed % 2) as place:
        yield Siege(place, random.Random(seed))
        print(taken(place.takeovers))  # noqa: T201


@pytest.mark.timeout(900)
def test_whatever_befalls_workers_and_their_database_all_is_as_it_should_be(siege: Siege) -> None:
    for blow in siege.chance.sample(SHORT_FORM, len(SHORT_FORM)):
        siege.strike(blow)

    assert siege.tried.total() == len(SHORT_FORM)
