"""Connections and transactions. The only place where a database error gets its name."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from provisor.errors import StoreFailed

BUSY_TIMEOUT_S = 5.0
CACHE_KIB = 32_768
Connection: TypeAlias = sqlite3.Connection
Factory: TypeAlias = type[sqlite3.Connection]
"""Makes connections: tests hand in one whose statements fail when they are told."""


def connect(path: Path | str, factory: Factory, *, is_full: bool = False) -> Connection:
    """Open a store file.

    What is committed survives the death of the process. It survives a power failure too where
    `is_full`; else the latest commits may be lost, all of them from some moment on, and the next
    cycle does again what they recorded. Raises StoreFailed.
    """
    with named_failures():
        connection = sqlite3.connect(
            path,
            timeout=BUSY_TIMEOUT_S,
            isolation_level=None,
            factory=factory,
            cached_statements=512,
        )
        connection.execute(f"PRAGMA synchronous = {'FULL' if is_full else 'NORMAL'}")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        connection.execute("PRAGMA temp_store = MEMORY")
    return connection


@contextmanager
def transaction(connection: Connection) -> Generator[Connection]:
    """Do everything inside, or nothing. Raises StoreFailed, and what is raised inside."""
    with named_failures():
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            _roll_back(connection)
            raise


def _roll_back(connection: Connection) -> None:
    """Some failures roll back by themselves, and a broken disk may refuse even this: what was
    not committed does not count either way."""
    if not connection.in_transaction:
        return
    try:
        connection.rollback()
    except sqlite3.Error:
        connection.close()


@contextmanager
def named_failures() -> Generator[None]:
    """Turn what the database raises into a StoreFailed that says what can be done."""
    try:
        yield
    except sqlite3.IntegrityError:
        raise
    except sqlite3.Error as error:
        raise StoreFailed(_advice(error), details=str(error)) from error


def _advice(error: sqlite3.Error) -> str:
    text = str(error)
    if "locked" in text or "busy" in text:
        return (
            f"another process has kept the store locked for more than {BUSY_TIMEOUT_S:g} seconds "
            f"({text}); find out which one holds it, then try again"
        )
    if "full" in text:
        return (
            f"there is no room to store anything ({text}); nothing was sent. Make room on the disk"
        )
    if "readonly" in text or "unable to open" in text:
        return (
            f"the store cannot be written ({text}); look at its permissions and those of its folder"
        )
    if "malformed" in text or "not a database" in text:
        return f"the store is damaged ({text}); restore it from a backup"
    return f"the store failed ({text})"
