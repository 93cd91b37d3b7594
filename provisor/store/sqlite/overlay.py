"""A throw-away copy of one job: what is written to it is a plan."""

from __future__ import annotations

from pathlib import Path

from provisor.store.sql import rows
from provisor.store.sqlite.connect import Connection

OF_JOB = {
    "job": "number = :job",
    "mapping": "job = :job",
    "standing": "mapping IN (SELECT number FROM mapping)",
    **dict.fromkeys(rows.BESIDE, "standing IN (SELECT number FROM standing)"),
    "departure": "job = :job",
    "removal": "job = :job",
    "listed": "job = :job",
    "listed_answer": "job = :job",
    "cycle": "job = :job",
    "shape": "1",
}
"""What is copied, in an order in which each may ask for what was copied before. The log of closed
cycles is left where it is."""

OPEN_RECORDS = """
INSERT INTO main.record SELECT r.* FROM main.job j JOIN main.cycle c ON c.number = j.cycle
CROSS JOIN store.record r ON r.position > c.records_after AND r.cycle = c.number
"""
"""What the open cycle has logged: nothing before its beginning is looked at."""
TABLES = (
    "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL"
    " AND name NOT LIKE 'sqlite_%' ORDER BY type = 'index'"
)
"""What makes the tables of a store, and their indexes after them."""


def copy_job(connection: Connection, store: Path, job: int) -> int:
    """Fill an empty database with one job; return the epoch under which it may be written.

    Reading a store in WAL mode keeps nobody from writing to it.
    """
    run = connection.execute
    run("PRAGMA journal_mode = MEMORY")
    run("PRAGMA synchronous = OFF")
    run("ATTACH ? AS store", (str(store),))
    run("BEGIN")
    for (statement,) in run(TABLES.replace("FROM ", "FROM store.")).fetchall():
        run(statement)
    for table, condition in OF_JOB.items():
        run(
            f"INSERT INTO main.{table} SELECT * FROM store.{table} WHERE {condition}",  # noqa: S608
            {"job": job},
        )
    run(OPEN_RECORDS)
    run("COMMIT")
    run("DETACH store")
    (epoch,) = run("SELECT epoch FROM job").fetchone()
    return epoch
