"""Cycles that are shared out: who leads invites others by the queue, and works along.

What an invitation leads to is in the store: who comes too late finds no seat, and who does not come
is not missed. The job is had by the one who leads; shares are had by leases of their own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

from provisor.engine.member import Hearing, work_at
from provisor.engine.work import Mandate, Ports
from provisor.errors import AdapterError, Fenced, StoreFailed
from provisor.model.entries import Anchor
from provisor.model.jobs import Job
from provisor.model.rules import MappingName
from provisor.ports import Journal
from provisor.ports.shares import Brief, Led, Progressed, Said, Seat, Sharing, Word, seats_of
from provisor.runtime.interruption import Interruption, interruptible
from provisor.runtime.lease import lock_of
from provisor.runtime.parts import Parts
from provisor.telemetry.watch import watched_journal, watched_target

OBJECTS_A_SEAT: Final = 2_000
INVITED_EVERY: Final = timedelta(seconds=2)
REST_S: Final = 0.05


class Invitations(Protocol):
    """How other workers hear that their help is welcome."""

    async def others(self) -> int:
        """Return how many workers there are beside this one. Raises StoreFailed."""
        ...

    async def invite(self, job: str, seat: int) -> None:
        """Ask somebody to take a seat, unless this very one is still being asked for. Raises
        StoreFailed."""
        ...


@dataclass(slots=True)
class Table:
    """Where cycles are shared out, as one process sees it."""

    parts: Parts
    sharing: Sharing
    invitations: Invitations
    interruption: Interruption
    shared_from: int
    """A cycle with fewer objects is not shared out."""
    _seated: set[str] = field(default_factory=set[str])
    """Jobs at which this process works."""

    def lead(self, job: Job, journal: Journal, mandate: Mandate) -> SharedOut:
        return SharedOut(self, job, mandate, self.sharing.lead(journal))

    async def help(self, job: str) -> None:
        """Take a seat at a job that somebody else leads; whatever comes of it is no harm to it.

        Who cannot go on leaves: if nobody can, the one who leads finds out for himself.
        """
        found = await self.parts.registry.job(job)
        if found is not None and job not in self._seated:
            with suppress(Fenced):
                await self.work_at(found, None)

    async def work_at(self, job: Job, mandate: Mandate | None) -> None:
        """Work at a job until nobody leads it; under the rules that are given, or those in force.
        Raises AdapterError."""
        self._seated.add(job.id)
        try:
            seat = await self.sharing.sit(job.id, lock_of(job.id))
            if seat is not None:
                try:
                    await self._work_on(seat, job, mandate)
                finally:
                    seat.leave()
        finally:
            self._seated.discard(job.id)

    async def _work_on(self, seat: Seat, job: Job, mandate: Mandate | None) -> None:
        hearing = Hearing(Said(Word.WORK, 2))
        async with self._ready(seat, job, hearing) as (own, ports):
            await work_at(seat, mandate or own, ports, hearing)

    @asynccontextmanager
    async def _ready(
        self, seat: Seat, job: Job, hearing: Hearing
    ) -> AsyncGenerator[tuple[Mandate, Ports]]:
        parts = self.parts
        equipment = await parts.equip(job, lease_ends=seat.ends, among=lambda: hearing.said.seats)
        source, target = equipment.source(), equipment.target()
        journal = interruptible(seat.journal, self.interruption)
        try:
            await target.probe()
            watch = parts.watching(job) if parts.watching is not None else None
            yield (
                equipment.mandate,
                Ports(
                    source=source,
                    target=watched_target(target, watch) if watch else target,
                    journal=watched_journal(journal, watch) if watch else journal,
                    clock=parts.clock,
                    entropy=parts.entropy,
                    lease_ends=seat.ends,
                ),
            )
        finally:
            await target.close()
            await source.close()


@dataclass(slots=True)
class SharedOut:
    """Implements `ports.shares.Shares`."""

    table: Table
    job: Job
    mandate: Mandate
    led: Led
    _own: asyncio.Task[None] | None = None
    _wanted: int = 0
    """So many seats beside ours."""
    _invited_at: datetime | None = None

    async def open(self, brief: Brief, objects: int) -> bool:
        if objects < self.table.shared_from:
            return False
        others = await self.table.invitations.others()
        self._wanted = min(others, max(objects // OBJECTS_A_SEAT, 1))
        if self._wanted < 1:
            return False
        await self.led.open(brief)
        self._begin()
        await self._invite(1)
        return True

    async def cut(self, mapping: MappingName, parts: Sequence[Sequence[Anchor]]) -> None:
        await self.led.cut(mapping, parts)

    async def rest(self) -> None:
        await self.led.say(Word.REST)
        await self._until_quiet()

    async def resume(self, *, forgets_listing: bool) -> None:
        if forgets_listing:
            await self.led.forget_listing()
        await self.led.say(Word.WORK)

    async def look(self) -> Progressed:
        if self._own is not None and self._own.done():
            self._own.result()
            self._begin()
        progressed = await self.led.look()
        await self._invite(progressed.seats)
        return progressed

    async def close(self) -> None:
        task = asyncio.current_task()
        is_cut_off = task is not None and task.cancelling() > 0
        try:
            if not is_cut_off:
                await self.led.say(Word.GO)
                await self._until_quiet()
            await self.led.close()
        finally:
            await self._end()

    def _begin(self) -> None:
        self._own = asyncio.create_task(self.table.work_at(self.job, self.mandate))

    async def _end(self) -> None:
        """End our own work: it has heard that it is to go, or nobody waits for it."""
        own, self._own = self._own, None
        if own is not None:
            with suppress(AdapterError, asyncio.CancelledError):
                async with asyncio.timeout(1):
                    await asyncio.shield(own)
            own.cancel()
            await asyncio.gather(own, return_exceptions=True)

    async def _until_quiet(self) -> None:
        """Whoever has died is waited for until his lease has ended."""
        while (await self.led.look()).at_work:
            await self.table.parts.clock.sleep(REST_S)

    async def _invite(self, seats: int) -> None:
        """Ask for those who are missing. Who cannot be asked is done without."""
        now = self.table.parts.clock.now()
        is_time = self._invited_at is None or now >= self._invited_at + INVITED_EVERY
        if is_time and seats <= self._wanted:
            self._invited_at = now
            with suppress(StoreFailed):
                for seat in range(self._wanted):
                    await self.table.invitations.invite(self.job.id, seat)


async def until_nobody_is_seated(parts: Parts, job: str) -> None:
    """Wait for those who worked at a job under somebody before us: what they have sent is answered,
    or their leases have ended."""
    while parts.leases.living(seats_of(job)):
        await parts.clock.sleep(REST_S)
