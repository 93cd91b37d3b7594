"""The job and its status, in the order in which Graph writes them (spec: graph-api 4.2 to 4.6)."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import UNSET, UnsetType

from provisor.graph.wire.base import MIN_VALUE, NEVER, Wire
from provisor.graph.wire.pairs import CountPair, KeyValuePair
from provisor.graph.wire.schemas import SynchronizationSchema
from provisor.model.cycles import CycleResult, QuarantineReason
from provisor.model.jobs import ScheduleState, StatusCode


class SynchronizationSchedule(Wire, frozen=True, kw_only=True):
    expiration: datetime | None = None
    interval: timedelta = NEVER
    state: ScheduleState = ScheduleState.DISABLED


class SynchronizationError(Wire, frozen=True, kw_only=True):
    code: str | None = None
    message: str | None = None
    tenant_actionable: bool = False


class SynchronizationTaskExecution(Wire, frozen=True, kw_only=True):
    activity_identifier: str | None = None
    count_entitled: int = 0
    count_entitled_for_provisioning: int = 0
    count_escrowed: int = 0
    count_escrowed_raw: int = 0
    count_exported: int = 0
    count_exports: int = 0
    count_imported: int = 0
    count_imported_deltas: int = 0
    count_imported_reference_deltas: int = 0
    state: CycleResult = CycleResult.SUCCEEDED
    error: SynchronizationError | None = None
    time_began: datetime = MIN_VALUE
    time_ended: datetime = MIN_VALUE


class SynchronizationProgress(Wire, frozen=True, kw_only=True):
    completed_units: int = 0
    progress_observation_date_time: datetime = MIN_VALUE
    total_units: int = 0
    units: str | None = None


class SynchronizationQuarantine(Wire, frozen=True, kw_only=True):
    current_began: datetime = MIN_VALUE
    next_attempt: datetime = MIN_VALUE
    reason: QuarantineReason = QuarantineReason.UNKNOWN
    series_began: datetime = MIN_VALUE
    series_count: int = 0
    error: SynchronizationError | None = None


class SynchronizationStatus(Wire, frozen=True, kw_only=True):
    count_successive_complete_failures: int = 0
    escrows_pruned: bool = False
    code: StatusCode = StatusCode.NOT_CONFIGURED
    last_execution: SynchronizationTaskExecution | None = None
    last_successful_execution: SynchronizationTaskExecution | None = None
    last_successful_execution_with_exports: SynchronizationTaskExecution | None = None
    quarantine: SynchronizationQuarantine | None = None
    steady_state_first_achieved_time: datetime = MIN_VALUE
    steady_state_last_achieved_time: datetime = MIN_VALUE
    troubleshooting_url: str | None = None
    progress: tuple[SynchronizationProgress, ...] = ()
    synchronized_entry_count_by_type: tuple[CountPair, ...] = ()


class SynchronizationJob(Wire, frozen=True, kw_only=True):
    """A job as it is answered; with its schema where that is expanded."""

    id: str
    template_id: str | None = None
    schedule: SynchronizationSchedule = SynchronizationSchedule()
    status: SynchronizationStatus = SynchronizationStatus()
    synchronization_job_settings: tuple[KeyValuePair, ...] = ()
    schema: SynchronizationSchema | UnsetType = UNSET


class NewJob(Wire, frozen=True, kw_only=True):
    """The body of `POST jobs`; everything else in it is ignored (spec: graph-api 3.3)."""

    template_id: str
    synchronization_job_settings: tuple[KeyValuePair, ...] = ()


class JobChange(Wire, frozen=True, kw_only=True):
    """The body of `PATCH jobs/{job}` (spec: graph-api 3.4)."""

    schedule: SynchronizationSchedule | None = None
    synchronization_job_settings: tuple[KeyValuePair, ...] = ()
