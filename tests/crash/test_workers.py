"""The short form of `make crash` with workers."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.workers import SHORT_FORM, SHORT_FORM_SHARED, Siege, taken
from tests.crash.working import hall
from tests.worlds import databases
from tests.worlds.databases import Postgres


@pytest.fixture
def seed() -> int:
    """Return what decides the moments; SEED repeats a run."""
    return int(os.environ.get("SEED") or random.SystemRandom().randrange(2**31))


@pytest.fixture
def shared_from() -> int:
    return 20_000


@pytest.fixture
def siege(tmp_path: Path, seed: int, shared_from: int) -> Iterator[Siege]:
    if not databases.POSTGRES:
        pytest.skip(databases.NO_POSTGRES)
    print(f"SEED={seed}")  # noqa: T201 - shown when a test fails
    with Postgres.run() as server, hall(tmp_path, seed, server, 2 + seed % 2, shared_from) as place:
        yield Siege(place, random.Random(seed))
        print(taken(place.takeovers))  # noqa: T201


@pytest.mark.timeout(900)
def test_whatever_befalls_workers_and_their_database_all_is_as_it_should_be(siege: Siege) -> None:
    for blow in siege.chance.sample(SHORT_FORM, len(SHORT_FORM)):
        siege.strike(blow)

    assert siege.tried.total() == len(SHORT_FORM)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("shared_from", [1])
def test_whatever_befalls_who_leads_a_shared_cycle_and_who_works_along_nobody_exists_twice(
    siege: Siege,
) -> None:
    for blow in siege.chance.sample(SHORT_FORM_SHARED, len(SHORT_FORM_SHARED)):
        siege.strike(blow)

    assert siege.tried.total() == len(SHORT_FORM_SHARED)
