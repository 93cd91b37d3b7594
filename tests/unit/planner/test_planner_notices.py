"""What administrators hear, once each: quarantine, another reason, staged departures, an end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from provisor.model.cycles import Counts, CycleResult, QuarantineReason
from provisor.model.jobs import ResetScope, Status
from provisor.model.notices import Notice, NoticeKind
from provisor.planner.notices import arising
from provisor.planner.status import (
    CycleEnded,
    Event,
    QuarantinedOnDemand,
    Restarted,
    Started,
    Stopped,
    next_status,
)
from tests.table.rules import NOW
from tests.unit.planner.test_planner_status import (
    HELD,
    OK,
    PRUNED,
    QUARANTINED,
    REFUSED,
    RESTING,
    RUNNING,
    STARTED,
    TOO_MANY,
    cycle,
    error,
    halt,
)

LATER = NOW + timedelta(minutes=5)
INGESTION = QuarantineReason.INGESTION_INTERRUPTED


def told(status: Status, *events: Event) -> list[Notice]:
    """Return what is told on the way."""
    found: list[Notice] = []
    for event in events:
        after = next_status(status, event)
        found += arising(status, after)
        status = after
    return found


def kinds(status: Status, *events: Event) -> list[NoticeKind]:
    return [notice.kind for notice in told(status, *events)]


def refused(because: QuarantineReason = QuarantineReason.EXCEPTION, days: float = 0) -> CycleEnded:
    at = LATER + timedelta(days=days)
    return CycleEnded(cycle(CycleResult.FAILED, at=at, why=error(), because=halt(because)))


def test_a_quarantine_is_told_once_however_often_it_is_prolonged() -> None:
    (notice,) = told(RUNNING, CycleEnded(REFUSED), *(refused(days=n) for n in range(20)))
    assert notice.kind is NoticeKind.QUARANTINED
    assert notice.reason == "EncounteredQuarantineException"
    assert notice.code == "EncounteredQuarantineException"
    assert notice.at == NOW


def test_another_reason_is_told_each_time_it_changes() -> None:
    found = told(QUARANTINED, refused(INGESTION), refused(INGESTION, 1), refused(days=2))
    assert [notice.kind for notice in found] == [NoticeKind.REASON_CHANGED] * 2
    assert [notice.reason for notice in found] == [
        "IngestionInterrupted",
        "EncounteredQuarantineException",
    ]
    assert len({notice.key for notice in found}) == 2


def test_a_quarantine_after_one_that_was_lifted_is_told_again() -> None:
    events = (CycleEnded(REFUSED), Started(), refused())
    assert kinds(RUNNING, *events) == [NoticeKind.QUARANTINED] * 2


def test_staged_departures_are_told_with_their_number_instead_of_the_quarantine() -> None:
    (notice,) = told(RUNNING, CycleEnded(TOO_MANY))
    assert (notice.kind, notice.count, notice.code) == (
        NoticeKind.DEPARTURES_STAGED,
        12,
        "TooManyDeletes",
    )


def test_the_same_departures_are_not_told_again_but_more_of_them_are() -> None:
    same = replace(TOO_MANY, id="same", ended=LATER)
    more = replace(same, id="more", counts=Counts(staged=13))
    assert told(HELD, CycleEnded(same)) == []
    (notice,) = told(HELD, CycleEnded(same), CycleEnded(more))
    assert notice.count == 13


def test_departures_staged_in_a_job_that_is_paused_are_told_too() -> None:
    assert kinds(RESTING, CycleEnded(TOO_MANY)) == [NoticeKind.DEPARTURES_STAGED]


def test_the_end_after_28_days_is_told() -> None:
    (notice,) = told(QUARANTINED, refused(days=29))
    assert notice.kind is NoticeKind.DISABLED
    assert notice.reason == "EncounteredQuarantineException"


def test_a_first_cycle_that_was_stopped_by_errors_is_told() -> None:
    assert kinds(STARTED, CycleEnded(PRUNED)) == [NoticeKind.ESCROWS_PRUNED]


def test_an_operator_who_quarantines_is_told_too() -> None:
    event = QuarantinedOnDemand(NOW, "look at this")
    assert kinds(RUNNING, event) == [NoticeKind.QUARANTINED]


@pytest.mark.parametrize(
    ("status", "event"),
    [
        (RUNNING, CycleEnded(OK)),
        (RUNNING, Stopped()),
        (QUARANTINED, Stopped()),
        (QUARANTINED, Started()),
        (QUARANTINED, Restarted(ResetScope.FULL)),
        (QUARANTINED, CycleEnded(replace(OK, id="good"))),
    ],
)
def test_what_administrators_did_and_what_went_well_is_not_told(
    status: Status, event: Event
) -> None:
    assert told(status, event) == []
