"""Notices: decided in the transaction that records a status, and sent from here."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from provisor.model.notices import Notice
from provisor.ports import WAITING_MAX, Pending
from provisor.store.sql.codec import to_micros
from provisor.store.sql.database import Connection, Database
from provisor.store.sql.documents import from_json, to_json

OF_NO_JOB = 0
"""Jobs are numbered from 1: this stands for a whole tenant."""
DUE = """
SELECT n.number, (SELECT j.id FROM job j WHERE j.number = n.job), n.content, n.attempts, n.sent
FROM notice n WHERE n.due_at <= ? AND (n.job = 0 OR n.job IN (SELECT number FROM job))
ORDER BY n.due_at, n.number LIMIT 1
"""


def keep(connection: Connection, job: int, notices: Iterable[Notice]) -> None:
    """Keep what is to be told of a job; what was kept under its key before is not told again."""
    for notice in notices:
        connection.execute(
            'INSERT INTO notice (job, "key", content, due_at) VALUES (?, ?, ?, 0)'
            ' ON CONFLICT (job, "key") DO NOTHING',
            (job, notice.key, to_json(notice)),
        )
        _prune(connection, job, notice.at)


def _prune(connection: Connection, job: int, now: datetime) -> None:
    """Forget what was told and cannot come up again, and the first of what nobody takes."""
    told = connection.execute(
        "SELECT number, content FROM notice WHERE job = ? AND due_at IS NULL", (job,)
    ).fetchall()
    for number, content in told:
        if not from_json(content, Notice).is_remembered(now):
            connection.execute("DELETE FROM notice WHERE number = ?", (number,))
    waiting = "job = ? AND due_at IS NOT NULL"
    connection.execute(
        f"DELETE FROM notice WHERE {waiting} AND number <= (SELECT number FROM notice"  # noqa: S608
        f" WHERE {waiting} ORDER BY number DESC LIMIT 1 OFFSET ?)",
        (job, job, WAITING_MAX),
    )


def is_any(connection: Connection, now: datetime) -> bool:
    found = "SELECT EXISTS (SELECT 1 FROM notice WHERE due_at <= ?)"
    return bool(connection.execute(found, (to_micros(now),)).fetchone()[0])


def take(database: Database, now: datetime, until: datetime) -> Pending | None:
    connection = database.connection
    row = connection.execute(DUE + database.taking, (to_micros(now),)).fetchone()
    if row is None:
        return None
    number, job, content, attempts, sent = row
    connection.execute(
        "UPDATE notice SET attempts = attempts + 1, due_at = ? WHERE number = ?",
        (to_micros(until), number),
    )
    return Pending(
        number=number,
        job=job or "",
        notice=from_json(content, Notice),
        attempts=attempts,
        sent=from_json(sent, frozenset[str]),
    )


def put_back(
    connection: Connection, pending: Pending, sent: frozenset[str], again_at: datetime | None
) -> None:
    if again_at is None and pending.notice.expires is None:
        connection.execute("DELETE FROM notice WHERE number = ?", (pending.number,))
        return
    connection.execute(
        "UPDATE notice SET sent = ?, due_at = ? WHERE number = ?",
        (to_json(sorted(sent)), None if again_at is None else to_micros(again_at), pending.number),
    )
