"""Applications and jobs, in memory."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import reduce
from typing import TypeAlias

from provisor.model.audit import Act, Altered
from provisor.model.decisions import StandingKey
from provisor.model.frozen import replace
from provisor.model.jobs import Application, Asked, Job, Progress, Status
from provisor.model.notices import Notice
from provisor.model.rules import MappingName
from provisor.planner.schedule import Due, next_start
from provisor.planner.status import Event, next_status
from provisor.ports import Journal, Pending, StagedView
from provisor.store.frame import released, staged_view
from provisor.store.memory.journal import VIEW, MemoryJournal
from provisor.store.memory.ledger import MemoryLedger
from provisor.store.memory.state import JobState, MemoryState

NewJournal: TypeAlias = Callable[[MemoryState, str, int], MemoryJournal]
"""Makes a journal of a job under an epoch: tests hand in journals that fail when they are told."""


class MemoryStore:
    """What outlives a process. Opening a journal anew shuts out whoever had it open."""

    is_restored = False
    """Nobody copies it."""

    def __init__(self, new_journal: NewJournal = MemoryJournal) -> None:
        self.state = MemoryState()
        self.ledger = MemoryLedger(self.state)
        self._new_journal = new_journal

    # applications and jobs

    async def applications(self) -> Sequence[Application]:
        return [self.state.applications[id] for id in sorted(self.state.applications)]

    async def find_application(self, id: str) -> Application | None:
        for one in self.state.applications.values():
            if id.lower() in (one.id.lower(), one.app_id.lower(), one.principal_id.lower()):
                return one
        return None

    async def put_application(self, application: Application) -> None:
        self.state.applications[application.id] = application

    async def delete_application(self, id: str) -> None:
        self.state.applications.pop(id, None)
        self._forget_documents(id)

    async def jobs(self) -> Sequence[Job]:
        return [self.state.jobs[id].job for id in sorted(self.state.jobs)]

    async def jobs_of(self, application: str) -> Sequence[Job]:
        return [job for job in await self.jobs() if job.application_id == application]

    async def job(self, id: str) -> Job | None:
        return self.state.jobs[id].job if id in self.state.jobs else None

    async def due(self, now: datetime) -> Sequence[Due]:
        times = ((next_start(job.status, job.schedule, now), job) for job in await self.jobs())
        return sorted(
            Due(at, job.id, self._tenant_of(job))
            for at, job in times
            if at is not None and at <= now
        )

    async def tenants_of(self, jobs: Collection[str]) -> Mapping[str, str]:
        return {job.id: self._tenant_of(job) for job in await self.jobs() if job.id in jobs}

    def _tenant_of(self, job: Job) -> str:
        owner = self.state.applications.get(job.application_id)
        return owner.tenant if owner else ""

    async def put_job(self, job: Job) -> None:
        state = self.state.jobs.get(job.id)
        if state is None:
            self.state.jobs[job.id] = JobState(job=job)
        else:
            state.job = dataclasses.replace(job, status=state.job.status)

    async def delete_job(self, id: str) -> None:
        state = self.state.jobs.pop(id, None)
        if state is None:
            return
        state.epoch += 1
        state.asked = Asked.DELETE
        self._forget_documents(id)
        self.state.records[:] = [row for row in self.state.records if row[1] != id]
        kept = [one for one in self.state.notices if one.pending.job != id]
        self.state.notices[:] = kept

    async def note(self, job: str, *events: Event) -> Status:
        state = self.state.of(job)
        status = reduce(next_status, events, state.job.status)
        self.state.tell(state, status)
        return status

    async def running(self, job: str) -> Progress | None:
        cycle = self.state.of(job).cycle
        return cycle.how_far() if cycle else None

    async def links(self, job: str) -> Mapping[MappingName, int]:
        return await (await self.view_journal(job)).links()

    async def ask(self, job: str, asked: Asked | None) -> None:
        self.state.of(job).asked = asked

    async def asked(self, job: str) -> Asked | None:
        return self.state.of(job).asked

    # what is to be told

    async def announce(self, job: str, notice: Notice) -> None:
        if job:
            self.state.of(job)
        self.state.keep(job, (notice,))

    async def take_notice(self, now: datetime, until: datetime) -> Pending | None:
        due = [(one.due_at, one) for one in self.state.notices if one.due_at and one.due_at <= now]
        if not due:
            return None
        _, kept = min(due, key=lambda one: (one[0], one[1].pending.number))
        pending = kept.pending
        kept.pending = dataclasses.replace(pending, attempts=pending.attempts + 1)
        kept.due_at = until
        return pending

    async def put_back_notice(
        self, pending: Pending, sent: frozenset[str], again_at: datetime | None
    ) -> None:
        found = next(
            (one for one in self.state.notices if one.pending.number == pending.number), None
        )
        if found is not None and again_at is None and pending.notice.expires is None:
            self.state.notices.remove(found)
        elif found is not None:
            found.pending = dataclasses.replace(found.pending, sent=sent)
            found.due_at = again_at

    # documents

    async def document(self, owner: str, name: str) -> bytes | None:
        return self.state.documents.get((owner, name))

    async def documents(self, keys: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], bytes]:
        return {key: self.state.documents[key] for key in keys if key in self.state.documents}

    async def put_document(self, owner: str, name: str, content: bytes) -> None:
        self.state.documents[owner, name] = content

    def _forget_documents(self, owner: str) -> None:
        for key in [key for key in self.state.documents if key[0] == owner]:
            del self.state.documents[key]

    # approvals

    async def staged(self, job: str) -> StagedView:
        state = self.state.of(job)
        departures = dict[StandingKey, int]()
        members = dict[StandingKey, int]()
        for key, s in state.standings.items():
            if s.staged and not s.staged.is_approved:
                departures[key] = s.staged.seen
            if s.references_staged and not s.references_staged.is_approved:
                members[key] = s.references_staged.seen
        return staged_view(departures, members, state.held)

    async def approve(
        self, job: str, hash: str, by: str, now: datetime, *, origin: str = ""
    ) -> bool:
        view, state = await self.staged(job), self.state.of(job)
        if not hash or view.hash != hash:
            return False
        for key in view.departures:
            standing = state.standings[key]
            assert standing.staged is not None
            let = replace(standing.staged, is_approved=True)
            state.standings[key] = replace(standing, staged=let)
        for key in view.members:
            standing = state.standings[key]
            assert standing.references_staged is not None
            let = replace(standing.references_staged, is_approved=True)
            state.standings[key] = replace(standing, references_staged=let)
        if state.held is not None:
            state.held = dataclasses.replace(state.held, is_approved=True)
        told = released(view)
        await self.audit(now, by, "approve", f"{job} {hash}", origin=origin, altered=told)
        return True

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
        act = Act(at=at, by=by, activity=activity, about=about, origin=origin,
                  altered=tuple(altered))  # fmt: skip
        self.state.audits.append((tenant, act))

    async def audited(self, limit: int, *, tenant: str = "", before: int = 0) -> Sequence[Act]:
        mine = [act for whose, act in reversed(self.state.audits) if whose == tenant]
        return mine[before : before + limit]

    # journals

    async def open_journal(self, job: str, holder: str) -> Journal:
        state = self.state.of(job)
        state.epoch += 1
        state.holder = holder
        return self._new_journal(self.state, job, state.epoch)

    async def view_journal(self, job: str) -> Journal:
        self.state.of(job)
        return self._new_journal(self.state, job, VIEW)

    async def overlay_journal(self, job: str) -> Journal:
        copy = MemoryState({job: self.state.of(job).copy()}, position=self.state.position)
        copy.records += [row for row in self.state.records if row[1] == job]
        return MemoryJournal(copy, job, copy.jobs[job].epoch)
