"""The real store: one SQLite file in WAL mode."""

from provisor.store.sqlite.journal import SqliteJournal
from provisor.store.sqlite.ledger import SqliteLedger
from provisor.store.sqlite.store import SqliteStore

__all__ = ["SqliteJournal", "SqliteLedger", "SqliteStore"]
