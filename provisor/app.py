"""The composition root: the only file that knows every part, the real clock and real chance."""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
import socket
import sys
import uuid
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import structs

from provisor.cli.workspace import (
    FILE,
    KEY,
    STORE,
    Examined,
    NoWorkspace,
    Probed,
    SchemaProblem,
    ServeOptions,
    Tools,
    Workspace,
)
from provisor.connectors.around.pace import Paces
from provisor.connectors.catalog import CONNECTORS, Connector, Surroundings
from provisor.connectors.http.door import OPEN, Door, place_of
from provisor.connectors.http.settings import SECRET_LENGTH_MIN
from provisor.engine.work import Mandate
from provisor.graph.credentials import (
    ADDRESSES,
    KEYS,
    MASKED,
    SETTINGS,
    load_secrets,
    overlaid,
    replaced_by,
    secrets_of,
)
from provisor.graph.people import UNKNOWN, settled_assignments, sources_of
from provisor.graph.policy import OPTIONS, JobOptions, from_api, from_file
from provisor.graph.problems import Problem as Fault
from provisor.graph.problems import Severity, errors
from provisor.graph.schema.document import canonical, read_schema, write_schema
from provisor.graph.schema.examine import examined
from provisor.graph.schema.rules import to_rules, without_deletes
from provisor.graph.templates import template, templates
from provisor.graph.translate.job import JobView, to_job
from provisor.graph.translate.log import LogContext, is_shown, to_summary
from provisor.graph.troubleshooting import trouble_of
from provisor.graph.wire.coding import encode
from provisor.graph.wire.schemas import SynchronizationSchema
from provisor.model.decisions import Record
from provisor.model.entries import Anchor, EntryKey
from provisor.model.jobs import Application, Job
from provisor.model.rules import MappingName, ObjectMapping, Policy, Rules
from provisor.ports import Registry, Vault
from provisor.runtime.interruption import Interruption
from provisor.runtime.notifier import Notifier
from provisor.runtime.parts import Equipment, Parts
from provisor.settings import stored
from provisor.settings.connections import SOURCE, TARGET
from provisor.settings.defaults import keys_of
from provisor.settings.forms import ConnectionForm
from provisor.settings.learned import digest_of, keep_learned, load_learned
from provisor.settings.leaves import nest
from provisor.settings.problems import Invalid, Problem
from provisor.settings.references import resolve
from provisor.settings.workspace import CheckedSchema, Definitions
from provisor.settings.workspace import Surroundings as Around
from provisor.store.opened import OpenStore, open_store
from provisor.store.tenants import HOME, TenantLedger, TenantVault, tenants, view_of

DOCS, DOCS_VARIABLE = "docs", "PROVISOR_DOCS"
"""Where the documentation is served: troubleshooting addresses in a status begin with it."""


class SystemClock:
    """The time of the machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class OsEntropy:
    """The operating system's chance."""

    def uuid(self) -> str:
        return str(uuid.uuid4())

    def below(self, limit: int) -> int:
        return secrets.randbelow(limit)


# schemas, in the one form in which they are stored and compared


def template_schema(id: str) -> str:
    """Return the schema of a template; empty if there is no such template."""
    found = template(id)
    return _stored_form(found.schema) if found else ""


def check_schema(content: bytes, definitions: Definitions) -> CheckedSchema:
    """Examine a schema file: its form, and what its rules mean for this source."""
    found = examined(content, definitions)
    wrong = errors(found.problems)
    odd = tuple(str(problem) for problem in found.problems if problem not in wrong)
    if wrong or found.schema is None:
        return CheckedSchema(errors=tuple(map(str, wrong)), warnings=odd)
    return CheckedSchema(text=_stored_form(found.schema), warnings=odd)


def check_settings(settings: Mapping[str, str]) -> Mapping[str, str]:
    """Return what is wrong with Graph's settings of a job, by their names."""
    _, found = from_api(Policy(), settings=settings, secrets={})
    spelled = {name.lower(): name for name in settings}
    wrong = {problem.path.split(".")[0]: problem for problem in found}
    return {
        spelled[path.lower()]: f"{problem.message} {problem.remedy}".strip()
        for path, problem in wrong.items()
    }


