"""What there is to be measured of jobs, counted anew from the store each time somebody asks.

Nothing here is a second truth: a counter is the sum over all cycles that the store remembers, and
since those are never forgotten while their job is there, it neither shrinks nor starts again when
processes die. What was added up before is kept in memory, and only cycles ended since are read.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version
from time import perf_counter

from provisor.errors import StoreFailed
from provisor.model.cycles import Cycle
from provisor.model.jobs import Application, Job, ScheduleState
from provisor.model.rules import MappingName
from provisor.planner.schedule import next_start
from provisor.runtime.leased import leased
from provisor.runtime.parts import Parts
from provisor.telemetry import catalog as c
from provisor.telemetry.measures import Meter, Samples

TURN = 100
"""Jobs that are counted before others have their turn."""
FIRST_READ = 16
"""Cycles that are read at a time at first; as many again until one is known."""


@dataclass(slots=True)
class _Tally:
    """What the cycles of one job come to, up to one of them."""

    last: str = ""
    cycles: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    seconds: float = 0.0
    objects: Counter[str] = field(default_factory=Counter[str])
    links: Mapping[MappingName, int] = field(default_factory=dict[MappingName, int])
    was_running: bool = False

    def add(self, cycle: Cycle) -> None:
        counts = cycle.counts
        self.cycles[cycle.kind.value, cycle.result.value] += 1
        self.seconds += (cycle.ended - cycle.began).total_seconds()
        self.objects["read"] += counts.imported
        self.objects["changed"] += counts.imported_deltas
        self.objects["decided"] += counts.exports
        self.objects["exported"] += counts.exported
        self.objects["failed"] += counts.failed


@dataclass(slots=True)
class Census:
    """Counts what one store holds."""

    parts: Parts
    """They see the whole store."""
    store_bytes: Callable[[], int | None]
    _tallies: dict[str, _Tally] = field(default_factory=dict[str, _Tally])
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def count(self, tenant: str | None = None) -> Samples:
        """Return what there is to be measured: of all jobs, or of one tenant's and nothing else.

        A store that cannot be read is said to be down, and nothing is said of what it holds.
        """
        meter, began = Meter(), perf_counter()
        meter.set(c.BUILD, version("provisor"), value=1)
        try:
            async with self._lock:
                await self._count(meter, tenant)
        except StoreFailed:
            down = Meter()
            down.set(c.BUILD, version("provisor"), value=1)
            down.set(c.STORE_UP, value=0)
            return down.samples
        meter.set(c.STORE_UP, value=1)
        if tenant is None:
            size = self.store_bytes()
            if size is not None:
                meter.set(c.STORE_BYTES, value=size)
            meter.set(c.CENSUS_SECONDS, value=perf_counter() - began)
        return meter.samples

    async def _count(self, meter: Meter, tenant: str | None) -> None:
        registry, now = self.parts.registry, self.parts.clock.now()
        owners = {one.id: one for one in await registry.applications()}
        everybody = await registry.jobs()
        self._tallies = {j.id: self._tallies.get(j.id, _Tally()) for j in everybody}
        jobs = [job for job in everybody if tenant is None or _tenant(job, owners) == tenant]
        have = leased(self.parts.leases, [job.id for job in jobs])
        running = {job.id: await registry.running(job.id) for job in jobs}
        for number, job in enumerate(jobs):
            if number % TURN == 0:
                await asyncio.sleep(0)  # thousands of jobs keep nobody else waiting
            progress = running[job.id]
            tally = await self._tallied(job, is_running=progress is not None)
            _of_job(meter, job, owners, now)
            _of_cycles(meter, job, tally)
            if job.status.last is not None and job.status.last.counts.staged:
                staged = await registry.staged(job.id)
                waiting = len(staged.departures) + len(staged.members)
                meter.set(c.JOB_STAGED, job.name, job.id, value=waiting)
            meter.set(c.JOB_RUNNING, job.name, job.id, value=progress is not None)
            if progress is not None:
                meter.set(c.JOB_DONE, job.name, job.id, value=progress.completed_units)
                meter.set(c.JOB_PLANNED, job.name, job.id, value=progress.total_units)
            if have is not None:
                meter.set(c.JOB_LEASED, job.name, job.id, value=job.id in have)
        for status, number in Counter(job.status.code.value for job in jobs).items():
            meter.set(c.JOBS, status, value=number)
        waits = [job for job in jobs if running[job.id] is None and _late_s(job, now) > 0]
        meter.set(c.JOBS_DUE, value=len(waits))
        if have is not None:
            meter.set(c.JOBS_LEASED, value=len(have))

    async def _tallied(self, job: Job, *, is_running: bool) -> _Tally:
        """Return what a job's cycles come to, those included that have ended since."""
        tally = self._tallies[job.id]
        last = job.status.last.id if job.status.last is not None else ""
        is_quiet = last == tally.last and not is_running and not tally.was_running
        if is_quiet and last:
            return tally  # nobody has linked or unlinked anything
        tally.was_running = is_running
        if last != tally.last:
            for cycle in await self._since(job.id, tally.last):
                tally.add(cycle)
                tally.last = cycle.id
        tally.links = await self.parts.registry.links(job.id)
        return tally

    async def _since(self, job: str, known: str) -> list[Cycle]:
        """Return the cycles that ended after a known one, oldest first."""
        wanted = FIRST_READ
        while True:
            cycles = await self.parts.ledger.cycles(job, wanted)
            newer: list[Cycle] = []
            for cycle in cycles:
                if cycle.id == known:
                    return newer[::-1]
                newer.append(cycle)
            if len(cycles) < wanted:
                return newer[::-1]
            wanted *= 4


