"""The steps between standings ask what the planner asks, and undo what they did."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from provisor.model.decisions import (
    AttributeChange,
    ReferencesChange,
    Span,
    Staged,
    Standing,
    StandingKey,
    TargetChange,
)
from provisor.model.entries import Anchor, Entry, Reference
from provisor.model.rules import MappingName
from provisor.planner import record, weigh
from provisor.store import spans, transitions

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = StandingKey(MappingName("User to User"), Anchor("ada"))
members = st.frozensets(
    st.sampled_from([Reference("User", Anchor(str(n))) for n in range(5)]), max_size=5
)


@given(st.none() | st.builds(Staged, st.just(NOW), st.integers(0, 2), st.booleans()))
def test_the_store_and_the_guard_agree_on_what_is_approved(staged: Staged | None) -> None:
    """Two answers to one question once let four leave where three may."""
    standing = Standing(key=KEY, source=None, seen=1, staged=staged)

    asked = transitions.is_approved(standing.staged, standing.seen)

    assert asked is weigh.is_approved(standing)
    assert transitions.is_waiting(staged, 1) is (staged is not None and not asked)


def test_people_look_for_the_names_that_the_log_shows() -> None:
    assert transitions.NAMES == record.NAMES


def plan(span: Span, desired: frozenset[Reference]) -> tuple[TargetChange, ...]:
    """Return what is sent for a target object to point at `desired`."""
    added, removed = desired - span.certain, span.possible - desired
    return (ReferencesChange("members", added, removed),) if added or removed else ()


@given(members, members, st.lists(st.tuples(members, st.booleans(), st.booleans()), max_size=4))
def test_certain_within_actual_within_possible_whatever_is_answered(
    others: frozenset[Reference],
    ours: frozenset[Reference],
    writes: list[tuple[frozenset[Reference], bool, bool]],
) -> None:
    """What the target has of what we wrote lies between what is certain and what is possible."""
    actual, referred = others | ours, {"members": Span(ours, ours)}
    for desired, is_done, is_answered in writes:
        changes = plan(referred["members"], desired)
        referred = spans.widen(referred, changes)
        for change in changes:
            assert isinstance(change, ReferencesChange)
            if is_done or is_answered:
                actual = (actual - change.removed) | change.added
        if is_answered:
            referred = spans.confirm(referred, changes)
            assert referred["members"] == Span(desired, desired)
        span = referred["members"]
        assert span.certain <= span.possible
        assert span.certain <= actual
        assert actual - others <= span.possible | (others & actual)


@given(members, members)
def test_a_single_reference_is_what_was_written_last(
    before: frozenset[Reference], after: frozenset[Reference]
) -> None:
    value = min(after, key=str, default=None)
    change = AttributeChange("manager", None, value)

    wide = spans.widen({"manager": Span(before, before)}, [change])
    sure = spans.confirm(wide, [change])

    assert wide["manager"].possible >= before
    only = frozenset[Reference]() if value is None else frozenset({value})
    assert sure["manager"] == Span(only, only)


def test_other_types_are_other_values() -> None:
    def entry(value: object) -> Entry:
        return Entry("user", Anchor("a"), {"x": value})  # pyright: ignore[reportArgumentType]

    assert transitions.is_same(entry(1), entry(1))
    assert transitions.is_same(entry(("a", 1)), entry(("a", 1)))
    assert not transitions.is_same(entry(1), entry(True))
    assert not transitions.is_same(entry(("a", 1)), entry(("a", True)))
    assert not transitions.is_same(entry(("a",)), entry("a"))
    assert not transitions.is_same(entry(("a", "b")), entry(("b", "a")))
    assert not transitions.is_same(None, entry(1))
    assert not transitions.is_same(Entry("user", Anchor("a"), {}), entry(1))