def examine_schema(content: bytes, definitions: Definitions) -> Examined:
    """Return the rules that a schema makes, and all that is wrong with it, or odd."""
    found = examined(content, definitions)
    return Examined(rules=found.rules, problems=tuple(map(_told, found.problems)))


def _told(problem: Fault) -> SchemaProblem:
    return SchemaProblem(
        code=problem.code,
        path=problem.path,
        position=problem.position,
        message=problem.message,
        remedy=problem.remedy,
        is_error=problem.severity is Severity.ERROR,
    )


def tools() -> Tools:
    """Return what configurations are checked with. No workspace is needed for it."""
    around = Around(
        templates=tuple(templates()),
        check_schema=check_schema,
        check_settings=check_settings,
        template_schema=template_schema,
        environment=os.environ,
    )
    return Tools(
        clock=SystemClock(), entropy=OsEntropy(), around=around, examine_schema=examine_schema
    )


def _stored_form(schema: SynchronizationSchema) -> str:
    return write_schema(structs.replace(canonical(schema), id="")).decode()


# what is made of what is stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Composer:
    """Makes jobs ready to go, and tells of them, from what one store holds."""

    folder: Path
    registry: Registry
    vault: Vault
    clock: SystemClock
    entropy: OsEntropy
    paces: Paces
    is_exposed: bool = False
    """The API is asked from other machines too: what is near to us is near to strangers."""

    async def equip(self, job: Job, *, may_change_system: bool = False) -> Equipment:
        """Raises Invalid with everything that keeps the job from going."""
        application = await self._application(job)
        base = await self.base()
        connections = await stored.load_connections(self.registry, application.id)
        problems: list[Problem] = []
        sides = {
            side: await self._side(application, side, connections, base, problems)
            for side in (SOURCE, TARGET)
        }
        if problems:
            raise Invalid(problems)
        (source, source_settings), (target, target_settings) = sides[SOURCE], sides[TARGET]
        rules = await self._rules(job, source.definitions(source_settings, base))
        around = await self._around(application, rules, base)
        own = replace(around, door=OPEN)  # the source is an administrator's word
        mandate = await self._mandate(job, application, rules)
        opens_source, opens_target = source.open_source, target.open_target
        opens_reader, opens_ears = target.open_reader, source.open_ears
        assert opens_source is not None, "that it is a source was checked"
        assert opens_target is not None, "that it is a target was checked"
        assert opens_reader is not None, "whatever can be written can be read"
        return Equipment(
            mandate=replace(mandate, may_change_system=may_change_system),
            source=lambda: opens_source(source_settings, own),
            target=lambda: opens_target(target_settings, around),
            reader=lambda: opens_reader(target_settings, around),
            ears=(lambda: opens_ears(source_settings, around)) if opens_ears else None,
        )

    async def hidden(self, application: Application) -> tuple[str, ...]:
        """Return every secret that is kept for an application."""
        names = await self.vault.names(application.id)
        shown = {name for name in names if name in KEYS and name not in MASKED}
        found = [await self.vault.get(application.id, name) for name in names if name not in shown]
        return tuple(secret for secret in found if secret and len(secret) >= SECRET_LENGTH_MIN)

    async def door(
        self, application: Application, secrets: Mapping[str, str] | None = None
    ) -> Door:
        """Return where requests for an application may go: what the API named leads to nothing
        of our own network. With `secrets` those are what it named."""
        if secrets is None:
            secrets = await load_secrets(self.registry, self.vault, application)
        if not any(secrets.get(key) for key in ADDRESSES):
            return OPEN
        connections = await stored.load_connections(self.registry, application.id)
        trusted: set[tuple[str, int]] = set()
        if TARGET in connections:
            form = msgspec.convert(connections[TARGET], ConnectionForm)
            base = await self.base()
            said = secrets_of(resolve(form.settings, base, os.environ, {}).settings)
            trusted = {place for key in ADDRESSES if (place := place_of(said.get(key, "")))}
        tenant = await stored.load_tenant(self.registry)
        return Door(
            is_guarded=True,
            trusted=frozenset(trusted),
            allowed=tenant.allowed_targets if tenant else (),
            allows_loopback=not self.is_exposed,
        )

    async def _around(self, application: Application, rules: Rules, base: Path) -> Surroundings:
        return Surroundings(
            base=base,
            rules=rules,
            clock=self.clock,
            entropy=self.entropy,
            paces=self.paces,
            documents=self.registry,
            owner=application.id,
            door=await self.door(application),
            hidden=await self.hidden(application),
        )

    async def probe(self, job: Job) -> Mapping[str, Probed]:
        """Probe both systems of a job, and keep what was found out by trying. Raises Invalid."""
        application = await self._application(job)
        base, rules = await self.base(), await self.rules(job)
        around = await self._around(application, rules, base)
        probed: dict[str, Probed] = {}
        for side in (SOURCE, TARGET):
            connector, written = await self.connection(application, side, learns=False)
            digest = digest_of(connector, written)
            learned = await load_learned(self.registry, application.id, side, digest)
            opens = connector.probe_source if side == SOURCE else connector.probe_target
            assert opens is not None, "what can be opened can be probed"
            beside = around if side == TARGET else replace(around, door=OPEN)
            prober = opens({**learned, **written}, beside)
            try:
                told = await prober.probe()
            finally:
                await prober.close()
            if told.learned:
                await keep_learned(self.registry, application.id, side, told.learned, digest)
            probed[side] = Probed(connector.title, told)
        return probed

    async def mandate(self, job: Job, draft: bytes | None = None) -> Mandate:
        """Return what a job would be told now, or under a drafted schema. Raises Invalid."""
        rules = await self.rules(job, draft)
        return await self._mandate(job, await self._application(job), rules)

    async def _mandate(self, job: Job, application: Application, rules: Rules) -> Mandate:
        options = await self._options(job, application)
        if not options.has_hard_deletes:
            rules = without_deletes(rules)
        policy = options.policy
        return Mandate(rules=rules, policy=policy, policy_hash=policy_hash(policy))

    async def missing(self, application: Application) -> str:
        """Return what an application lacks before it can be used."""
        base = await self.base()
        connections = await stored.load_connections(self.registry, application.id)
        problems: list[Problem] = []
        for side in (SOURCE, TARGET):
            connector, settings = await self._side(application, side, connections, base, problems)
            if problems:
                return f"{problems[0].path}: {problems[0].message}"
            if lacking := connector.missing(settings):
                return f"{side}.settings: {lacking}"
        return ""

    async def job_json(self, job: Job) -> bytes:
        view = JobView(
            job=job,
            links=await self.registry.links(job.id),
            progress=await self.registry.running(job.id),
            docs=os.environ.get(DOCS_VARIABLE, DOCS),
        )
        return encode(to_job(view))

    async def log_json(self, job: Job) -> Callable[[int, Record], bytes | None]:
        context = await self.log_context(job)

        def told(position: int, record: Record) -> bytes | None:
            return encode(to_summary(position, record, context)) if is_shown(record) else None

        return told

    async def log_context(self, job: Job) -> LogContext:
        application = await self._application(job)
        connections = await stored.load_connections(self.registry, application.id)
        tenant = await stored.load_tenant(self.registry)
        rules = await self._rules(job, {})
        return LogContext(
            tenant_id=tenant.id if tenant else "",
            job_id=job.id,
            principal_id=application.principal_id,
            app_id=application.app_id,
            application=application.display_name,
            source_id=f"{application.id}/{SOURCE}",
            source=_connector_name(connections, SOURCE),
            target_id=f"{application.id}/{TARGET}",
            target=application.display_name,
            kinds={name: (m.source_kind, m.target_kind) for name, m in rules.items()},
        )

    async def connection(
        self,
        application: Application,
        side: str,
        secrets: Mapping[str, str] | None = None,
        *,
        learns: bool = True,
    ) -> tuple[Connector, Mapping[str, object]]:
        """Return one side's connector and settings; with `secrets` those of the API are not
        looked up, and without `learns` what probes have learned is left out. Raises Invalid."""
        connections = await stored.load_connections(self.registry, application.id)
        problems: list[Problem] = []
        found = await self._side(
            application, side, connections, await self.base(), problems, secrets, learns=learns
        )
        if problems:
            raise Invalid(problems)
        return found

    async def expiry(self, application: Application) -> datetime | None:
        """Return when the credentials for the target expire, where they tell."""
        from provisor.graph.http.telling import expiry_of

        put = await load_secrets(self.registry, self.vault, application)
        try:
            _, settings = await self.connection(application, TARGET, put)
        except Invalid:
            return None
        return expiry_of(str(settings.get("token") or ""), put.get("TokenExpiration", ""))

    async def rules(self, job: Job, draft: bytes | None = None) -> Rules:
        """Return the rules that a job would run under now, or would with a drafted schema.

        Raises Invalid.
        """
        application = await self._application(job)
        try:
            connector, settings = await self.connection(application, SOURCE)
        except Invalid:
            return await self._rules(job, {}, draft)
        return await self._rules(job, connector.definitions(settings, await self.base()), draft)

    async def base(self) -> Path:
        """Return what paths in settings are relative to."""
        return stored.base_of(self.folder, await stored.load_applied(self.registry))

    async def _application(self, job: Job) -> Application:
        application = await self.registry.find_application(job.application_id)
        if application is not None:
            return application
        raise Invalid(
            [Problem(FILE, 0, f"jobs.{job.name}", "its application is gone; apply again")]
        )

    async def _side(
        self,
        application: Application,
        side: str,
        connections: Mapping[str, object],
        base: Path,
        problems: list[Problem],
        secrets: Mapping[str, str] | None = None,
        *,
        learns: bool = True,
    ) -> tuple[Connector, Mapping[str, object]]:
        """Return one side's connector and settings, every reference resolved as of now."""
        if side == TARGET and side not in connections and secrets is not None:
            # Credentials are tried out before there is a job (spec: graph-api 3.8).
            connections = {TARGET: {"connector": "scim", "settings": {}}}
        if side not in connections:
            path = f"applications.{application.name}.{side}"
            problems.append(Problem(FILE, 0, path, "there is none yet"))
            return CONNECTORS["inbound"], {}
        form = msgspec.convert(connections[side], ConnectionForm)
        connector = CONNECTORS[form.connector]
        sealed = await stored.sealed(self.vault, application.id, side)
        resolved = resolve(form.settings, base, os.environ, sealed)
        settings: Mapping[str, object] = resolved.settings
        if side == TARGET:
            if secrets is None:
                secrets = await load_secrets(self.registry, self.vault, application)
            settings = overlaid(settings, secrets)
        if learns:
            digest = digest_of(connector, settings)
            learned = await load_learned(self.registry, application.id, side, digest)
            settings = {**learned, **settings}
        replaced = replaced_by(secrets or {}) if side == TARGET else ()
        unresolved = [
            one for one in resolved.unresolved if one.path.partition(".")[0] not in replaced
        ]
        path = f"applications.{application.name}.{side}"
        problems += [Problem(FILE, 0, f"{path}.{one.path}", one.message) for one in unresolved]
        if not unresolved:
            problems += [
                Problem(FILE, 0, f"{path}.{one.path}", one.message)
                for one in connector.check(settings, base)
            ]
        return connector, settings

    async def _rules(self, job: Job, definitions: Definitions, draft: bytes | None = None) -> Rules:
        content = draft or await self.registry.document(job.id, stored.SCHEMA)
        schema, form = read_schema(content or template_schema(job.template_id).encode())
        rules, found = (
            to_rules(schema, definitions) if schema else (dict[MappingName, ObjectMapping](), form)
        )
        if wrong := errors(found):
            raise Invalid(
                Problem("schema", 0, f"jobs.{job.name}", str(problem)) for problem in wrong
            )
        return rules

    async def _assigned(self, application: Application) -> frozenset[EntryKey]:
        assignments = application.assignments
        if any(one.kind == UNKNOWN for one in assignments):
            tenant = await stored.load_tenant(self.registry)
            sources = await sources_of(self.registry, tenant.id if tenant else "", [application])
            assignments = await settled_assignments(sources, assignments)
        return frozenset(EntryKey(one.kind, Anchor(one.anchor)) for one in assignments)

    async def _options(self, job: Job, application: Application) -> JobOptions:
        tenant = await stored.load_tenant(self.registry)
        leaves = await stored.load_policy(self.registry, job.id)
        options = {name: value for name, value in nest(leaves).items() if name in OPTIONS}
        own, wrong = from_file(options)
        assert not wrong, "what is stored was checked"
        own = replace(
            own,
            sync_all=application.syncs_all,
            assigned=await self._assigned(application),
            canaries=keys_of(leaves.get("canaries")),
            default_domain=tenant.default_domain if tenant else "",
        )
        put = await load_secrets(self.registry, self.vault, application)
        switches = {key: value for key, value in put.items() if key in SETTINGS}
        options, _ = from_api(own, settings=job.settings, secrets=switches)
        return options


