"""Whoever is to leave while a long cycle runs leaves then, and not at its end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from provisor.connectors.memory import MemoryTarget
from provisor.model.cycles import CycleKind
from provisor.model.decisions import Create, Exported, Write
from tests.unit.engine import test_unchanged_files as files
from tests.unit.engine.test_unchanged_files import HEADER, Firm

PEOPLE = 60
STAFF = [f"{n:03d},user{n:03d},User {n:03d},Clerk,true\n" for n in range(PEOPLE)]
WITH_ENABLED = HEADER.replace("\n", ",accountEnabled\n")


class Watched(MemoryTarget):
    """A target during whose writes things happen."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[Write] = []
        self.during: dict[int, Callable[[], None]] = {}
        """What happens before a write, by how many came before it."""

    async def export(self, write: Write) -> Exported:
        self.during.pop(len(self.writes), lambda: None)()
        self.writes.append(write)
        return await super().export(write)


class Hurried(files.Clock):
    """A clock on which much time passes between two looks at it."""

    def __init__(self) -> None:
        self._now = datetime(2026, 3, 1, tzinfo=UTC)

    def now(self) -> datetime:
        self._now += timedelta(seconds=0.05)
        return self._now


@pytest.fixture
def target() -> Watched:
    return Watched()


@pytest.fixture
def firm(tmp_path: Path, target: Watched, monkeypatch: pytest.MonkeyPatch) -> Firm:
    clock = Hurried()
    monkeypatch.setattr(files, "Clock", lambda: clock)
    monkeypatch.setattr("provisor.engine.lane.SHARE", 0)
    firm = Firm(tmp_path)
    firm.target = target
    return firm


def staff(**changes: str) -> str:
    """Return the file, with other rows for some, by their number; none for who is gone."""
    by_number = {row[:3]: row for row in STAFF} | {k.lstrip("n"): v for k, v in changes.items()}
    return WITH_ENABLED + "".join(by_number.values())


def place_of(target: Watched, name: str) -> int:
    """Return which write disabled somebody."""
    anchors = {e.attributes["userName"]: anchor for anchor, e in target.entries.items()}
    (place,) = (
        n
        for n, write in enumerate(target.writes)
        if not isinstance(write, Create) and write.anchor in anchors[name]
    )
    return place


def test_who_is_disabled_in_the_source_during_a_first_cycle_is_disabled_in_it(
    firm: Firm, target: Watched
) -> None:
    firm.write(staff())
    gone = "000,user000,User 000,Clerk,false\n"
    target.during[20] = lambda: firm.write(staff(n000=gone))

    cycle = firm.run()

    assert cycle.kind is CycleKind.INITIAL
    assert firm.enabled()["User 000"] is False
    assert place_of(target, "user000") < PEOPLE - 5
    assert len(firm.enabled()) == PEOPLE
    assert (cycle.counts.imported, cycle.counts.unsettled) == (PEOPLE, 0)
    assert firm.run().counts.exported == 0


def test_who_is_taken_out_of_the_file_leaves_too(firm: Firm, target: Watched) -> None:
    firm.write(staff())
    target.during[20] = lambda: firm.write(staff(n000=""))

    cycle = firm.run()

    assert firm.enabled()["User 000"] is False
    assert place_of(target, "user000") < PEOPLE - 5
    assert cycle.counts.unsettled == 0


def test_who_comes_or_changes_meanwhile_is_carried_through_in_the_same_cycle(
    firm: Firm, target: Watched
) -> None:
    firm.write(staff())
    news = {"n001": "001,user001,User 001,Boss,true\n", "n900": "900,new,New,Clerk,true\n"}
    target.during[20] = lambda: firm.write(staff(**news))

    cycle = firm.run()

    assert firm.titles()["User 001"] == "Boss"
    assert firm.titles()["New"] == "Clerk"
    assert cycle.counts.unsettled == 0


def test_so_many_that_it_looks_like_an_accident_are_held(firm: Firm, target: Watched) -> None:
    firm.write(staff())
    mistake = {f"n{n:03d}": row.replace("true", "false") for n, row in enumerate(STAFF)}
    target.during[40] = lambda: firm.write(staff(**mistake))

    cycle = firm.run()

    assert all(firm.enabled().values())
    assert cycle.halt is not None
    assert cycle.counts.staged > 0


def test_a_file_that_cannot_be_read_meanwhile_is_left_to_the_next_cycle(
    firm: Firm, target: Watched
) -> None:
    firm.write(staff())
    target.during[20] = lambda: firm.write(staff() + "900,cut sh")

    cycle = firm.run()

    assert len(firm.enabled()) == PEOPLE
    assert all(firm.enabled().values())
    assert cycle.error is None
