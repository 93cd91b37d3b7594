"""How a store of an earlier version becomes one of today's.

The version is SQLite's own `user_version`, so that a store that is up to date is opened without
any of this being imported.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from provisor.store.sqlite.migrations import (
    v0001,
    v0002,
    v0003,
    v0004,
    v0005,
    v0006,
    v0007,
    v0008,
    v0009,
    v0010,
)

PATIENCE_S = 5.0
Migration: TypeAlias = Callable[[Operations], None]
MIGRATIONS: tuple[Migration, ...] = (
    v0001.upgrade,
    v0002.upgrade,
    v0003.upgrade,
    v0004.upgrade,
    v0005.upgrade,
    v0006.upgrade,
    v0007.upgrade,
    v0008.upgrade,
    v0009.upgrade,
    v0010.upgrade,
)
"""The first makes version 1 of an empty file, the next version 2 of that, and so on."""


class InUse(Exception):
    """Another process has the store open, and may be of the earlier version."""


def migrate(path: Path, version: int) -> None:
    """Bring a store to a version, all of the way or not at all. Raises InUse, sqlite3's errors."""
    # The driver begins no transactions of its own: it would commit before each change of a table.
    engine = create_engine("sqlite://", creator=lambda: _alone(path, version), poolclass=NullPool)
    event.listen(engine, "begin", _begin)
    try:
        with engine.begin() as connection:
            _climb(connection, version)
    except DBAPIError as error:
        raise error.orig or error from error
    finally:
        engine.dispose()


def _alone(path: Path, version: int) -> sqlite3.Connection:
    """Return a connection beside which there is no other, if the store has to be migrated: a file
    leaves the mode in which it is shared only where nobody else has it open, and nobody opens it
    while this one does."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=PATIENCE_S)
    (present,) = connection.execute("PRAGMA user_version").fetchone()
    if 0 < present < version:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                connection.execute("PRAGMA journal_mode = DELETE")
                break
            except sqlite3.OperationalError as error:
                if time.monotonic() > end:
                    connection.close()
                    raise InUse from error
                time.sleep(0.05)  # whoever has just looked, as this one did, is gone by then
    return connection


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _climb(connection: Connection, version: int) -> None:
    """Asked again inside the transaction: another process may have been faster."""
    present = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    operations = Operations(MigrationContext.configure(connection))
    for upgrade in MIGRATIONS[present:version]:
        upgrade(operations)
    connection.exec_driver_sql(f"PRAGMA user_version = {max(present, version)}")
