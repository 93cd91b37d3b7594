"""What holds of a job's status whatever happens to the job, in whatever order."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

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

INTERVAL = timedelta(minutes=40)
TIMES = st.integers(0, 60 * 24 * 40).map(lambda n: NOW + timedelta(minutes=n))
CODES = ["TargetUnreachable", "SourceUnavailable", "SourceEmpty", "InvalidCredentials"]
ERRORS = st.builds(
    JobError,
    code=st.sampled_from(CODES),
    message=st.just("why"),
    side=st.sampled_from(list(Side)),
)
HALTS = st.none() | st.builds(Halt, st.sampled_from(list(QuarantineReason)), ERRORS)
COUNTS = st.builds(
    Counts,
    exported=st.integers(0, 1),
    escrowed=st.integers(0, 1),
    staged=st.integers(0, 1),
    unsettled=st.integers(0, 1),
)


@st.composite
def cycles(draw: st.DrawFn) -> Cycle:
    result = draw(st.sampled_from(list(CycleResult)))
    ended = draw(TIMES)
    return Cycle(
        id="cycle",
        kind=draw(st.sampled_from(list(CycleKind))),
        began=ended - timedelta(minutes=draw(st.integers(0, 90))),
        ended=ended,
        result=result,
        counts=draw(COUNTS),
        error=draw(ERRORS) if result is CycleResult.FAILED else None,
        halt=draw(HALTS),
        are_escrows_pruned=draw(st.booleans()),
        is_cut_short=result is CycleResult.FAILED and draw(st.booleans()),
    )


def _together(forgets: ResetScope, releases: ResetScope) -> ResetScope:
    return forgets | releases


SCOPES = st.builds(
    _together,
    st.integers(0, ResetScope.FULL.value).map(ResetScope),
    st.sampled_from([ResetScope.NONE, ResetScope.FORCE_DELETES]),
)
EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.builds(CycleEnded, cycles()),
    st.builds(CycleEnded, cycles()),
    st.builds(Interrupted, cycles()),
    st.builds(Configured, st.booleans()),
    st.just(Started()),
    st.just(Stopped()),
    st.builds(Restarted, SCOPES),
    st.just(Unquarantined()),
    st.builds(QuarantinedOnDemand, TIMES, st.just("by hand")),
)
HISTORIES = st.lists(EVENTS, max_size=12)


def statuses(events: list[Event]) -> list[Status]:
    """Return every status that a new job goes through."""
    found = [Status()]
    for event in events:
        found.append(next_status(found[-1], event))
    return found


@given(events=HISTORIES)
def test_a_quarantine_is_there_exactly_while_the_code_says_so(events: list[Event]) -> None:
    for status in statuses(events):
        assert (status.quarantine is not None) is (status.code is StatusCode.QUARANTINE)


@given(events=HISTORIES)
def test_a_job_is_scheduled_exactly_while_it_is_neither_paused_nor_bare(
    events: list[Event],
) -> None:
    for status in statuses(events):
        rests = status.code in {StatusCode.PAUSED, StatusCode.NOT_CONFIGURED}
        assert (status.schedule_state is ScheduleState.DISABLED) is rests


@given(events=HISTORIES)
def test_a_job_has_a_next_cycle_exactly_while_it_is_scheduled(events: list[Event]) -> None:
    for status in statuses(events):
        at = next_start(status, INTERVAL, NOW)
        assert (at is None) is (status.schedule_state is ScheduleState.DISABLED)


@given(events=HISTORIES)
def test_failures_in_a_row_grow_by_one_or_begin_anew(events: list[Event]) -> None:
    found = statuses(events)
    for event, (before, after) in zip(events, pairwise(found), strict=True):
        match event:
            case CycleEnded(cycle) if cycle.result is not CycleResult.FAILED:
                assert after.successive_failures == 0
            case CycleEnded(cycle) if cycle.is_cut_short:
                assert after.successive_failures == before.successive_failures
            case CycleEnded() | Interrupted():
                assert after.successive_failures == before.successive_failures + 1
            case _:
                assert after.successive_failures == before.successive_failures


@given(events=HISTORIES)
def test_a_quarantine_is_lifted_by_an_administrator_or_by_a_cycle_that_came_to_its_end(
    events: list[Event],
) -> None:
    found = statuses(events)
    for event, (before, after) in zip(events, pairwise(found), strict=True):
        if before.quarantine is None or after.quarantine is not None:
            continue
        match event:
            case Started() | Stopped() | Unquarantined():
                continue
            case Restarted(scope):
                assert scope & (ResetScope.QUARANTINE_STATE | ResetScope.FORCE_DELETES)
            case CycleEnded(cycle) if after.code is not StatusCode.PAUSED:
                assert cycle.result is not CycleResult.FAILED
                assert cycle.halt is None
            case _:  # given up, or pruned
                assert after.code is StatusCode.PAUSED


@given(events=HISTORIES)
def test_a_series_keeps_its_beginning_and_counts_its_attempts(events: list[Event]) -> None:
    found = statuses(events)
    for before, after in pairwise(found):
        if before.quarantine is None or after.quarantine in (None, before.quarantine):
            continue
        assert after.quarantine is not None
        assert after.quarantine.series_began == before.quarantine.series_began
        assert after.quarantine.series_count == before.quarantine.series_count + 1
        assert after.quarantine.next_attempt > after.quarantine.current_began


@given(events=HISTORIES)
def test_the_last_success_and_the_steady_state_are_never_lost(events: list[Event]) -> None:
    found = statuses(events)
    for before, after in pairwise(found):
        assert before.last_successful is None or after.last_successful is not None
        if before.steady_state_first is not None:
            assert after.steady_state_first == before.steady_state_first


@given(events=HISTORIES)
def test_who_stops_a_cycle_changes_nothing_but_what_is_told_of_the_last_one(
    events: list[Event],
) -> None:
    found = statuses(events)
    for event, (before, after) in zip(events, pairwise(found), strict=True):
        if isinstance(event, CycleEnded) and event.cycle.is_cut_short and not event.cycle.halt:
            assert after.last == event.cycle
            assert (after.quarantine, after.last_successful, after.steady_state_last) == (
                before.quarantine, before.last_successful, before.steady_state_last
            )  # fmt: skip
