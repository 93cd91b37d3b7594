"""The real store of one machine: one SQLite file in WAL mode."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from provisor.store.sql.registry import SqlStore
from provisor.store.sqlite.connect import Factory
from provisor.store.sqlite.database import FileHome


class SqliteStore(SqlStore):
    """One file. Several processes may have it open; each journal has one that may write."""

    def __init__(self, path: Path, factory: Factory = sqlite3.Connection) -> None:
        """Open the store, making or migrating it. Raises StoreTooNew, StoreTooOld,
        StoreFailed."""
        super().__init__(FileHome(path, factory))
