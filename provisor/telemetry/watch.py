"""What watches one job at work, and the ports as they are while somebody watches.

Engine and adapters know nothing of it: it stands around the ports, and changes nothing that passes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime
from time import perf_counter
from typing import Any, Protocol, TypeVar, cast

from provisor.errors import AdapterError
from provisor.model.cycles import Cycle, CycleKind, Side
from provisor.model.decisions import (
    Escrow,
    Exported,
    Outcome,
    Record,
    Standing,
    TargetChange,
    Write,
)
from provisor.model.entries import (
    Anchor,
    Entry,
    EntryKey,
    MatchQuery,
    Page,
    Receipt,
    Reference,
    Watermark,
)
from provisor.model.jobs import Job, Status
from provisor.ports import Journal, Listing, Referred, Source, Target

T = TypeVar("T")
OK = "ok"


class Watch(Protocol):
    """Is told what one job does. Must not fail, and must not wait."""

    def began(self, cycle: str, kind: CycleKind, at: datetime) -> None:
        """A cycle has begun."""
        ...

    def asked(self, side: Side, system: str, operation: str, seconds: float, outcome: str) -> None:
        """A system was asked something: how it ended is `ok`, or the name of the failure."""
        ...

    def decided(self, record: Record) -> None:
        """Something was decided of an object, and what came of it is in the ledger."""
        ...

    def ended(self, cycle: Cycle) -> None:
        """A cycle has ended, and its record is stored."""
        ...


class Watching(Protocol):
    """Begins to watch a job, for as long as somebody has it."""

    def __call__(self, job: Job) -> Watch: ...


class All:
    """Tells several."""

    def __init__(self, watches: Sequence[Watch]) -> None:
        self._watches = watches

    def began(self, cycle: str, kind: CycleKind, at: datetime) -> None:
        for watch in self._watches:
            watch.began(cycle, kind, at)

    def asked(self, side: Side, system: str, operation: str, seconds: float, outcome: str) -> None:
        for watch in self._watches:
            watch.asked(side, system, operation, seconds, outcome)

    def decided(self, record: Record) -> None:
        for watch in self._watches:
            watch.decided(record)

    def ended(self, cycle: Cycle) -> None:
        for watch in self._watches:
            watch.ended(cycle)


def watched_source(source: Source, watch: Watch) -> Source:
    return cast(Source, _Source(source, watch))


def watched_target(target: Target, watch: Watch) -> Target:
    return cast(Target, _Target(target, watch))


def watched_journal(journal: Journal, watch: Watch) -> Journal:
    return cast(Journal, _Journal(journal, watch))


class _Timed:
    """Tells how long a system took, and how it ended."""

    def __init__(self, side: Side, system: Callable[[], str], watch: Watch) -> None:
        self._side, self._system, self._watch = side, system, watch

    async def of(self, operation: str, asking: Awaitable[T]) -> T:
        began, outcome = perf_counter(), OK
        try:
            return await asking
        except BaseException as failure:
            outcome = _named(failure)
            raise
        finally:
            seconds = perf_counter() - began
            self._watch.asked(self._side, self._system(), operation, seconds, outcome)

    def pages(self, operation: str, pages: AsyncIterator[T]) -> AsyncIterator[T]:
        """Yield pages; each is one question. The last one says that there are no more."""
        return page_by_page(pages, lambda following: self.of(operation, next_page(following)))


async def page_by_page(
    pages: AsyncIterator[T], take: Callable[[AsyncIterator[T]], Awaitable[T | None]]
) -> AsyncIterator[T]:
    """Yield pages as `take` takes them, each a question of its own, and close them at the end."""
    try:
        while (page := await take(pages)) is not None:
            yield page
    finally:
        close = getattr(pages, "aclose", None)
        if close is not None:
            await close()


async def next_page(pages: AsyncIterator[T]) -> T | None:
    """Return the following page; None where there are no more."""
    return await anext(pages, None)


def _named(failure: BaseException) -> str:
    return type(failure).__name__.lower() if isinstance(failure, AdapterError) else "broken"


class _Source:
    def __init__(self, source: Source, watch: Watch) -> None:
        self._source = source
        self._timed = _Timed(Side.SOURCE, lambda: source.system.identity, watch)

    def pull(self, since: Watermark | None) -> AsyncIterator[Page | Receipt]:
        return self._timed.pages("pull", self._source.pull(since))

    async def fetch(self, key: EntryKey) -> Entry | None:
        return await self._timed.of("fetch", self._source.fetch(key))

    def __getattr__(self, name: str) -> object:
        return getattr(self._source, name)


class _Target:
    def __init__(self, target: Target, watch: Watch) -> None:
        self._target = target
        self._timed = _Timed(Side.TARGET, lambda: target.system.identity, watch)

    async def probe(self) -> None:
        await self._timed.of("probe", self._target.probe())

    async def fetch(self, kind: str, anchor: Anchor) -> Entry | None:
        return await self._timed.of("fetch", self._target.fetch(kind, anchor))

    async def find(self, query: MatchQuery) -> Sequence[Entry]:
        return await self._timed.of("find", self._target.find(query))

    def list_all(self, kind: str) -> AsyncIterator[Listing]:
        return self._timed.pages("list", self._target.list_all(kind))

    async def referred(
        self, kind: str, anchor: Anchor, name: str, known: frozenset[Reference]
    ) -> Referred:
        asked = self._target.referred(kind, anchor, name, known)
        return await self._timed.of("referred", asked)

    async def export(self, write: Write) -> Exported:
        return await self._timed.of("export", self._target.export(write))

    def __getattr__(self, name: str) -> object:
        return getattr(self._target, name)


class _Journal:
    """Tells what was recorded, once it is."""

    def __init__(self, journal: Journal, watch: Watch) -> None:
        self._journal, self._watch = journal, watch

    async def begin_cycle(self, id: str, kind: CycleKind, began: datetime) -> None:
        await self._journal.begin_cycle(id, kind, began)
        self._watch.began(id, kind, began)

    async def settle(
        self,
        standing: Standing,
        outcome: Outcome,
        escrow: Escrow | None,
        record: Record,
        **settled: Any,
    ) -> None:
        await self._journal.settle(standing, outcome, escrow, record, **settled)
        self._watch.decided(record)

    async def settle_references(
        self,
        standing: Standing,
        changes: Sequence[TargetChange],
        outcome: Outcome,
        escrow: Escrow | None,
        record: Record | None,
        **settled: Any,
    ) -> None:
        await self._journal.settle_references(standing, changes, outcome, escrow, record, **settled)
        if record is not None:
            self._watch.decided(record)

    async def record(self, record: Record) -> None:
        await self._journal.record(record)
        self._watch.decided(record)

    async def end_cycle(self, cycle: Cycle) -> Status:
        status = await self._journal.end_cycle(cycle)
        self._watch.ended(cycle)
        return status

    def __getattr__(self, name: str) -> object:
        return getattr(self._journal, name)
