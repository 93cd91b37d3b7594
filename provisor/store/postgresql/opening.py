"""Opening a store on PostgreSQL: made, migrated, recognised."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from provisor.errors import StoreFailed
from provisor.store.errors import StoreTooNew
from provisor.store.postgresql.connect import NAMED_FAILURES, Link, Pool, Session
from provisor.store.postgresql.migrations import MIGRATIONS
from provisor.store.postgresql.months import make_ahead
from provisor.store.sql.database import Connection
from provisor.store.sql.due import derived

VERSION = len(MIGRATIONS)
TABLES = """
SELECT relname FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
"""
IS_MADE = f"SELECT count(*) FROM ({TABLES}) tables WHERE relname = 'meta'"  # noqa: S608
TURN = 0x70726F76
"""What those who migrate wait for one another by."""
BESIDE = re.compile(r"procrastinate_\w+")
"""Tables that may stand beside ours."""
IDENTITY = """
SELECT s.system_identifier || '/' || CASE WHEN pg_is_in_recovery() THEN c.timeline_id
            ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer END
       || '/' || d.oid || '/'
       || (SELECT oid FROM pg_class WHERE relname = 'meta' AND relkind = 'r'
           AND relnamespace = current_schema()::regnamespace)
FROM pg_control_system() s, pg_control_checkpoint() c, pg_database d
WHERE d.datname = current_database()
"""
"""Another one after a restore of a dump, in another server, and on a replica that was promoted: at
once, where its control file tells of the new timeline only after the next checkpoint."""


def is_made(pool: Pool) -> bool:
    """Tell whether there is a store. Raises StoreFailed."""
    with NAMED_FAILURES:
        link = pool.take()
        (count,) = link.execute(IS_MADE.encode()).fetchone() or (0,)
        pool.give_back(link)
    return bool(count)


def prepare(pool: Pool) -> None:
    """Make the store one of this version. Raises StoreTooNew, StoreFailed."""
    with NAMED_FAILURES:
        link = pool.take()
        try:
            if _version(link) != VERSION:
                with link.transaction():
                    link.execute(b"SELECT pg_advisory_xact_lock(%s)", (TURN,))
                    _climb(link, _version(link))
        finally:
            pool.give_back(link)
    session = Session(pool)
    try:
        make_ahead(session, datetime.now(UTC))
    finally:
        session.close()


def _climb(link: Link, version: int) -> None:
    """Asked again inside the transaction: another process may have been faster."""
    if version > VERSION:
        raise StoreTooNew(
            f"the store was written by a newer Provisor (its tables are of version {version}, "
            f"this one knows {VERSION}); use that version, or restore a backup from before"
        )
    for statements in MIGRATIONS[version:]:
        for statement in statements:
            link.execute(statement.replace(" TEXT", ' TEXT COLLATE "C"').encode())
    if version < len(MIGRATIONS):
        _derive(link)
    link.execute(
        b"INSERT INTO meta (name, value) VALUES ('version', %s)"
        b" ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (str(VERSION),),
    )


def _derive(link: Link) -> None:
    """Write what is derived of each job, which an older version did not."""
    jobs = link.execute(b"SELECT number, definition, status FROM job").fetchall()
    with link.cursor() as cursor:
        cursor.executemany(b"UPDATE job SET due_at = %s WHERE number = %s", derived(jobs))


def _version(link: Link) -> int:
    """Return the version of the tables; 0 where there are none."""
    tables = {name for (name,) in link.execute(TABLES.encode())}
    if "meta" in tables:
        row = link.execute(b"SELECT value FROM meta WHERE name = 'version'").fetchone()
        if row is not None:
            return int(row[0])
    if any(not BESIDE.fullmatch(table) for table in tables):
        raise StoreFailed(
            "this is a database, but no store of Provisor's: name an empty one, or a schema of its"
            " own in the role's search_path"
        )
    return 0


# recognising a store that was restored or copied (spec: settled 18)


def is_foreign(connection: Connection) -> bool:
    row = connection.execute("SELECT value FROM meta WHERE name = 'mark'").fetchone()
    return row is not None and row[0] != _identity(connection)


def renew_mark(connection: Connection) -> None:
    connection.execute(
        "INSERT INTO meta (name, value) VALUES ('mark', ?)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        " WHERE meta.value <> excluded.value",
        (_identity(connection),),
    )


def _identity(connection: Connection) -> str:
    return connection.execute(IDENTITY).fetchone()[0]
