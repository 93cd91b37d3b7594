"""What is measured of jobs is what the store remembers, whoever counts it and however often."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from provisor.errors import StoreFailed
from provisor.model.cycles import CycleResult
from provisor.model.jobs import Job
from provisor.planner.status import QuarantinedOnDemand
from provisor.ports import Registry
from provisor.runtime.census import Census
from provisor.runtime.interruption import Interruption
from provisor.runtime.lease import FileLeases, lease
from provisor.runtime.runner import run_once
from provisor.telemetry import catalog as c
from provisor.telemetry.catalog import Metric
from provisor.telemetry.measures import Samples
from tests.unit.runtime.jobs import World, put_job


def of(samples: Samples, metric: Metric, *labels: str) -> float | None:
    """Return what a metric of the job says, None if it says nothing."""
    who = ("people", "job") if metric.labels[:1] == ("job",) else ()
    found = samples.get((metric.name, (*who, *labels)))
    return found[0] if found is not None else None


async def ran(world: World, job: Job, times: int) -> None:
    for _ in range(times):
        await run_once(world.parts, job, world.execute, Interruption(world.clock))


def test_cycles_are_counted_once_by_whoever_begins_to_count_and_whenever(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(tmp_path)
        job = await put_job(world.store)
        early = Census(world.parts, lambda: None)
        assert of(await early.count(), c.CYCLES, "incremental", "Succeeded") is None

        await ran(world, job, 3)
        assert of(await early.count(), c.CYCLES, "incremental", "Succeeded") == 3
        await ran(world, job, 40)
        late = Census(world.parts, lambda: 17)
        for census in (early, early, late):
            counted = await census.count()
            assert of(counted, c.CYCLES, "incremental", "Succeeded") == 43
            assert of(counted, c.CYCLE_SECONDS) == 43 * 60
        assert of(await late.count(), c.STORE_BYTES) == 17

        world.result = CycleResult.FAILED
        await ran(world, job, 1)
        assert of(await early.count(), c.CYCLES, "incremental", "Failed") == 1

    asyncio.run(story())


def test_folding_the_log_makes_no_counter_smaller(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(tmp_path)
        job = await put_job(world.store)
        await ran(world, job, 2)
        await world.store.ledger.fold(world.clock.now() + timedelta(days=60))
        census = Census(world.parts, lambda: None)
        assert of(await census.count(), c.CYCLES, "incremental", "Succeeded") == 2

    asyncio.run(story())


def test_who_is_due_and_has_not_begun_stands_in_line(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(tmp_path)
        job = await put_job(world.store)
        await ran(world, job, 1)
        census = Census(world.parts, lambda: None)
        assert of(await census.count(), c.JOBS_DUE) == 0
        world.clock.time += timedelta(minutes=10)
        counted = await census.count()
        assert of(counted, c.JOBS_DUE) == 1
        assert of(counted, c.JOB_LATENESS) == 360  # five minutes from start to start
        assert of(counted, c.JOB_LAG) == 600
        assert of(counted, c.JOB_LEASED) in (0, None)
        with lease(FileLeases(tmp_path), "job"):
            counted = await census.count()
            assert of(counted, c.JOB_LEASED) in (1, None)
            assert of(counted, c.JOBS_LEASED) in (1, None)

    asyncio.run(story())


def test_a_quarantine_says_why_and_a_deleted_job_says_nothing_more(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(tmp_path)
        job = await put_job(world.store)
        await ran(world, job, 1)
        await world.store.note(job.id, QuarantinedOnDemand(world.clock.now(), "looked at"))
        census = Census(world.parts, lambda: None)
        counted = await census.count()
        assert of(counted, c.JOB_QUARANTINE, "QuarantinedOnDemand", "QuarantinedOnDemand") == 1
        assert of(counted, c.JOBS, "Quarantine") == 1
        await world.store.delete_job(job.id)
        assert not {name for name, _ in await census.count() if name.startswith("provisor_job_")}

    asyncio.run(story())


class Down:
    """A registry that cannot be read."""

    async def applications(self) -> None:
        raise StoreFailed("no")


def test_a_store_that_is_down_is_said_to_be_down_and_nothing_else(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(tmp_path)
        registry: Registry = Down()  # pyright: ignore[reportAssignmentType]
        counted = await Census(replace(world.parts, registry=registry), lambda: None).count()
        assert of(counted, c.STORE_UP) == 0
        assert {name for name, _ in counted} == {c.STORE_UP.name, c.BUILD.name}

    asyncio.run(story())
