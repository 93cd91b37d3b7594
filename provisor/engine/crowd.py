"""Many objects, several at a time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Container, Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias

from provisor.engine.order import UnderWay
from provisor.engine.references import RECALLED
from provisor.engine.work import Stopped, Tally, Work, mind
from provisor.errors import AdapterError
from provisor.model.decisions import Standing, StandingKey
from provisor.model.jobs import Progress

PROGRESS_EVERY = 100
NOBODY_ABOVE: Mapping[StandingKey, StandingKey] = MappingProxyType({})
Carry: TypeAlias = Callable[[Standing], Awaitable[None]]
"""Carries one object through."""


async def each(
    work: Work,
    tally: Tally,
    keys: Sequence[StandingKey],
    carry: Carry,
    above: Mapping[StandingKey, StandingKey] = NOBODY_ABOVE,
) -> None:
    """Carry each object through, several at a time. Whoever has somebody above him who is under
    way waits until that one is through.

    A failure of the world stops what has not begun and lets finish what has: a write that is
    cut off costs a fresh look.
    """
    await each_until(work, tally, deque(keys), carry, lambda: False, above)


async def each_until(
    work: Work,
    tally: Tally,
    waiting: deque[StandingKey],
    carry: Carry,
    is_time: Callable[[], bool],
    above: Mapping[StandingKey, StandingKey] = NOBODY_ABOVE,
    aside: Container[StandingKey] = (),
) -> None:
    """Do as `each` until it is time for something else; who was not begun with waits on. Whoever
    is `aside` is passed over."""
    recalled = deque[Standing]()
    failures: list[Exception] = []
    under_way = UnderWay()

    async def take() -> Standing | None:
        if is_time():
            return None
        while not recalled and waiting:
            batch = [waiting.popleft() for _ in range(min(RECALLED, len(waiting)))]
            keys = [key for key in batch if key not in aside]
            recalled.extend(await work.ports.journal.recall(keys))
        return recalled.popleft() if recalled else None

    async def drain() -> None:
        while not failures and (standing := await take()) is not None:
            try:
                await mind(work)
                with under_way.enter(standing.key):
                    await under_way.until_through(above.get(standing.key))
                    await carry(standing)
                await _report(work, tally)
            except (AdapterError, Stopped) as failure:
                failures.append(failure)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(work.mandate.policy.parallel_max, len(waiting))):
            group.create_task(drain())
    if failures:
        raise failures[0]
    waiting.extendleft(standing.key for standing in reversed(recalled))


async def _report(work: Work, tally: Tally) -> None:
    tally.done += 1
    if tally.done % PROGRESS_EVERY == 0:
        await tell_progress(work, tally)


async def tell_progress(work: Work, tally: Tally) -> None:
    progress = Progress(
        completed_units=tally.done,
        total_units=max(tally.total, tally.done),
        units="objects",
        observed_at=work.ports.clock.now(),
    )
    await work.ports.journal.progress(progress)
