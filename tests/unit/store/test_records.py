"""The ledger says what changed, in the order in which it was written, and keeps the names of what
is created once for all who have the same."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from provisor.model.decisions import (
    Action,
    AttributeChange,
    Facts,
    Record,
    ReferencesChange,
    Situation,
    StandingKey,
    TargetChange,
    Verdict,
)
from provisor.model.entries import Anchor, Reference
from provisor.model.rules import MappingName
from provisor.store.sql import records
from provisor.store.sql.codec import Shapes, pack, unpack
from tests.unit.store.test_codec import shapes, values

ADA = Reference("User", Anchor("ada"))
CREATED = (
    AttributeChange("userName", None, "ada"),
    AttributeChange("active", None, True),
    AttributeChange("manager", None, ADA),
)
names = st.sampled_from(["userName", "active", "title"])
changes = st.lists(st.builds(AttributeChange, names, st.none() | values, st.none() | values))


def record(*told: TargetChange) -> Record:
    return Record(
        cycle="1",
        change="a change",
        at=datetime(2026, 1, 1, tzinfo=UTC),
        duration_ms=7,
        key=StandingKey(MappingName("User to User"), Anchor("ada")),
        row=1,
        situation=Situation.ABSENT,
        action=Action.CREATE,
        verdict=Verdict.SUCCESS,
        facts=Facts(is_assigned=True, is_active=True, passes_filter=True),
        changes=told,
    )


def kept(told: Record) -> Record:
    """Return a record as it comes back from the ledger, to somebody who reads it first."""
    numbers = shapes()
    columns = records.row_of(1, told, numbers)
    numbers.forget()
    return read(numbers, columns)


def read(numbers: Shapes, columns: tuple[object, ...]) -> Record:
    cycle, *head, is_due, is_done, _, _, target, source_name, target_name, content = columns
    row = (1, "job", str(cycle), *head, is_due, is_done, target, source_name, target_name, content)
    return records.compose(row, numbers)[2]


@given(changes)
def test_what_changed_comes_back_as_it_was(told: list[AttributeChange]) -> None:
    assert kept(record(*told)).changes == tuple(told)


def test_a_record_comes_back_whole() -> None:
    members = ReferencesChange("members", frozenset({ADA}), frozenset())
    for told in (CREATED, (*CREATED, members), (members,), ()):
        assert kept(record(*told)) == record(*told)


def test_the_names_of_what_is_created_are_kept_once() -> None:
    numbers = shapes()

    content = records.row_of(1, record(*CREATED), numbers)[-1]

    assert isinstance(content, bytes)
    assert b"userName" not in content


def test_records_of_earlier_versions_are_read_as_they_are() -> None:
    numbers = shapes()
    *columns, content = records.row_of(1, record(*CREATED), numbers)
    assert isinstance(content, bytes)
    said = list(unpack(content))
    said[7] = [(0, change.name, change.before, change.after) for change in CREATED]

    assert read(numbers, (*columns, pack(said))) == record(*CREATED)