def _connector_name(connections: Mapping[str, object], side: str) -> str:
    if side not in connections:
        return ""
    return msgspec.convert(connections.get(side, {}), ConnectionForm).connector


def policy_hash(policy: Policy) -> str:
    """Return what changes whenever the policy decides otherwise about an object by itself.

    Guards and thresholds weigh whole cycles, and assignments are compared one by one.
    """
    decisive = (
        policy.sync_all,
        policy.skips_out_of_scope_deletions,
        policy.relinks_missing,
        policy.deletes_released,
        policy.default_domain,
    )
    return hashlib.sha256(repr(decisive).encode()).hexdigest()


def advice(code: str) -> str:
    """Return what to do about an error code."""
    known = trouble_of(code)
    return known.advice if known else "Look at what the target says about it in its own log."


# the workspace


@asynccontextmanager
async def open_workspace(
    folder: Path, *, creates: bool = False, tenant: str = HOME
) -> AsyncGenerator[Workspace]:
    """Open the store, the vault and all that stands on them, as a tenant sees it.

    Raises NoWorkspace, StoreFailed (too new, key unsafe, damaged).
    """
    store = folder / STORE
    if not creates and not store.exists():
        raise NoWorkspace(f"{folder} is no workspace: it holds no {STORE}")
    clock, entropy = SystemClock(), OsEntropy()
    async with open_store(store, folder / KEY, creates=creates) as opened:
        rooms = Rooms(folder, opened, clock, entropy, Paces(clock, entropy))
        if tenant != HOME and tenant not in await tenants(opened.registry):
            raise NoWorkspace(f"{folder} knows no tenant {tenant}; `provisor tenant add` makes one")
        composer, parts = rooms.composer(tenant), rooms.parts(tenant)
        yield Workspace(
            folder=folder,
            parts=parts,
            around=tools().around,
            mandate=composer.mandate,
            probe=composer.probe,
            missing=composer.missing,
            job_json=composer.job_json,
            log_json=composer.log_json,
            advice=advice,
            seal=opened.seal,
            unseal=opened.unseal,
            backup=opened.backup,
            store_as=lambda id: view_of(opened.registry, id),
            serve=lambda options, interruption, began: serve_workspace(
                rooms, options, interruption, began
            ),
            schedule=lambda interruption, is_exposed: keep_schedule(
                replace(rooms, is_exposed=is_exposed), interruption
            ),
            notify=lambda: notify(rooms, parts),
        )


