"""PostgreSQL, as the statements in `store/sql` want a database to be."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any

from provisor.store.postgresql.connect import NAMED_FAILURES, Pool, Session, name
from provisor.store.postgresql.gathered import GatheredWrites
from provisor.store.postgresql.months import drop_before, make_ahead
from provisor.store.sql.database import Bound
from provisor.store.sql.transaction import Transaction, Ways

FEW = 32
"""So many rows are sent as statements; for more a COPY is quicker."""


COLUMNS = """
SELECT a.attname, format_type(a.atttypid, NULL)
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE c.relname = ? AND c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
  AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
NUMBERED = (
    ("standing", "number", "'standing_number'"),
    *(
        (table, column, f"pg_get_serial_sequence('{table}', '{column}')")
        for table, column in (
            ("audit", "number"),
            ("job", "number"),
            ("mapping", "number"),
            ("shape", "number"),
            ("listed", "number"),
            ("cycle", "number"),
            ("record", "position"),
            ("notice", "number"),
        )
    ),
)


def _nothing(row: object = None) -> None:
    """Nothing is checked, and nothing is to be forgotten."""


class PgDatabase:
    """One connection, or one after the other where the first was lost."""

    failures = NAMED_FAILURES
    locking = " FOR NO KEY UPDATE"
    taking = " FOR UPDATE OF n SKIP LOCKED"

    def __init__(self, pool: Pool, session: type[Session] = Session) -> None:
        self.connection = session(pool)
        self.gathered = GatheredWrites(self.connection)
        begin, roll_back = self.connection.begin, self.connection.roll_back
        self._ways = Ways(self.connection, begin, self.gathered.commit, roll_back, name)

    def transaction(
        self,
        asks: str = "",
        check: Callable[[Any], None] = _nothing,
        undone: Callable[[], None] = _nothing,
    ) -> Transaction[Session]:
        return Transaction(self._ways, asks, check, undone)

    def alone(self, statement: str, bound: Bound) -> Any:
        with NAMED_FAILURES:
            return self.connection.alone(statement, bound)

    def settle_in(self) -> None:
        self.connection.prepare()

    def new_standings(self, count: int) -> Iterator[int]:
        if not count:
            return iter(())
        numbers = "SELECT nextval('standing_number') FROM generate_series(1, ?)"
        return iter([number for (number,) in self.connection.execute(numbers, (count,))])

    def bring(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        names = ", ".join(columns)
        if len(rows) > FEW:
            self.connection.copy(f"COPY {table} ({names}) FROM STDIN", rows)
        else:
            self.connection.executemany(_insert(table, names, len(columns)), rows)

    def columns(self, table: str) -> Mapping[str, bool]:
        found = self.connection.execute(COLUMNS, (table,))
        return {name: type_ == "boolean" for name, type_ in found}

    def stream(self, statement: str, bound: Bound) -> Iterator[Sequence[object]]:
        return self.connection.stream(statement, bound)

    @contextmanager
    def snapshot(self) -> Generator[None]:
        with self.transaction() as session:
            session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            session.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            yield

    def fold(self, before: datetime) -> int:
        """Drop old months, and have the coming ones ready."""
        make_ahead(self.connection, datetime.now(UTC))
        return drop_before(self.connection, before)

    def brought(self) -> None:
        """Have numbers go on after those that were brought."""
        for table, column, sequence in NUMBERED:
            self.connection.execute(
                f"SELECT setval({sequence}, greatest((SELECT max({column}) FROM {table}), 1))"  # noqa: S608
            )

    def close(self) -> None:
        self.connection.close()


@cache
def _insert(table: str, names: str, width: int) -> str:
    places = ", ".join("?" * width)
    return f"INSERT INTO {table} ({names}) VALUES ({places})"  # noqa: S608
