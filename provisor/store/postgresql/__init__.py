"""The real store of several machines: tables in PostgreSQL, 14 or later."""

from __future__ import annotations

import os
import socket

from provisor.errors import StoreFailed
from provisor.store.postgresql.connect import Session
from provisor.store.postgresql.home import PgHome
from provisor.store.postgresql.leases import RowLeases, lease_s
from provisor.store.postgresql.shares import PgSharing, forget_deleted
from provisor.store.sql.registry import SqlStore

__all__ = ["PostgresStore"]


class PostgresStore(SqlStore):
    """Tables in a database. Any number of processes, on any number of machines, may have it open;
    each journal has one that may write."""

    def __init__(self, address: str, session: type[Session] = Session) -> None:
        """Open the store, making or migrating it. Raises StoreTooNew, StoreTooOld, StoreFailed."""
        self._place = PgHome(address, session)
        self._leases = RowLeases(
            self._place.pool, f"{socket.gethostname()}:{os.getpid()}", lease_s(os.environ)
        )
        self.leases = self._leases
        try:
            super().__init__(self._place)
        except StoreFailed:
            self._place.close()
            raise
        self.sharing = PgSharing(self._place, self._connection, self._leases, self._keep)

    async def delete_job(self, id: str) -> None:
        await super().delete_job(id)
        with self._transaction() as connection:
            forget_deleted(connection)

    def close(self) -> None:
        self._leases.close()
        super().close()
        self._place.close()
