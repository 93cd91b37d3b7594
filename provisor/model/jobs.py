"""What a job is, and where it stands. Values are Graph's own words (spec: graph-api 4, 6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Flag, StrEnum, auto

from provisor.model.cycles import Cycle, JobError, QuarantineReason


class StatusCode(StrEnum):
    NOT_CONFIGURED = "NotConfigured"
    NOT_RUN = "NotRun"
    ACTIVE = "Active"
    PAUSED = "Paused"
    QUARANTINE = "Quarantine"


class ScheduleState(StrEnum):
    ACTIVE = "Active"
    DISABLED = "Disabled"


@dataclass(frozen=True, slots=True)
class Schedule:
    interval: timedelta = timedelta(minutes=40)
    """From start to start."""
    state: ScheduleState = ScheduleState.DISABLED


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantine:
    reason: QuarantineReason
    error: JobError
    series_began: datetime
    current_began: datetime
    series_count: int
    next_attempt: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a running cycle has come."""

    completed_units: int
    total_units: int
    units: str
    observed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Where a job stands. Only `planner.status.next_status` makes a new one."""

    code: StatusCode = StatusCode.NOT_CONFIGURED
    schedule_state: ScheduleState = ScheduleState.DISABLED
    successive_failures: int = 0
    successive_unreachable: int = 0
    """Failures in a row because a directory could not be reached: the third quarantines."""
    are_escrows_pruned: bool = False
    has_completed: bool = False
    """A first cycle came to its end since the watermark was last forgotten."""
    last: Cycle | None = None
    last_successful: Cycle | None = None
    last_successful_with_exports: Cycle | None = None
    quarantine: Quarantine | None = None
    steady_state_first: datetime | None = None
    steady_state_last: datetime | None = None
    troubleshooting_code: str = ""
    """The error that the troubleshooting page is about; empty while nothing is wrong."""


class ResetScope(Flag):
    """What a restart forgets (spec: behaviour 15, graph-api 5)."""

    NONE = 0
    CONNECTOR_DATA_STORE = auto()
    ESCROWS = auto()
    WATERMARK = auto()
    QUARANTINE_STATE = auto()
    FULL = CONNECTOR_DATA_STORE | ESCROWS | WATERMARK | QUARANTINE_STATE
    FORCE_DELETES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One source kept in step with one target, as stored. Its schema and secrets lie beside it."""

    id: str
    """`{templateId}.{tenant, 32 hex}.{appId}` (spec: settled 27)."""
    name: str
    """What people call it: its name in `provisor.yaml`."""
    template_id: str
    application_id: str
    schedule: timedelta = timedelta(minutes=40)
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    """`synchronizationJobSettings`: names and values, always text."""
    status: Status = field(default_factory=Status)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """A user or group of the source that is assigned to an application."""

    kind: str
    anchor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """What owns secrets and assignments; its jobs own schema, schedule, watermark and links."""

    id: str
    """The application object's id (UUID)."""
    app_id: str
    principal_id: str
    """The service principal's id, the anchor of the synchronization API."""
    name: str
    """Its name in `provisor.yaml`, or the display name it was made with."""
    display_name: str
    template_id: str
    syncs_all: bool = True
    assignments: tuple[Assignment, ...] = ()
    owners: tuple[str, ...] = ()
    tenant: str = ""
    """Whose it is; empty: of the tenant that the workspace is of."""


class Asked(StrEnum):
    """What an administrator asks of a job that may be running in another process."""

    PAUSE = "pause"
    RESTART = "restart"
    DELETE = "delete"
