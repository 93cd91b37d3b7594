"""Connections and transactions. The only place where a database error gets its name."""

from __future__ import annotations

import sqlite3
from functools import partial
from pathlib import Path
from typing import TypeAlias

from provisor.errors import StoreFailed
from provisor.store.sql.transaction import NamedFailures, Ways

BUSY_TIMEOUT_S = 5.0
CACHE_KIB = 16_384
CHECKPOINT_PAGES = 4_000
"""How much is written beside the file before it is written into it: pages that are written often
are then written once."""
Connection: TypeAlias = sqlite3.Connection
Factory: TypeAlias = type[sqlite3.Connection]
"""Makes connections: tests hand in one whose statements fail when they are told."""


def connect(path: Path | str, factory: Factory, *, is_full: bool = False) -> Connection:
    """Open a store file.

    What is committed survives the death of the process. It survives a power failure too where
    `is_full`; else the latest commits may be lost, all of them from some moment on, and the next
    cycle does again what they recorded. Raises StoreFailed.
    """
    with NAMED_FAILURES:
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
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    return connection


def transacted(connection: Connection) -> Ways[Connection]:
    """Return how transactions on a connection begin and end: whoever begins one is to write."""
    run = connection.execute
    return Ways(
        connection,
        begin=partial(_begin, connection),
        commit=partial(run, "COMMIT"),
        roll_back=partial(_roll_back, connection),
        name=_name,
    )


def _begin(connection: Connection, asks: str) -> object:
    connection.execute("BEGIN IMMEDIATE")
    return connection.execute(asks).fetchone() if asks else None


def _roll_back(connection: Connection) -> None:
    """Some failures roll back by themselves, and a broken disk may refuse even this: what was
    not committed does not count either way."""
    try:
        if connection.in_transaction:
            connection.rollback()
    except sqlite3.Error:
        connection.close()


def _name(error: BaseException) -> None:
    """Raise a database error by its name; one that shows a mistake of ours stays what it is."""
    if isinstance(error, sqlite3.Error) and not isinstance(error, sqlite3.IntegrityError):
        raise StoreFailed(_advice(error)) from error


NAMED_FAILURES = NamedFailures(_name)


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
