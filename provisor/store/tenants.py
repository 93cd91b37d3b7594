"""Several tenants in one store: each sees its own, and nothing tells it that there are others.

A view is the store as one tenant knows it. What belongs to another tenant answers as what never
was. What is kept for a workspace as a whole (what was applied, keys, its name) each tenant has for
itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import msgspec

from provisor.model.audit import Act, Altered
from provisor.model.cycles import Cycle
from provisor.model.decisions import Record
from provisor.model.jobs import Application, Asked, Job, Progress, Status
from provisor.model.notices import Notice
from provisor.model.rules import MappingName
from provisor.planner.schedule import Due
from provisor.planner.status import Event
from provisor.ports import Journal, Ledger, Pending, RecordQuery, Registry, StagedView, Vault
from provisor.store.errors import JobUnknown
from provisor.store.owners import TENANTS, WORKSPACE, owner_in, tenants_in


async def tenants(registry: Registry) -> tuple[str, ...]:
    """Return the ids of the tenants beside the workspace's own, in the order they were made."""
    return tenants_in(await registry.document(WORKSPACE, TENANTS))


async def add_tenant(registry: Registry, id: str) -> None:
    known = await tenants(registry)
    if id not in known:
        content = msgspec.json.encode((*known, id))
        await registry.put_document(WORKSPACE, TENANTS, content)


def view_of(registry: Registry, tenant: str, origin: str = "") -> Registry:
    """Return the store as a tenant sees it; `origin`: where from, for the audit."""
    return TenantRegistry(registry, tenant, origin)


class TenantRegistry:
    """Implements `ports.Registry`."""

    def __init__(self, inner: Registry, tenant: str, origin: str = "") -> None:
        self._inner, self._tenant, self._origin = inner, tenant, origin

    @property
    def is_restored(self) -> bool:
        return self._inner.is_restored

    # applications and jobs

    async def applications(self) -> Sequence[Application]:
        return [one for one in await self._inner.applications() if one.tenant == self._tenant]

    async def find_application(self, id: str) -> Application | None:
        found = await self._inner.find_application(id)
        return found if found is not None and found.tenant == self._tenant else None

    async def put_application(self, application: Application) -> None:
        before = await self._inner.find_application(application.id)
        if before is not None and before.tenant != self._tenant:
            raise JobUnknown(f"there is no application '{application.id}'")
        await self._inner.put_application(replace(application, tenant=self._tenant))

    async def delete_application(self, id: str) -> None:
        found = await self.find_application(id)
        if found is not None and found.id == id:
            await self._inner.delete_application(id)

    async def jobs(self) -> Sequence[Job]:
        mine = {one.id for one in await self.applications()}
        return [job for job in await self._inner.jobs() if job.application_id in mine]

    async def jobs_of(self, application: str) -> Sequence[Job]:
        found = await self.find_application(application)
        is_mine = found is not None and found.id == application
        return await self._inner.jobs_of(application) if is_mine else []

    async def job(self, id: str) -> Job | None:
        job = await self._inner.job(id)
        is_mine = job is not None and await self.find_application(job.application_id)
        return job if is_mine else None

    async def due(self, now: datetime) -> Sequence[Due]:
        return [one for one in await self._inner.due(now) if one.tenant == self._tenant]

    async def tenants_of(self, jobs: Collection[str]) -> Mapping[str, str]:
        whose = await self._inner.tenants_of(jobs)
        return {id: tenant for id, tenant in whose.items() if tenant == self._tenant}

    async def put_job(self, job: Job) -> None:
        if await self.find_application(job.application_id) is None:
            raise JobUnknown(f"there is no application '{job.application_id}'")
        if await self._inner.job(job.id) is not None:
            await self._mine(job.id)
        await self._inner.put_job(job)

    async def delete_job(self, id: str) -> None:
        if await self.job(id) is not None:
            await self._inner.delete_job(id)

    async def note(self, job: str, *events: Event) -> Status:
        return await self._inner.note(await self._mine(job), *events)

    async def running(self, job: str) -> Progress | None:
        return await self._inner.running(await self._mine(job))

    async def links(self, job: str) -> Mapping[MappingName, int]:
        return await self._inner.links(await self._mine(job))

    async def ask(self, job: str, asked: Asked | None) -> None:
        await self._inner.ask(await self._mine(job), asked)

    async def asked(self, job: str) -> Asked | None:
        return await self._inner.asked(await self._mine(job))

    async def _mine(self, job: str) -> str:
        if await self.job(job) is None:
            raise JobUnknown(f"there is no job '{job}'")
        return job

    # documents

    async def document(self, owner: str, name: str) -> bytes | None:
        if not await self._owns(owner):
            return None
        return await self._inner.document(owner_in(self._tenant, owner), name)

    async def documents(self, keys: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], bytes]:
        found = {key: await self.document(*key) for key in keys}
        return {key: content for key, content in found.items() if content is not None}

    async def put_document(self, owner: str, name: str, content: bytes) -> None:
        if not await self._owns(owner):
            raise JobUnknown(f"there is no job '{owner}'")
        await self._inner.put_document(owner_in(self._tenant, owner), name, content)

    async def _owns(self, owner: str) -> bool:
        if owner == WORKSPACE:
            return True
        application = await self.find_application(owner)
        is_application = application is not None and application.id == owner
        return is_application or await self.job(owner) is not None

    # approvals and the audit

    async def staged(self, job: str) -> StagedView:
        return await self._inner.staged(await self._mine(job))

    async def approve(
        self, job: str, hash: str, by: str, now: datetime, *, origin: str = ""
    ) -> bool:
        mine, origin = await self._mine(job), origin or self._origin
        return await self._inner.approve(mine, hash, by, now, origin=origin)

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
        await self._inner.audit(
            at,
            by,
            activity,
            about,
            origin=origin or self._origin,
            altered=altered,
            tenant=self._tenant,
        )

    async def audited(self, limit: int, *, tenant: str = "", before: int = 0) -> Sequence[Act]:
        return await self._inner.audited(limit, tenant=self._tenant, before=before)

    # journals

    async def open_journal(self, job: str, holder: str) -> Journal:
        return await self._inner.open_journal(await self._mine(job), holder)

    async def view_journal(self, job: str) -> Journal:
        return await self._inner.view_journal(await self._mine(job))

    async def overlay_journal(self, job: str) -> Journal:
        return await self._inner.overlay_journal(await self._mine(job))

    # what is to be told is taken by who serves all tenants

    async def announce(self, job: str, notice: Notice) -> None:
        if job:
            await self._inner.announce(await self._mine(job), notice)
            return
        # Of two tenants nothing is the same, though it be called so.
        mine = replace(notice, tenant=self._tenant, key=f"{notice.key} {self._tenant}".rstrip())
        await self._inner.announce("", mine)

    async def take_notice(self, now: datetime, until: datetime) -> Pending | None:
        return None

    async def put_back_notice(
        self, pending: Pending, sent: frozenset[str], again_at: datetime | None
    ) -> None:
        if pending.job:
            await self._mine(pending.job)
        await self._inner.put_back_notice(pending, sent, again_at)


