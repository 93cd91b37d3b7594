"""What requests are answered from: the opened workspace, and how things in it are found."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from provisor.connectors.catalog import Connector
from provisor.connectors.http.door import Door
from provisor.engine.work import Mandate
from provisor.graph.http.faults import no_directory_object, not_found
from provisor.graph.http.measured import Measured
from provisor.graph.http.paths import Key
from provisor.graph.http.readiness import Readiness
from provisor.graph.http.throttle import Throttle
from provisor.graph.templates import templates as built_in
from provisor.graph.translate.log import LogContext
from provisor.graph.wire.templates import SynchronizationTemplate
from provisor.model.audit import Altered
from provisor.model.directories import Probed
from provisor.model.jobs import Application, Job
from provisor.model.rules import Rules
from provisor.ports import Registry
from provisor.runtime.parts import Parts
from provisor.settings.stored import Tenant
from provisor.store.owners import HOME


class Connection(Protocol):
    """Find one side's connector and settings, everything that they refer to resolved.

    With `secrets` those hold instead of what is saved. Raises Invalid.
    """

    def __call__(
        self, application: Application, side: str, secrets: Mapping[str, str] | None = None
    ) -> Awaitable[tuple[Connector, Mapping[str, object]]]: ...


class Opening(Protocol):
    """Find where requests for an application may go; with `secrets` those are what it is told."""

    def __call__(
        self, application: Application, secrets: Mapping[str, str] | None = None
    ) -> Awaitable[Door]: ...


class Demonstration(Protocol):
    """The demo organisation: HR files and a SCIM server, in the life of this server."""

    @property
    def missing(self) -> str:
        """What has to be installed before there can be one; empty: nothing."""
        ...

    async def begin(self) -> Mapping[str, object]:
        """Make it; return both connections as `provisor.yaml` has them. Raises Fault."""
        ...

    async def another_day(self, *, closes: bool) -> None:
        """Let HR export one day later; `closes`: many leave at once."""
        ...

    async def end(self) -> None:
        """Stop and remove everything that `begin` made."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    parts: Parts
    tenant: Tenant
    signing_key: bytes
    """Signs what only we may have made: skip tokens, access tokens."""
    base: Path
    """What paths in settings are relative to."""
    missing: Callable[[Application], Awaitable[str]]
    """What an application lacks before it can be used; empty when nothing is missing."""
    connection: Connection
    door: Opening
    hidden: Callable[[Application], Awaitable[tuple[str, ...]]]
    """All secrets that are kept for an application."""
    rules: Callable[[Job], Awaitable[Rules]]
    """The rules that a job would run under now. Raises Invalid."""
    mandate: Callable[[Job, bytes | None], Awaitable[Mandate]]
    """What a job would be told now, or under a drafted schema. Raises Invalid."""
    probe: Callable[[Job], Awaitable[Mapping[str, Probed]]]
    """Probe source and target of a job, and keep what was learned. Raises Invalid."""
    log_context: Callable[[Job], Awaitable[LogContext]]
    wake: Callable[[], None]
    """Let the scheduler look at once: something may be due."""
    hurry: Callable[[str, datetime], None]
    """Let it run a job without waiting for its next time, unless a cycle has begun since then."""
    reconcile: Callable[[str], None]
    """Let it run a cycle of a job that reads the target in full, whatever the job's state."""
    is_closing: Callable[[], bool]
    """True once the server is to end: streams end with it."""
    docs: str
    throttle: Throttle
    measured: Measured
    readiness: Readiness
    demonstration: Demonstration | None = None
    """Only the tenant that the workspace is of can have one."""
    tasks: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])
    """What goes on after its request was answered."""
    streams: set[object] = field(default_factory=set[object])
    """The event streams that are open."""

    # finding

    async def principal(self, key: Key) -> Application:
        """Return the application whose service principal this is. Raises Fault."""
        found = await self.parts.registry.find_application(key.value)
        if found is not None:
            id = found.app_id if key.name == "appid" else found.principal_id
            if id.lower() == key.value.lower():
                return found
        raise no_directory_object(key.value)

    async def application(self, key: Key) -> Application:
        found = await self.parts.registry.find_application(key.value)
        if found is not None:
            id = found.app_id if key.name == "appid" else found.id
            if id.lower() == key.value.lower():
                return found
        raise no_directory_object(key.value)

    async def job(self, application: Application, id: str) -> Job:
        """Return a job of this application. Raises Fault."""
        job = await self.parts.registry.job(id)
        if job is None:
            by_case = {one.id.lower(): one for one in await self.jobs(application)}
            job = by_case.get(id.lower())
        if job is None or job.application_id != application.id:
            raise not_found("synchronization job", id)
        return job

    async def jobs(self, application: Application) -> list[Job]:
        return list(await self.parts.registry.jobs_of(application.id))

    async def templates(self, application: Application) -> Mapping[str, SynchronizationTemplate]:
        """Return the templates that come with Provisor, and those posted to this application."""
        from provisor.graph.http.postings import posted

        return {**built_in(), **await posted(self.parts.registry, application)}

    async def template(self, application: Application, id: str) -> SynchronizationTemplate:
        by_case = {one.lower(): t for one, t in (await self.templates(application)).items()}
        found = by_case.get(id.lower())
        if found is None:
            raise not_found("synchronization template", id)
        return found

    # doing

    async def audit(
        self, by: str, activity: str, about: str, altered: Sequence[Altered] = ()
    ) -> None:
        parts = self.parts
        await parts.registry.audit(parts.clock.now(), by, activity, about, altered=altered)

    def keep_going(self, task: asyncio.Task[None]) -> None:
        """Let something finish that its request no longer waits for."""
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


@dataclass(slots=True)
class Houses:
    """What each tenant's requests are answered from. Nobody is answered from another's."""

    home: House
    build: Callable[[str], Awaitable[House]]
    view: Callable[[str, str], Registry]
    """The store as a tenant sees it, asked from some address."""
    others: dict[str, House] = field(default_factory=dict[str, House])

    async def of(self, tenant: str) -> House:
        if tenant == HOME:
            return self.home
        if tenant not in self.others:
            self.others[tenant] = await self.build(tenant)
        return self.others[tenant]

    async def asked(self, tenant: str, origin: str) -> House:
        """Return a tenant's house for one request: what is audited names where it came from."""
        house = await self.of(tenant)
        parts = replace(house.parts, registry=self.view(tenant, origin))
        return replace(house, parts=parts)
