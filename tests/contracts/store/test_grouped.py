"""Steps of objects that go side by side share a transaction: all are done, or none; and what is
held of an object between its steps is what is stored."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from provisor.errors import Fenced, Rejected, StoreFailed
from provisor.model.cycles import CycleKind
from provisor.model.decisions import Settled, StandingKey
from provisor.model.entries import Anchor, Entry
from provisor.model.frozen import replace
from provisor.ports import Journal, Listed
from provisor.store.sqlite.store import SqliteStore
from tests.contracts.store.building import (
    GROUPS,
    JOB,
    RULES,
    START,
    creates,
    job,
    key,
    link,
    query,
    recalled,
    record,
    seen,
    settle,
    show,
    updates,
    user,
)

ADA, BEN, CYD, TEAM = key("ada"), key("ben"), key("cyd"), key("team", GROUPS)


class Counting(sqlite3.Connection):
    """Counts what is committed; fails at a commit when it is told."""

    commits = 0
    fails = False

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        if arguments[0] == "COMMIT":
            if Counting.fails:
                raise sqlite3.OperationalError("database or disk is full")
            Counting.commits += 1
        return super().execute(*arguments)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    Counting.fails = False
    store = SqliteStore(tmp_path / "store.db", Counting)
    yield store
    Counting.fails = False
    store.close()


def play(store: SqliteStore, story: Callable[[Journal], Awaitable[None]]) -> None:
    """Play a story in an event loop, with a journal that knows three people."""

    async def all_of_it() -> None:
        await store.put_job(job())
        journal = await store.open_journal(JOB, "test")
        await journal.adopt(RULES, "policy")
        await journal.begin_cycle("c1", CycleKind.INITIAL, START)
        await journal.begin_snapshot()
        await show(journal, *(seen(k, name=str(k.anchor)) for k in (ADA, BEN, CYD)))
        await story(journal)

    asyncio.run(all_of_it())


async def create(journal: Journal, of: StandingKey, name: str) -> bool:
    return await journal.attempt(await recalled(journal, of), creates(of, query(name)), START)


async def becomes(journal: Journal, of: StandingKey, target: str) -> None:
    standing = await recalled(journal, of)
    done = Settled(link(target))
    await journal.settle(standing, done, None, record(of), keeps_attempt=False)


def test_steps_of_one_turn_are_one_transaction(store: SqliteStore) -> None:
    async def story(journal: Journal) -> None:
        before = Counting.commits
        found = await asyncio.gather(*(create(journal, k, str(k.anchor)) for k in (ADA, BEN, CYD)))
        assert found == [True, True, True]
        assert Counting.commits - before == 1

    play(store, story)


def test_of_two_that_want_the_same_value_in_one_turn_one_gets_it(store: SqliteStore) -> None:
    async def story(journal: Journal) -> None:
        found = await asyncio.gather(create(journal, ADA, "a"), create(journal, BEN, "A"))
        assert found == [True, False]
        assert not (await recalled(journal, BEN)).attempt

    play(store, story)


def test_one_that_is_refused_does_not_trouble_the_others(store: SqliteStore) -> None:
    async def story(journal: Journal) -> None:
        steps = (
            becomes(journal, ADA, "t1"),
            becomes(journal, BEN, "t1"),
            becomes(journal, CYD, "t3"),
        )
        found = await asyncio.gather(*steps, return_exceptions=True)
        assert [type(one) for one in found] == [type(None), Rejected, type(None)]
        assert (await recalled(journal, BEN)).link is None
        assert (await recalled(journal, CYD)).link == link("t3")

    play(store, story)


def test_where_nothing_can_be_stored_everybody_hears_of_it_and_nothing_was_done(
    store: SqliteStore,
) -> None:
    async def story(journal: Journal) -> None:
        Counting.fails = True
        steps = (create(journal, ADA, "a"), becomes(journal, BEN, "t2"))
        found = await asyncio.gather(*steps, return_exceptions=True)
        assert [type(one) for one in found] == [StoreFailed, StoreFailed]
        Counting.fails = False
        assert not (await recalled(journal, ADA)).attempt
        assert (await recalled(journal, BEN)).link is None
        assert await create(journal, CYD, "a"), "a claim that was undone holds nobody up"

    play(store, story)


def test_who_has_lost_the_job_takes_no_step(store: SqliteStore) -> None:
    async def story(journal: Journal) -> None:
        standing = await recalled(journal, ADA)
        await store.open_journal(JOB, "another")
        with pytest.raises(Fenced):
            await journal.attempt(standing, creates(ADA, query("a")), START)

    play(store, story)


def test_one_that_waits_no_more_is_left_out(store: SqliteStore) -> None:
    async def story(journal: Journal) -> None:
        standing = await recalled(journal, ADA)
        step = asyncio.ensure_future(journal.attempt(standing, creates(ADA, query("a")), START))
        await asyncio.sleep(0)
        step.cancel()
        assert await create(journal, BEN, "b")
        assert not (await recalled(journal, ADA)).attempt

    play(store, story)


def test_whoever_is_stirred_between_two_steps_is_not_settled_as_before(store: SqliteStore) -> None:
    async def story(journal: Journal) -> None:
        await show(journal, seen(TEAM, members=(user("ada"),)))
        await settle(journal, TEAM, link("g1"))
        team = await recalled(journal, TEAM)
        await becomes(journal, ADA, "t1")  # the team may point at her from here on
        await journal.settle_references(team, (), Settled(team.link), None, None)
        assert await journal.due_references(START) == [TEAM]

    play(store, story)


def test_an_object_that_was_read_anew_between_two_steps_stays_due(store: SqliteStore) -> None:
    async def story(journal: Journal) -> None:
        standing = await recalled(journal, ADA)
        await show(journal, seen(ADA, name="Countess"))
        done = Settled(link("t1"))
        await journal.settle(standing, done, None, record(ADA), keeps_attempt=False)
        assert ADA in await journal.due(START)

    play(store, story)


def test_what_an_unanswered_create_claims_is_known_to_the_next_process(store: SqliteStore) -> None:
    async def story(journal: Journal) -> None:
        assert await create(journal, ADA, "a")
        heir = await store.open_journal(JOB, "another")
        assert not await create(heir, BEN, "A")
        await becomes(heir, ADA, "t1")
        assert await create(heir, BEN, "A"), "an answer frees what was claimed"

    play(store, story)


def test_an_image_that_was_listed_between_two_steps_is_in_doubt_from_the_next(
    store: SqliteStore,
) -> None:
    async def story(journal: Journal) -> None:
        await settle(journal, ADA, replace(link("t1"), image=None))
        standing = await recalled(journal, ADA)
        assert standing.link is not None
        assert standing.link.image is None
        listed = Entry("User", Anchor("t1"), {"name": "Ada"})
        await journal.list_target([Listed(listed, ())], repairs=False)
        await journal.attempt(standing, updates(ADA, "t1"), START)
        after = (await recalled(journal, ADA)).link
        assert after is not None
        assert after.image is None

    play(store, story)
