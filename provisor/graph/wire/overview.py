"""How all jobs stand, and how each came to: beside Graph's own types."""

from __future__ import annotations

from datetime import datetime

from msgspec import field

from provisor.graph.wire.base import Wire
from provisor.graph.wire.jobs import SynchronizationStatus, SynchronizationTaskExecution


class Problem(Wire, frozen=True, kw_only=True):
    """What is wrong, what that means, and the way out."""

    code: str
    message: str | None = None
    meaning: str | None = None
    recommended_action: str | None = None
    steps: tuple[str, ...] = ()
    retried: str | None = None
    troubleshooting_url: str | None = None


class TimeSpent(Wire, frozen=True, kw_only=True):
    """Where the time of a cycle went, in seconds. Each moment counts once."""

    source: float = 0.0
    mapping: float = 0.0
    target: float = 0.0
    store: float = 0.0

    @property
    def parts(self) -> tuple[tuple[str, float], ...]:
        names = ("source", "mapping", "target", "store")
        return tuple((name, getattr(self, name)) for name in names)

    @property
    def total(self) -> float:
        return sum(seconds for _, seconds in self.parts)


class CycleExecution(SynchronizationTaskExecution, frozen=True, kw_only=True):
    """Graph's execution of a cycle, and what Graph does not tell of it."""

    kind: str = ""
    count_failed: int = 0
    count_staged: int = 0
    error_side: str | None = None
    entry_error: str | None = None
    spent: TimeSpent | None = None
    """Null where it was not measured."""

    @property
    def seconds(self) -> float:
        return (self.time_ended - self.time_began).total_seconds()


class JobSummary(Wire, frozen=True, kw_only=True):
    """One job, as the overview tells it."""

    id: str
    name: str
    principal_id: str
    application_name: str
    template_id: str
    code: str
    schedule_state: str
    interval: str
    concern: str
    severity: int
    last_ended: datetime | None
    last_state: str | None
    next_run: datetime | None
    count_escrowed: int
    count_staged: int
    problem: Problem | None
    status: SynchronizationStatus
    is_running: bool
    cycles: tuple[CycleExecution, ...]

    @property
    def links(self) -> int:
        return sum(pair.value for pair in self.status.synchronized_entry_count_by_type)


class JobOverview(Wire, frozen=True, kw_only=True):
    """Jobs that were asked for, and how many of all stand how."""

    codes: dict[str, int]
    concerns: dict[str, int]
    count: int = field(name="@odata.count")
    value: tuple[JobSummary, ...]


class CycleHistory(Wire, frozen=True, kw_only=True):
    value: tuple[CycleExecution, ...]


class WaitingObject(Wire, frozen=True, kw_only=True):
    object_mapping: str
    id: str
    name: str
    reason: str
    attempts: int
    first_failed_at: datetime
    retry_at: datetime | None


class EscrowGroup(Problem, frozen=True, kw_only=True):
    count: int
    objects: tuple[WaitingObject, ...]


class RetryRequest(Wire, frozen=True, kw_only=True):
    """What is to be tried again: everything, all of a code, or one object."""

    code: str | None = None
    object_mapping: str | None = None
    object: str | None = None


class Retried(Wire, frozen=True, kw_only=True):
    count: int
    """Objects that the next cycle tries again."""


class FoundObject(Wire, frozen=True, kw_only=True):
    """A source object as it is remembered."""

    kind: str
    id: str
    display_name: str | None = None


class FoundObjects(Wire, frozen=True, kw_only=True):
    value: tuple[FoundObject, ...]


class Escrows(Wire, frozen=True, kw_only=True):
    value: tuple[EscrowGroup, ...]
