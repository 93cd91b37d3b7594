"""Whatever the disk does, a method of the real store does all it should or nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from provisor.errors import StoreFailed
from provisor.model.cycles import CycleKind
from provisor.model.decisions import ReferencesChange, Settled
from provisor.model.entries import Anchor, Entry, Watermark
from provisor.model.jobs import ResetScope
from provisor.ports import Journal, Listed
from provisor.store.sqlite.store import SqliteStore
from tests.contracts.store.building import (
    GROUPS,
    JOB,
    RULES,
    START,
    USERS,
    creates,
    disables,
    ended,
    gone,
    governed,
    job,
    key,
    link,
    mapping,
    now_or_never,
    query,
    recalled,
    record,
    seen,
    settle,
    show,
    target_user,
    user,
)

ADA, BEN, CYD, TEAM = key("ada"), key("ben"), key("cyd"), key("team", GROUPS)
Write: TypeAlias = Callable[[Journal], Awaitable[object]]


class Breaking(sqlite3.Connection):
    """Fails at the statement that it is told."""

    fails_in = 0
    with_error = "disk I/O error"

    def _count(self) -> None:
        if Breaking.fails_in:
            Breaking.fails_in -= 1
            if not Breaking.fails_in:
                raise sqlite3.OperationalError(Breaking.with_error)

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        self._count()
        return super().execute(*arguments)

    def executemany(self, *arguments: Any) -> sqlite3.Cursor:
        self._count()
        return super().executemany(*arguments)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    """Return a store with a bit of everything in it."""
    Breaking.fails_in = 0
    store = SqliteStore(path, Breaking)
    now_or_never(_furnish(store))
    yield store
    Breaking.fails_in = 0
    store.close()


async def _furnish(store: SqliteStore) -> None:
    await store.put_job(job())
    journal = await store.open_journal(JOB, "test")
    await journal.adopt(RULES, "policy")
    await journal.begin_cycle("c1", CycleKind.INITIAL, START)
    await journal.begin_snapshot()
    await governed(journal, ADA, "t1")
    await governed(journal, BEN, "t2")
    await show(journal, seen(TEAM, members=(user("ada"), user("ben"))), seen(CYD, name="Cyd"))
    await settle(journal, TEAM, link("g1"))
    await journal.list_target([Listed(Entry("User", Anchor("t3"), {"a": "b"}), (query("x"),))])


def content(path: Path) -> list[str]:
    """Return all that is stored, as somebody else sees it."""
    connection = sqlite3.connect(path)
    try:
        return list(connection.iterdump())
    finally:
        connection.close()


async def attempts_a_departure(journal: Journal) -> None:
    await journal.attempt(await recalled(journal, ADA), disables(ADA, "t1"), START)


async def settles(journal: Journal) -> None:
    standing = await recalled(journal, ADA)
    await journal.settle(standing, Settled(None), None, record(ADA), keeps_attempt=False)


async def attempts_references(journal: Journal) -> None:
    change = ReferencesChange("members", frozenset({target_user("t1")}), frozenset())
    await journal.attempt_references(await recalled(journal, TEAM), [change], START)


async def ends_a_cycle(journal: Journal) -> None:
    await journal.end_cycle(ended("c1", START, await journal.recount()))


async def creates_somebody(journal: Journal) -> None:
    create = creates(CYD, query("cyd"), manager=target_user("t1"))
    await journal.attempt(await recalled(journal, CYD), create, START)


WRITES: dict[str, Write] = {
    "absorb": lambda j: j.absorb(
        [seen(key("new"), name="New", manager=user("ada")), seen(ADA, name="A"), gone(BEN)],
        Watermark("w"),
        START,
    ),
    "adopt": lambda j: j.adopt({USERS: mapping(USERS, "2")}, "another"),
    "assign": lambda j: j.assign({USERS: frozenset({ADA.anchor})}),
    "reset": lambda j: j.reset(ResetScope.FULL),
    "begin_cycle": lambda j: j.begin_cycle("c2", CycleKind.INCREMENTAL, START),
    "end_cycle": ends_a_cycle,
    "advance": lambda j: j.advance(Watermark("w")),
    "list_target": lambda j: j.list_target(
        [Listed(Entry("User", Anchor("t1"), {"a": "new"}), (query("t1"),))]
    ),
    "end_listing": lambda j: j.end_listing({"User"}, is_complete=True),
    "doubt": lambda j: j.doubt([ADA, BEN]),
    "stage": lambda j: j.stage({ADA: 1, TEAM: 1}, START),
    "let_go": lambda j: j.let_go([ADA, BEN]),
    "attempt a create": creates_somebody,
    "attempt a departure": attempts_a_departure,
    "settle": settles,
    "attempt_references": attempts_references,
}


@pytest.mark.parametrize("error", ["disk I/O error", "database or disk is full"])
@pytest.mark.parametrize("name", WRITES)
def test_a_failure_at_any_statement_leaves_what_was_before(
    store: SqliteStore, path: Path, name: str, error: str
) -> None:
    Breaking.with_error = error
    before, statement = content(path), 0
    while True:
        statement += 1
        journal = now_or_never(store.open_journal(JOB, "test"))
        before = content(path)
        Breaking.fails_in = statement
        try:
            now_or_never(_do(WRITES[name], journal))
        except StoreFailed:
            Breaking.fails_in = 0
            assert content(path) == before
        else:
            break
    Breaking.fails_in = 0
    assert statement > 1, "a single statement is a transaction too"
    assert content(path) != before


async def _do(write: Write, journal: Journal) -> None:
    await write(journal)


def test_a_journal_goes_on_after_a_failure(store: SqliteStore, path: Path) -> None:
    """What it had learnt in what was undone, it does not take for stored."""
    journal = now_or_never(store.open_journal(JOB, "test"))
    statement = 0
    while True:
        statement += 1
        Breaking.fails_in = statement
        new = seen(key(f"new {statement}"), **{f"an attribute nobody had {statement}": "x"})
        try:
            now_or_never(show(journal, new))
        except StoreFailed:
            Breaking.fails_in = 0
            now_or_never(show(journal, new))
        else:
            break
    Breaking.fails_in = 0
    assert statement > 10

    with closing(SqliteStore(path)) as other:
        view = now_or_never(other.view_journal(JOB))
        for number in range(1, statement + 1):
            remembered = now_or_never(recalled(view, key(f"new {number}")))
            assert remembered.source is not None
            assert remembered.source.attributes == {f"an attribute nobody had {number}": "x"}


class Small(sqlite3.Connection):
    """A disk with room for little."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.execute("PRAGMA max_page_count = 80")


