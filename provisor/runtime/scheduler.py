"""All jobs side by side in one process: each runs its cycles when they are due."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import assert_never

from provisor.errors import StoreFailed
from provisor.model.jobs import Job
from provisor.planner.schedule import next_start
from provisor.runtime.hearing import Hearing
from provisor.runtime.rounds import Rounds
from provisor.runtime.runner import LOOK_AGAIN_S
from provisor.runtime.turns import Came, Turns

CYCLES_MAX = 8
"""So many jobs run at a time; the others wait for their turn."""


@dataclass(slots=True, kw_only=True)
class Scheduler:
    turns: Turns
    _running: dict[str, asyncio.Task[None]] = field(default_factory=dict[str, "asyncio.Task[None]"])
    _not_before: dict[str, datetime] = field(default_factory=dict[str, datetime])
    _hurried: dict[str, datetime] = field(default_factory=dict[str, datetime])
    """When somebody asked for a cycle at once."""
    _reconciled: set[str] = field(default_factory=set[str])
    """Jobs of which the next cycle reads the target in full."""
    _told_of: set[str] = field(default_factory=set[str])
    """Jobs whose source has told that something has changed."""
    _woken: asyncio.Event = field(default_factory=asyncio.Event)
    _hearing: Hearing = field(init=False)
    _rounds: Rounds = field(init=False)

    def __post_init__(self) -> None:
        self._hearing = Hearing(self.turns.parts, self.hear)
        self._rounds = Rounds(self.turns.parts, self._hearing)

    def hear(self, job: str) -> None:
        """Run a job soon, since its source has told that something has changed: unless it waits
        for a reason of its own."""
        self._told_of.add(job)
        self.wake()

    def wake(self) -> None:
        """Look at once: something may be due."""
        self._woken.set()

    def hurry(self, job: str, asked_at: datetime) -> None:
        """Run a job that was started or restarted without waiting for its next time.

        A cycle that began after it was asked for is the one that was asked for: the start alone
        may have made it due.
        """
        self._hurried[job] = asked_at
        self._not_before.pop(job, None)
        self.wake()

    def reconcile_soon(self, job: str) -> None:
        """Run a cycle of a job that reads the target in full, whatever the job's state."""
        self._reconciled.add(job)
        self.hurry(job, self.turns.parts.clock.now())

    async def run(self) -> None:
        """Run what is due until somebody asks to stop; what runs then is settled first."""
        while not self.turns.interruption.is_asked:
            self._woken.clear()
            await self._wait(await self._look())
        await self._hearing.stop()
        if self._running:
            await asyncio.wait(self._running.values())

    async def _look(self) -> float:
        """Begin what is due; return for how many seconds nothing else will be."""
        now = self.turns.parts.clock.now()
        try:
            await self._rounds.look()
            jobs = [*await self._asked_for(), *await self._coming(now)]
        except StoreFailed:
            return LOOK_AGAIN_S  # the next look may find it well again
        due = sorted((at, job.id, job) for job in jobs if (at := self._due(job, now)) is not None)
        for _, id, job in due:
            if len(self._running) >= CYCLES_MAX:
                return LOOK_AGAIN_S
            is_hurried = id in self._hurried or id in self._told_of
            self._hurried.pop(id, None)
            self._told_of.discard(id)
            task = asyncio.create_task(self._one(job, is_hurried=is_hurried))
            self._running[id] = task
            task.add_done_callback(lambda _, id=id: self._done(id))
        # Whoever begins late each time drifts: a cycle begins when it is due, not at the next look.
        times = (next_start(job.status, job.schedule, now) for job in jobs)
        waits = [(at - now).total_seconds() for at in times if at is not None and at > now]
        return min([LOOK_AGAIN_S, *waits])

    async def _asked_for(self) -> list[Job]:
        """Return the jobs that somebody, or their source, wants to run before they are due."""
        asked = {*self._hurried, *self._reconciled, *self._told_of} - self._running.keys()
        found = [(id, await self.turns.parts.registry.job(id)) for id in sorted(asked)]
        for gone in (id for id, job in found if job is None):
            self._hurried.pop(gone, None)
            self._reconciled.discard(gone)
            self._told_of.discard(gone)
        return [job for _, job in found if job is not None]

    async def _coming(self, now: datetime) -> list[Job]:
        """Return the jobs whose time comes before the next look, as many as there is room for."""
        registry, found = self.turns.parts.registry, list[Job]()
        for one in await registry.due(now + timedelta(seconds=LOOK_AGAIN_S)):
            if len(found) >= CYCLES_MAX - len(self._running):
                break
            if one.job in self._running or self._not_before.get(one.job, now) > now:
                continue
            job = await registry.job(one.job)
            if job is not None and not self._is_asked_for(one.job):
                found.append(job)
        return found

    def _is_asked_for(self, id: str) -> bool:
        return id in self._hurried or id in self._reconciled or id in self._told_of

    def _due(self, job: Job, now: datetime) -> datetime | None:
        """Return since when a job is due, None if it is not."""
        at = next_start(job.status, job.schedule, now)
        if job.id in self._reconciled:
            return None if job.id in self._running or self._waits(job, now) else now
        if at is None:
            self._hurried.pop(job.id, None)
            return None
        if job.id in self._running:
            return None
        asked_at = self._hurried.get(job.id)
        if asked_at is not None:
            if job.status.last is None or job.status.last.began < asked_at:
                return now
            del self._hurried[job.id]
        if job.id in self._told_of and job.status.quarantine is None:
            at = min(at, now)
        if at > now:
            return None
        return None if self._waits(job, now) else at

    def _waits(self, job: Job, now: datetime) -> bool:
        return self._not_before.get(job.id, now) > now

    def _done(self, id: str) -> None:
        del self._running[id]
        self.wake()

    async def _one(self, job: Job, *, is_hurried: bool) -> None:
        """Run one cycle; whatever comes of it, the others go on."""
        is_reconciled = job.id in self._reconciled
        came = await self.turns.take(job, is_hurried=is_hurried, is_reconciled=is_reconciled)
        match came:
            case Came.RAN:
                self._reconciled.discard(job.id)
            case Came.BUSY:
                self._later(job, timedelta(seconds=LOOK_AGAIN_S))
            case Came.FAILED:
                self._reconciled.discard(job.id)
                self._later(job, job.schedule)
            case Came.REFUSED:
                self._reconciled.discard(job.id)
                self._not_before.pop(job.id, None)
            case Came.NOT_DUE | Came.CUT_OFF:
                return
            case _:
                assert_never(came)

    def _later(self, job: Job, wait: timedelta) -> None:
        self._not_before[job.id] = self.turns.parts.clock.now() + wait

    async def _wait(self, seconds: float) -> None:
        waits = [
            asyncio.create_task(self.turns.interruption.sleep(seconds)),
            asyncio.create_task(self._woken.wait()),
        ]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
