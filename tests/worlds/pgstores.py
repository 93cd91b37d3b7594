"""Stores on a real PostgreSQL: one set of tables, emptied from test to test."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import psycopg

from provisor.store.postgresql import PostgresStore
from provisor.store.postgresql.shares import TABLES
from provisor.store.sql.copying import KEYS
from tests.worlds.databases import Postgres

NUMBERED = (("record", "position"), ("notice", "number"), ("audit", "number"))
EMPTIED = b"; ".join(
    [
        *(f"DELETE FROM {table}".encode() for table in (*KEYS, *TABLES, "lease")),
        b"DELETE FROM meta WHERE name NOT IN ('version', 'needs')",
        *(
            f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'), 1, false)".encode()
            for table, column in NUMBERED
        ),
    ]
)


def make(server: Postgres) -> str:
    """Make a database with an empty store in it; return its address."""
    name = f"store{next(server.numbers)}"
    with server.root() as root:
        root.execute(f"CREATE DATABASE {name} OWNER hr".encode())
    address = f"postgresql://hr:hr-password@127.0.0.1:{server.port}/{name}"
    PostgresStore(address).close()
    return address


def empty(address: str) -> None:
    """Have a store be as new. DELETE is quicker than TRUNCATE where there is so little."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(EMPTIED)
        if connection.execute("SELECT to_regclass('procrastinate_jobs')").fetchone() != (None,):
            connection.execute("DELETE FROM procrastinate_jobs; DELETE FROM procrastinate_workers")


@contextmanager
def opened(address: str) -> Generator[PostgresStore]:
    store = PostgresStore(address)
    try:
        yield store
    finally:
        store.close()
