"""On PostgreSQL the ledger lies in a table a month: made ahead, dropped whole, and nobody who reads
or writes notices."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from provisor.errors import Fenced
from provisor.model.cycles import Counts, CycleKind
from provisor.ports import Journal, RecordQuery
from provisor.store.postgresql import PostgresStore, opening
from provisor.store.postgresql.connect import Pool, Session
from provisor.store.postgresql.migrations import MIGRATIONS
from provisor.store.postgresql.months import Month, make_ahead
from provisor.store.sql import due
from tests.contracts.store.building import JOB, RULES, ended, job, key, now_or_never, record

OCTOBER = datetime(2031, 10, 7, tzinfo=UTC)
DECEMBER = datetime(2031, 12, 31, 23, 59, 59, tzinfo=UTC)
JANUARY = datetime(2032, 1, 1, tzinfo=UTC)
ADA = key("ada")


@pytest.fixture
def store(pg_store: str) -> Generator[PostgresStore]:
    made = PostgresStore(pg_store)
    now_or_never(made.put_job(job()))
    yield made
    made.close()
    forget_months(pg_store)


@pytest.fixture
def journal(store: PostgresStore) -> Journal:
    opened = now_or_never(store.open_journal(JOB, "test"))
    now_or_never(opened.adopt(RULES, "policy"))
    return opened


def tables(address: str) -> list[str]:
    with psycopg.connect(address) as connection:
        found = connection.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits"
            " WHERE inhparent = 'record'::regclass ORDER BY 1"
        )
        return [name for (name,) in found]


def forget_months(address: str) -> None:
    """Tests made tables of months far away; the store is used by others after them."""
    with psycopg.connect(address, autocommit=True) as connection:
        for name in tables(address):
            if name.startswith("record_203"):
                connection.execute(f"DROP TABLE {name}".encode())


def ready(address: str, now: datetime) -> None:
    pool = Pool(address)
    session = Session(pool)
    make_ahead(session, now)
    session.close()
    pool.close()


def log(journal: Journal, *times: datetime, cycle: str = "c1") -> None:
    for at in times:
        now_or_never(journal.record(record(ADA, cycle=cycle, at=at)))


def times_of(store: PostgresStore) -> Sequence[datetime]:
    query = RecordQuery(limit=99, is_descending=False)
    return [one.at for _, _, one in now_or_never(store.ledger.records(query))]


def test_a_store_that_is_opened_has_tables_for_this_month_and_the_next(
    store: PostgresStore, pg_store: str
) -> None:
    now = datetime.now(UTC)
    assert Month.of(now).table in tables(pg_store)
    assert Month.of(now).next().table in tables(pg_store)


def test_each_month_has_its_records_to_the_microsecond(
    store: PostgresStore, journal: Journal, pg_store: str
) -> None:
    ready(pg_store, OCTOBER)
    ready(pg_store, DECEMBER)
    log(journal, OCTOBER, DECEMBER + timedelta(microseconds=999_999), JANUARY)
    with psycopg.connect(pg_store) as connection:
        found = connection.execute(
            "SELECT tableoid::regclass::text FROM record ORDER BY position"
        ).fetchall()
    assert [name for (name,) in found] == ["record_2031_10", "record_2031_12", "record_2032_01"]


def test_a_month_that_nobody_asks_for_any_more_goes_whole(
    store: PostgresStore, journal: Journal, pg_store: str
) -> None:
    ready(pg_store, OCTOBER)
    log(journal, OCTOBER, OCTOBER + timedelta(days=1), DECEMBER - timedelta(days=3), DECEMBER)

    gone = now_or_never(store.ledger.fold(DECEMBER - timedelta(days=1)))

    assert gone == 3
    assert "record_2031_10" not in tables(pg_store)
    assert "record_2031_12" in tables(pg_store)
    assert times_of(store) == [DECEMBER]


def test_what_an_open_cycle_logged_keeps_its_month(
    store: PostgresStore, journal: Journal, pg_store: str
) -> None:
    ready(pg_store, OCTOBER)
    log(journal, OCTOBER, cycle="c0")
    now_or_never(journal.begin_cycle("c1", CycleKind.INITIAL, OCTOBER))
    log(journal, OCTOBER)

    assert now_or_never(store.ledger.fold(JANUARY)) == 1
    assert times_of(store) == [OCTOBER]

    now_or_never(journal.end_cycle(ended("c1", OCTOBER, Counts())))
    assert now_or_never(store.ledger.fold(JANUARY)) == 1
    assert "record_2031_10" not in tables(pg_store)


def test_what_came_before_its_table_is_taken_into_it(
    store: PostgresStore, journal: Journal, pg_store: str
) -> None:
    log(journal, OCTOBER, JANUARY)
    ready(pg_store, OCTOBER)
    assert times_of(store) == [OCTOBER, JANUARY]
    with psycopg.connect(pg_store) as connection:
        found = connection.execute("SELECT count(*) FROM record_2031_10").fetchone()
    assert found == (1,)


def test_who_reads_for_long_is_not_waited_for(
    store: PostgresStore, journal: Journal, pg_store: str
) -> None:
    ready(pg_store, OCTOBER)
    log(journal, OCTOBER)
    with psycopg.connect(pg_store) as reader:
        reader.execute("SELECT count(*) FROM record")
        assert now_or_never(store.ledger.fold(JANUARY)) == 1, "its rows are deleted one by one"
        log(journal, JANUARY)
    assert "record_2031_10" in tables(pg_store)
    now_or_never(store.ledger.fold(JANUARY))
    assert "record_2031_10" not in tables(pg_store)


@pytest.fixture
def first_version(pg_store: str) -> Generator[str]:
    """Return the address of an empty store as the first version made it."""
    with psycopg.connect(pg_store, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA old")
        connection.execute("SET search_path TO old")
        for statement in MIGRATIONS[0]:
            connection.execute(statement.replace(" TEXT", ' TEXT COLLATE "C"').encode())
        connection.execute("INSERT INTO meta (name, value) VALUES ('version', '1')")
        yield f"{pg_store}?options=-csearch_path%3Dold"
        connection.execute("DROP SCHEMA old CASCADE")


def _nothing(*_: object) -> None:
    """The first version made no months, and kept nothing of when a job is due."""


def test_a_ledger_of_the_first_version_is_taken_along(
    first_version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records keep their order, and those that are added come after them; who was writing them has
    lost his job."""
    with monkeypatch.context() as as_before:
        as_before.setattr(opening, "VERSION", 1)
        as_before.setattr(opening, "OLDEST", 1)
        as_before.setattr(opening, "make_ahead", _nothing)
        as_before.setattr(due, "reschedule", _nothing)
        old = PostgresStore(first_version)
        now_or_never(old.put_job(job()))
    journal = now_or_never(old.open_journal(JOB, "an old process"))
    now_or_never(journal.adopt(RULES, "policy"))
    now_or_never(journal.begin_cycle("c1", CycleKind.INITIAL, OCTOBER))
    log(journal, OCTOBER, JANUARY, DECEMBER)

    with closing(Pool(first_version)) as pool:
        assert opening.migrate(pool)[0] == 1
    new = PostgresStore(first_version)
    with pytest.raises(Fenced):
        log(journal, OCTOBER)
    heir = now_or_never(new.open_journal(JOB, "a new process"))
    log(heir, OCTOBER)
    counts = now_or_never(heir.recount())
    now_or_never(heir.end_cycle(ended("c1", OCTOBER, counts)))
    log(heir, JANUARY, cycle="c2")

    assert times_of(new) == [OCTOBER, JANUARY, DECEMBER, OCTOBER, JANUARY]
    assert times_of(old) == times_of(new)
    assert [c.id for c in now_or_never(new.ledger.cycles(JOB, 9))] == ["c1"]
    assert Month.of(datetime.now(UTC)).table in tables(first_version)
    old.close()
    new.close()
