"""When a job runs next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush

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


@dataclass(frozen=True, slots=True, order=True)
class Due:
    """A cycle whose time has come."""

    at: datetime
    job: str
    tenant: str = ""


def share_out(
    due: Iterable[Due], under_way: Mapping[str, int], *, quota: int | None, room: int
) -> list[Due]:
    """Return what is to begin now, and in which order.

    Who has the fewest cycles under way comes next, and of his the one that has been due for
    longest: however many jobs a tenant has, another need not wait for all of them. Nobody gets
    more than `quota` at a time, and all together no more than there is `room` for.
    """
    lines: dict[str, list[Due]] = {}
    for one in sorted(due, reverse=True):
        lines.setdefault(one.tenant, []).append(one)
    turns = [(under_way.get(who, 0), line[-1].at, who) for who, line in lines.items()]
    heapify(turns)
    begun: list[Due] = []
    while turns and len(begun) < room:
        count, _, who = heappop(turns)
        if quota is not None and count >= quota:
            continue
        begun.append(lines[who].pop())
        if lines[who]:
            heappush(turns, (count + 1, lines[who][-1].at, who))
    return begun
