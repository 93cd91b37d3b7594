"""Through PgBouncer in transaction mode each transaction has another server connection."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

import pytest

from provisor.errors import Fenced
from provisor.store.moving import move
from provisor.store.opened import open_rows
from provisor.store.postgresql import PostgresStore
from provisor.store.postgresql.connect import PREPARED_AFTER, Pool, Session
from tests.contracts.runners.test_running import Office, running, until
from tests.contracts.store.building import (
    JOB,
    RULES,
    governed,
    job,
    key,
    now_or_never,
    recalled,
    seen,
    show,
)
from tests.contracts.store.test_copying import quietly
from tests.contracts.store.versions.furnished import answers, furnish
from tests.worlds import pgbouncer
from tests.worlds.databases import Postgres


@pytest.fixture
def address(postgres: Postgres, pg_store: str) -> Generator[str]:
    """Return the address of an empty store behind PgBouncer."""
    if not pgbouncer.PGBOUNCER:
        pytest.skip(pgbouncer.NO_PGBOUNCER)
    with pgbouncer.before(postgres, pg_store) as found:
        yield found


def test_a_store_behind_it_is_as_any_other(address: str, tmp_path: Path) -> None:
    file = tmp_path / "store.db"
    with closing(open_rows(file)) as one, closing(open_rows(address)) as other:
        for store in (one, other):
            now_or_never(furnish(store))
        assert now_or_never(answers(other)) == now_or_never(answers(one))

    move(address, tmp_path / "copy.db", quietly)


def test_many_journals_share_few_connections_and_fence_each_other(address: str) -> None:
    with closing(PostgresStore(address)) as store:
        now_or_never(store.put_job(job()))
        journals = [now_or_never(store.open_journal(JOB, str(n))) for n in range(8)]
        last = journals[-1]
        now_or_never(last.adopt(RULES, "policy"))
        now_or_never(show(last, *(seen(key(f"p{n}"), name="Name") for n in range(100))))
        now_or_never(governed(last, key("ada"), "t1"))

        for journal in journals[:-1]:
            assert now_or_never(recalled(journal, key("p7"))).seen == 1
            with pytest.raises(Fenced):
                now_or_never(journal.doubt([key("ada")]))
        assert now_or_never(recalled(last, key("ada"))).link is not None


def test_nothing_is_prepared_where_the_next_transaction_has_another_server(
    address: str, pg_store: str
) -> None:
    for at, prepares in ((address, False), (pg_store, True)):
        pool = Pool(at)
        link = pool.take()
        session = Session(pool)
        session.prepare()
        pool.give_back(link)
        for number in range(2 * PREPARED_AFTER):
            assert session.execute("SELECT CAST(? AS BIGINT)", (number,)).fetchone() == (number,)
        kept = session.execute("SELECT count(*) FROM pg_prepared_statements").fetchone()
        assert (kept[0] > 0, pool.is_direct(link)) == (prepares, prepares)
        session.close()
        pool.close()


def test_leases_and_the_queue_work_behind_it(address: str, tmp_path: Path) -> None:
    async def history() -> None:
        with closing(PostgresStore(address)) as store:
            office = Office(store, tmp_path, address)
            await office.open("one", "two")
            async with running("procrastinate", office):
                await until(lambda: sorted(office.ended) == ["one", "two"])

    asyncio.run(history())
