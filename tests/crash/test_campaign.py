"""The short form of `make crash`: a few deaths, each broken disk once, a damaged log."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.campaign import Campaign, told
from tests.crash.firm import site

KILLS_FIRST, KILLS_LATER = 2, 3


@pytest.fixture
def campaign(tmp_path: Path) -> Iterator[Campaign]:
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(2**31))
    print(f"SEED={seed}")  # noqa: T201 - shown when a test fails
    with site(tmp_path, seed) as place:
        made = Campaign(place, seed)
        yield made
        print(told(made.tried))  # noqa: T201


def test_kills_broken_disks_and_a_damaged_log_leave_all_as_it_should_be(
    campaign: Campaign,
) -> None:
    campaign.kill(KILLS_FIRST)
    campaign.kill(KILLS_LATER)
    campaign.kill_while_some_leave()
    campaign.check_nobody_twice()
    campaign.recover()
    campaign.break_disk()
    campaign.damage()

    assert campaign.tried["end of the write-ahead log damaged"] == 1
