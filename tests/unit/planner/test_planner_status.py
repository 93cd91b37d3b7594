"""Where a job stands after something happened to it: every transition that the API promises."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from provisor.model.cycles import (
    Counts,
    Cycle,
    CycleKind,
    CycleResult,
    Halt,
    JobError,
    QuarantineReason,
    Side,
)
from provisor.model.jobs import ResetScope, ScheduleState, Status, StatusCode
from provisor.planner.schedule import next_start
from provisor.planner.status import (
    Configured,
    CycleEnded,
    Event,
    Interrupted,
    QuarantinedOnDemand,
    Restarted,
    Started,
    Stopped,
    Unquarantined,
    next_status,
)
from tests.table.rules import NOW

HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)
NOT_CONFIGURED, NOT_RUN = StatusCode.NOT_CONFIGURED, StatusCode.NOT_RUN
ACTIVE, PAUSED, QUARANTINE = StatusCode.ACTIVE, StatusCode.PAUSED, StatusCode.QUARANTINE
ON, OFF = ScheduleState.ACTIVE, ScheduleState.DISABLED
EMPTY = ResetScope.QUARANTINE_STATE | ResetScope.WATERMARK | ResetScope.ESCROWS
"""What a restart without criteria forgets."""


def error(code: str = "InvalidCredentials", side: Side = Side.TARGET) -> JobError:
    return JobError(code=code, message=code, side=side)


def halt(reason: QuarantineReason = QuarantineReason.EXCEPTION) -> Halt:
    return Halt(reason, error(reason.value))


def cycle(
    result: CycleResult = CycleResult.SUCCEEDED,
    *,
    at: datetime = NOW,
    counts: Counts | None = None,
    why: JobError | None = None,
    because: Halt | None = None,
    are_escrows_pruned: bool = False,
    entry_error: str = "",
) -> Cycle:
    return Cycle(
        id=f"cycle at {at}",
        kind=CycleKind.INCREMENTAL,
        began=at - MINUTE,
        ended=at,
        result=result,
        counts=counts or Counts(),
        error=why,
        halt=because,
        are_escrows_pruned=are_escrows_pruned,
        entry_error=entry_error,
    )


OK = cycle()
ENTRIES_FAILED = cycle(CycleResult.ENTRY_LEVEL_ERRORS, counts=Counts(failed=1, escrowed=1))
REFUSED = cycle(CycleResult.FAILED, why=error(), because=halt())
UNREACHABLE = cycle(CycleResult.FAILED, why=error("TargetUnreachable"))
TOO_MANY = cycle(because=halt(QuarantineReason.TOO_MANY_DELETES), counts=Counts(staged=12))
PRUNED = cycle(CycleResult.ENTRY_LEVEL_ERRORS, are_escrows_pruned=True)
UNFINISHED = cycle(counts=Counts(unsettled=3))


def after(*events: Event, status: Status | None = None) -> Status:
    status = status or Status()
    for event in events:
        status = next_status(status, event)
    return status


NEW = Status()
CONFIGURED = after(Configured(is_usable=True))
STARTED = after(Started(), status=CONFIGURED)
RUNNING = after(CycleEnded(OK), status=STARTED)
RESTING = after(Stopped(), status=RUNNING)
QUARANTINED = after(CycleEnded(REFUSED), status=RUNNING)
HELD = after(CycleEnded(TOO_MANY), status=RUNNING)
FIRST_REFUSED = after(CycleEnded(REFUSED), status=STARTED)


@pytest.mark.parametrize(
    ("before", "event", "code", "schedule"),
    [
        # configured
        (NEW, Configured(is_usable=True), PAUSED, OFF),
        (NEW, Configured(is_usable=False), NOT_CONFIGURED, OFF),
        (CONFIGURED, Configured(is_usable=False), NOT_CONFIGURED, OFF),
        (RESTING, Configured(is_usable=False), PAUSED, OFF),
        (RUNNING, Configured(is_usable=True), ACTIVE, ON),
        (RUNNING, Configured(is_usable=False), ACTIVE, ON),
        (QUARANTINED, Configured(is_usable=True), QUARANTINE, ON),
        # started
        (NEW, Started(), NOT_RUN, ON),
        (CONFIGURED, Started(), NOT_RUN, ON),
        (RESTING, Started(), ACTIVE, ON),
        (RUNNING, Started(), ACTIVE, ON),
        (QUARANTINED, Started(), ACTIVE, ON),
        (FIRST_REFUSED, Started(), NOT_RUN, ON),
        # the first cycle
        (STARTED, CycleEnded(OK), ACTIVE, ON),
        (STARTED, CycleEnded(ENTRIES_FAILED), ACTIVE, ON),
        (STARTED, CycleEnded(REFUSED), QUARANTINE, ON),
        (STARTED, CycleEnded(UNREACHABLE), NOT_RUN, ON),
        (STARTED, CycleEnded(UNFINISHED), NOT_RUN, ON),
        (STARTED, CycleEnded(PRUNED), PAUSED, OFF),
        # later ones
        (RUNNING, CycleEnded(OK), ACTIVE, ON),
        (RUNNING, CycleEnded(ENTRIES_FAILED), ACTIVE, ON),
        (RUNNING, CycleEnded(UNREACHABLE), ACTIVE, ON),
        (RUNNING, CycleEnded(REFUSED), QUARANTINE, ON),
        (RUNNING, CycleEnded(TOO_MANY), QUARANTINE, ON),
        (QUARANTINED, CycleEnded(OK), ACTIVE, ON),
        (QUARANTINED, CycleEnded(ENTRIES_FAILED), ACTIVE, ON),
        (QUARANTINED, CycleEnded(REFUSED), QUARANTINE, ON),
        (QUARANTINED, CycleEnded(UNREACHABLE), QUARANTINE, ON),
        (FIRST_REFUSED, CycleEnded(OK), ACTIVE, ON),
        # a single run of a job that is not scheduled leaves it as it was
        (RESTING, CycleEnded(OK), PAUSED, OFF),
        (RESTING, CycleEnded(REFUSED), PAUSED, OFF),
        (RESTING, CycleEnded(PRUNED), PAUSED, OFF),
        (NEW, CycleEnded(OK), NOT_CONFIGURED, OFF),
        # paused
        (NEW, Stopped(), NOT_CONFIGURED, OFF),
        (STARTED, Stopped(), PAUSED, OFF),
        (RUNNING, Stopped(), PAUSED, OFF),
        (QUARANTINED, Stopped(), PAUSED, OFF),
        # restarted
        (RESTING, Restarted(ResetScope.ESCROWS), ACTIVE, ON),
        (RESTING, Restarted(ResetScope.WATERMARK), NOT_RUN, ON),
        (RESTING, Restarted(ResetScope.FULL), NOT_RUN, ON),
        (RUNNING, Restarted(ResetScope.WATERMARK), ACTIVE, ON),
        (RUNNING, Restarted(ResetScope.FULL), ACTIVE, ON),
        (STARTED, Restarted(ResetScope.FULL), NOT_RUN, ON),
        (QUARANTINED, Restarted(EMPTY), ACTIVE, ON),
        (QUARANTINED, Restarted(ResetScope.QUARANTINE_STATE), ACTIVE, ON),
        (FIRST_REFUSED, Restarted(ResetScope.QUARANTINE_STATE), NOT_RUN, ON),
        (QUARANTINED, Restarted(ResetScope.ESCROWS), QUARANTINE, ON),
        (QUARANTINED, Restarted(ResetScope.WATERMARK), QUARANTINE, ON),
        (HELD, Restarted(ResetScope.FORCE_DELETES), ACTIVE, ON),
        (QUARANTINED, Restarted(ResetScope.FORCE_DELETES), QUARANTINE, ON),
        # lifted, imposed
        (QUARANTINED, Unquarantined(), ACTIVE, ON),
        (FIRST_REFUSED, Unquarantined(), NOT_RUN, ON),
        (RUNNING, Unquarantined(), ACTIVE, ON),
        (RESTING, Unquarantined(), PAUSED, OFF),
        (NEW, Unquarantined(), NOT_CONFIGURED, OFF),
        (RUNNING, QuarantinedOnDemand(NOW, "no"), QUARANTINE, ON),
        # interrupted
        (RUNNING, Interrupted(UNREACHABLE), ACTIVE, ON),
        (STARTED, Interrupted(UNREACHABLE), NOT_RUN, ON),
        (QUARANTINED, Interrupted(UNREACHABLE), QUARANTINE, ON),
    ],
)
def test_every_transition(
    before: Status, event: Event, code: StatusCode, schedule: ScheduleState
) -> None:
    status = next_status(before, event)

    assert status.code is code
    assert status.schedule_state is schedule
    assert (status.quarantine is not None) is (code is QUARANTINE)


# quarantine


def test_a_quarantine_is_tried_ever_more_rarely_and_given_up_after_28_days() -> None:
    status, now, waits = RUNNING, NOW, list[timedelta]()
    while status.code is not PAUSED:
        status = next_status(
            status, CycleEnded(cycle(CycleResult.FAILED, at=now, why=error(), because=halt()))
        )
        if status.quarantine is not None:
            waits.append(status.quarantine.next_attempt - now)
            assert status.quarantine.series_began == NOW
            assert status.quarantine.current_began == now
            assert status.quarantine.series_count == len(waits)
            now = status.quarantine.next_attempt

    first = [5 * MINUTE, 15 * MINUTE, 40 * MINUTE, HOUR, 2 * HOUR, 6 * HOUR, 12 * HOUR]
    assert waits[:7] == first
    assert set(waits[7:]) == {DAY}
    assert now - NOW >= 28 * DAY
    assert now - NOW < 29 * DAY
    assert status.schedule_state is OFF
    assert status.quarantine is None
    assert status.troubleshooting_code == "EncounteredQuarantineException"


def test_a_lifted_quarantine_begins_anew() -> None:
    again = after(
        CycleEnded(OK), CycleEnded(REFUSED), status=after(CycleEnded(REFUSED), status=QUARANTINED)
    )

    assert again.quarantine is not None
    assert again.quarantine.series_count == 1


def test_a_quarantine_takes_the_reason_of_its_latest_cycle() -> None:
    status = after(CycleEnded(TOO_MANY), status=QUARANTINED)

    assert status.quarantine is not None
    assert status.quarantine.reason is QuarantineReason.TOO_MANY_DELETES
    assert status.quarantine.series_count == 2


def test_a_failure_without_a_reason_of_its_own_keeps_the_quarantine_that_is_there() -> None:
    status = after(CycleEnded(TOO_MANY), CycleEnded(UNREACHABLE), status=RUNNING)

    assert status.quarantine is not None
    assert status.quarantine.reason is QuarantineReason.TOO_MANY_DELETES
    assert status.quarantine.error.code == "TargetUnreachable"
    assert status.quarantine.series_count == 2


def test_whoever_quarantines_by_hand_is_quoted() -> None:
    status = after(QuarantinedOnDemand(NOW, "the source is being rebuilt"), status=RUNNING)

    assert status.quarantine is not None
    assert status.quarantine.reason is QuarantineReason.ON_DEMAND
    assert status.quarantine.error.message == "the source is being rebuilt"
    assert status.quarantine.next_attempt == NOW + 5 * MINUTE


@pytest.mark.parametrize(
    ("code", "side", "reason"),
    [
        ("TargetUnreachable", Side.TARGET, QuarantineReason.EXCEPTION),
        ("SourceUnavailable", Side.SOURCE, QuarantineReason.INGESTION_INTERRUPTED),
        ("SourceReadIncomplete", Side.SOURCE, QuarantineReason.INGESTION_INTERRUPTED),
        ("SourceEmpty", Side.SOURCE, QuarantineReason.INGESTION_INTERRUPTED),
        ("SourceShrank", Side.SOURCE, QuarantineReason.INGESTION_INTERRUPTED),
        ("SourceReplaced", Side.SOURCE, QuarantineReason.INGESTION_INTERRUPTED),
        ("ReadContradicted", Side.SOURCE, QuarantineReason.INGESTION_INTERRUPTED),
    ],
)
@pytest.mark.parametrize("before", [STARTED, RUNNING])
def test_a_directory_that_cannot_be_reached_three_times_in_a_row_quarantines(
    before: Status, code: str, side: Side, reason: QuarantineReason
) -> None:
    failed = CycleEnded(cycle(CycleResult.FAILED, why=error(code, side)))

    twice = after(failed, failed, status=before)
    third = after(failed, status=twice)

    assert twice.quarantine is None
    assert third.quarantine is not None
    assert third.quarantine.reason is reason
    assert third.quarantine.series_count == 1


@pytest.mark.parametrize("between", [CycleEnded(OK), CycleEnded(ENTRIES_FAILED), Started()])
def test_what_comes_between_begins_the_count_anew(between: Event) -> None:
    failed = CycleEnded(UNREACHABLE)

    assert after(failed, failed, between, failed, status=RUNNING).quarantine is None


# what is counted, and remembered


def test_failed_cycles_are_counted_until_one_succeeds() -> None:
    failed = after(CycleEnded(UNREACHABLE), Interrupted(UNREACHABLE), status=RUNNING)

    assert failed.successive_failures == 2
    assert after(CycleEnded(ENTRIES_FAILED), status=failed).successive_failures == 0


def test_a_quarantine_for_entries_counts_no_failure_and_keeps_the_result() -> None:
    status = after(CycleEnded(TOO_MANY), status=RUNNING)

    assert status.successive_failures == 0
    assert status.last is not None
    assert status.last.result is CycleResult.SUCCEEDED
    assert status.quarantine is not None
    assert status.quarantine.error.code == "TooManyDeletes"


@pytest.mark.parametrize(
    ("ended", "is_success", "has_exports", "is_steady"),
    [
        (OK, True, False, True),
        (cycle(counts=Counts(exported=3)), True, True, True),
        (cycle(counts=Counts(exported=3, escrowed=1)), False, False, True),
        (ENTRIES_FAILED, False, False, True),
        (UNFINISHED, False, False, False),
        (cycle(counts=Counts(staged=1)), False, False, False),
        (TOO_MANY, False, False, False),
        (UNREACHABLE, False, False, False),
        (REFUSED, False, False, False),
    ],
)
def test_a_success_has_no_backlog_and_a_steady_state_nothing_open(
    ended: Cycle, is_success: bool, has_exports: bool, is_steady: bool
) -> None:
    status = after(CycleEnded(ended), status=STARTED)

    assert status.last == ended
    assert status.last_successful == (ended if is_success else None)
    assert status.last_successful_with_exports == (ended if has_exports else None)
    assert (status.steady_state_first is not None) is is_steady
    assert status.steady_state_last == status.steady_state_first


def test_the_first_steady_state_stays_and_the_last_one_moves() -> None:
    later = cycle(at=NOW + HOUR)

    status = after(CycleEnded(OK), CycleEnded(later), status=STARTED)

    assert (status.steady_state_first, status.steady_state_last) == (NOW, NOW + HOUR)


def test_a_failure_touches_no_time_of_success() -> None:
    failed = after(CycleEnded(UNREACHABLE), status=RUNNING)

    assert failed.last_successful == RUNNING.last_successful
    assert failed.steady_state_last == RUNNING.steady_state_last


@pytest.mark.parametrize(
    ("ended", "code"),
    [
        (OK, ""),
        (cycle(CycleResult.ENTRY_LEVEL_ERRORS, entry_error="Conflict"), "Conflict"),
        (UNREACHABLE, "TargetUnreachable"),
        (TOO_MANY, "TooManyDeletes"),
    ],
)
def test_the_page_to_read_is_that_of_the_worst(ended: Cycle, code: str) -> None:
    assert after(CycleEnded(ended), status=RUNNING).troubleshooting_code == code


@pytest.mark.parametrize("event", [Started(), Restarted(ResetScope.NONE), Restarted(EMPTY)])
def test_pruned_escrows_are_shown_until_somebody_starts_the_job(event: Event) -> None:
    pruned = after(CycleEnded(PRUNED), status=STARTED)

    assert pruned.are_escrows_pruned
    assert after(CycleEnded(OK), status=pruned).are_escrows_pruned
    assert not after(event, status=pruned).are_escrows_pruned


def test_what_is_remembered_outlives_pauses_and_restarts() -> None:
    status = after(Stopped(), Restarted(ResetScope.FULL), status=RUNNING)

    assert status.last == RUNNING.last
    assert status.last_successful == RUNNING.last_successful


def test_a_restart_of_a_paused_job_waits_for_a_first_cycle_again() -> None:
    restarted = after(Restarted(ResetScope.WATERMARK), status=RESTING)

    assert restarted.code is NOT_RUN
    assert after(CycleEnded(OK), status=restarted).code is ACTIVE


# when the next cycle begins


INTERVAL = 40 * MINUTE


def test_a_job_that_is_not_scheduled_has_no_next_cycle() -> None:
    assert next_start(RESTING, INTERVAL, NOW) is None
    assert next_start(NEW, INTERVAL, NOW) is None


def test_a_job_that_never_ran_is_due_at_once() -> None:
    assert next_start(STARTED, INTERVAL, NOW) == NOW


def test_a_cycle_begins_an_interval_after_the_last_one_began() -> None:
    assert next_start(RUNNING, INTERVAL, NOW) == NOW - MINUTE + INTERVAL


def test_a_cycle_that_took_longer_than_the_interval_is_followed_at_once() -> None:
    slow = replace(OK, began=NOW - 3 * HOUR)

    assert next_start(after(CycleEnded(slow), status=STARTED), INTERVAL, NOW) == NOW


def test_what_was_cut_short_is_carried_on_at_once_and_by_no_other_reason() -> None:
    stopped = replace(OK, is_cut_short=True)
    cut = after(CycleEnded(stopped), status=STARTED)
    assert next_start(cut, INTERVAL, NOW) == stopped.ended
    assert next_start(after(CycleEnded(OK), status=cut), INTERVAL, NOW) == OK.began + INTERVAL
    assert next_start(after(Stopped(), status=cut), INTERVAL, NOW) is None


def test_a_quarantined_job_waits_for_its_own_attempt() -> None:
    assert next_start(QUARANTINED, INTERVAL, NOW) == NOW + 5 * MINUTE
