"""Opening the file of a store: created, migrated, recognised."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from provisor.errors import StoreFailed, StoreTooNew
from provisor.store.errors import StoreTooOld
from provisor.store.files import create_private, replace_private
from provisor.store.sqlite.connect import NAMED_FAILURES
from provisor.store.sqlite.connect import Connection as OfSqlite

if TYPE_CHECKING:  # every start opens a store; few need to know what a database is
    from provisor.store.sql.database import Connection

VERSION = 10
"""Of the tables. A test holds it to the number of migrations, which are not imported here: that
would cost every start a third of a second."""


def prepare(path: Path) -> None:
    """Make the store at `path` one of this version. Raises StoreTooNew, StoreTooOld, StoreFailed.

    A store of an earlier version is brought up to date while nobody else has it open: an older
    process that has would go on writing as it used to.
    """
    with NAMED_FAILURES:
        version = version_of(path)
        if version > VERSION:
            raise StoreTooNew(
                f"{path} was written by a newer Provisor (its tables are of version {version}, "
                f"this one knows {VERSION}); use that version, or restore a backup from before"
            )
        if version < VERSION:
            from provisor.store.sqlite.migrations import InUse, migrate

            try:
                migrate(path, VERSION)
            except InUse:
                raise StoreTooOld(
                    f"{path} was written by an older Provisor (its tables are of version {version},"
                    f" this one works on {VERSION}), and another process has it open: end that"
                    " one, then try again"
                ) from None
        with _Moment(path) as connection:
            connection.execute("PRAGMA journal_mode = WAL")


def version_of(path: Path) -> int:
    """Return the version of the tables; 0 of a file that is empty, or was not there. Raises
    StoreFailed, and sqlite3's errors."""
    try:
        create_private(path)
    except OSError as error:
        raise StoreFailed(f"the store {path} cannot be opened: {error.strerror}") from error
    with _Moment(path) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if version == 0 and tables:
        raise StoreFailed(f"{path} is a database, but no store of Provisor's")
    return version


class _Moment:
    """A connection for a moment."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)

    def __enter__(self) -> OfSqlite:
        return self._connection

    def __exit__(self, *_: object) -> None:
        self._connection.close()


# recognising a store that was restored or copied (spec: settled 18)


class Marks:
    """Tells a store from a copy of it that has missed what the original did since.

    Whenever a job is taken over, the store and a file beside it are marked alike. A store whose
    mark is not in the file beside it is older than the file, or has come from elsewhere.
    """

    def __init__(self, store: Path) -> None:
        self._path = store.with_name(store.name + ".mark")

    def is_foreign(self, connection: Connection) -> bool:
        mark = self._stored(connection)
        return mark is not None and mark not in self._beside()

    def renew(self, connection: Connection) -> None:
        """Call inside the transaction that takes the job over.

        The old mark stays beside the new one until `confirm`: whichever of file and transaction
        survives a crash, they agree.
        """
        old, new = self._stored(connection), os.urandom(16).hex()
        self._write([new] if old is None else [old, new])
        connection.execute(
            "INSERT INTO meta (name, value) VALUES ('mark', ?)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (new,),
        )

    def confirm(self, connection: Connection) -> None:
        """Call inside a transaction of its own, after the one that renewed the mark."""
        mark = self._stored(connection)
        if mark is not None:
            self._write([mark])

    @staticmethod
    def _stored(connection: Connection) -> str | None:
        row = connection.execute("SELECT value FROM meta WHERE name = 'mark'").fetchone()
        return row[0] if row else None

    def _beside(self) -> list[str]:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=list[str])
        except (OSError, msgspec.DecodeError):
            return []

    def _write(self, marks: list[str]) -> None:
        try:
            replace_private(self._path, msgspec.json.encode(marks))
        except OSError as error:
            raise StoreFailed(f"{self._path} cannot be written: {error.strerror}") from error
