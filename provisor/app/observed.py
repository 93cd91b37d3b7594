"""Who watches the jobs of a server: the meter, the log and, where it is asked for, traces."""

from __future__ import annotations

import asyncio
from pathlib import Path

from provisor.app.machine import SystemClock
from provisor.cli.places import STORE
from provisor.cli.workspace import Telling
from provisor.connectors.around.pace import Paces
from provisor.model.jobs import Job
from provisor.telemetry.catalog import PACE_PARALLEL, PACE_PER_SECOND, PUSHBACKS
from provisor.telemetry.measures import Meter, Samples
from provisor.telemetry.watch import All, Watch
from provisor.telemetry.watches import Logged, Metered


class Observed:
    """Begins to watch each job that is taken over, and sends what waits at the end."""

    def __init__(self, meter: Meter, telling: Telling, clock: SystemClock) -> None:
        self._metered, self._traces = Metered(meter), None
        if telling.collector:
            from provisor.telemetry.otel import Traces

            self._traces = Traces(telling.collector, telling.traced, clock)

    def watching(self, job: Job) -> Watch:
        traced = [self._traces.watching(job)] if self._traces is not None else []
        return All([self._metered, Logged(job), *traced])

    async def close(self) -> None:
        if self._traces is not None:
            await asyncio.to_thread(self._traces.close)


def measured_with(meter: Meter, paces: Paces) -> Samples:
    """Return what was measured, and how fast each target is asked just now."""
    now = Meter(dict(meter.samples))
    for system, pace in paces.each().items():
        now.add(PUSHBACKS, system, amount=pace.pushbacks)
        now.set(PACE_PARALLEL, system, value=pace.parallel)
        if pace.per_second is not None:
            now.set(PACE_PER_SECOND, system, value=pace.per_second)
    return now.samples


def store_bytes(folder: Path) -> int | None:
    """Return the size of the store's files; None where the store is not in the workspace."""
    sizes = [_size(folder / f"{STORE}{ending}") for ending in ("", "-wal")]
    return sum(sizes) or None


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:  # it may go at any moment
        return 0
