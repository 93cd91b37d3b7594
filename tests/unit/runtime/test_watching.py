"""Who watches runs cycles as the schedule says, and notices what administrators do."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from provisor.errors import StoreFailed
from provisor.model.cycles import Cycle
from provisor.model.jobs import Asked, ResetScope, StatusCode
from provisor.runtime import administer
from provisor.runtime.interruption import Interruption
from provisor.runtime.lease import Busy, FileLeases, asking
from provisor.runtime.runner import JobGone, Ready, Watcher, run_once, watch
from tests.unit.runtime.jobs import BEGAN, World, put_job

MINUTE = timedelta(minutes=1)


async def watched(
    world: World,
    cycles: int,
    *,
    after: Callable[[int], Awaitable[None]] | None = None,
    on_wait: Callable[[datetime | None, Interruption], None] | None = None,
    execute: Callable[[Ready], Awaitable[Cycle]] | None = None,
) -> None:
    """Watch until so many cycles have run."""
    interruption = Interruption(world.clock)

    async def ended(cycle: Cycle) -> None:
        if after is not None:
            await after(len(world.cycles))
        if len(world.cycles) >= cycles:
            interruption.ask(signal.SIGTERM)

    def waits(due: datetime | None) -> None:
        if on_wait is not None:
            on_wait(due, interruption)

    watcher = Watcher(ended=ended, waits=waits, failed=lambda failure: True)
    await watch(world.parts, "job", execute or world.execute, interruption, watcher)


def test_cycles_follow_one_another_from_start_to_start(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(tmp_path)
        await put_job(world.store)

        await watched(world, 3)

        began = [at - BEGAN for at in world.cycles]
        assert began == [timedelta(), 5 * MINUTE, 10 * MINUTE]

    asyncio.run(story())


def test_a_job_that_is_not_started_is_waited_for(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(tmp_path)
        job = await put_job(world.store, is_started=False)
        told: list[datetime | None] = []

        def on_wait(due: datetime | None, interruption: Interruption) -> None:
            told.append(due)
            asyncio.get_running_loop().call_soon(asyncio.ensure_future, start())

        async def start() -> None:
            await administer.start(world.parts, job, "ada")

        await watched(world, 1, on_wait=on_wait)

        assert told == [None]
        assert len(world.cycles) == 1

    asyncio.run(story())


def test_a_restart_in_between_is_noticed(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(tmp_path)
        await put_job(world.store)

        async def after(number: int) -> None:
            job = await world.store.job("job")
            assert job is not None
            await administer.pause(world.parts, job, "ada", lambda: None)
            paused = await world.store.job("job")
            assert paused is not None
            assert paused.status.code is StatusCode.PAUSED
            await administer.restart(world.parts, paused, ResetScope.WATERMARK, "ada", lambda: None)

        await watched(world, 2, after=after)

        assert len(world.cycles) == 2

    asyncio.run(story())


def test_a_deleted_job_is_watched_no_longer(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(tmp_path)
        job = await put_job(world.store)

        async def after(number: int) -> None:
            await administer.delete(world.parts, job, "ada", lambda: None)

        with pytest.raises(JobGone):
            await watched(world, 9, after=after)

    asyncio.run(story())


def test_what_keeps_a_cycle_from_beginning_is_told_and_tried_again_later(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(tmp_path)
        await put_job(world.store)
        tried: list[datetime] = []

        async def execute(ready: Ready) -> Cycle:
            tried.append(world.clock.now())
            if len(tried) == 1:
                raise StoreFailed("no room")
            return await world.execute(ready)

        await watched(world, 1, execute=execute)

        assert tried[1] - tried[0] >= 5 * MINUTE

    asyncio.run(story())


def test_a_question_that_nobody_lives_to_take_back_stops_no_cycle(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(tmp_path)
        job = await put_job(world.store)
        await world.store.ask(job.id, Asked.PAUSE)
        wanted: list[bool] = []

        async def execute(ready: Ready) -> Cycle:
            wanted.append(await ready.ports.journal.is_wanted())
            return await world.execute(ready)

        await run_once(world.parts, job, execute, Interruption(world.clock))

        assert wanted == [True]

    asyncio.run(story())


def test_no_cycle_begins_while_somebody_stops_the_job(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(tmp_path)
        job = await put_job(world.store)
        await world.store.ask(job.id, Asked.PAUSE)
        with (
            asking(FileLeases(tmp_path), job.id),
            pytest.raises(Busy, match="paused, restarted or deleted"),
        ):
            await run_once(world.parts, job, world.execute, Interruption(world.clock))

    asyncio.run(story())


def test_a_pause_waits_until_the_running_cycle_has_stopped(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(tmp_path)
        job = await put_job(world.store)
        said: list[str] = []

        async def execute(ready: Ready) -> Cycle:
            pausing = asyncio.create_task(
                administer.pause(world.parts, job, "ada", lambda: said.append("waits"))
            )
            while await ready.ports.journal.is_wanted():  # noqa: ASYNC110
                await asyncio.sleep(0)
            said.append("stops")
            background.append(pausing)
            return await world.execute(ready)

        background: list[asyncio.Task[None]] = []
        await run_once(world.parts, job, execute, Interruption(world.clock))
        await background[0]

        assert said in (["waits", "stops"], ["stops", "waits"])
        paused = await world.store.job("job")
        assert paused is not None
        assert paused.status.code is StatusCode.PAUSED
        ready = await world.store.open_journal("job", "next")
        assert await ready.is_wanted()

    asyncio.run(story())


def test_what_administrators_do_is_on_record(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(tmp_path)
        job = await put_job(world.store)
        await administer.pause(world.parts, job, "ada", lambda: None)

        (act,) = await world.store.audited(5)

        assert (act.by, act.activity) == ("ada", "Disable/pause provisioning configuration")
        assert act.about == "people job"

    asyncio.run(story())


def test_records_that_nobody_asks_for_any_more_are_folded_once_a_day(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(tmp_path)
        job = await put_job(world.store)
        interruption = Interruption(world.clock)
        folded: list[datetime] = []

        async def fold(before: datetime) -> int:
            folded.append(before)
            return 0

        world.store.ledger.fold = fold
        for hours in (0, 1, 24):
            world.clock.time = BEGAN + timedelta(hours=hours)
            await run_once(world.parts, job, world.execute, interruption)

        ended = BEGAN + MINUTE
        assert folded == [ended - timedelta(days=30), ended - timedelta(days=29)]

    asyncio.run(story())
