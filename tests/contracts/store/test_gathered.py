"""At the end of a wire, steps of objects that go side by side go out together: the ways to the
database and back do not grow with the objects, and what one does to another is as ever."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import Any

import pytest

from provisor.errors import Fenced, Rejected
from provisor.model.cycles import CycleKind
from provisor.model.decisions import Settled, StandingKey
from provisor.model.entries import Absence
from provisor.ports import Journal, RecordQuery
from provisor.store.postgresql import PostgresStore
from provisor.store.postgresql.connect import Session
from provisor.store.sql.database import Bound, Cursor
from tests.contracts.store.building import (
    GROUPS,
    JOB,
    RULES,
    START,
    creates,
    gone,
    governed,
    job,
    joins,
    key,
    link,
    query,
    recalled,
    record,
    seen,
    show,
    user,
)

CROWD = [key(f"p{number:02}") for number in range(20)]
ADA, BEN, CYD = CROWD[:3]
TEAM = key("team", GROUPS)


class Counting(Session):
    """Counts the ways to the server: what goes out together is one."""

    ways = 0
    _is_together = False

    def execute(self, statement: str, bound: Bound = (), /) -> Cursor:
        Counting.ways += not Counting._is_together
        return super().execute(statement, bound)

    def begin(self, asks: str = "") -> Any:
        Counting.ways += 1
        return super().begin(asks)

    def commit(self) -> None:
        Counting.ways += not Counting._is_together
        super().commit()

    @contextmanager
    def together(self) -> Generator[None]:
        Counting.ways += 1
        Counting._is_together = True
        try:
            with super().together():
                yield
        finally:
            Counting._is_together = False


@pytest.fixture
def store(pg_store: str) -> Generator[PostgresStore]:
    made = PostgresStore(pg_store, Counting)
    yield made
    made.close()


def play(store: PostgresStore, story: Callable[[Journal], Awaitable[None]]) -> None:
    """Play a story in an event loop, with a journal that knows twenty people and a team."""

    async def all_of_it() -> None:
        await store.put_job(job())
        journal = await store.open_journal(JOB, "test")
        await journal.adopt(RULES, "policy")
        await journal.begin_cycle("c1", CycleKind.INITIAL, START)
        await show(journal, *(seen(k, name=str(k.anchor)) for k in CROWD))
        await story(journal)

    asyncio.run(all_of_it())


async def becomes(journal: Journal, of: StandingKey, target: str) -> None:
    standing = (await journal.recall([of]))[0]
    done = Settled(link(target))
    await journal.settle(standing, done, None, record(of), keeps_attempt=False)


async def ways_of(journal: Journal, crowd: list[StandingKey]) -> int:
    """Carry these through side by side; return how often the server was gone to."""
    standings = await journal.recall(crowd)
    before = Counting.ways

    async def create(place: int) -> None:
        standing = standings[place]
        asked = creates(standing.key, query(str(standing.key.anchor)))
        assert await journal.attempt(standing, asked, START)
        done = Settled(link(f"t-{standing.key.anchor}"))
        await journal.settle(standing, done, None, record(standing.key), keeps_attempt=False)

    await asyncio.gather(*map(create, range(len(standings))))
    return Counting.ways - before


def test_the_ways_to_the_server_do_not_grow_with_the_objects(store: PostgresStore) -> None:
    async def story(journal: Journal) -> None:
        await ways_of(journal, CROWD[:1])  # shapes and numbers are learnt once
        assert await ways_of(journal, CROWD[1:4]) == await ways_of(journal, CROWD[4:]) <= 8

    play(store, story)
    assert len(asyncio.run(store.ledger.records(RecordQuery()))) == len(CROWD)


def test_of_two_that_want_the_same_object_in_one_turn_one_gets_it(store: PostgresStore) -> None:
    async def story(journal: Journal) -> None:
        steps = (becomes(journal, ADA, "t1"), becomes(journal, BEN, "t1"))
        found = await asyncio.gather(*steps, return_exceptions=True)
        assert [type(one) for one in found] == [type(None), Rejected]
        assert (await recalled(journal, BEN)).link is None

    play(store, story)


def test_what_is_let_go_in_a_turn_can_be_taken_in_it(store: PostgresStore) -> None:
    async def story(journal: Journal) -> None:
        await governed(journal, ADA, "t1")
        ada, ben = await journal.recall([ADA, BEN])
        parts = journal.settle(ada, Settled(None), None, record(ADA), keeps_attempt=False)
        comes = journal.settle(ben, Settled(link("t1")), None, record(BEN), keeps_attempt=False)
        await asyncio.gather(parts, comes)
        assert (await recalled(journal, ADA)).link is None
        assert (await recalled(journal, BEN)).link == link("t1")

    play(store, story)


def test_who_moves_leaves_room_for_the_next_in_the_same_turn(store: PostgresStore) -> None:
    async def story(journal: Journal) -> None:
        await governed(journal, ADA, "t1")
        ada, ben = await journal.recall([ADA, BEN])
        moves = journal.settle(ada, Settled(link("t2")), None, record(ADA), keeps_attempt=False)
        comes = journal.settle(ben, Settled(link("t1")), None, record(BEN), keeps_attempt=False)
        await asyncio.gather(moves, comes)
        assert (await recalled(journal, ADA)).link == link("t2")
        assert (await recalled(journal, BEN)).link == link("t1")

    play(store, story)


def test_whose_source_is_gone_cedes_the_object_to_who_asks_for_it(store: PostgresStore) -> None:
    async def story(journal: Journal) -> None:
        await governed(journal, ADA, "t1")
        await show(journal, gone(ADA, Absence.DELETED))
        ben, cyd = await journal.recall([BEN, CYD])
        found = await asyncio.gather(
            journal.attempt(ben, joins(BEN, "t1"), START),
            journal.attempt(cyd, joins(CYD, "t1"), START),
        )
        assert found == [True, False]
        taken = (await recalled(journal, BEN)).link
        assert taken is not None
        assert taken.target == "t1"

    play(store, story)


def test_who_points_at_those_who_come_is_stirred_once_for_each(store: PostgresStore) -> None:
    """Whether they go side by side or one after the other."""

    async def story(journal: Journal) -> None:
        await show(journal, seen(TEAM, members=tuple(user(k.anchor) for k in CROWD[:4])))
        await becomes(journal, TEAM, "g1")
        before = (await recalled(journal, TEAM)).references_seen
        await asyncio.gather(*(becomes(journal, k, f"t-{k.anchor}") for k in CROWD[:3]))
        await becomes(journal, CROWD[3], "t4")
        assert (await recalled(journal, TEAM)).references_seen == before + 4
        assert await journal.due_references(START) == [TEAM]

    play(store, story)


def test_a_turn_in_which_the_job_is_lost_leaves_nothing(store: PostgresStore) -> None:
    async def story(journal: Journal) -> None:
        standings = await journal.recall(CROWD[:3])
        heir = await store.open_journal(JOB, "another")
        steps = [
            journal.settle(s, Settled(link(f"t-{s.key.anchor}")), None, record(s.key),
                           keeps_attempt=False)
            for s in standings
        ]  # fmt: skip
        found = await asyncio.gather(*steps, return_exceptions=True)
        assert [type(one) for one in found] == [Fenced] * 3
        assert [s.link for s in await heir.recall(CROWD[:3])] == [None] * 3

    play(store, story)
