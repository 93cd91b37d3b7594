"""A wide cycle, shared out among workers by the one of them who has the job.

Only arrivals and updates are: wave by wave, in each those first who are above others, and all who
are as deep at a time. Between two such levels everybody waits, so that there is one order for the
whole, and a superior is there before those who point at him. Whoever leaves is nobody else's
business: departures were weighed before, and while the source is asked who leaves meanwhile
everybody rests.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import Final

from provisor.engine.crowd import PROGRESS_EVERY, Carry, each, tell_progress
from provisor.engine.lane import Lane
from provisor.engine.member import known_by
from provisor.engine.order import Wave, depths_of
from provisor.engine.work import Open, Work, mind
from provisor.model.decisions import StandingKey
from provisor.model.entries import Anchor
from provisor.ports.shares import Brief, Progressed, Shares

LOOK_S: Final = 0.1
SHARES_A_SEAT: Final = 8
"""So many shares of a level for each who works: who is quicker takes more of them."""
SHARE_MIN, SHARE_MAX = 20, 2_000


async def share_out(
    lane: Lane, waves: Sequence[Wave], disable: Carry, after_wave: Callable[[], Awaitable[None]]
) -> bool:
    """Have waves carried through by several; False where they are to be carried through alone.

    `disable` carries a leaver through, `after_wave` judges how many have failed.
    """
    work, shares = lane.work, lane.work.ports.shares
    if shares is None or not isinstance(work.gate, Open):
        return False
    brief = Brief(
        cycle=work.cycle,
        at=work.at,
        due=lane.tally.began,
        rules=known_by(work.mandate),
        listed=frozenset() if work.outdated.is_any else frozenset(work.listed),
    )
    if not await shares.open(brief, sum(len(wave.keys) for wave in waves)):
        return False
    try:
        led = _Leading(lane, shares, disable)
        for wave in waves:
            for level in levels_of(wave):
                await led.carry_through(level)
            counts = await work.ports.journal.recount()
            lane.tally.base_failures = counts.escrowed - counts.escrowed_references
            await after_wave()
    finally:
        await shares.close()
    work.listed.clear()  # others have written since
    return True


def levels_of(wave: Wave) -> Iterator[list[StandingKey]]:
    """Yield objects who wait for as many superiors, those who wait for none first; each in the
    order of their anchors."""
    depths = depths_of(wave.above)
    for _, level in groupby(wave.keys, key=lambda key: depths.get(key, 0)):
        yield sorted(level, key=attrgetter("anchor"))


def parts_of(level: Sequence[StandingKey], seats: int) -> list[list[Anchor]]:
    """Cut a level into ranges of anchors."""
    size = len(level) // (max(seats, 1) * SHARES_A_SEAT)
    size = min(max(size, SHARE_MIN), SHARE_MAX)
    anchors = [key.anchor for key in level]
    return [anchors[first : first + size] for first in range(0, len(anchors), size)]


@dataclass(slots=True)
class _Leading:
    """How far a cycle is that is shared out."""

    lane: Lane
    shares: Shares
    disable: Carry
    _seats: int = 2
    _done: int = 0
    _failed: Counter[str] = field(default_factory=Counter[str])
    _told: int = 0

    @property
    def _work(self) -> Work:
        return self.lane.work

    async def carry_through(self, level: Sequence[StandingKey]) -> None:
        """Return once everybody of a level is through."""
        left = [key for key in level if key not in self.lane.aside]
        if not left:
            return
        await self.shares.cut(left[0].mapping, parts_of(left, self._seats))
        while await self._look():
            await self._work.ports.clock.sleep(LOOK_S)
            await mind(self._work)
            if self.lane.is_time():
                await self._look_who_leaves()

    async def _look(self) -> bool:
        """Take note of how far all are; return whether anything is left."""
        now = await self.shares.look()
        self._count(now)
        tally = self.lane.tally
        if tally.done - self._told >= PROGRESS_EVERY:
            self._told = tally.done
            await tell_progress(self._work, tally)
        return now.left > 0

    def _count(self, now: Progressed) -> None:
        tally, failed = self.lane.tally, Counter(now.failed)
        tally.done += now.done - self._done
        tally.errors.update(failed - self._failed)
        tally.succeeded += (now.done - self._done) - (failed.total() - self._failed.total())
        self._seats, self._done, self._failed = now.seats, now.done, failed

    async def _look_who_leaves(self) -> None:
        work, began = self._work, self._work.ports.clock.now()
        await self.shares.rest()
        leaving = await self.lane.look(began)
        await each(work, self.lane.tally, leaving, self.disable)
        await self.shares.resume(forgets_listing=work.outdated.is_any)
