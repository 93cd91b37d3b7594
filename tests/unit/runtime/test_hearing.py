"""A source that tells by itself that something has changed makes a cycle begin, and no more."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from provisor.errors import Unreachable
from provisor.model.cycles import Cycle
from provisor.model.entries import Watermark
from provisor.model.jobs import Job
from provisor.ports import Among, LeaseEnds, alone, forever
from provisor.runtime.hearing import Hearing
from provisor.runtime.interruption import Interruption
from provisor.runtime.parts import Equipment, Parts
from provisor.runtime.runner import Watcher, watch
from tests.unit.runtime.jobs import BEGAN, World, put_job


@dataclass
class Talkative:
    """A source that tells something whenever the test says so."""

    news: asyncio.Queue[bool] = field(default_factory=asyncio.Queue[bool])
    opened: int = 0

    async def heard(self, since: Watermark | None) -> AsyncIterator[None]:
        self.opened += 1
        while True:
            if not await self.news.get():
                raise Unreachable("the connection broke")
            yield

    async def close(self) -> None:
        """Nothing is held open."""


def with_ears(world: World, source: Talkative) -> Parts:
    async def equip(
        job: Job,
        *,
        may_change_system: bool = False,
        lease_ends: LeaseEnds = forever,
        among: Among = alone,
    ) -> Equipment:
        equipment = await world.equip(job, may_change_system=may_change_system)
        return replace(equipment, ears=lambda: source)

    async def tells(job: Job) -> bool:
        return True

    return replace(world.parts, equip=equip, tells=tells)


async def watched(world: World, source: Talkative, cycles: int, news: list[bool]) -> None:
    """Watch until so many cycles have run; after the first one the source tells this."""
    interruption = Interruption(world.clock)

    async def ended(cycle: Cycle) -> None:
        if len(world.cycles) == 1:
            for one in news:
                source.news.put_nowait(one)
        if len(world.cycles) >= cycles:
            interruption.ask(signal.SIGTERM)

    watcher = Watcher(ended=ended, waits=lambda due: None, failed=lambda failure: True)
    await watch(with_ears(world, source), "job", world.execute, interruption, watcher)


def test_what_is_heard_begins_a_cycle_long_before_its_time(tmp_path: Path) -> None:
    async def story() -> None:
        world, source = World(tmp_path), Talkative()
        await put_job(world.store)

        await watched(world, source, 2, [True])

        assert world.cycles[1] - BEGAN < timedelta(minutes=5)

    asyncio.run(story())


def test_however_much_is_heard_one_cycle_follows(tmp_path: Path) -> None:
    async def story() -> None:
        world, source = World(tmp_path), Talkative()
        await put_job(world.store)

        await watched(world, source, 3, [True] * 20)

        early = [at for at in world.cycles[1:] if at - world.cycles[0] < timedelta(minutes=5)]
        assert len(early) <= 2, "one for what was heard, at most one for what was heard during it"
        assert len(world.cycles) == 3

    asyncio.run(story())


def test_a_source_that_could_not_be_heard_is_listened_to_again(tmp_path: Path) -> None:
    async def story() -> None:
        world, source = World(tmp_path), Talkative()
        await put_job(world.store)

        await watched(world, source, 2, [False])

        assert source.opened >= 1
        assert world.cycles[1] - BEGAN <= timedelta(minutes=5)

    asyncio.run(story())


def test_only_jobs_whose_source_may_tell_something_are_made_ready_to_be_heard(
    tmp_path: Path,
) -> None:
    """Making thousands ready takes minutes, in which whoever listens would do nothing else."""
    made: list[str] = []

    async def story() -> None:
        world = World(tmp_path)
        await put_job(world.store)
        (quiet,) = await world.store.jobs()
        talks = replace(quiet, id="talks")

        async def tells(job: Job) -> bool:
            return job.id == "talks"

        async def equip(
            job: Job, *, may_change_system: bool = False, lease_ends: LeaseEnds = forever
        ) -> Equipment:
            made.append(job.id)
            return await world.equip(job)

        hearing = Hearing(replace(world.parts, tells=tells, equip=equip), lambda job: None)
        hearing.attend([quiet, talks])
        async with asyncio.timeout(60):
            while not made:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await hearing.stop()

    asyncio.run(story())
    assert made == ["talks"]
