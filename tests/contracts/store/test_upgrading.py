"""A store on PostgreSQL is brought up to date while others go on, or taken from them when somebody
asks for it. Who does not know its tables writes nothing in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest

from provisor.errors import Fenced, StoreTooNew
from provisor.store.errors import StoreTooOld
from provisor.store.postgresql import PostgresStore, opening
from provisor.store.postgresql.connect import Pool
from provisor.store.postgresql.migrations import MIGRATIONS, OLDEST, VERSION, v0006
from tests.contracts.store.building import JOB, key, now_or_never
from tests.contracts.store.versions.dumped import bring
from tests.contracts.store.versions.furnished import answers, furnish
from tests.worlds import pgstores
from tests.worlds.databases import Postgres

ADA = key("ada")
EARLIER = ["1", "2-early", *(str(version) for version in range(2, VERSION))]
"""What was of version 2 meant something else before references' attributes were numbers."""
SCHEMA = b"""
SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable
    || ' ' || coalesce(regexp_replace(column_default, '_seq.*', ''), '')
FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
"""
OF_NO_VERSION = re.compile(r"procrastinate|record_\d{4}_\d\d")
OLD_TAKES_OVER = b"UPDATE job SET epoch = epoch + 1"


@pytest.fixture
def address(postgres: Postgres) -> Iterator[str]:
    """Return the address of an empty database."""
    name = f"upgraded{next(postgres.numbers)}"
    with postgres.root() as root:
        root.execute(f"CREATE DATABASE {name} OWNER hr".encode())
    yield f"postgresql://hr:hr-password@127.0.0.1:{postgres.port}/{name}"
    with postgres.root() as root:
        root.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def execute(address: str, statement: bytes) -> list[tuple[object, ...]]:
    """Do it as somebody who says nothing of the tables that he knows."""
    with psycopg.connect(address, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def meta(address: str) -> dict[str, str]:
    found: Any = execute(
        address, b"SELECT name, value FROM meta WHERE name IN ('version', 'needs')"
    )
    return dict(found)


def schema(address: str) -> list[str]:
    """Return what a store's own tables are; months come and go."""
    found = [str(said) for (said,) in execute(address, SCHEMA)]
    return sorted(said for said in found if not OF_NO_VERSION.search(said))


def migrate(address: str) -> tuple[int, int]:
    with closing(Pool(address)) as pool:
        return opening.migrate(pool)


def told(address: str) -> list[object]:
    with closing(PostgresStore(address)) as store:
        return now_or_never(answers(store))


@pytest.mark.parametrize("version", EARLIER)
def test_a_store_of_each_version_is_read_as_it_was_written(
    address: str, pg_store: str, version: str
) -> None:
    bring(version, address)
    number = int(version[0])

    if number < OLDEST:
        with pytest.raises(StoreTooOld, match="provisor store migrate"):
            PostgresStore(address)
        assert meta(address) == {"version": str(number)}
        assert migrate(address) == (number, VERSION)

    with closing(PostgresStore(pg_store)) as fresh:
        now_or_never(furnish(fresh))
        assert told(address) == now_or_never(answers(fresh))
    assert schema(address) == schema(pg_store)


def test_nothing_is_left_to_do_where_a_store_is_up_to_date(pg_store: str) -> None:
    assert migrate(pg_store) == (VERSION, VERSION)
    assert meta(pg_store) == {"version": str(VERSION), "needs": str(OLDEST)}


def test_who_knew_the_tables_goes_on_while_they_grow(address: str) -> None:
    bring(str(VERSION - 1), address)

    told(address)

    assert execute(address, OLD_TAKES_OVER + b" RETURNING epoch") == [(2,)]


def test_who_did_not_know_the_tables_is_refused_by_the_database_itself(address: str) -> None:
    """Whoever wrote version 2 asks nobody before he writes."""
    bring("2", address)
    migrate(address)

    for statement in (
        OLD_TAKES_OVER,
        b"UPDATE job SET status = status",
        b"INSERT INTO document VALUES ('a', 'b', '')",
        b"DELETE FROM secret",
    ):
        with pytest.raises(psycopg.Error, match="brought up to date by a newer") as refused:
            execute(address, statement)
        assert refused.value.diag.sqlstate == v0006.TOO_NEW


def grow(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Do what a newer version does to the tables of this one, which are another's for it."""
    later = VERSION + 1
    with monkeypatch.context() as newer:
        newer.setattr(opening, "VERSION", later)
        newer.setattr(opening, "OLDEST", later)
        newer.setattr(opening, "MIGRATIONS", (*MIGRATIONS, ("ALTER TABLE meta ADD x TEXT",)))
        newer.setattr(opening, "TOLD", f"provisor.tables = {later}")
        assert migrate(address) == (VERSION, later)


def test_who_is_at_work_when_the_tables_become_others_writes_nothing_more(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(PostgresStore(address)) as store:
        now_or_never(furnish(store))
        journal = now_or_never(store.open_journal(JOB, "test"))
        grow(address, monkeypatch)
        before = now_or_never(answers(store))

        with pytest.raises(Fenced):
            now_or_never(journal.doubt([ADA]))
        for write in (
            store.open_journal(JOB, "test"),
            store.put_document(JOB, "schema", b"[]"),
            store.note(JOB),
        ):
            with pytest.raises(StoreTooNew, match="Upgrade this Provisor") as refused:
                now_or_never(write)
            assert refused.value.code == "StoreTooNew"
        with pytest.raises(StoreTooNew):
            store.prove()

        assert now_or_never(answers(store)) == before
    with pytest.raises(StoreTooNew, match="written by a newer Provisor"):
        PostgresStore(address)


def test_tables_that_only_grew_are_opened_by_who_does_not_know_what_is_new(pg_store: str) -> None:
    try:
        execute(
            pg_store, f"UPDATE meta SET value = '{VERSION + 1}' WHERE name = 'version'".encode()
        )
        with closing(PostgresStore(pg_store)) as store:
            now_or_never(furnish(store))
            now_or_never(store.open_journal(JOB, "test"))
    finally:
        execute(pg_store, f"UPDATE meta SET value = '{VERSION}' WHERE name = 'version'".encode())


def test_who_comes_second_to_a_migration_finds_it_done(address: str) -> None:
    bring("2", address)
    with closing(Pool(address)) as one, closing(Pool(address)) as other:
        assert opening.migrate(one) == (2, VERSION)
        assert opening.migrate(other) == (VERSION, VERSION)


def test_a_migration_is_done_all_of_the_way_or_not_at_all(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring("2", address)
    before = schema(address), meta(address)
    monkeypatch.setattr(opening, "MIGRATIONS", (*MIGRATIONS, ("INSERT INTO nowhere VALUES (1)",)))

    with pytest.raises(opening.StoreFailed, match="nowhere"):
        migrate(address)

    assert (schema(address), meta(address)) == before


def test_the_tables_of_a_new_store_say_who_may_work_on_them(postgres: Postgres) -> None:
    assert meta(pgstores.make(postgres)) == {"version": str(VERSION), "needs": str(OLDEST)}
