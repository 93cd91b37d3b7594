"""Save stores of the present version, one of each kind."""

from __future__ import annotations

import tempfile
from contextlib import closing
from pathlib import Path

from provisor.store.postgresql import PostgresStore
from provisor.store.postgresql.migrations import VERSION as OF_POSTGRESQL
from provisor.store.sqlite.opening import VERSION
from provisor.store.sqlite.store import SqliteStore
from tests.contracts.store.building import now_or_never
from tests.contracts.store.versions.dumped import dump, dumped_as
from tests.contracts.store.versions.furnished import furnish, saved_as, statements
from tests.worlds import pgstores
from tests.worlds.databases import Postgres


def save() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.db"
        with closing(SqliteStore(path)) as store:
            now_or_never(furnish(store))
        saved_as(VERSION).write_text("\n".join(statements(path)) + "\n", encoding="utf-8")
    with Postgres.run() as server:
        address = pgstores.make(server)
        with closing(PostgresStore(address)) as store:
            now_or_never(furnish(store))
        dumped_as(str(OF_POSTGRESQL)).write_text(dump(address), encoding="utf-8")


if __name__ == "__main__":
    save()
