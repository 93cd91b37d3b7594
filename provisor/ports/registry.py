"""What a workspace keeps: the log, secrets, applications and jobs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from provisor.model.audit import Act, Altered
from provisor.model.cycles import Cycle
from provisor.model.decisions import (
    Record,
    StandingKey,
)
from provisor.model.jobs import Application, Asked, Job, Progress, Status
from provisor.model.rules import MappingName
from provisor.planner.schedule import Due
from provisor.planner.status import Event
from provisor.ports.journal import Journal
from provisor.ports.notices import Notices


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordQuery:
    """Which log records to return. Empty fields do not narrow."""

    job: str = ""
    cycle: str = ""
    change: str = ""
    since: datetime | None = None
    until: datetime | None = None
    action: str = ""
    verdict: str = ""
    code: str = ""
    about: str = ""
    """A source anchor, target anchor or name."""
    id: str = ""
    """A source anchor or target anchor."""
    naming: str = ""
    """A source anchor, target anchor, or a part of a name."""
    after: int = 0
    """Only records whose position is greater (ascending) or smaller (descending)."""
    end: int = 0
    """Only records whose position is smaller (ascending) or greater (descending); 0: all."""
    limit: int = 100
    is_descending: bool = True


class Ledger(Protocol):
    """The provisioning log, to read. Records are written by the journal, with what they log."""

    async def records(self, query: RecordQuery) -> Sequence[tuple[int, str, Record]]:
        """Return positions, job ids and records."""
        ...

    async def cycles(self, job: str, limit: int) -> Sequence[Cycle]:
        """Return the latest cycles of a job, newest first."""
        ...

    async def fold(self, before: datetime) -> int:
        """Delete records older than this; their cycles keep their counts. Return how many."""
        ...


class Vault(Protocol):
    """Secrets, encrypted at rest."""

    async def put(self, owner: str, name: str, value: str) -> None:
        """Keep a secret, in place of the one of that name."""
        ...

    async def get(self, owner: str, name: str) -> str | None:
        """Return a secret; None where there is none. Raises StoreFailed if it cannot be opened."""
        ...

    async def names(self, owner: str) -> Sequence[str]:
        """Return the names of an owner's secrets, sorted."""
        ...

    async def delete(self, owner: str, name: str) -> None:
        """Forget a secret, if there is one."""
        ...

    async def rotate(self) -> int:
        """Encrypt everything anew under a new key; return how many secrets."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedView:
    """What waits for an administrator in one job: departures, removals of members, a snapshot."""

    hash: str
    """Names exactly this; `approve` takes it. Empty when nothing waits."""
    departures: tuple[StandingKey, ...]
    members: tuple[StandingKey, ...]
    snapshot: str = ""
    """Why the latest snapshot proves no absence; empty if none is held."""


class Registry(Notices, Protocol):
    """Applications and jobs, as administrators and the API see them."""

    @property
    def is_restored(self) -> bool:
        """True for a store that was restored or copied: taking a job over will doubt what it
        remembers of the targets, and so does a plan. Raises StoreFailed."""
        ...

    async def applications(self) -> Sequence[Application]:
        """Return all applications."""
        ...

    async def find_application(self, id: str) -> Application | None:
        """Return the application with this id, app id or principal id, in capitals or not."""
        ...

    async def put_application(self, application: Application) -> None:
        """Create an application, or change all of it."""
        ...

    async def delete_application(self, id: str) -> None:
        """Forget an application; its jobs must be gone before."""
        ...

    async def jobs(self) -> Sequence[Job]:
        """Return all jobs with their statuses."""
        ...

    async def jobs_of(self, application: str) -> Sequence[Job]:
        """Return the jobs of one application, by its id."""
        ...

    async def job(self, id: str) -> Job | None:
        """Return one job; None where there is none."""
        ...

    async def due(self, now: datetime) -> Sequence[Due]:
        """Return the jobs whose time has come by `planner.schedule.next_start`, whose they are,
        and since when: what was due first comes first. It costs what is due, not what exists."""
        ...

    async def tenants_of(self, jobs: Collection[str]) -> Mapping[str, str]:
        """Return whose these jobs are, as far as they exist."""
        ...

    async def put_job(self, job: Job) -> None:
        """Create a job, or change all of it but its status."""
        ...

    async def delete_job(self, id: str) -> None:
        """Forget the job and all that is remembered for it. Nothing is sent."""
        ...

    async def note(self, job: str, *events: Event) -> Status:
        """Record what an administrator's events make of the status as it is; return it."""
        ...

    async def running(self, job: str) -> Progress | None:
        """Return how far the job's open cycle has come, None where no cycle is open."""
        ...

    async def links(self, job: str) -> Mapping[MappingName, int]:
        """Return how many links of a job are live, without opening its journal. While a cycle of
        the job runs they may be those of a second ago."""
        ...

    async def document(self, owner: str, name: str) -> bytes | None:
        """Return a stored document: a schema, what was last applied, a saved plan."""
        ...

    async def documents(self, keys: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], bytes]:
        """Return those of the documents of these owners and names that are kept."""
        ...

    async def put_document(self, owner: str, name: str, content: bytes) -> None:
        """Keep a document, in place of the one of that name."""
        ...

    async def ask(self, job: str, asked: Asked | None) -> None:
        """Ask a running cycle to stop at the next object; None takes that back."""
        ...

    async def asked(self, job: str) -> Asked | None:
        """Return what was asked of a running cycle, and not taken back."""
        ...

    async def staged(self, job: str) -> StagedView:
        """Return what waits for an administrator."""
        ...

    async def approve(
        self, job: str, hash: str, by: str, now: datetime, *, origin: str = ""
    ) -> bool:
        """Approve exactly what is staged under this hash, once; False if it is not that.

        It is audited with what was let pass, and where the word came from.
        """
        ...

    async def audit(
        self,
        at: datetime,
        by: str,
        activity: str,
        about: str,
        *,
        origin: str = "",
        altered: Sequence[Altered] = (),
        tenant: str = "",
    ) -> None:
        """Record what somebody did, in a tenant."""
        ...

    async def audited(self, limit: int, *, tenant: str = "", before: int = 0) -> Sequence[Act]:
        """Return what was done in a tenant; latest first, passing over the latest `before`."""
        ...

    async def open_journal(self, job: str, holder: str) -> Journal:
        """Take the job's journal over: whoever held it is fenced from now on."""
        ...

    async def view_journal(self, job: str) -> Journal:
        """Return the journal as it is, to look at: writing to it raises Fenced."""
        ...

    async def overlay_journal(self, job: str) -> Journal:
        """Return a throw-away copy of the job's journal: what is written there is a plan."""
        ...