class TenantLedger:
    """Implements `ports.Ledger`."""

    def __init__(self, inner: Ledger, registry: Registry) -> None:
        """`registry`: the tenant's view."""
        self._inner, self._registry = inner, registry

    async def records(self, query: RecordQuery) -> Sequence[tuple[int, str, Record]]:
        mine = {job.id for job in await self._registry.jobs()}
        if query.job:
            return await self._inner.records(query) if query.job in mine else []
        found: list[tuple[int, str, Record]] = []
        asked = query
        while True:
            rows = await self._inner.records(asked)
            found += [row for row in rows if row[1] in mine]
            if len(rows) < asked.limit or len(found) >= query.limit:
                return found[: query.limit]
            asked = replace(asked, after=rows[-1][0])

    async def cycles(self, job: str, limit: int) -> Sequence[Cycle]:
        return await self._inner.cycles(job, limit) if await self._registry.job(job) else []

    async def fold(self, before: datetime) -> int:
        return await self._inner.fold(before)


class TenantVault:
    """Implements `ports.Vault`."""

    def __init__(self, inner: Vault, registry: Registry, tenant: str) -> None:
        """`registry`: the whole store. A secret is put before the application that owns it."""
        self._inner, self._registry, self._tenant = inner, registry, tenant

    async def put(self, owner: str, name: str, value: str) -> None:
        if not await self._owns(owner):
            raise JobUnknown(f"there is no application '{owner}'")
        await self._inner.put(owner_in(self._tenant, owner), name, value)

    async def get(self, owner: str, name: str) -> str | None:
        if not await self._owns(owner):
            return None
        return await self._inner.get(owner_in(self._tenant, owner), name)

    async def names(self, owner: str) -> Sequence[str]:
        if not await self._owns(owner):
            return []
        return await self._inner.names(owner_in(self._tenant, owner))

    async def delete(self, owner: str, name: str) -> None:
        if await self._owns(owner):
            await self._inner.delete(owner_in(self._tenant, owner), name)

    async def rotate(self) -> int:
        return await self._inner.rotate()

    async def _owns(self, owner: str) -> bool:
        if owner == WORKSPACE:
            return True
        found = await self._registry.find_application(owner)
        return found is None or (found.tenant == self._tenant and found.id == owner)
