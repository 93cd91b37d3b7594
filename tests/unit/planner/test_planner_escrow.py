"""When an object that failed is tried again: soon for what passes, rarely for what does not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from provisor.model.decisions import Escrow, Escrowed, RetryClass
from provisor.planner.escrow import NEXT_CYCLE_CODES, back_off, prolong, retry_class
from tests.table.rules import NOW

HOUR = timedelta(hours=1)
CYCLE = timedelta(minutes=40)
PASSING = Escrowed(code="TooManyRequests", reason="later")
LASTING = Escrowed(code="InvalidDomain", reason="never")


def failures(outcome: Escrowed) -> list[timedelta]:
    """Return when an object is tried that always fails, after its first failure."""
    escrow: Escrow | None = prolong(None, outcome, NOW)
    tried: list[timedelta] = []
    now = NOW
    while escrow is not None:
        now = max(escrow.retry_at, now + CYCLE)  # a cycle, when it comes to that
        tried.append(now - NOW)
        escrow = prolong(escrow, outcome, now)
    return tried


@pytest.mark.parametrize(
    "code",
    [
        "TooManyRequests",
        "InternalServerError",
        "WebExceptionProtocolError",
        "InternalError",
        "Timeout",
    ],
)
def test_what_passes_by_itself_is_tried_in_the_next_cycle(code: str) -> None:
    assert retry_class(code) is RetryClass.NEXT_CYCLE


@pytest.mark.parametrize("code", ["Conflict", "InvalidAnchor", "DuplicateTargetEntries", "", "New"])
def test_everything_else_is_tried_ever_more_rarely(code: str) -> None:
    assert retry_class(code) is RetryClass.BACK_OFF
    assert code not in NEXT_CYCLE_CODES


def test_a_lasting_failure_is_tried_after_6_12_and_24_hours_then_daily_for_28_days() -> None:
    expected = [6 * HOUR, 12 * HOUR, 24 * HOUR, *(n * 24 * HOUR for n in range(2, 29))]

    assert failures(LASTING) == expected


def test_a_passing_failure_is_tried_three_cycles_long_and_then_like_a_lasting_one() -> None:
    tried = failures(PASSING)

    assert tried[:3] == [CYCLE, 2 * CYCLE, 3 * CYCLE]
    assert tried[3:6] == [6 * HOUR, 12 * HOUR, 24 * HOUR]
    assert tried[-1] == 28 * 24 * HOUR


def test_the_first_failure_is_remembered_and_the_last_reason_told() -> None:
    first = prolong(None, PASSING, NOW)
    second = prolong(first, LASTING, NOW + HOUR)

    assert second == Escrow(
        code="InvalidDomain",
        reason="never",
        first_failed_at=NOW,
        attempts=2,
        retry_at=NOW + 6 * HOUR,
    )


def test_after_28_days_nothing_is_tried_any_more() -> None:
    first = prolong(None, LASTING, NOW)

    assert prolong(first, LASTING, NOW + timedelta(days=28)) is None
    assert prolong(first, LASTING, NOW + timedelta(days=28) - HOUR) is not None


@pytest.mark.parametrize(
    ("now", "expected"),
    [(0, 6), (5.9, 6), (6, 12), (7, 12), (12, 24), (24, 48), (30, 48), (48, 72), (100, 120)],
)
def test_times_are_counted_from_the_first_failure(now: float, expected: float) -> None:
    assert back_off(NOW, NOW + now * HOUR) == NOW + expected * HOUR
