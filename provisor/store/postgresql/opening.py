"""Opening a store on PostgreSQL: made, migrated, recognised."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from provisor.errors import StoreFailed, StoreTooNew
from provisor.store.errors import StoreTooOld
from provisor.store.postgresql.connect import NAMED_FAILURES, Link, Pool, Session
from provisor.store.postgresql.migrations import MIGRATIONS, OLDEST, TOLD, VERSION
from provisor.store.postgresql.migrations.v0006 import SILENT
from provisor.store.postgresql.months import make_ahead
from provisor.store.sql.database import Connection
from provisor.store.sql.due import derived

TABLES = """
SELECT relname FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
"""
IS_MADE = f"SELECT count(*) FROM ({TABLES}) tables WHERE relname = 'meta'"  # noqa: S608
TURN = 0x70726F76
"""What those who migrate wait for one another by."""
BESIDE = re.compile(r"procrastinate_\w+")
"""Tables that may stand beside ours."""
KEEP = b"""
INSERT INTO meta (name, value) VALUES (%s, %s)
ON CONFLICT (name) DO UPDATE SET value = excluded.value
"""
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
MARKED = f"SELECT (SELECT value FROM meta WHERE name = 'mark'), ({IDENTITY})"  # noqa: S608
IS_MARKED = f"(SELECT value FROM meta WHERE name = 'mark') = ({IDENTITY})"  # noqa: S608
RENEW = f"""
INSERT INTO meta (name, value) SELECT 'mark', ({IDENTITY})
ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE meta.value <> excluded.value
"""


def is_made(pool: Pool) -> bool:
    """Tell whether there is a store. Raises StoreFailed."""
    with NAMED_FAILURES:
        link = pool.take()
        (count,) = link.execute(IS_MADE.encode()).fetchone() or (0,)
        pool.give_back(link)
    return bool(count)


@dataclass(frozen=True, slots=True)
class Tables:
    """What the tables of a store are."""

    version: int
    """0: there are none."""
    needs: int
    """Who knows this version, or a later one, may work on them."""


def prepare(pool: Pool) -> None:
    """Make the store one that this version works on, where that takes it from nobody who may be at
    work. Raises StoreTooNew, StoreTooOld, StoreFailed."""
    with NAMED_FAILURES, _taken(pool) as link:
        found = _tables(link)
        if found.needs > VERSION:
            raise StoreTooNew(
                f"the store was written by a newer Provisor (its tables are of version "
                f"{found.version}, this one knows {VERSION}); use that version, or restore a backup"
                " from before"
            )
        if 0 < found.version < OLDEST:
            raise StoreTooOld(
                f"the store was written by an older Provisor (its tables are of version "
                f"{found.version}, this one works on {VERSION}): end whatever works on it, make a"
                " backup, and bring it up to date with `provisor store migrate`"
            )
        if found.version < VERSION:
            _climb(link)
    session = Session(pool)
    try:
        make_ahead(session, datetime.now(UTC))
    finally:
        session.close()


def migrate(pool: Pool) -> tuple[int, int]:
    """Bring the tables up to date, whoever is at work: his cycles are taken from him, and what he
    writes is refused. Return of which version they were, and are. Raises StoreFailed."""
    with NAMED_FAILURES, _taken(pool) as link:
        before = _tables(link)
        if 0 < before.version < VERSION:
            _climb(link)
        return before.version, _tables(link).version


@contextmanager
def _taken(pool: Pool) -> Generator[Link]:
    link = pool.take()
    try:
        yield link
    finally:
        pool.give_back(link)


def _climb(link: Link) -> None:
    """All of the way, or not at all."""
    with link.transaction():
        link.execute(b"SELECT pg_advisory_xact_lock(%s)", (TURN,))
        link.execute(f"SET LOCAL {TOLD}".encode())
        before = _tables(link).version  # another process may have been faster
        if before >= VERSION:
            return
        if 0 < before < OLDEST:
            _take_from_all(link)
        for statements in MIGRATIONS[before:]:
            for statement in statements:
                link.execute(statement.replace(" TEXT", ' TEXT COLLATE "C"').encode())
        _derive(link)
        needs = OLDEST if before == 0 or before >= OLDEST else max(OLDEST, SILENT + 1)
        for name, value in (("version", VERSION), ("needs", needs)):
            link.execute(KEEP, (name, str(value)))


def _take_from_all(link: Link) -> None:
    """Let nobody go on with what he has begun: what is under way is finished first, and who comes
    later finds that he has lost his job."""
    link.execute(b"LOCK TABLE job, application, document, secret IN ACCESS EXCLUSIVE MODE")
    link.execute(b"UPDATE job SET epoch = epoch + 1")


def _derive(link: Link) -> None:
    """Write what is derived of each job, which an older version did not."""
    jobs = link.execute(b"SELECT number, definition, status FROM job").fetchall()
    with link.cursor() as cursor:
        cursor.executemany(b"UPDATE job SET due_at = %s WHERE number = %s", derived(jobs))


def _tables(link: Link) -> Tables:
    tables = {name for (name,) in link.execute(TABLES.encode())}
    if "meta" in tables:
        said = dict(
            link.execute(b"SELECT name, value FROM meta WHERE name IN ('version', 'needs')")
        )
        if "version" in said:
            # What was written before anybody needed anything said nothing of it.
            version = int(said["version"])
            return Tables(version, int(said.get("needs", min(version, SILENT))))
    if any(not BESIDE.fullmatch(table) for table in tables):
        raise StoreFailed(
            "this is a database, but no store of Provisor's: name an empty one, or a schema of its"
            " own in the role's search_path"
        )
    return Tables(0, 0)


# recognising a store that was restored or copied (spec: settled 18)


def is_foreign(connection: Connection) -> bool:
    mark, identity = connection.execute(MARKED).fetchone()
    return mark is not None and mark != identity


def renew_mark(connection: Connection) -> None:
    connection.execute(RENEW)
