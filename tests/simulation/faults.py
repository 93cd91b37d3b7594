"""What may go wrong between two directories and the store, on cue and repeatably."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import psycopg.errors

from provisor.connectors.memory import USER_NAMES, MemorySource, MemoryTarget
from provisor.errors import Unreachable
from provisor.model.decisions import Create, Decision, Exported, Standing, StandingKey, Write
from provisor.model.entries import (
    Anchor,
    Entry,
    EntryKey,
    MatchQuery,
    Page,
    Receipt,
    Reference,
    System,
    Watermark,
)
from provisor.ports import Capabilities, Journal, Listing, Referred, Source
from provisor.store.postgresql.connect import Session
from provisor.store.sql.database import Bound, Cursor
from provisor.store.transitions import claimed_anchor

Fault: TypeAlias = tuple[str, Callable[[], BaseException]]
"""When it happens to a request, and what: `before` it is done, `after`, `never`; `twice` does it
a second time, as a proxy may, and answers what came of that."""


class Crash(BaseException):
    """The process dies here. Nothing may catch it."""


NEVER: Fault = ("never", Crash)


class SteppingClock:
    """Time that passes only when someone sleeps."""

    def __init__(self) -> None:
        self._now = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self._now

    async def sleep(self, seconds: float) -> None:
        self.advance(timedelta(seconds=seconds))

    def advance(self, by: timedelta) -> None:
        self._now += by


class Chance:
    """Decides, from a seed, who goes on first. A history can be replayed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    async def turn(self) -> None:
        for _ in range(self._random.randrange(4)):
            await asyncio.sleep(0)

    def uuid(self) -> str:
        return f"{self._random.getrandbits(128):032x}"

    def below(self, limit: int) -> int:
        return self._random.randrange(limit)


@dataclass
class FaultyTarget:
    """A target that misbehaves on cue, and remembers what was asked of it."""

    inner: MemoryTarget
    chance: Chance
    faults: list[Fault] = field(default_factory=list[Fault])
    read_faults: list[Fault] = field(default_factory=list[Fault])
    calls: int = 0
    done: list[Write] = field(default_factory=list[Write])
    """Every write that was carried out, whoever learned of it."""
    acknowledged: list[tuple[Write, Exported]] = field(default_factory=list[tuple[Write, Exported]])

    @property
    def system(self) -> System:
        return self.inner.system

    @property
    def capabilities(self) -> Capabilities:
        return self.inner.capabilities

    async def probe(self) -> None:
        await self.inner.probe()

    async def close(self) -> None:
        await self.inner.close()

    async def fetch(self, kind: str, anchor: Anchor) -> Entry | None:
        await self._ask()
        return await self.inner.fetch(kind, anchor)

    async def find(self, query: MatchQuery) -> Sequence[Entry]:
        await self._ask()
        return await self.inner.find(query)

    async def list_all(self, kind: str) -> AsyncIterator[Listing]:
        await self._ask()
        async for page in self.inner.list_all(kind):
            yield page

    async def referred(
        self, kind: str, anchor: Anchor, name: str, known: frozenset[Reference]
    ) -> Referred:
        await self._ask()
        return await self.inner.referred(kind, anchor, name, known)

    async def export(self, write: Write) -> Exported:
        self.calls += 1
        when, error = self.faults.pop() if self.faults else NEVER
        if when == "before":
            raise error()
        answer = await self.inner.export(write)
        self.done.append(write)
        if when == "twice" and not _makes_a_second(write):
            answer = await self.inner.export(write)
        await self.chance.turn()
        if when == "after":
            raise error()
        self.acknowledged.append((write, answer))
        return answer

    def forget(self) -> None:
        """Count and remember anew from here."""
        self.calls, self.done, self.acknowledged = 0, [], []

    async def _ask(self) -> None:
        self.calls += 1
        await self.chance.turn()
        when, error = self.read_faults.pop() if self.read_faults else NEVER
        if when in {"before", "after"}:
            raise error()


def _makes_a_second(write: Write) -> bool:
    """True for a create of what has no unique value: repeated on its way, it makes two objects,
    and nobody who sent it once can know of the other."""
    return isinstance(write, Create) and write.kind not in USER_NAMES


@dataclass
class FaultySource:
    """A source whose reads break off: before the page of that number, or when asked for one."""

    inner: MemorySource
    breaks_at: int = -1
    error: Callable[[], BaseException] = Crash
    breaks_look_ups: bool = False

    @property
    def system(self) -> System:
        return self.inner.system

    async def fetch(self, key: EntryKey) -> Entry | None:
        if self.breaks_look_ups:
            raise self.error()
        return await self.inner.fetch(key)

    async def pull(self, since: Watermark | None) -> AsyncIterator[Page | Receipt]:
        number = 0
        async for part in self.inner.pull(since):
            if number == self.breaks_at:
                raise self.error()
            number += 1
            yield part

    async def close(self) -> None:
        await self.inner.close()


def unreachable() -> BaseException:
    return Unreachable("no answer")


# the store


