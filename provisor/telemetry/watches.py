"""Who watches: the meter, and the log."""

from __future__ import annotations

from datetime import datetime

import structlog

from provisor.model.cycles import Cycle, CycleKind, CycleResult, Side
from provisor.model.decisions import Record, Verdict
from provisor.model.jobs import Job
from provisor.telemetry.catalog import REQUEST_SECONDS, REQUESTS
from provisor.telemetry.measures import Meter


class Metered:
    """Measures what is asked of systems. What was decided is counted from the store instead."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    def began(self, cycle: str, kind: CycleKind, at: datetime) -> None:
        """Counted from the store."""

    def asked(self, side: Side, system: str, operation: str, seconds: float, outcome: str) -> None:
        self._meter.add(REQUESTS, side.value, system, operation, outcome)
        self._meter.observe(REQUEST_SECONDS, side.value, system, operation, seconds=seconds)

    def decided(self, record: Record) -> None:
        """Counted from the store."""

    def ended(self, cycle: Cycle) -> None:
        """Counted from the store."""


class Logged:
    """A line for each cycle, and one for each decision that did something or failed."""

    def __init__(self, job: Job) -> None:
        self._log = structlog.get_logger().bind(job=job.name, job_id=job.id)

    def began(self, cycle: str, kind: CycleKind, at: datetime) -> None:
        self._log.info("cycle began", cycle=cycle, kind=kind.value)

    def asked(self, side: Side, system: str, operation: str, seconds: float, outcome: str) -> None:
        ms = round(seconds * 1_000, 1)
        self._log.debug("asked", side=side.value, operation=operation, ms=ms, outcome=outcome)

    def decided(self, record: Record) -> None:
        """Ids and names of attributes; no values, and no messages, which may quote some."""
        match record.verdict:
            case Verdict.SUCCESS:
                tell = self._log.info if record.is_exported else self._log.debug
            case Verdict.SKIPPED:
                tell = self._log.debug
            case Verdict.FAILURE | Verdict.WARNING:
                tell = self._log.warning
        tell(
            "decided",
            cycle=record.cycle,
            mapping=str(record.key.mapping),
            object=str(record.key.anchor),
            target=record.target,
            action=record.action.value,
            situation=record.situation.value,
            row=record.row,
            verdict=record.verdict.value,
            code=record.code,
            changed=[change.name for change in record.changes],
            ms=record.duration_ms,
        )

    def ended(self, cycle: Cycle) -> None:
        counts = cycle.counts
        is_failed = cycle.result is CycleResult.FAILED
        tell = self._log.warning if is_failed or cycle.halt is not None else self._log.info
        tell(
            "cycle ended",
            cycle=cycle.id,
            kind=cycle.kind.value,
            result=cycle.result.value,
            imported=counts.imported,
            exported=counts.exported,
            failed=counts.failed,
            escrowed=counts.escrowed,
            staged=counts.staged,
            code=cycle.error.code if cycle.error else "",
            quarantined=cycle.halt.reason.value if cycle.halt else "",
            seconds=round((cycle.ended - cycle.began).total_seconds(), 3),
        )