@dataclass(frozen=True, slots=True)
class Rooms:
    """One store, as each of its tenants sees it."""

    folder: Path
    opened: OpenStore
    clock: SystemClock
    entropy: OsEntropy
    paces: Paces
    is_exposed: bool = False

    def composer(self, tenant: str) -> Composer:
        registry = view_of(self.opened.registry, tenant)
        return Composer(
            folder=self.folder,
            registry=registry,
            vault=TenantVault(self.opened.vault, self.opened.registry, tenant),
            clock=self.clock,
            entropy=self.entropy,
            paces=self.paces,
            is_exposed=self.is_exposed,
        )

    def parts(self, tenant: str) -> Parts:
        composer = self.composer(tenant)
        return replace(
            self.for_all(),
            registry=composer.registry,
            ledger=TenantLedger(self.opened.ledger, composer.registry),
            vault=composer.vault,
            equip=composer.equip,
        )

    def for_all(self) -> Parts:
        """Return what the schedule runs all tenants' jobs with."""
        return Parts(
            folder=self.folder,
            registry=self.opened.registry,
            ledger=self.opened.ledger,
            vault=self.opened.vault,
            clock=self.clock,
            entropy=self.entropy,
            equip=self._equip,
            holder=f"{socket.gethostname()}:{os.getpid()}",
        )

    async def _equip(self, job: Job, *, may_change_system: bool = False) -> Equipment:
        """Make a job ready as its own tenant sees it."""
        application = await self.opened.registry.find_application(job.application_id)
        composer = self.composer(application.tenant if application else HOME)
        return await composer.equip(job, may_change_system=may_change_system)


