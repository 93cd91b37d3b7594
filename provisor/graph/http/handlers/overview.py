"""All jobs at once, the worst first if so asked: what an overview is made of. Beyond Graph."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from enum import IntEnum

from provisor.graph.http.answers import Answer, Document, document, said
from provisor.graph.http.calls import Call
from provisor.graph.http.handlers.common import job_of
from provisor.graph.http.handlers.history import explained, told
from provisor.graph.http.handlers.jobs import view_of
from provisor.graph.http.query import sliced
from provisor.graph.translate.job import to_status
from provisor.graph.wire.base import duration_text, instant_text
from provisor.model.cycles import CycleResult, JobError
from provisor.model.jobs import Application, Job, Status, StatusCode
from provisor.planner.schedule import next_start

TYPE = "jobSummary"
PROPERTIES = (
    "id", "name", "principalId", "applicationName", "templateId", "code", "concern", "severity",
    "lastEnded", "lastState", "nextRun", "countEscrowed", "countStaged", "interval",
)  # fmt: skip
FOLDED = ("name", "applicationname", "code", "concern", "id", "templateid")
ALL = ("Synchronization.Read.All", "Synchronization.ReadWrite.All")
RECENT = 12
"""So many cycles of each job are told beside it."""


class Concern(IntEnum):
    """What is to be looked at in a job: the greater, the sooner."""

    NONE = 0
    NOT_CONFIGURED = 1
    ESCROWS = 2
    ENTRY_ERRORS = 3
    STAGED = 4
    FAILED = 5
    QUARANTINE = 6

    @property
    def word(self) -> str:
        first, *rest = self.name.lower().split("_")
        return first + "".join(part.title() for part in rest)


async def list_all(call: Call) -> Answer:
    """Return every job that the caller may see, and how many stand how."""
    registry, now = call.house.parts.registry, call.house.parts.clock.now()
    shown = {one.id: one for one in await registry.applications() if may_see(call, one)}
    jobs = {job.id: job for job in await registry.jobs() if job.application_id in shown}
    rows = [_row(job, shown[job.application_id], now) for job in jobs.values()]
    skip = call.query.number("skip") or 0
    page = sliced(rows, call.query, TYPE, PROPERTIES, skip=skip, folded=FOLDED)
    return said(
        {
            "codes": Counter(str(row["code"]) for row in rows),
            "concerns": Counter(str(row["concern"]) for row in rows),
            "@odata.count": page.count,
            "value": [await _whole(call, row, jobs[str(row["id"])]) for row in page.items],
        }
    )


async def summary(call: Call) -> Answer:
    """Return one job as the overview of all tells it."""
    application, job = await job_of(call)
    row = _row(job, application, call.house.parts.clock.now())
    return said(await _whole(call, row, job))


def may_see(call: Call, application: Application) -> bool:
    """Tell whether the caller may look at the jobs of an application."""
    return call.caller.has_any(ALL) or call.caller.owns(application)


def concern_of(status: Status) -> Concern:
    last = status.last
    if status.quarantine is not None or status.code is StatusCode.QUARANTINE:
        return Concern.QUARANTINE
    if status.code is StatusCode.NOT_CONFIGURED:
        return Concern.NOT_CONFIGURED
    if last is None:
        return Concern.NONE
    if last.result is CycleResult.FAILED:
        return Concern.FAILED
    if last.counts.staged:
        return Concern.STAGED
    if last.result is CycleResult.ENTRY_LEVEL_ERRORS:
        return Concern.ENTRY_ERRORS
    return Concern.ESCROWS if last.counts.escrowed else Concern.NONE


def _row(job: Job, application: Application, now: datetime) -> Document:
    """Return what a job is found and ordered by."""
    status, last = job.status, job.status.last
    due, concern = next_start(status, job.schedule, now), concern_of(status)
    return {
        "id": job.id,
        "name": job.name,
        "principalId": application.principal_id,
        "applicationName": application.display_name,
        "templateId": job.template_id,
        "code": status.code.value,
        "scheduleState": status.schedule_state.value,
        "interval": duration_text(job.schedule),
        "concern": concern.word,
        "severity": concern.value,
        "lastEnded": instant_text(last.ended) if last else None,
        "lastState": last.result.value if last else None,
        "nextRun": instant_text(due) if due else None,
        "countEscrowed": last.counts.escrowed if last else 0,
        "countStaged": last.counts.staged if last else 0,
    }


async def _whole(call: Call, row: Mapping[str, object], job: Job) -> Document:
    """Add what has to be looked up, and so is told of the jobs of a page only."""
    view = await view_of(call, job)
    cycles = await call.house.parts.ledger.cycles(job.id, RECENT)
    return {
        **row,
        "problem": problem_of(job.status, call.house.docs),
        "status": document(to_status(view)),
        "isRunning": view.progress is not None,
        "cycles": [told(one) for one in cycles],
    }


def problem_of(status: Status, docs: str) -> Document | None:
    """Return what is wrong with a job, what that means, and the way out; None: nothing is."""
    error, code = _error(status), status.troubleshooting_code
    if error is None and not code:
        return None
    known = explained(code or (error.code if error else ""), docs)
    message = error.message if error is not None else _failures(status)
    return {"code": code or (error.code if error else ""), "message": message, **known}


def _error(status: Status) -> JobError | None:
    if status.quarantine is not None:
        return status.quarantine.error
    return status.last.error if status.last is not None else None


def _failures(status: Status) -> str | None:
    """Return how many objects failed, where it is objects that did."""
    last = status.last
    if last is None or not last.counts.failed:
        return None
    objects = "object" if last.counts.failed == 1 else "objects"
    mostly = "" if last.counts.failed == 1 else "mostly "
    return f"{last.counts.failed:,} {objects} failed, {mostly}with {last.entry_error}."
