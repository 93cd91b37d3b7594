"""Where a store on PostgreSQL lies."""

from __future__ import annotations

from pathlib import Path

from provisor.store.postgresql import opening
from provisor.store.postgresql.connect import NAMED_FAILURES, Pool, Session
from provisor.store.postgresql.database import PgDatabase
from provisor.store.sql.copying import copy_job, copy_store
from provisor.store.sql.database import Connection, Database
from provisor.store.sqlite.database import nameless, new_file


class PgHome:
    def __init__(self, address: str, session: type[Session] = Session) -> None:
        """Make or migrate the tables. Raises StoreTooNew, StoreTooOld, StoreFailed."""
        self.pool, self._session = Pool(address), session
        opening.prepare(self.pool)

    def open(self) -> PgDatabase:
        return PgDatabase(self.pool, self._session)

    def look(self) -> Database:
        return PgDatabase(self.pool, self._session)

    def overlay(self, job: int) -> tuple[Database, int]:
        """A plan is made beside the database: what is thrown away need not go through it."""
        here, copy = PgDatabase(self.pool, self._session), nameless()
        try:
            with here.snapshot():
                return copy, copy_job(here, copy, job)
        finally:
            here.close()

    is_marked = opening.IS_MARKED

    def is_foreign(self, connection: Connection) -> bool:
        return opening.is_foreign(connection)

    def renew_mark(self, connection: Connection) -> None:
        opening.renew_mark(connection)

    def confirm_mark(self, database: Database) -> None:
        """Nothing is beside the database that it must agree with."""

    def backup(self, database: Database, path: Path) -> None:
        """Write a store file, which `provisor store copy` brings back."""
        here = PgDatabase(self.pool, self._session)
        try:
            with NAMED_FAILURES, new_file(path) as copy:
                copy_store(here, copy)
        finally:
            here.close()

    def close(self) -> None:
        self.pool.close()
