"""When a job runs next."""

from __future__ import annotations

from datetime import datetime, timedelta

from provisor.model.jobs import ScheduleState, Status


def next_start(status: Status, interval: timedelta, now: datetime) -> datetime | None:
    """Return when the next cycle is due; None while the job is not scheduled.

    `max(end of cycle, start + interval)`, or the quarantine's own next attempt. What was cut short
    is carried on at once.
    """
    if status.schedule_state is ScheduleState.DISABLED:
        return None
    if status.quarantine is not None:
        return status.quarantine.next_attempt
    if status.last is None:
        return now
    if status.last.is_cut_short:
        return status.last.ended
    return max(status.last.ended, status.last.began + interval)
