"""One cycle of a job, when its turn has come: wherever it runs, and whatever comes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from provisor.errors import Fenced, StoreFailed, StoreTooNew
from provisor.model.cycles import Cycle, CycleKind, CycleResult, Halt
from provisor.model.jobs import Job
from provisor.planner.schedule import next_start
from provisor.runtime.interruption import Interrupted, Interruption
from provisor.runtime.lease import Busy, lease
from provisor.runtime.parts import Parts
from provisor.runtime.runner import Execute, Ready, run_once


class NotDue(Exception):
    """Another server was faster."""


class Told(Protocol):
    """What somebody who watches is told."""

    def ended(self, job: Job, cycle: Cycle) -> None: ...

    def failed(self, job: Job, failure: Exception) -> None: ...


class Came(StrEnum):
    """What came of a turn."""

    RAN = "ran"
    NOT_DUE = "not due"
    BUSY = "busy"
    """Somebody else has the job."""
    CUT_OFF = "cut off"
    FAILED = "failed"
    """It could not begin, and may not be able to soon."""
    REFUSED = "refused"
    """It could not begin, and its status says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    parts: Parts
    execute: Execute
    reconcile: Execute
    """As `execute`, and reads the target in full."""
    refusal: Callable[[Exception], Halt | None]
    """Why a job cannot go at all, so that it says so itself; None: it is no fault of the job."""
    interruption: Interruption
    told: Told

    def is_time(self, job: Job) -> bool:
        now = self.parts.clock.now()
        at = next_start(job.status, job.schedule, now)
        return at is not None and at <= now

    async def take(
        self, job: Job, *, is_hurried: bool = False, is_reconciled: bool = False
    ) -> Came:
        """Run one cycle; whatever comes of it, others go on. Unless it is hurried it only runs
        where it is due."""
        execute = self.reconcile if is_reconciled else self.execute

        async def if_still_due(ready: Ready) -> Cycle:
            """Another server may have run it between our look and our having it."""
            now = await self.parts.registry.job(job.id)
            if not is_hurried and not is_reconciled and (now is None or not self.is_time(now)):
                raise NotDue
            return await execute(ready)

        try:
            cycle = await run_once(self.parts, job, if_still_due, self.interruption)
            self.told.ended(job, cycle)
        except NotDue:
            return Came.NOT_DUE
        except (Busy, Fenced):
            return Came.BUSY
        except Interrupted as cut_off:
            self.told.failed(job, cut_off)
            return Came.CUT_OFF
        except StoreTooNew as outgrown:
            self.told.failed(job, outgrown)
            self.interruption.give_up(outgrown)
            return Came.CUT_OFF
        except Exception as failure:  # noqa: BLE001
            self.told.failed(job, failure)
            return await self._refuse(job, failure)
        return Came.RAN

    async def _refuse(self, job: Job, failure: Exception) -> Came:
        """Let a job that cannot go say so: a cycle that failed before it began."""
        halt = self.refusal(failure)
        if halt is None:
            return Came.FAILED
        try:
            with lease(self.parts.leases, job.id):
                await record_refusal(self.parts, job, halt)
        except (Busy, Fenced, StoreFailed) as other:
            self.told.failed(job, other)
            return Came.FAILED
        return Came.REFUSED


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
