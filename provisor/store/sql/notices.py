"""Notices: decided in the transaction that records a status, and sent from here."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from provisor.model.notices import Notice
from provisor.ports import Pending
from provisor.store.sql.codec import to_micros
from provisor.store.sql.database import Connection, Database
from provisor.store.sql.documents import from_json, to_json

DUE = """
SELECT n.number, j.id, n.content, n.attempts, n.sent
FROM notice n JOIN job j ON j.number = n.job
WHERE n.due_at <= ? ORDER BY n.due_at, n.number LIMIT 1
"""


def keep(connection: Connection, job: int, notices: Iterable[Notice]) -> None:
    """Keep what is to be told of a job; what was kept under its key before is not told again."""
    for notice in notices:
        connection.execute(
            'INSERT INTO notice (job, "key", content, due_at) VALUES (?, ?, ?, 0)'
            ' ON CONFLICT (job, "key") DO NOTHING',
            (job, notice.key, to_json(notice)),
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
        job=job,
        notice=from_json(content, Notice),
        attempts=attempts,
        sent=from_json(sent, frozenset[str]),
    )


def put_back(
    connection: Connection, pending: Pending, sent: frozenset[str], again_at: datetime | None
) -> None:
    connection.execute(
        "UPDATE notice SET sent = ?, due_at = ? WHERE number = ?",
        (to_json(sorted(sent)), None if again_at is None else to_micros(again_at), pending.number),
    )