def _tenant(job: Job, owners: Mapping[str, Application]) -> str:
    owner = owners.get(job.application_id)
    return owner.tenant if owner is not None else ""


def _late_s(job: Job, now: datetime) -> float:
    due = next_start(job.status, job.schedule, now)
    return max(0.0, (now - due).total_seconds()) if due is not None else 0.0


def _of_job(meter: Meter, job: Job, owners: Mapping[str, Application], now: datetime) -> None:
    """Say where a job stands, from its status alone."""
    status, owner = job.status, owners.get(job.application_id)
    who = (job.name, job.id)
    whose = (_tenant(job, owners), owner.name if owner else "", job.template_id)
    meter.set(c.JOB_INFO, *who, *whose, value=1)
    meter.set(c.JOB_STATUS, *who, status.code.value, value=1)
    is_scheduled = status.schedule_state is ScheduleState.ACTIVE
    meter.set(c.JOB_SCHEDULED, *who, value=is_scheduled)
    meter.set(c.JOB_INTERVAL, *who, value=job.schedule.total_seconds())
    meter.set(c.JOB_FAILURES, *who, value=status.successive_failures)
    meter.set(c.JOB_LATENESS, *who, value=_late_s(job, now))
    if status.quarantine is not None:
        held = status.quarantine
        meter.set(c.JOB_QUARANTINE, *who, held.reason.value, held.error.code, value=1)
        meter.set(c.JOB_QUARANTINE_BEGAN, *who, value=held.series_began.timestamp())
    if status.steady_state_last is not None:
        lag = max(0.0, (now - status.steady_state_last).total_seconds())
        meter.set(c.JOB_LAG, *who, value=lag)
    if status.last_successful is not None:
        meter.set(c.JOB_SUCCEEDED, *who, value=status.last_successful.ended.timestamp())
    if status.last is not None:
        last = status.last
        meter.set(c.JOB_CYCLE_ENDED, *who, value=last.ended.timestamp())
        took = (last.ended - last.began).total_seconds()
        meter.set(c.JOB_CYCLE_SECONDS, *who, value=took)
        meter.set(c.JOB_ESCROWS, *who, value=last.counts.escrowed)
        meter.set(c.JOB_STAGED, *who, value=last.counts.staged)
        meter.set(c.JOB_UNSETTLED, *who, value=last.counts.unsettled)


def _of_cycles(meter: Meter, job: Job, tally: _Tally) -> None:
    """Say what a job's cycles come to."""
    who = (job.name, job.id)
    for (kind, result), number in tally.cycles.items():
        meter.add(c.CYCLES, *who, kind, result, amount=number)
    meter.add(c.CYCLE_SECONDS, *who, amount=tally.seconds)
    for outcome in ("read", "changed", "decided", "exported", "failed"):
        meter.add(c.OBJECTS, *who, outcome, amount=tally.objects[outcome])
    for mapping, number in tally.links.items():
        meter.set(c.JOB_LINKS, *who, str(mapping), value=number)
