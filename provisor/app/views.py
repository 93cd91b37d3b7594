"""How jobs and their log are told of, as the API shows them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from provisor.app.connections import application_of, connector_name
from provisor.app.machine import docs
from provisor.app.mandates import Mandates
from provisor.graph.translate.job import JobView, to_job
from provisor.graph.translate.log import LogContext, is_shown, to_summary
from provisor.graph.wire.coding import encode
from provisor.model.decisions import Record
from provisor.model.jobs import Job
from provisor.ports import Registry
from provisor.settings import stored
from provisor.settings.connections import SOURCE, TARGET


@dataclass(frozen=True, slots=True, kw_only=True)
class Views:
    """What one store's jobs look like."""

    registry: Registry
    mandates: Mandates

    async def job_json(self, job: Job) -> bytes:
        view = JobView(
            job=job,
            links=await self.registry.links(job.id),
            progress=await self.registry.running(job.id),
            docs=docs(),
        )
        return encode(to_job(view))

    async def log_json(self, job: Job) -> Callable[[int, Record], bytes | None]:
        context = await self.log_context(job)

        def told(position: int, record: Record) -> bytes | None:
            return encode(to_summary(position, record, context)) if is_shown(record) else None

        return told

    async def log_context(self, job: Job) -> LogContext:
        application = await application_of(self.registry, job)
        connections = await stored.load_connections(self.registry, application.id)
        tenant = await stored.load_tenant(self.registry)
        rules = await self.mandates.rules_with(job, {})
        return LogContext(
            tenant_id=tenant.id if tenant else "",
            job_id=job.id,
            principal_id=application.principal_id,
            app_id=application.app_id,
            application=application.display_name,
            source_id=f"{application.id}/{SOURCE}",
            source=connector_name(connections, SOURCE),
            target_id=f"{application.id}/{TARGET}",
            target=application.display_name,
            kinds={name: (m.source_kind, m.target_kind) for name, m in rules.items()},
        )
