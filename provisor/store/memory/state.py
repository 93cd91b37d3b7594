"""What outlives a process that keeps its store in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from provisor.model.audit import Act
from provisor.model.cycles import Cycle
from provisor.model.decisions import Image, Record, Standing, StandingKey
from provisor.model.entries import (
    Anchor,
    Entry,
    MatchQuery,
    ReadFault,
    Reference,
    System,
    Watermark,
)
from provisor.model.jobs import Application, Asked, Job, Status
from provisor.model.notices import Notice
from provisor.model.rules import MappingName
from provisor.planner.notices import arising
from provisor.ports import WAITING_MAX, Pending
from provisor.store.errors import JobUnknown
from provisor.store.frame import HeldSnapshot, MappingNote, OpenCycle

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Listing:
    """What the target listed, and of which kinds it listed everything."""

    entries: dict[tuple[str, Anchor], tuple[Entry, tuple[MatchQuery, ...]]] = field(
        default_factory=dict[tuple[str, Anchor], tuple[Entry, tuple[MatchQuery, ...]]]
    )
    recognised: set[tuple[str, Anchor]] = field(default_factory=set[tuple[str, Anchor]])
    """Those that nobody had to read."""
    complete: frozenset[str] = frozenset()
    is_indexed: bool = True

    def has_shown(self, kind: str, anchor: Anchor) -> bool:
        return (kind, anchor) in self.entries or (kind, anchor) in self.recognised

    def copy(self) -> Listing:
        return replace(self, entries=dict(self.entries), recognised=set(self.recognised))


@dataclass(slots=True, kw_only=True)
class JobState:
    """One job, with all that is remembered for it."""

    job: Job
    epoch: int = 0
    holder: str = ""
    asked: Asked | None = None
    systems: Mapping[str, System] = field(default_factory=dict[str, System])
    adopted: tuple[tuple[MappingName, str], ...] = ()
    policy_hash: str | None = None
    mappings: dict[MappingName, MappingNote] = field(default_factory=dict[MappingName, MappingNote])
    standings: dict[StandingKey, Standing] = field(default_factory=dict[StandingKey, Standing])
    watermark: Watermark | None = None
    is_initial: bool = True
    generation: int = 0
    cycle: OpenCycle | None = None
    cycles: list[Cycle] = field(default_factory=list[Cycle])
    faults: tuple[ReadFault, ...] = ()
    departures: dict[StandingKey, datetime] = field(default_factory=dict[StandingKey, datetime])
    removals: dict[tuple[StandingKey, Reference], datetime] = field(
        default_factory=dict[tuple[StandingKey, Reference], datetime]
    )
    held: HeldSnapshot | None = None
    listing: Listing = field(default_factory=Listing)
    prints: dict[tuple[str, Anchor], tuple[Image, int]] = field(
        default_factory=dict[tuple[str, Anchor], tuple[Image, int]]
    )
    """Images, and how target objects were sent that said what they do."""

    def copy(self) -> JobState:
        """Return a state of its own: what lies in it is never changed, only replaced."""
        return replace(
            self,
            mappings=dict(self.mappings),
            standings=dict(self.standings),
            cycles=list(self.cycles),
            departures=dict(self.departures),
            removals=dict(self.removals),
            listing=self.listing.copy(),
            prints=dict(self.prints),
        )


@dataclass(slots=True)
class Kept:
    """A notice, and when it is to be sent; None once it was."""

    pending: Pending
    due_at: datetime | None


@dataclass(slots=True)
class MemoryState:
    """All jobs, and what belongs to none of them."""

    jobs: dict[str, JobState] = field(default_factory=dict[str, JobState])
    applications: dict[str, Application] = field(default_factory=dict[str, Application])
    documents: dict[tuple[str, str], bytes] = field(default_factory=dict[tuple[str, str], bytes])
    audits: list[tuple[str, Act]] = field(default_factory=list[tuple[str, Act]])
    """With the tenant of each."""
    records: list[tuple[int, str, Record]] = field(default_factory=list[tuple[int, str, Record]])
    position: int = 0
    notices: list[Kept] = field(default_factory=list[Kept])
    noticed: int = 0
    """How many notices there were ever."""

    def of(self, job: str) -> JobState:
        """Raises JobUnknown."""
        if job not in self.jobs:
            raise JobUnknown(f"there is no job '{job}'")
        return self.jobs[job]

    def keep(self, job: str, notices: Iterable[Notice]) -> None:
        for notice in notices:
            known = {(one.pending.job, one.pending.notice.key) for one in self.notices}
            if (job, notice.key) not in known:
                self.noticed += 1
                pending = Pending(number=self.noticed, job=job, notice=notice)
                self.notices.append(Kept(pending, LONG_AGO))
            self._prune(job, notice.at)

    def _prune(self, job: str, now: datetime) -> None:
        """Forget what was told and cannot come up again, and the first of what nobody takes."""
        mine = [one for one in self.notices if one.pending.job == job]
        told = [one for one in mine if one.due_at is None]
        waiting = [one for one in mine if one.due_at is not None]
        gone = [one for one in told if not one.pending.notice.is_remembered(now)]
        gone += waiting[: max(0, len(waiting) - WAITING_MAX)]
        self.notices[:] = [one for one in self.notices if one not in gone]

    def tell(self, state: JobState, status: Status) -> None:
        """Give a job another status, and keep what that is to be told about."""
        self.keep(state.job.id, arising(state.job.status, status))
        state.job = replace(state.job, status=status)

    def append(self, job: str, record: Record) -> None:
        self.position += 1
        self.records.append((self.position, job, record))
