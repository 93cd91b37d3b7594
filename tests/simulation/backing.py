"""What remembers: the store in memory, and the real one on a file that can be broken."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sqlite3
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from provisor.model.decisions import Standing, StandingKey
from provisor.model.jobs import Job
from provisor.ports import Journal, Ledger, Registry
from provisor.store.memory import MemoryStore
from provisor.store.postgresql import PostgresStore
from provisor.store.postgresql.connect import Pool
from provisor.store.postgresql.database import PgDatabase
from provisor.store.sql import ask
from provisor.store.sql.copying import fingerprint
from provisor.store.sql.desk import VIEW, Desk
from provisor.store.sql.journal import SqlJournal
from provisor.store.sqlite.database import SqliteDatabase
from provisor.store.sqlite.store import SqliteStore
from tests.simulation.faults import Fuse, brittle, frail
from tests.worlds import pgstores

JOB = "people"
StoreName: TypeAlias = Literal["memory", "sqlite", "postgresql"]
STORES: tuple[StoreName, ...] = ("memory", "sqlite")
"""Those that all histories are played on; a share of them is on PostgreSQL, where each statement
goes to another process and back."""
SHARED_MEMORY = Path("/dev/shm")
NEW_JOB = Job(id=JOB, name=JOB, template_id="scim", application_id="app")


class Backing(Protocol):
    """A store, and what a test wants to know of it beyond what the ports tell."""

    @property
    def registry(self) -> Registry: ...

    @property
    def ledger(self) -> Ledger: ...

    @property
    def fuse(self) -> Fuse: ...

    def standings(self) -> Mapping[StandingKey, Standing]:
        """Return all that is remembered of objects."""
        ...

    def content(self) -> object:
        """Return something that equals what it was while nothing was written."""
        ...

    def abandon(self, journal: Journal) -> None:
        """Free what a dead process held."""
        ...


class InMemory:
    def __init__(self) -> None:
        self._store = MemoryStore()
        self.registry: Registry = self._store
        self.ledger: Ledger = self._store.ledger
        self.fuse = Fuse()

    def standings(self) -> Mapping[StandingKey, Standing]:
        return self._store.state.of(JOB).standings

    def content(self) -> object:
        state = self._store.state
        return state.of(JOB).copy(), list(state.records), list(state.audits)

    def abandon(self, journal: Journal) -> None:
        """Nothing is held."""


class OnFile:
    def __init__(self, path: Path) -> None:
        self._path = path
        self.fuse = Fuse()
        self._store = SqliteStore(path, brittle(self.fuse))
        self._view = sqlite3.connect(path, isolation_level=None)
        self.registry: Registry = self._store
        self.ledger: Ledger = self._store.ledger

    def standings(self) -> Mapping[StandingKey, Standing]:
        (number,) = self._view.execute("SELECT number FROM job WHERE id = ?", (JOB,)).fetchone()
        desk = Desk(SqliteDatabase(self._view), number, VIEW)
        return {s.key: s for s in ask.recall(desk, ask.keys_where(desk, "TRUE"))}

    def content(self) -> object:
        """The files, byte by byte; what readers note beside them aside."""
        names = (self._path, self._path.with_name(self._path.name + "-wal"))
        return [name.read_bytes() for name in names if name.exists()]

    def abandon(self, journal: Journal) -> None:
        assert isinstance(journal, SqlJournal)
        with contextlib.suppress(sqlite3.Error):
            journal.close()

    def close(self) -> None:
        self._view.close()
        self._store.close()


class OnServer:
    """A store on PostgreSQL. There is one in each process that tests, emptied for each history."""

    address = ""

    def __init__(self) -> None:
        pgstores.empty(self.address)
        self.fuse = Fuse()
        self._store = PostgresStore(self.address, frail(self.fuse))
        self._pool = Pool(self.address)
        self._view = PgDatabase(self._pool)
        self.registry: Registry = self._store
        self.ledger: Ledger = self._store.ledger

    def standings(self) -> Mapping[StandingKey, Standing]:
        (number,) = self._view.connection.execute("SELECT number FROM job").fetchone()
        desk = Desk(self._view, number, VIEW)
        return {s.key: s for s in ask.recall(desk, ask.keys_where(desk, "TRUE"))}

    def content(self) -> object:
        with self._view.snapshot():
            return fingerprint(self._view)

    def abandon(self, journal: Journal) -> None:
        assert isinstance(journal, SqlJournal)
        journal.close()

    def close(self) -> None:
        self._view.close()
        self._pool.close()
        self._store.close()


@contextmanager
def backing(name: StoreName) -> Generator[Backing]:
    """Provide an empty store with one job."""
    if name == "memory":
        store = InMemory()
        asyncio.run(store.registry.put_job(NEW_JOB))
        yield store
        return
    if name == "postgresql":
        on_server = OnServer()
        asyncio.run(on_server.registry.put_job(NEW_JOB))
        try:
            yield on_server
        finally:
            on_server.close()
        return
    with _folder() as folder:
        path = Path(folder) / "store.db"
        for file in _fresh_files():
            shutil.copy(file, path.parent)
        on_file = OnFile(path)
        try:
            yield on_file
        finally:
            on_file.close()


def _folder() -> tempfile.TemporaryDirectory[str]:
    is_there = SHARED_MEMORY.is_dir()
    return tempfile.TemporaryDirectory(dir=SHARED_MEMORY if is_there else None)


@cache
def _kept_folder() -> tempfile.TemporaryDirectory[str]:
    return _folder()


@cache
def _fresh_files() -> Sequence[Path]:
    """Make a store once, to be copied: migrating one for each history would take most of the
    time."""
    folder = Path(_kept_folder().name)
    store = SqliteStore(folder / "store.db")
    asyncio.run(store.put_job(NEW_JOB))
    store.close()
    return sorted(folder.iterdir())
