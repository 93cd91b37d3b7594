"""Sources that tell by themselves that something has changed: a cycle begins within a second.

What is heard is a reason to begin, and nothing more: the cycle is an ordinary one, with its own
id, guard and status. However much is heard while one runs, one more follows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from provisor.errors import AdapterError, StoreFailed
from provisor.model.entries import Watermark
from provisor.model.jobs import Job
from provisor.planner.schedule import next_start
from provisor.ports import Ears
from provisor.runtime.parts import Equipment, Parts

AGAIN_S: Final = (1.0, 5.0, 30.0, 120.0)
"""Pauses before a source that could not be heard is listened to again."""
ANEW_S: Final = 900.0
"""So often listening begins anew, with the settings of then."""
TOGETHER_S: Final = 0.1
"""What is heard within this time is one reason."""


@dataclass(slots=True)
class Hearing:
    """Listens to the sources of jobs, each for as long as its job is scheduled and well."""

    parts: Parts
    tell: Callable[[str], None]
    """Called with a job's id when its source has told something."""
    _listening: dict[str, asyncio.Task[None]] = field(
        default_factory=dict[str, "asyncio.Task[None]"]
    )

    _beginning: asyncio.Lock = field(default_factory=asyncio.Lock)
    _deaf_until: dict[str, datetime] = field(default_factory=dict[str, datetime])
    """When to look again whether a source that told nothing by itself does so now."""

    def attend(self, jobs: Sequence[Job]) -> None:
        """Listen for these jobs, and for no others."""
        now = self.parts.clock.now()
        for id, task in [*self._listening.items()]:
            if task.done() and self._deaf_until.get(id, now) <= now:
                del self._listening[id]
        wanted = {job.id: job for job in jobs if self._is_well(job)}
        for id in [*self._listening]:
            if id not in wanted:
                self._listening.pop(id).cancel()
        for id, job in wanted.items():
            if id not in self._listening:
                self._listening[id] = asyncio.create_task(self._listen(job))

    def _is_well(self, job: Job) -> bool:
        """Tell whether a job may begin earlier than its schedule says: one in quarantine waits."""
        is_scheduled = next_start(job.status, job.schedule, self.parts.clock.now()) is not None
        return is_scheduled and job.status.quarantine is None

    async def stop(self) -> None:
        tasks = [*self._listening.values()]
        self._listening.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _listen(self, job: Job) -> None:
        failures = 0
        while True:
            try:
                async with self._beginning:
                    await asyncio.sleep(0)  # thousands of jobs keep nobody else waiting
                    ears = await self._ears(job)
                if ears is not None and failures:
                    self.tell(job.id)  # what changed while nothing could be heard
                if ears is None or not await self._hear(job, ears):
                    later = self.parts.clock.now() + timedelta(seconds=ANEW_S)
                    self._deaf_until[job.id] = later
                    return
                failures = 0
            except (AdapterError, StoreFailed):
                pause = AGAIN_S[min(failures, len(AGAIN_S) - 1)]
                failures += 1
                await self.parts.clock.sleep(pause)

    async def _ears(self, job: Job) -> Ears | None:
        equipment = await _equipped(self.parts, job)
        return equipment.ears() if equipment is not None and equipment.ears is not None else None

    async def _hear(self, job: Job, ears: Ears) -> bool:
        """Tell of whatever is heard, for a while; return whether the source tells anything."""
        journal = await self.parts.registry.view_journal(job.id)
        since: Watermark | None = await journal.watermark()
        try:
            async with asyncio.timeout(ANEW_S):
                async for _ in ears.heard(since):
                    await self.parts.clock.sleep(TOGETHER_S)
                    self.tell(job.id)
            return False
        except TimeoutError:
            return True
        finally:
            await ears.close()


async def _equipped(parts: Parts, job: Job) -> Equipment | None:
    """Return what a job would go with; None if its source tells nothing by itself, or if it cannot
    go, which its cycles tell."""
    try:
        return await parts.equip(job) if await parts.tells(job) else None
    except Exception:  # noqa: BLE001 - whatever it is, the next cycle fails with it and says so
        return None
