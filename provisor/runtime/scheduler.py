"""All jobs side by side in one process: each runs its cycles when they are due."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from provisor.errors import Fenced, StoreFailed
from provisor.model.cycles import Cycle, CycleKind, CycleResult, Halt
from provisor.model.jobs import Job
from provisor.planner.status import next_start
from provisor.runtime.interruption import Interrupted, Interruption
from provisor.runtime.lease import Busy, lease
from provisor.runtime.parts import Parts
from provisor.runtime.runner import LOOK_AGAIN_S, Execute, run_once

CYCLES_MAX = 8
"""So many jobs run at a time; the others wait for their turn."""


class Told(Protocol):
    """What somebody who watches is told."""

    def ended(self, job: Job, cycle: Cycle) -> None: ...

    def failed(self, job: Job, failure: Exception) -> None: ...


@dataclass(slots=True, kw_only=True)
class Scheduler:
    parts: Parts
    execute: Execute
    refusal: Callable[[Exception], Halt | None]
    """Why a job cannot go at all, so that it says so itself; None: it is no fault of the job."""
    interruption: Interruption
    told: Told
    _running: dict[str, asyncio.Task[None]] = field(default_factory=dict[str, "asyncio.Task[None]"])
    _not_before: dict[str, datetime] = field(default_factory=dict[str, datetime])
    _hurried: set[str] = field(default_factory=set[str])
    _woken: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        """Look at once: something may be due."""
        self._woken.set()

    def hurry(self, job: str) -> None:
        """Run a job that was started or restarted without waiting for its next time."""
        self._hurried.add(job)
        self._not_before.pop(job, None)
        self.wake()

    async def run(self) -> None:
        """Run what is due until somebody asks to stop; what runs then is settled first."""
        while not self.interruption.is_asked:
            self._woken.clear()
            await self._look()
            await self._wait()
        if self._running:
            await asyncio.wait(self._running.values())

    async def _look(self) -> None:
        try:
            jobs = await self.parts.registry.jobs()
        except StoreFailed:
            return  # the next look may find it well again
        now = self.parts.clock.now()
        due = sorted((at, job.id, job) for job in jobs if (at := self._due(job, now)) is not None)
        for _, id, job in due:
            if len(self._running) >= CYCLES_MAX:
                return
            self._hurried.discard(id)
            task = asyncio.create_task(self._one(job))
            self._running[id] = task
            task.add_done_callback(lambda _, id=id: self._done(id))

    def _due(self, job: Job, now: datetime) -> datetime | None:
        """Return since when a job is due, None if it is not."""
        at = next_start(job.status, job.schedule, now)
        if at is None:
            self._hurried.discard(job.id)
            return None
        if job.id in self._running:
            return None
        if job.id in self._hurried:
            return now
        if at > now:
            return None
        return None if self._not_before.get(job.id, now) > now else at

    def _done(self, id: str) -> None:
        del self._running[id]
        self.wake()

    async def _one(self, job: Job) -> None:
        """Run one cycle; whatever comes of it, the others go on."""
        try:
            cycle = await run_once(self.parts, job, self.execute, self.interruption)
            self.told.ended(job, cycle)
        except (Busy, Fenced):
            self._later(job, timedelta(seconds=LOOK_AGAIN_S))
        except Interrupted as cut_off:
            self.told.failed(job, cut_off)
        except Exception as failure:  # noqa: BLE001
            self._later(job, job.schedule)
            self.told.failed(job, failure)
            await self._refuse(job, failure)

    def _later(self, job: Job, wait: timedelta) -> None:
        self._not_before[job.id] = self.parts.clock.now() + wait

    async def _refuse(self, job: Job, failure: Exception) -> None:
        """Let a job that cannot go say so: a cycle that failed before it began."""
        halt = self.refusal(failure)
        if halt is None:
            return
        try:
            with lease(self.parts.folder, job.id):
                await record_refusal(self.parts, job, halt)
            self._not_before.pop(job.id, None)
        except (Busy, Fenced, StoreFailed) as other:
            self.told.failed(job, other)

    async def _wait(self) -> None:
        waits = [
            asyncio.create_task(self.interruption.sleep(LOOK_AGAIN_S)),
            asyncio.create_task(self._woken.wait()),
        ]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()


async def record_refusal(parts: Parts, job: Job, halt: Halt) -> Cycle:
    """Record a cycle that could not begin, and the status that this makes."""
    journal = await parts.registry.open_journal(job.id, parts.holder)
    id, began = parts.entropy.uuid(), parts.clock.now()
    is_initial = await journal.is_initial()
    kind = CycleKind.INITIAL if is_initial else CycleKind.INCREMENTAL
    await journal.begin_cycle(id, kind, began)
    cycle = Cycle(
        id=id,
        kind=kind,
        began=began,
        ended=parts.clock.now(),
        result=CycleResult.FAILED,
        counts=await journal.recount(),
        error=halt.error,
        halt=halt,
    )
    await journal.end_cycle(cycle)
    return cycle
