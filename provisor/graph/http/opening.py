"""The API and the scheduler put together over an opened workspace."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import structlog

from provisor.engine.cycle import run_cycle
from provisor.engine.work import Mandate
from provisor.errors import AdapterError
from provisor.graph.http.auth import Gatekeeper
from provisor.graph.http.exchange import fetch_json
from provisor.graph.http.house import Connection, Demonstration, House, Houses, Opening
from provisor.graph.http.issuers import Issuer, KeySource
from provisor.graph.http.measured import Measured
from provisor.graph.http.places import LOOPBACK, Places
from provisor.graph.http.readiness import Readiness
from provisor.graph.http.service import Service
from provisor.graph.http.throttle import Throttle
from provisor.graph.translate.log import LogContext
from provisor.model.cycles import Cycle, Halt, JobError, QuarantineReason, Side
from provisor.model.directories import Probed
from provisor.model.jobs import Application, Job
from provisor.model.rules import Rules
from provisor.runtime.interruption import Interruption
from provisor.runtime.parts import WORKSPACE, Parts
from provisor.runtime.runner import Ready
from provisor.runtime.turns import Turns
from provisor.runtime.worker import Schedule
from provisor.settings.problems import Invalid
from provisor.settings.stored import Tenant, load_tenant
from provisor.store.owners import HOME
from provisor.store.tenants import view_of
from provisor.telemetry.catalog import CYCLE_ABORTS
from provisor.telemetry.measures import Meter

SIGNING_KEY, KEY_BYTES = "signing", 32
INVALID_CREDENTIALS = "SystemForCrossDomainIdentityManagementInvalidCredentials"
NO_ADDRESS = "Please provide a valid tenant URL for your application."
log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """Where the API is seen from, and whose tokens it takes."""

    host: str
    public_url: str = ""
    hosts: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    issuer: str = ""
    audience: str = ""
    keys_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """What the composition root knows of applications and jobs."""

    base: Path
    docs: str
    missing: Callable[[Application], Awaitable[str]]
    connection: Connection
    door: Opening
    hidden: Callable[[Application], Awaitable[tuple[str, ...]]]
    rules: Callable[[Job], Awaitable[Rules]]
    mandate: Callable[[Job, bytes | None], Awaitable[Mandate]]
    probe: Callable[[Job], Awaitable[Mapping[str, Probed]]]
    log_context: Callable[[Job], Awaitable[LogContext]]
    demonstration: Demonstration | None = None


def turns_of(parts: Parts, interruption: Interruption, meter: Meter) -> Turns:
    """Return what runs one cycle of a job."""
    return Turns(
        parts=parts,
        execute=_execute(parts),
        reconcile=_execute(parts, reconciles=True),
        refusal=refusal,
        interruption=interruption,
        told=Logged(meter),
    )


async def open_house(
    parts: Parts,
    parts_of: Callable[[str], Parts],
    composed: Callable[[str], Awaitable[Composed]],
    front: Front,
    worker: Schedule,
    measured: Measured,
    prove: Callable[[], None],
) -> Service:
    """Return the API. `worker` runs the schedule.

    `parts` see the whole store; `parts_of` and `composed` give what one tenant sees of it;
    `prove` writes something in it. Raises StoreFailed.
    """
    key = await signing_key(parts)
    throttle, tasks = Throttle(parts.clock), set[asyncio.Task[None]]()
    readiness = Readiness(prove)

    async def built(tenant: str) -> House:
        own, said = parts_of(tenant), await composed(tenant)
        return House(
            parts=own,
            tenant=await load_tenant(own.registry) or await _new_tenant(own),
            signing_key=key,
            base=said.base,
            missing=said.missing,
            connection=said.connection,
            door=said.door,
            hidden=said.hidden,
            rules=said.rules,
            mandate=said.mandate,
            probe=said.probe,
            log_context=said.log_context,
            wake=worker.wake,
            hurry=worker.hurry,
            reconcile=worker.reconcile,
            is_closing=lambda: worker.interruption.is_asked,
            docs=said.docs,
            throttle=throttle,
            measured=measured,
            readiness=readiness,
            demonstration=said.demonstration,
            tasks=tasks,
        )

    home = await built(HOME)
    gatekeeper = Gatekeeper(
        registry=parts.registry,
        clock=parts.clock,
        tenant=home.tenant.id,
        signing_key=key,
        issuers=_issuers(front),
        keys=KeySource(parts.clock, fetch_json),
    )
    return Service(Houses(home, built, partial(view_of, parts.registry)), gatekeeper, places(front))


async def _new_tenant(parts: Parts) -> Tenant:
    from provisor.settings.stored import put_tenant

    tenant = Tenant(id=parts.entropy.uuid())
    await put_tenant(parts.registry, tenant)
    return tenant


async def signing_key(parts: Parts) -> bytes:
    """Return the key that signs what only we may have made, drawing it the first time."""
    held = await parts.vault.get(WORKSPACE, SIGNING_KEY)
    if held is None:
        held = bytes(parts.entropy.below(256) for _ in range(KEY_BYTES)).hex()
        await parts.vault.put(WORKSPACE, SIGNING_KEY, held)
    return bytes.fromhex(held)


def places(front: Front) -> Places:
    public = front.public_url.rstrip("/")
    named = {host.lower() for host in (front.host, *front.hosts)}
    if public:
        named.add((urlsplit(public).hostname or "").lower())
    return Places(
        public=public,
        hosts=LOOPBACK | (named - {"0.0.0.0", "::", ""}),  # noqa: S104
        proxies=frozenset(front.proxies),
    )


def _issuers(front: Front) -> tuple[Issuer, ...]:
    if not front.issuer:
        return ()
    return (Issuer(issuer=front.issuer, audience=front.audience, keys_url=front.keys_url),)


def _execute(parts: Parts, *, reconciles: bool = False) -> Callable[[Ready], Awaitable[Cycle]]:
    async def execute(ready: Ready) -> Cycle:
        id = parts.entropy.uuid()
        return await run_cycle(ready.mandate, ready.ports, id, reconciles=reconciles)

    return execute


def refusal(failure: Exception) -> Halt | None:
    """Return what a job says of itself that cannot even begin (spec: graph-api 7, G8)."""
    if not isinstance(failure, Invalid) or not failure.problems:
        return None
    first = failure.problems[0]
    is_source = any(".source" in problem.path for problem in failure.problems)
    if is_source:
        message = f"{first.path}: {first.message}"
        error = JobError(code="SourceNotConfigured", message=message, side=Side.SOURCE)
    elif first.path.endswith("baseAddress"):
        error = JobError(code=INVALID_CREDENTIALS, message=NO_ADDRESS)
    else:
        error = JobError(code=INVALID_CREDENTIALS, message=f"{first.path}: {first.message}")
    return Halt(QuarantineReason.EXCEPTION, error)


@dataclass(frozen=True, slots=True)
class Logged:
    """Tells operators of cycles that never came to an end of their own."""

    meter: Meter

    def ended(self, job: Job, cycle: Cycle) -> None:
        """Whoever watches the job has told it."""

    def failed(self, job: Job, failure: Exception) -> None:
        code = failure.code if isinstance(failure, AdapterError) else type(failure).__name__
        self.meter.add(CYCLE_ABORTS, job.name, code)
        log.warning("cycle failed", job=job.name, job_id=job.id, code=code)
