"""Cycles of a job: one now, or one after the other as the schedule says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from provisor.connectors.around.trace import Trace
from provisor.engine.work import Mandate, Ports
from provisor.errors import Fenced
from provisor.model.cycles import Cycle
from provisor.model.jobs import Job
from provisor.planner.schedule import next_start
from provisor.runtime.hearing import Hearing
from provisor.runtime.interruption import Interruption, interruptible
from provisor.runtime.lease import Busy, asking, lease
from provisor.runtime.parts import WORKSPACE, Parts
from provisor.runtime.sharing import until_nobody_is_seated
from provisor.telemetry.spent import Stopwatch, timed_journal, timed_source, timed_target
from provisor.telemetry.watch import Watch, watched_journal, watched_source, watched_target

LOOK_AGAIN_S = 2.0
"""How long a changed schedule, a start or a restart may go unnoticed by who waits for the next."""


RETENTION = timedelta(days=30)
"""How long single decisions are kept; the counts of their cycles stay (spec: settled 29)."""
FOLDING = timedelta(days=1)
FOLDED = "folded"


class JobGone(Exception):
    """The job is not there, or no longer."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A job that is ours, with everything that a cycle of it needs."""

    mandate: Mandate
    ports: Ports


@asynccontextmanager
async def possess(
    parts: Parts,
    job: Job,
    interruption: Interruption,
    *,
    may_change_system: bool = False,
    trace: Trace | None = None,
) -> AsyncGenerator[Ready]:
    """Take the job over: nobody else runs it meanwhile, and who did is fenced. What its target is
    asked and answers is noted in the trace, where there is one. Raises Busy."""
    with lease(parts.leases, job.id) as held:
        if await parts.registry.asked(job.id) is not None:
            with asking(parts.leases, job.id):
                await parts.registry.ask(job.id, None)  # who asked did not live to take it back
        equipment = await parts.equip(
            job, may_change_system=may_change_system, lease_ends=held.ends
        )
        journal = await parts.registry.open_journal(job.id, parts.holder)
        await until_nobody_is_seated(parts, job.id)
        mandate = equipment.mandate
        source = equipment.source()
        target = equipment.traced(trace) if trace and equipment.traced else equipment.target()
        try:
            ports = Ports(
                source=source,
                target=target,
                journal=interruptible(journal, interruption),
                clock=parts.clock,
                entropy=parts.entropy,
                lease_ends=held.ends,
                shares=parts.leading(job, journal, mandate) if parts.leading else None,
            )
            ports = _timed(ports)
            if parts.watching is not None:
                ports = _watched(ports, parts.watching(job))
            yield Ready(mandate, ports)
        finally:
            await target.close()
            await source.close()


def _timed(ports: Ports) -> Ports:
    """Hold a watch over a cycle, from here on."""
    held = Stopwatch()
    return replace(
        ports,
        source=timed_source(ports.source, held),
        target=timed_target(ports.target, held),
        journal=timed_journal(ports.journal, held),
        spent=held.spent,
    )


def _watched(ports: Ports, watch: Watch) -> Ports:
    return replace(
        ports,
        source=watched_source(ports.source, watch),
        target=watched_target(ports.target, watch),
        journal=watched_journal(ports.journal, watch),
    )


Execute = Callable[[Ready], Awaitable[Cycle]]
"""Runs one cycle of a job that is ours."""


async def run_once(
    parts: Parts,
    job: Job,
    execute: Execute,
    interruption: Interruption,
    *,
    may_change_system: bool = False,
) -> Cycle:
    """Run one cycle now. Raises Busy, Interrupted, Fenced, StoreFailed."""
    async with possess(parts, job, interruption, may_change_system=may_change_system) as ready:
        cycle = await interruption.finish(_executed(execute, ready))
    await fold_old_records(parts)
    return cycle


async def fold_old_records(parts: Parts) -> None:
    """Once a day, delete the records of decisions that are older than anybody asks for."""
    now = parts.clock.now()
    if now < parts.folding.again_at:
        return
    content = await parts.registry.document(WORKSPACE, FOLDED)
    folded_at = datetime.fromisoformat(content.decode()) if content else None
    if folded_at is None or folded_at + FOLDING <= now:
        folded_at = now
        await parts.registry.put_document(WORKSPACE, FOLDED, now.isoformat().encode())
        await parts.ledger.fold(now - RETENTION)
    parts.folding.again_at = folded_at + FOLDING


async def _executed(execute: Execute, ready: Ready) -> Cycle:
    return await execute(ready)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watcher:
    """What somebody who watches is told."""

    ended: Callable[[Cycle], Awaitable[None]]
    waits: Callable[[datetime | None], None]
    """For the next cycle, or, with None, until the job is started. Told once for each wait."""
    failed: Callable[[Exception], bool]
    """What kept a cycle from beginning; return False to give up."""


async def watch(
    parts: Parts, job_id: str, execute: Execute, interruption: Interruption, watcher: Watcher
) -> None:
    """Run cycles as the schedule says, until a signal or until the job is deleted."""
    news = asyncio.Event()
    hearing = Hearing(parts, lambda _: news.set())
    try:
        await _watch(parts, job_id, execute, interruption, watcher, hearing, news)
    finally:
        await hearing.stop()


async def _watch(
    parts: Parts,
    job_id: str,
    execute: Execute,
    interruption: Interruption,
    watcher: Watcher,
    hearing: Hearing,
    news: asyncio.Event,
) -> None:
    told: datetime | str | None = ""
    not_before: datetime | None = None
    while not interruption.is_asked:
        job = await job_of(parts, job_id)
        hearing.attend([job])
        now = parts.clock.now()
        due = next_start(job.status, job.schedule, now)
        if due is not None and news.is_set() and job.status.quarantine is None:
            due = min(due, now)
        if due is not None and not_before is not None:
            due = max(due, not_before)
        if due is not None and due <= now:
            told, not_before = "", None
            news.clear()
            try:
                cycle = await run_once(parts, job, execute, interruption)
            except (Busy, Fenced):
                await interruption.sleep(LOOK_AGAIN_S)
                continue
            except Exception as failure:
                if not watcher.failed(failure):
                    raise
                not_before = parts.clock.now() + job.schedule
                continue
            await watcher.ended(cycle)
            continue
        if told != due:
            watcher.waits(due)
            told = due
        seconds = (due - now).total_seconds() if due else LOOK_AGAIN_S
        await _sleep(interruption, min(seconds, LOOK_AGAIN_S), news)


async def _sleep(interruption: Interruption, seconds: float, news: asyncio.Event) -> None:
    """Sleep until the time is over, somebody asks to stop, or something is heard."""
    waits = [
        asyncio.create_task(interruption.sleep(seconds)),
        asyncio.create_task(news.wait()),
    ]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()


async def job_of(parts: Parts, job_id: str) -> Job:
    """Return the job as it is stored now. Raises JobGone."""
    job = await parts.registry.job(job_id)
    if job is None:
        raise JobGone("the job is not there any more")
    return job