WRITING = frozenset(
    {
        "absorb",
        "adopt",
        "advance",
        "assign",
        "attempt",
        "attempt_references",
        "begin_cycle",
        "begin_listing",
        "begin_snapshot",
        "disconnect",
        "doubt",
        "drop_claims",
        "end_cycle",
        "end_listing",
        "expire",
        "hasten",
        "hold_snapshot",
        "let_be",
        "miss_references",
        "let_go",
        "list_target",
        "note_faults",
        "progress",
        "recognise",
        "record",
        "release_snapshot",
        "remember_systems",
        "reset",
        "settle",
        "settle_references",
        "stage",
        "stage_references",
    }
)
"""Methods of a journal that remember something. A test holds them to the port."""


class MortalJournal:
    """A journal whose process dies when it is about to remember something for the n-th time, and
    whose job is paused when it asks for the n-th time whether to go on."""

    def __init__(
        self, inner: Journal, chance: Chance, *, dies_at: int = 0, pauses_at: int = 0
    ) -> None:
        self.inner = inner
        self._chance = chance
        self._dies_in, self._pauses_in = dies_at, pauses_at
        self.claimed: list[tuple[Anchor, StandingKey]] = []
        """Who claimed which target object, in order."""

    async def attempt(self, standing: Standing, decision: Decision, now: datetime) -> bool:
        self._live_on()
        is_ours = await self.inner.attempt(standing, decision, now)
        anchor = claimed_anchor(decision)
        if is_ours and anchor is not None:
            self.claimed.append((anchor, standing.key))
        await self._chance.turn()
        return is_ours

    async def owner(self, found: Entry, queries: Sequence[MatchQuery]) -> StandingKey | None:
        key = await self.inner.owner(found, queries)
        await self._chance.turn()  # what was answered may have changed by then
        return key

    async def is_wanted(self) -> bool:
        self._pauses_in -= 1
        return self._pauses_in != 0 and await self.inner.is_wanted()

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        method: Callable[..., Awaitable[Any]] = getattr(self.inner, name)
        if name in WRITING:
            method = self._mortal(method)
        setattr(self, name, method)
        return method

    def _mortal(self, method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def write(*arguments: object, **named: object) -> object:
            self._live_on()
            return await method(*arguments, **named)

        return write

    def _live_on(self) -> None:
        self._dies_in -= 1
        if self._dies_in == 0:
            raise Crash


@dataclass
class Fuse:
    """Burns down by one with each statement of a database; at its end something happens."""

    left: int = 0
    what: str = ""
    """`dies`: before the statement; `dies after`: once it is done; `fails`: as a full disk does."""

    def before(self) -> None:
        self.left -= 1
        if self.left != 0:
            return
        if self.what == "dies":
            raise Crash
        if self.what == "fails":
            raise sqlite3.OperationalError("database or disk is full")

    def after(self) -> None:
        if self.left == 0 and self.what == "dies after":
            raise Crash


def brittle(fuse: Fuse) -> type[sqlite3.Connection]:
    """Return a kind of connection whose statements burn the fuse."""

    class Brittle(sqlite3.Connection):
        def execute(self, *arguments: Any) -> sqlite3.Cursor:
            fuse.before()
            cursor = super().execute(*arguments)
            fuse.after()
            return cursor

        def executemany(self, *arguments: Any) -> sqlite3.Cursor:
            fuse.before()
            cursor = super().executemany(*arguments)
            fuse.after()
            return cursor

    return Brittle


def frail(fuse: Fuse) -> type[Session]:
    """As `brittle`, of connections to PostgreSQL."""

    class Frail(Session):
        def execute(self, statement: str, bound: Bound = (), /) -> Cursor:
            self._before()
            cursor = super().execute(statement, bound)
            fuse.after()
            return cursor

        def executemany(self, statement: str, rows: Iterable[Sequence[object]], /) -> None:
            self._before()
            super().executemany(statement, rows)
            fuse.after()

        def copy(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
            self._before()
            super().copy(statement, rows)
            fuse.after()

        def commit(self) -> None:
            self._before()
            super().commit()
            fuse.after()

        def _before(self) -> None:
            try:
                fuse.before()
            except sqlite3.Error as error:
                raise psycopg.errors.DiskFull(str(error)) from error

    return Frail


@dataclass(frozen=True, kw_only=True)
class Mishaps:
    """What goes wrong in one cycle."""

    faults: tuple[Fault, ...] = ()
    """Of writes to the target; the last one comes first."""
    read_faults: tuple[Fault, ...] = ()
    source: tuple[int, Callable[[], BaseException]] | None = None
    """The source fails so before the page of that number."""
    breaks_look_ups: bool = False
    dies_at: int = 0
    """At which of its writes to the journal the process dies; 0: at none."""
    statement: tuple[int, str] = (0, "")
    """At which statement of the database, and what happens."""
    pauses_at: int = 0


CALM = Mishaps()


def faulty(source: MemorySource, mishaps: Mishaps) -> Source:
    at, error = mishaps.source or (-1, unreachable)
    return FaultySource(source, at, error, mishaps.breaks_look_ups)