async def serve_workspace(
    rooms: Rooms,
    options: ServeOptions,
    interruption: Interruption,
    began: Callable[[str], None],
) -> None:
    """Serve API and schedule. What only this needs is imported here, since it takes a while."""
    from provisor.graph.http.opening import Composed, Front, open_house
    from provisor.graph.http.server import serve
    from provisor.runtime.worker import Worker

    _log_to_standard_error()
    rooms = replace(rooms, is_exposed=options.is_exposed)
    front = Front(
        host=options.host,
        public_url=options.public_url,
        hosts=options.hosts,
        proxies=options.proxies,
        issuer=options.issuer,
        audience=options.audience,
        keys_url=options.keys_url,
    )

    async def composed(tenant: str) -> Composed:
        composer = rooms.composer(tenant)
        return Composed(
            base=await composer.base(),
            docs=os.environ.get(DOCS_VARIABLE, DOCS),
            missing=composer.missing,
            connection=composer.connection,
            door=composer.door,
            hidden=composer.hidden,
            rules=composer.rules,
            log_context=composer.log_context,
        )

    itself = (sys.executable, "-m", "provisor", "--workspace", str(rooms.folder), "serve")
    told = ("--only-schedule", "--exposed") if rooms.is_exposed else ("--only-schedule",)
    worker = Worker((*itself, *told), interruption)
    service = await open_house(rooms.for_all(), rooms.parts, composed, front, worker)
    tls = (options.certificate, options.key) if options.certificate and options.key else None
    await serve(
        service,
        host=options.host,
        port=options.port,
        tls=tls,
        beside=worker.run,
        interruption=interruption,
        began=began,
    )


async def keep_schedule(rooms: Rooms, interruption: Interruption) -> None:
    """Run jobs when they are due, and tell of them, for a process that serves the API."""
    from provisor.graph.http.opening import open_schedule
    from provisor.runtime.worker import obey

    _log_to_standard_error()
    telling = asyncio.create_task(_notifier(rooms).run(interruption))
    try:
        await obey(open_schedule(rooms.for_all(), interruption), interruption)
    finally:
        telling.cancel()


async def notify(rooms: Rooms, parts: Parts) -> None:
    """Send what is to be told, where it is configured to whom."""
    tenant = await stored.load_tenant(parts.registry)
    if tenant is not None and tenant.notifications:
        await _notifier(rooms).flush()


def _notifier(rooms: Rooms) -> Notifier:
    from provisor.graph.http.telling import Teller, notifier

    def teller(tenant: str) -> Teller:
        docs = os.environ.get(DOCS_VARIABLE, DOCS)
        expiry = rooms.composer(tenant).expiry
        return Teller(parts=rooms.parts(tenant), docs=docs, expiry=expiry)

    return notifier(rooms.for_all(), teller)


def _log_to_standard_error() -> None:
    """Results are on standard output, and nothing else."""
    import structlog

    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
