"""Who has a share of a cycle writes only in it, only while it is theirs, and misses nothing that
others write meanwhile."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager

import psycopg
import pytest

from provisor.errors import Fenced
from provisor.model.decisions import Settled, Standing, StandingKey
from provisor.model.entries import Anchor
from provisor.ports import Journal
from provisor.ports.shares import Brief, Led, Seat, Sharing, Word
from provisor.store.postgresql import PostgresStore
from tests.contracts.store.building import (
    JOB,
    RULES,
    START,
    USERS,
    creates,
    job,
    key,
    link,
    query,
    recalled,
    record,
    seen,
    settle,
    user,
)

ADA, BOB, EVE = key("ada"), key("bob"), key("eve")
LEADER = f"{JOB}.lock"
BRIEF = Brief(cycle="c1", at=START, due=START, rules="1")


def sharing_of(store: PostgresStore) -> Sharing:
    assert store.sharing is not None
    return store.sharing


class Table:
    """A job with three people that is shared out, and whoever has a seat at it."""

    def __init__(self, address: str, store: PostgresStore, journal: Journal) -> None:
        self.address, self.store, self.journal = address, store, journal
        self.led: Led = sharing_of(store).lead(journal)
        self.seats: list[Seat] = []

    async def sit(self) -> Seat:
        seat = await sharing_of(self.store).sit(JOB, LEADER)
        assert seat is not None
        self.seats.append(seat)
        return seat

    async def seat_with(self, anchor: str) -> tuple[Seat, Standing]:
        """Lay down a share of one and take it."""
        await self.led.cut(USERS, [[Anchor(anchor)]])
        seat = await self.sit()
        share = await seat.take()
        assert share is not None
        assert share.keys == (key(anchor),)
        return seat, await recalled(seat.journal, key(anchor))

    def let_leases_end(self) -> None:
        with psycopg.connect(self.address, autocommit=True) as connection:
            connection.execute("UPDATE lease SET ends = now() - interval '1 second'")


@contextmanager
def _opened(address: str) -> Generator[PostgresStore]:
    store = PostgresStore(address)
    try:
        yield store
    finally:
        store.close()


@pytest.fixture
def pg(pg_store: str) -> Iterator[PostgresStore]:
    with _opened(pg_store) as store:
        yield store


async def shared(pg: PostgresStore, address: str) -> Table:
    await pg.put_job(job())
    journal = await pg.open_journal(JOB, "leader")
    await journal.adopt(RULES, "policy")
    people = [seen(ADA), seen(BOB, manager=user("ada")), seen(EVE, manager=user("ada"))]
    await journal.absorb(people, None, START)
    table = Table(address, pg, journal)
    assert pg.leases is not None
    assert pg.leases.take(LEADER) is not None
    await table.led.open(BRIEF)
    return table


async def test_a_share_is_had_by_one_and_free_again_once_given_back(
    pg: PostgresStore, pg_store: str
) -> None:
    table = await shared(pg, pg_store)
    await table.led.cut(USERS, [[Anchor("ada")], [Anchor("bob")]])
    one, other = await table.sit(), await table.sit()

    first, second = await one.take(), await other.take()
    assert first is not None
    assert second is not None
    assert (first.keys, second.keys) == ((ADA,), (BOB,))
    assert await (await table.sit()).take() is None

    await one.give_back(first, {"Timeout": 1}, is_over=True)
    await other.give_back(second, {"Timeout": 1}, is_over=False)
    now = await table.led.look()
    assert (now.at_work, now.left, now.done, now.failed) == (0, 1, 1, {"Timeout": 2})
    again = await one.take()
    assert again is not None
    assert again.keys == (BOB,)


async def test_nobody_takes_a_share_while_all_are_to_rest(pg: PostgresStore, pg_store: str) -> None:
    table = await shared(pg, pg_store)
    await table.led.cut(USERS, [[Anchor("ada")]])
    seat = await table.sit()
    await table.led.say(Word.REST)

    assert (await seat.said()).word is Word.REST
    assert await seat.take() is None

    await table.led.say(Word.WORK)
    assert await seat.take() is not None


async def test_what_is_in_anothers_share_is_not_written(pg: PostgresStore, pg_store: str) -> None:
    table = await shared(pg, pg_store)
    seat, _ = await table.seat_with("ada")
    other = await recalled(seat.journal, BOB)

    with pytest.raises(Fenced):
        await seat.journal.attempt(other, creates(BOB, query("bob")), START)


async def test_whoever_takes_the_job_over_fences_all_who_work_at_it(
    pg: PostgresStore, pg_store: str
) -> None:
    table = await shared(pg, pg_store)
    seat, ada = await table.seat_with("ada")

    await pg.open_journal(JOB, "successor")

    with pytest.raises(Fenced):
        await seat.journal.attempt(ada, creates(ADA, query("ada")), START)
    assert (await seat.said()).word is Word.GO
    assert await sharing_of(pg).sit(JOB, LEADER) is None


async def test_a_sleeper_wakes_to_no_effect_in_a_share_that_was_taken_over(
    pg: PostgresStore, pg_store: str
) -> None:
    table = await shared(pg, pg_store)
    sleeper, ada = await table.seat_with("ada")
    table.let_leases_end()

    share = await (await table.sit()).take()
    assert share is not None
    assert share.keys == (ADA,)
    with pytest.raises(Fenced):
        await sleeper.journal.attempt(ada, creates(ADA, query("ada")), START)


async def test_a_sleeper_wakes_to_no_effect_once_it_is_taken_for_dead(
    pg: PostgresStore, pg_store: str
) -> None:
    table = await shared(pg, pg_store)
    sleeper, ada = await table.seat_with("ada")
    table.let_leases_end()

    assert (await table.led.look()).at_work == 0

    with pytest.raises(Fenced):
        await sleeper.journal.attempt(ada, creates(ADA, query("ada")), START)


async def test_nobody_works_on_for_a_leader_who_has_died(pg: PostgresStore, pg_store: str) -> None:
    table = await shared(pg, pg_store)
    seat = await table.sit()
    assert (await seat.said()).word is Word.WORK

    table.let_leases_end()

    assert (await seat.said()).word is Word.GO


async def test_what_is_settled_is_not_due_to_who_takes_the_share_over(
    pg: PostgresStore, pg_store: str
) -> None:
    table = await shared(pg, pg_store)
    await table.led.cut(USERS, [[Anchor("ada"), Anchor("bob")]])
    seat = await table.sit()
    share = await seat.take()
    assert share is not None
    assert await seat.due(share, START) == (ADA, BOB)

    await settle(seat.journal, ADA, link("t1"))

    assert await seat.due(share, START) == (BOB,)


async def test_who_is_stirred_by_another_share_is_not_taken_for_settled(
    pg: PostgresStore, pg_store: str
) -> None:
    table = await shared(pg, pg_store)
    bobs, bob = await table.seat_with("bob")
    adas, _ = await table.seat_with("ada")
    await bobs.journal.attempt(bob, creates(BOB, query("bob")), START)

    await settle(adas.journal, ADA, link("t1"))
    await settle(adas.journal, ADA, link("t2"))  # who points at ada is to point elsewhere
    await bobs.journal.settle(
        bob, Settled(link("t3")), None, record(BOB), keeps_attempt=False, settles_references=True
    )

    assert BOB in await table.journal.due_references(START)


async def test_a_value_that_another_share_has_given_away_is_not_given_again(
    pg: PostgresStore, pg_store: str
) -> None:
    table = await shared(pg, pg_store)
    adas, ada = await table.seat_with("ada")
    bobs, bob = await table.seat_with("bob")
    eves, eve = await table.seat_with("eve")

    assert await adas.journal.attempt(ada, creates(ADA, query("x")), START)
    assert not await bobs.journal.attempt(bob, creates(BOB, query("X")), START)
    await adas.journal.settle(ada, Settled(link("t1")), None, record(ADA), keeps_attempt=False)

    assert not await bobs.journal.attempt(bob, creates(BOB, query("X")), START)
    assert await eves.journal.attempt(eve, creates(EVE, query("e")), START)


async def test_what_others_have_told_the_target_is_looked_up_there(
    pg: PostgresStore, pg_store: str
) -> None:
    table = await shared(pg, pg_store)
    await table.journal.begin_listing()
    await table.journal.end_listing(["User"], is_complete=True)
    adas, ada = await table.seat_with("ada")
    bobs, _ = await table.seat_with("bob")
    assert await bobs.journal.listed(query("ada")) == []

    await adas.journal.attempt(ada, creates(ADA, query("ada")), START)
    adas.tell([query("renamed")])
    await adas.journal.settle(ada, Settled(link("t1")), None, record(ADA), keeps_attempt=False)

    assert await bobs.journal.listed(query("ada")) is None
    assert await bobs.journal.listed(query("renamed")) is None
    assert await bobs.journal.listed(query("nobody")) == []


async def test_who_leads_sees_what_the_others_have_written(
    pg: PostgresStore, pg_store: str
) -> None:
    table = await shared(pg, pg_store)
    before = await recalled(table.journal, ADA)
    adas, _ = await table.seat_with("ada")
    await settle(adas.journal, ADA, link("t1"))

    await table.led.close()

    assert before.link is None
    assert await table.journal.anchors([ADA]) == {ADA: "t1"}
    assert await keys_due(table.journal) == [BOB, EVE]


async def keys_due(journal: Journal) -> list[StandingKey]:
    return list(await journal.due(START))


async def test_a_deleted_job_leaves_nothing_of_what_was_shared_out(
    pg: PostgresStore, pg_store: str
) -> None:
    table = await shared(pg, pg_store)
    await table.led.cut(USERS, [[Anchor("ada")]])

    await pg.delete_job(JOB)

    with psycopg.connect(pg_store) as connection:
        for name in (b"share", b"sharing", b"shared_answer"):
            assert connection.execute(b"SELECT count(*) FROM " + name).fetchone() == (0,)
