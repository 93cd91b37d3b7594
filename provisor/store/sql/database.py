"""What a database is to the statements: a connection, transactions, and the little that each
database does in a way of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from provisor.store.sql.foresight import Gathered

Bound: TypeAlias = Sequence[object] | Mapping[str, object]


NUMBERS = "(SELECT CAST(value AS BIGINT) FROM json_each(?))"
"""The numbers in a JSON array, as they stand after IN."""


class Cursor(Protocol):
    @property
    def rowcount(self) -> int: ...

    def fetchone(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...

    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """Statements are SQLite's, with `?` or `:name` where values go."""

    def execute(self, statement: str, bound: Bound = ..., /) -> Cursor: ...

    def executemany(self, statement: str, rows: Iterable[Sequence[object]], /) -> object: ...


class Database(Protocol):
    """One connection, used by one journal or one registry."""

    @property
    def connection(self) -> Connection: ...

    @property
    def failures(self) -> AbstractContextManager[None]:
        """Return what turns the driver's errors into StoreFailed."""
        ...

    @property
    def locking(self) -> str:
        """Return what a SELECT of a row ends with that nobody else may change until the
        transaction is over; empty where whoever writes is alone anyhow."""
        ...

    @property
    def taking(self) -> str:
        """Return what a SELECT of a row ends with that passes over what others are taking."""
        ...

    @property
    def gathered(self) -> Gathered | None:
        """Return what gathers the writes of a transaction until its end; None where a statement
        costs no way to another process and back."""
        ...

    def transaction(
        self,
        asks: str = ...,
        check: Callable[[Any], None] = ...,
        undone: Callable[[], None] = ...,
    ) -> AbstractContextManager[Connection]:
        """Return what does everything inside, or nothing, as often as it is entered.

        `check` is called inside, first of all, with the row that a statement without values
        `asks` for, and `undone` whenever nothing was done. Raises StoreFailed, and what is raised
        inside.
        """
        ...

    def alone(self, statement: str, bound: Bound) -> Any:
        """Carry out a statement that is a transaction of its own, and return its first row, if it
        has any. It may be carried out twice. Raises StoreFailed."""
        ...

    def settle_in(self) -> None:
        """Have the database keep plans for what is asked again and again: the tables are about as
        large as they will be."""
        ...

    def new_standings(self, count: int) -> Iterator[int]:
        """Return numbers that no standing has, or will be given to others: call it inside a
        transaction, whose standings they are."""
        ...

    def bring(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Insert many rows at once."""
        ...

    def columns(self, table: str) -> Mapping[str, bool]:
        """Return the columns of a table, and whether each holds truth values of a type of their
        own."""
        ...

    def stream(self, statement: str, bound: Bound) -> Iterator[Sequence[object]]:
        """Yield rows as they come, however many; call it in a snapshot."""
        ...

    def snapshot(self) -> AbstractContextManager[None]:
        """Return what has everything that is read inside be of one moment."""
        ...

    def fold(self, before: datetime) -> int:
        """Drop what lies before of a ledger in parts, as far as parts do; return how many records
        went. Raises StoreFailed."""
        ...

    def brought(self) -> None:
        """Have new numbers be others than those in rows that were brought."""
        ...

    def close(self) -> None: ...


class Home(Protocol):
    """Where a store lies."""

    def open(self) -> Database:
        """Open the store. Raises StoreFailed."""
        ...

    def look(self) -> Database:
        """Open the store, to look at it."""
        ...

    def overlay(self, job: int) -> tuple[Database, int]:
        """Return a throw-away copy of what belongs to a job, and the epoch to write to it."""
        ...

    @property
    def is_marked(self) -> str:
        """Return what is TRUE, within a statement, where the store is marked as this very one;
        empty where no statement knows."""
        ...

    def is_foreign(self, connection: Connection) -> bool:
        """Tell whether this is a copy of the store that was here, or an older state of it."""
        ...

    def renew_mark(self, connection: Connection) -> None:
        """Mark the store as this very one; call it inside a transaction."""
        ...

    def confirm_mark(self, database: Database) -> None:
        """Call it after the transaction that renewed the mark. Raises StoreFailed."""
        ...

    def backup(self, database: Database, path: Path) -> None:
        """Write a whole and consistent copy to a file. Raises StoreFailed."""
        ...
