"""SQLite, as the statements in `store/sql` want a database to be."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from itertools import chain
from itertools import count as count_from
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from provisor.errors import StoreFailed
from provisor.store.files import create_private
from provisor.store.sql.database import Bound, Connection, Database
from provisor.store.sql.transaction import Transaction
from provisor.store.sqlite.connect import NAMED_FAILURES, Factory, connect, transacted
from provisor.store.sqlite.opening import Marks, prepare
from provisor.store.sqlite.overlay import TABLES, copy_job

VALUES_TOGETHER = 400
"""So many go into one statement: a statement of one row opens the table and each of its indexes
for that row alone, which costs as much again as the row."""


class SqliteDatabase:
    """One connection to a file. Whoever writes is alone: nothing needs to be locked."""

    failures = NAMED_FAILURES
    locking = taking = ""
    gathered = None

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._ways = transacted(connection)

    def transaction(
        self,
        asks: str = "",
        check: Callable[[Any], None] = lambda row: None,
        undone: Callable[[], None] = lambda: None,
    ) -> Transaction[sqlite3.Connection]:
        return Transaction(self._ways, asks, check, undone)

    def alone(self, statement: str, bound: Bound) -> Any:
        with self.transaction() as connection:
            return connection.execute(statement, bound).fetchone()

    def settle_in(self) -> None:
        """Statements are kept by the connection, and cost little to plan."""

    def new_standings(self, count: int) -> Iterator[int]:
        (last,) = self.connection.execute(
            "SELECT coalesce(max(number), 0) FROM standing"
        ).fetchone()
        return count_from(last + 1)

    def bring(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        names, run = tuple(columns), self.connection.execute
        together = VALUES_TOGETHER // len(names)
        whole = len(rows) - len(rows) % together
        for first in range(0, whole, together):
            some = rows[first : first + together]
            run(_insert(table, names, together), tuple(chain.from_iterable(some)))
        if whole < len(rows):
            self.connection.executemany(_insert(table, names), rows[whole:])

    def columns(self, table: str) -> Mapping[str, bool]:
        """Truth values are numbers here."""
        found = self.connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
        return {name: False for (name,) in found}

    def stream(self, statement: str, bound: Bound) -> Iterator[Sequence[object]]:
        return self.connection.execute(statement, bound)

    @contextmanager
    def snapshot(self) -> Generator[None]:
        with NAMED_FAILURES:
            self.connection.execute("BEGIN")
            try:
                yield
            finally:
                self.connection.execute("COMMIT")

    def fold(self, before: datetime) -> int:
        """Return 0: the ledger is one table here."""
        return 0

    def brought(self) -> None:
        """Numbers go on by themselves."""

    def close(self) -> None:
        self.connection.close()


@cache
def _insert(table: str, columns: tuple[str, ...], rows: int = 1) -> str:
    """Return what inserts so many rows."""
    names, places = ", ".join(columns), ", ".join("?" for _ in columns)
    many = ", ".join([f"({places})"] * rows)
    return f"INSERT INTO {table} ({names}) VALUES {many}"  # noqa: S608


class FileHome:
    """A store that is a file."""

    def __init__(self, path: Path, factory: Factory = sqlite3.Connection) -> None:
        """Make or migrate the file. Raises StoreTooNew, StoreTooOld,
        StoreFailed."""
        prepare(path)
        self._path, self._factory = path, factory
        self._is_first = True
        self._marks = Marks(path)

    def open(self) -> Database:
        """The first that is opened is the registry's: what administrators do survives a failure
        of power."""
        is_full, self._is_first = self._is_first, False
        return SqliteDatabase(connect(self._path, self._factory, is_full=is_full))

    def look(self) -> Database:
        with NAMED_FAILURES:
            connection = connect(self._path, self._factory)
            connection.execute("PRAGMA query_only = ON")
        return SqliteDatabase(connection)

    def overlay(self, job: int) -> tuple[Database, int]:
        connection = connect("", self._factory)  # SQLite deletes a nameless file by itself
        return SqliteDatabase(connection), copy_job(connection, self._path, job)

    is_marked = ""

    def is_foreign(self, connection: Connection) -> bool:
        return self._marks.is_foreign(connection)

    def renew_mark(self, connection: Connection) -> None:
        self._marks.renew(connection)

    def confirm_mark(self, database: Database) -> None:
        with database.transaction() as connection:
            self._marks.confirm(connection)

    def backup(self, database: Database, path: Path) -> None:
        assert isinstance(database, SqliteDatabase)
        with _written_to(path) as passing:
            create_private(passing)
            copy = sqlite3.connect(passing, isolation_level=None)
            try:
                database.connection.backup(copy)
                copy.execute("PRAGMA journal_mode = DELETE")
            finally:
                copy.close()


@contextmanager
def _written_to(path: Path) -> Generator[Path]:
    """Give a file that takes the place of this one once it is whole. Raises StoreFailed."""
    passing = path.with_name(path.name + ".new")
    with NAMED_FAILURES:
        try:
            passing.unlink(missing_ok=True)
            yield passing
            passing.replace(path)
        except OSError as error:
            raise StoreFailed(f"{path} cannot be written: {error.strerror}") from error


@contextmanager
def new_file(path: Path) -> Generator[Database]:
    """Give an empty store that is a file, and takes the place of this one once it is filled."""
    with _written_to(path) as passing:
        prepare(passing)
        connection = connect(passing, sqlite3.Connection)
        try:
            yield SqliteDatabase(connection)
            connection.execute("PRAGMA journal_mode = DELETE")
        finally:
            connection.close()


def nameless() -> Database:
    """Return an empty store that is gone once it is closed."""
    connection = connect("", sqlite3.Connection)
    connection.execute("PRAGMA journal_mode = MEMORY")
    connection.execute("PRAGMA synchronous = OFF")
    for statement in _tables():
        connection.execute(statement)
    return SqliteDatabase(connection)


@cache
def _tables() -> Sequence[str]:
    with TemporaryDirectory() as folder:
        prepare(Path(folder) / "store.db")
        connection = connect(Path(folder) / "store.db", sqlite3.Connection)
        try:
            return [statement for (statement,) in connection.execute(TABLES)]
        finally:
            connection.close()
