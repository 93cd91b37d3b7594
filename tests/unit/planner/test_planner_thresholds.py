"""When failures of single objects become a failure of the job: scenario 14, and its edges."""

from __future__ import annotations

import pytest

from provisor.model.cycles import QuarantineReason, Side
from provisor.model.rules import Thresholds
from provisor.planner.thresholds import exceeded

BASE, TOTAL = QuarantineReason.BASE_ESCROW, QuarantineReason.TOTAL_ESCROW
PROPORTION = QuarantineReason.ESCROW_PROPORTION


def reason(
    base: int, references: int, succeeded: int, thresholds: Thresholds | None = None
) -> QuarantineReason | None:
    halt = exceeded(thresholds or Thresholds(), base, references, succeeded)
    return halt.reason if halt else None


@pytest.mark.parametrize(
    ("base", "references", "succeeded", "expected"),
    [
        (4_000, 0, 0, None),
        (45_000, 0, 1_000_000, BASE),
        (30_000, 0, 5_000, PROPORTION),
        (20_000, 0, 100_000, None),
        (40_000, 21_000, 1_000_000, TOTAL),
    ],
)
def test_scenario_14_the_published_examples(
    base: int, references: int, succeeded: int, expected: QuarantineReason | None
) -> None:
    assert reason(base, references, succeeded) is expected


@pytest.mark.parametrize(
    ("base", "references", "succeeded", "expected"),
    [
        (0, 0, 0, None),
        (4_999, 0, 0, None),
        (5_000, 0, 0, PROPORTION),
        (5_000, 0, 7_500, None),  # forty of a hundred is not more than that
        (5_000, 0, 7_499, PROPORTION),
        (40_000, 0, 1_000_000, None),
        (40_001, 0, 1_000_000, BASE),
        (0, 60_000, 0, None),  # references fail without counting in the proportion
        (0, 60_001, 0, TOTAL),
        (40_001, 30_000, 0, BASE),  # base before total before proportion
        (30_000, 30_001, 0, TOTAL),
    ],
)
def test_each_threshold_is_exceeded_by_one_more(
    base: int, references: int, succeeded: int, expected: QuarantineReason | None
) -> None:
    assert reason(base, references, succeeded) is expected


def test_a_small_installation_may_lower_them() -> None:
    low = Thresholds(failures_min=2, proportion=0.5, base=10, total=20)

    assert reason(2, 0, 1, low) is PROPORTION
    assert reason(11, 0, 100, low) is BASE
    assert reason(10, 11, 100, low) is TOTAL


def test_the_error_says_how_much_failed_and_what_the_limit_is() -> None:
    halt = exceeded(Thresholds(), 45_000, 3, 0)

    assert halt is not None
    assert halt.error.code == "EncounteredBaseEscrowThreshold"
    assert halt.error.side is Side.ENGINE
    assert "45000 objects and 3 references" in halt.error.message
    assert "40000" in halt.error.message