def test_a_full_disk_is_told_as_such(store: SqliteStore, path: Path) -> None:
    crowd = [seen(key(f"u{n}"), name="x" * 500) for n in range(1000)]
    before = content(path)
    full = SqliteStore(path, Small)
    try:
        journal = now_or_never(full.view_journal(JOB))
        number = now_or_never(journal.population())[USERS]
        writer = now_or_never(full.open_journal(JOB, "test"))
        before = content(path)

        with pytest.raises(StoreFailed, match="Make room on the disk"):
            now_or_never(writer.absorb(crowd, None, START))

        assert now_or_never(writer.population())[USERS] == number
        assert content(path) == before
    finally:
        full.close()


class Impatient(sqlite3.Connection):
    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **{**named, "timeout": 0.01})


def test_a_store_that_somebody_keeps_locked_is_told_as_such(store: SqliteStore, path: Path) -> None:
    impatient = SqliteStore(path, Impatient)
    holder = sqlite3.connect(path, isolation_level=None)
    try:
        journal = now_or_never(impatient.open_journal(JOB, "test"))
        holder.execute("BEGIN IMMEDIATE")

        with pytest.raises(StoreFailed, match="another process has kept the store locked"):
            now_or_never(journal.doubt([ADA]))
        assert now_or_never(recalled(journal, ADA)).key == ADA

        holder.execute("ROLLBACK")
        now_or_never(journal.doubt([ADA]))
    finally:
        holder.close()
        impatient.close()


@pytest.mark.parametrize("damage", [b"", b"SQLite format 3\0 but nothing more"])
def test_a_damaged_store_is_told_as_such(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "damaged.db"
    path.write_bytes(b"\xff" * 5000 + damage)

    with pytest.raises(StoreFailed, match="restore it from a backup"):
        SqliteStore(path)


def test_a_store_that_may_not_be_written_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "store.db").mkdir()

    with pytest.raises(StoreFailed, match=r"store\.db cannot be opened"):
        SqliteStore(tmp_path / "store.db")
