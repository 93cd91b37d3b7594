"""A job as Graph's synchronizationJob (spec: graph-api 4.2 to 4.7, 6, 7; settled 24 to 26)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from msgspec import UNSET, UnsetType

from provisor.graph.troubleshooting import page_url
from provisor.graph.wire.base import MIN_VALUE
from provisor.graph.wire.jobs import (
    SynchronizationError,
    SynchronizationJob,
    SynchronizationProgress,
    SynchronizationQuarantine,
    SynchronizationSchedule,
    SynchronizationStatus,
    SynchronizationTaskExecution,
)
from provisor.graph.wire.pairs import CountPair, KeyValuePair
from provisor.graph.wire.schemas import SynchronizationSchema
from provisor.model.cycles import Cycle, JobError
from provisor.model.jobs import Job, Progress, Quarantine, ScheduleState, Status, StatusCode
from provisor.model.rules import MappingName
from provisor.planner.status import ENTRY_REASONS


@dataclass(frozen=True, slots=True, kw_only=True)
class JobView:
    """A job with what is counted beside it."""

    job: Job
    links: Mapping[MappingName, int] = field(default_factory=dict[MappingName, int])
    """Live links by object mapping, in the order in which they are to be shown."""
    progress: Progress | None = None
    """How far the open cycle has come; None where no cycle is open."""
    docs: str = ""
    """Where the documentation is served: troubleshooting pages are below it."""


def to_job(view: JobView, schema: SynchronizationSchema | UnsetType = UNSET) -> SynchronizationJob:
    """Return the job; without its schema, as lists and polls want it, unless one is given."""
    job = view.job
    return SynchronizationJob(
        id=job.id,
        template_id=job.template_id,
        schedule=SynchronizationSchedule(interval=job.schedule, state=job.status.schedule_state),
        status=to_status(view),
        synchronization_job_settings=_settings(job),
        schema=schema,
    )


def to_status(view: JobView) -> SynchronizationStatus:
    status = view.job.status
    is_quarantined = status.code is StatusCode.QUARANTINE
    return SynchronizationStatus(
        count_successive_complete_failures=status.successive_failures,
        escrows_pruned=status.are_escrows_pruned,
        code=status.code,
        last_execution=to_execution(status.last),
        last_successful_execution=to_execution(status.last_successful),
        last_successful_execution_with_exports=to_execution(status.last_successful_with_exports),
        quarantine=_quarantine(status.quarantine) if is_quarantined else None,
        steady_state_first_achieved_time=status.steady_state_first or MIN_VALUE,
        steady_state_last_achieved_time=status.steady_state_last or MIN_VALUE,
        troubleshooting_url=_troubleshooting_url(status, view.docs),
        progress=(_progress(view.progress),) if view.progress is not None else (),
        synchronized_entry_count_by_type=tuple(
            CountPair(key=name, value=count) for name, count in view.links.items()
        ),
    )


def _settings(job: Job) -> tuple[KeyValuePair, ...]:
    return tuple(KeyValuePair(name=name, value=value) for name, value in job.settings.items())


def _troubleshooting_url(status: Status, docs: str) -> str | None:
    """Null until the job was started once, empty while nothing is wrong."""
    if status.troubleshooting_code:
        return page_url(docs, status.troubleshooting_code)
    is_new = status.last is None and status.schedule_state is ScheduleState.DISABLED
    return None if is_new else ""


def to_execution(cycle: Cycle | None) -> SynchronizationTaskExecution | None:
    if cycle is None:
        return None
    counts = cycle.counts
    return SynchronizationTaskExecution(
        activity_identifier=cycle.id,
        count_entitled=counts.entitled,
        count_entitled_for_provisioning=counts.entitled_for_provisioning,
        count_escrowed=counts.escrowed,
        count_escrowed_raw=max(counts.escrowed_raw, counts.escrowed),
        count_exported=counts.exported,
        count_exports=counts.exports,
        count_imported=counts.imported,
        count_imported_deltas=counts.imported_deltas,
        count_imported_reference_deltas=counts.imported_reference_deltas,
        state=cycle.result,
        error=_execution_error(cycle),
        time_began=cycle.began,
        time_ended=cycle.ended,
    )


def _execution_error(cycle: Cycle) -> SynchronizationError | None:
    if cycle.error is not None:
        return _error(cycle.error)
    if cycle.halt is not None and cycle.halt.reason not in ENTRY_REASONS:
        return _error(cycle.halt.error)
    return None


def _error(error: JobError) -> SynchronizationError:
    return SynchronizationError(
        code=error.code, message=error.message, tenant_actionable=error.is_tenant_actionable
    )


def _quarantine(quarantine: Quarantine | None) -> SynchronizationQuarantine | None:
    if quarantine is None:
        return None
    return SynchronizationQuarantine(
        current_began=quarantine.current_began,
        next_attempt=quarantine.next_attempt,
        reason=quarantine.reason,
        series_began=quarantine.series_began,
        series_count=quarantine.series_count,
        error=_error(quarantine.error),
    )


def _progress(progress: Progress) -> SynchronizationProgress:
    return SynchronizationProgress(
        completed_units=progress.completed_units,
        progress_observation_date_time=progress.observed_at,
        total_units=progress.total_units,
        units=progress.units,
    )
