"""When each job's next cycle is due, where an index finds it.

It is the planner's `next_start` of the status, written in the transaction that writes the status or
the schedule, and decides nothing: whoever is told that a job is due asks its status.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from provisor.model.jobs import Job, Status
from provisor.planner.schedule import next_start
from provisor.store.sql.codec import EPOCH, from_micros, to_micros
from provisor.store.sql.database import Connection
from provisor.store.sql.documents import from_json, job_of, to_json

AT_ONCE = 0
"""Stands where a job is due since whenever somebody looks."""
DUE = "SELECT id, due_at FROM job WHERE due_at <= ? ORDER BY due_at, id"


SAVE = "UPDATE job SET status = ?, due_at = ?{more} WHERE number = ?"
KEEP, CLOSE = SAVE.format(more=""), SAVE.format(more=", cycle = NULL, progress = NULL")
"""Write a job's status, which may close its cycle: in a transaction in which nobody else may change
the job."""


def kept(job: Job, number: int, status: Status) -> tuple[object, ...]:
    """Return what KEEP and CLOSE write of a job with that schedule."""
    return to_json(status), _due_at(status, job.schedule), number


def reschedule(connection: Connection, number: int) -> None:
    """Have a changed schedule count; call inside the transaction that has changed it."""
    job = stored(connection, number)
    due_at = _due_at(job.status, job.schedule)
    connection.execute("UPDATE job SET due_at = ? WHERE number = ?", (due_at, number))


def derived(found: Iterable[tuple[int, str, str]]) -> Iterator[tuple[int | None, int]]:
    """Yield what is to be stored, and of which job; given are number, definition and status."""
    for number, definition, status in found:
        job = job_of(definition, status)
        yield _due_at(job.status, job.schedule), number


def status_of(connection: Connection, number: int) -> Status:
    row = connection.execute("SELECT status FROM job WHERE number = ?", (number,)).fetchone()
    return from_json(row[0], Status)


def stored(connection: Connection, number: int, locking: str = "") -> Job:
    """Return a job as it is now."""
    asked = f"SELECT definition, status FROM job WHERE number = ?{locking}"  # noqa: S608
    return job_of(*connection.execute(asked, (number,)).fetchone())


def due(connection: Connection, now: datetime) -> list[tuple[str, datetime]]:
    """Return who is due, and since when: what was due first comes first."""
    return [
        (id, now if at == AT_ONCE else from_micros(at))
        for id, at in connection.execute(DUE, (to_micros(now),))
    ]


def _due_at(status: Status, schedule: timedelta) -> int | None:
    """Return microseconds since 1970; None of a job that is not scheduled."""
    at = next_start(status, schedule, EPOCH)
    return None if at is None else to_micros(at)
