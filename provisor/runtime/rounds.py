"""Every job is looked at now and then, whether or not it is due: who looks for what is due asks the
store for that alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from provisor.planner.schedule import next_start
from provisor.runtime.hearing import Hearing
from provisor.runtime.parts import Parts

ROUND_JOBS_S: Final = 1_000
"""So many jobs are looked at in a second on average, due or not, beside those that are."""
ROUND_MIN_S: Final = 1.0
ROUND_MAX_S: Final = 60.0


@dataclass(slots=True)
class Rounds:
    """Looks whether a job's source tells of changes by itself, and whether the store finds the job
    when its status says that it is due. A worker of an older version writes statuses alone, while
    others have been upgraded."""

    parts: Parts
    hearing: Hearing
    _again_at: datetime | None = None

    async def look(self) -> None:
        """Look at every job, if it is time to. Raises StoreFailed."""
        registry, now = self.parts.registry, self.parts.clock.now()
        if self._again_at is not None and self._again_at > now:
            return
        jobs = await registry.jobs()
        self.hearing.attend(jobs)
        stored = {one.job for one in await registry.due(now)}
        for job in jobs:
            at = next_start(job.status, job.schedule, now)
            if (at is not None and at <= now) != (job.id in stored):
                await registry.note(job.id)  # no event: what is derived is written again
        wait = min(max(len(jobs) / ROUND_JOBS_S, ROUND_MIN_S), ROUND_MAX_S)
        self._again_at = now + timedelta(seconds=wait)
