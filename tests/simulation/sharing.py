"""A cycle that several processes carry through. Whoever has a seat dies like whoever leads, and is
missed by nobody."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

from provisor.engine import shares
from provisor.engine.work import Mandate, Ports
from provisor.errors import AdapterError
from provisor.ports import Among, Entropy, Journal, LeaseEnds, Source, Target, alone, forever
from provisor.ports.shares import Led, Seat, Share, Sharing, Word
from provisor.runtime import sharing
from provisor.runtime.interruption import Interruption
from provisor.runtime.lease import lease
from provisor.runtime.parts import Equipment, Parts
from provisor.runtime.sharing import Table
from provisor.store.postgresql import PostgresStore
from tests.simulation.backing import JOB, NEW_JOB
from tests.simulation.faults import Chance, Crash, MortalJournal, SteppingClock
from tests.unit.runtime.jobs import NoVault

TURNS = 10
"""So many turns of the event loop pass while somebody sleeps."""
COME_MAX = 6
"""So many come in one cycle, one after the other where they die."""
DIES_MAX = 30
PATIENCE_S = 60.0


def is_death(failure: BaseException | None) -> bool:
    """Tell whether a process is dying of this: what it would do on its way out is not done."""
    if isinstance(failure, BaseExceptionGroup):
        return any(map(is_death, cast("BaseExceptionGroup[BaseException]", failure).exceptions))
    return isinstance(failure, Crash)


@dataclass
class Turning:
    """The clock of a history, where others go on while somebody sleeps."""

    inner: SteppingClock

    def now(self) -> datetime:
        return self.inner.now()

    async def sleep(self, seconds: float) -> None:
        self.inner.advance(timedelta(seconds=seconds))
        for _ in range(TURNS):
            await asyncio.sleep(0)


class MortalSeat:
    """A seat whose process may die. That its lease has ended then is seen at once."""

    def __init__(self, inner: Seat, journal: Journal) -> None:
        self._inner, self.journal = inner, journal

    async def give_back(self, share: Share, failed: Mapping[str, int], *, is_over: bool) -> None:
        if is_death(sys.exception()):
            raise Crash
        await self._inner.give_back(share, failed, is_over=is_over)

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)


class MortalLed:
    """What is led by a process that may die: the dead tell nobody to go."""

    def __init__(self, inner: Led) -> None:
        self._inner = inner

    async def say(self, word: Word) -> None:
        if is_death(sys.exception()):
            raise Crash
        await self._inner.say(word)

    async def close(self) -> None:
        if is_death(sys.exception()):
            raise Crash
        await self._inner.close()

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)


@dataclass
class MortalSharing:
    inner: Sharing
    chance: Chance
    dies: bool
    """Whoever takes a seat may die when he is about to remember something."""

    def lead(self, journal: Journal) -> Led:
        return cast(Led, MortalLed(self.inner.lead(journal)))

    async def sit(self, job: str, leader: str) -> Seat | None:
        seat = await self.inner.sit(job, leader)
        if seat is None:
            return None
        at = self.chance.below(DIES_MAX) if self.dies else 0
        mortal = MortalJournal(seat.journal, self.chance, dies_at=at)
        return cast(Seat, MortalSeat(seat, cast(Journal, mortal)))


@dataclass
class Workers:
    """Implements `sharing.Invitations`: whoever is invited comes at once, another one where the
    first has died."""

    count: int
    make: Callable[[], Table]
    there: dict[int, asyncio.Task[None]] = field(default_factory=dict[int, "asyncio.Task[None]"])
    came: list[asyncio.Task[None]] = field(default_factory=list["asyncio.Task[None]"])

    async def others(self) -> int:
        return self.count

    async def invite(self, job: str, seat: int) -> None:
        before = self.there.get(seat)
        if (before is None or before.done()) and len(self.came) < COME_MAX:
            self.there[seat] = asyncio.create_task(self.make().help(job))
            self.came.append(self.there[seat])

    async def gone(self) -> None:
        """Return once all have gone: they hear that nobody leads any more. Raises what may not
        end anybody."""
        for ended in await asyncio.gather(*self.came, return_exceptions=True):
            if ended is not None and not is_death(ended) and not isinstance(ended, AdapterError):
                raise ended


@contextmanager
def small() -> Generator[None]:
    """Have a handful of objects be many."""
    before = shares.SHARE_MIN, sharing.OBJECTS_A_SEAT
    shares.SHARE_MIN, sharing.OBJECTS_A_SEAT = 1, 1
    try:
        yield
    finally:
        shares.SHARE_MIN, sharing.OBJECTS_A_SEAT = before


@asynccontextmanager
async def shared(
    ports: Ports, journal: Journal, mandate: Mandate, store: PostgresStore, *, others: int,
    dies: bool, target: Target, source: Source, chance: Chance, clock: SteppingClock,
) -> AsyncGenerator[tuple[Ports, Workers]]:  # fmt: skip
    """Have whoever has these ports lead the cycle, and so many others work along."""
    assert store.sharing is not None
    assert store.leases is not None
    turning = Turning(clock)

    async def equip(
        job: object, *, may_change_system: bool = False, lease_ends: LeaseEnds = forever,
        among: Among = alone,
    ) -> Equipment:  # fmt: skip
        return Equipment(
            mandate=mandate, source=lambda: source, target=lambda: target, reader=lambda: target
        )

    async def tells(job: object) -> bool:
        return False

    parts = Parts(
        folder=Path(),
        leases=store.leases,
        registry=store,
        ledger=store.ledger,
        vault=NoVault(),
        clock=turning,
        entropy=cast(Entropy, chance),
        equip=equip,
        tells=tells,
        holder="worker",
    )
    lies = MortalSharing(store.sharing, chance, dies)

    def table() -> Table:
        return Table(parts, lies, workers, Interruption(turning), shared_from=1)

    workers = Workers(others, table)
    with small():
        try:
            with lease(store.leases, JOB):
                leads = table().lead(NEW_JOB, journal, mandate)
                yield replace(ports, clock=turning, shares=leads), workers
        finally:
            await asyncio.wait_for(workers.gone(), PATIENCE_S)
