"""The ledger's tables: one a month, made ahead, and dropped whole once nobody asks for it.

Deleting a month row by row would leave as much behind for the server to tidy up as it deletes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import psycopg
from psycopg import errors

from provisor.store.postgresql.connect import NAMED_FAILURES, Session
from provisor.store.sql.codec import to_micros

AHEAD: Final = 2
"""So many months beyond the present one have their table already."""
REST: Final = "record_rest"
TURN: Final = 0x70726F77
"""What those who make or drop tables wait for one another by."""
NAMES = """
SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'record'::regclass AND c.relname <> 'record_rest' ORDER BY c.relname
"""
OPEN = "cycle IN (SELECT cycle FROM job WHERE cycle IS NOT NULL)"
BRIEFLY = "SET LOCAL lock_timeout = '1s'"
"""Whoever reads for long is not waited for: those who write would wait in line behind us."""


@dataclass(frozen=True, slots=True)
class Month:
    """A month of UTC."""

    year: int
    number: int

    @classmethod
    def of(cls, moment: datetime) -> Month:
        there = moment.astimezone(UTC)
        return cls(there.year, there.month)

    @classmethod
    def named(cls, table: str) -> Month:
        _, year, number = table.split("_")
        return cls(int(year), int(number))

    @property
    def table(self) -> str:
        return f"record_{self.year:04}_{self.number:02}"

    @property
    def begins(self) -> int:
        """In microseconds, as records have their time."""
        return to_micros(datetime(self.year, self.number, 1, tzinfo=UTC))

    def next(self) -> Month:
        return Month(self.year + self.number // 12, self.number % 12 + 1)


def months_from(moment: datetime) -> Iterator[Month]:
    month = Month.of(moment)
    for _ in range(AHEAD + 1):
        yield month
        month = month.next()


def make_ahead(session: Session, now: datetime) -> None:
    """Make the tables of this month and the next ones, where they are missing. Raises StoreFailed.

    Where others keep the ledger busy it is left for another time: until then the rest takes what
    has no table, and gives it back.
    """
    with NAMED_FAILURES:
        known = set(_tables(session))
        for month in months_from(now):
            if month.table not in known:
                _unless_busy(session, lambda month=month: _make(session, month))


def drop_before(session: Session, before: datetime) -> int:
    """Drop the tables of months that lie before, but for those in which an open cycle has logged;
    return how many records went. Raises StoreFailed."""
    gone = 0
    with NAMED_FAILURES:
        for table in _tables(session):
            if Month.named(table).next().begins <= to_micros(before):
                gone += _unless_busy(session, lambda table=table: _drop(session, table))
    return gone


def _tables(session: Session) -> list[str]:
    return [name for (name,) in session.execute(NAMES)]


def _make(session: Session, month: Month) -> int:
    begins, ends = month.begins, month.next().begins
    if month.table in _tables(session):
        return 0  # somebody was faster
    columns = "INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES"
    session.execute(f"CREATE TABLE {month.table} (LIKE record {columns})")
    session.execute(
        f"WITH moved AS (DELETE FROM {REST} WHERE at >= {begins} AND at < {ends} RETURNING *)"  # noqa: S608
        f" INSERT INTO {month.table} SELECT * FROM moved"
    )
    session.execute(
        f"ALTER TABLE record ATTACH PARTITION {month.table} FOR VALUES FROM ({begins}) TO ({ends})"
    )
    return 1


def _drop(session: Session, table: str) -> int:
    if table not in _tables(session):
        return 0
    records, is_open = session.execute(
        f"SELECT count(*), coalesce(bool_or({OPEN}), FALSE) FROM {table}"  # noqa: S608
    ).fetchone()
    if is_open:
        return 0
    session.execute(f"DROP TABLE {table}")
    return records


def _unless_busy(session: Session, work: Callable[[], int]) -> int:
    """Do it in a transaction of its own, alone; where a lock cannot be had soon, leave it."""
    try:
        session.begin()
        session.execute(BRIEFLY)
        session.execute("SELECT pg_advisory_xact_lock(?)", (TURN,))
        done = work()
        session.commit()
    except errors.LockNotAvailable:
        session.roll_back()
        return 0
    except psycopg.Error:
        session.roll_back()
        raise
    return done
