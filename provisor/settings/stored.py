"""Configuration in force: from the store to leaves, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import msgspec

from provisor.model.jobs import Application, Job, Status
from provisor.ports import Registry, Vault
from provisor.runtime.parts import WORKSPACE
from provisor.settings import defaults
from provisor.settings.applied import APPLIED, Applied, read_applied
from provisor.settings.durations import duration_text, parse_duration
from provisor.settings.leaves import Configuration, Item, Leaves, flatten, nest

TENANT, CONNECTIONS, POLICY, SCHEMA = "tenant", "connections", "policy", "schema"
TESTS_OF_FILE = "mapping tests of the file"
NOT_POLICY = ("application", "schedule", "schema")


class Tenant(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Whose workspace this is."""

    id: str
    display_name: str = ""
    default_domain: str = ""
    allowed_targets: tuple[str, ...] = ()
    """Names, addresses and networks of our own that the API may name as targets."""
    notifications: dict[str, object] = {}
    """As they are written, references and all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """All that the store holds of a configuration."""

    tenant: Tenant | None
    configuration: Configuration
    applications: Mapping[str, Application]
    jobs: Mapping[str, Job]
    """By name, as the applications."""


async def load_tenant(registry: Registry) -> Tenant | None:
    content = await registry.document(WORKSPACE, TENANT)
    return msgspec.json.decode(content, type=Tenant) if content else None


async def put_tenant(registry: Registry, tenant: Tenant) -> None:
    await registry.put_document(WORKSPACE, TENANT, msgspec.json.encode(tenant))


async def load_applied(registry: Registry) -> Applied | None:
    return read_applied(await registry.document(WORKSPACE, APPLIED))


async def put_applied(registry: Registry, applied: Applied) -> None:
    await registry.put_document(WORKSPACE, APPLIED, msgspec.json.encode(applied))


async def load(registry: Registry, template_schemas: Mapping[str, str]) -> InForce:
    """Return what is in force. `template_schemas`: by template, in the stored form."""
    tenant = await load_tenant(registry)
    applications = {one.name: one for one in await registry.applications()}
    names = {one.id: one.name for one in applications.values()}
    jobs = {one.name: one for one in await registry.jobs()}
    application_items: dict[str, Item] = {}
    for name, application in applications.items():
        connections = await load_connections(registry, application.id)
        application_items[name] = Item(application_leaves(application, connections))
    job_items: dict[str, Item] = {}
    for name, job in jobs.items():
        policy = await load_policy(registry, job.id)
        schema = (await registry.document(job.id, SCHEMA) or b"").decode()
        is_own = schema and schema != template_schemas.get(job.template_id)
        leaves = job_leaves(job, names.get(job.application_id, ""), policy)
        job_items[name] = Item({**leaves, "schema": schema} if is_own else leaves)
    said = cast("dict[str, object]", msgspec.to_builtins(tenant)) if tenant else {}
    tenant_leaves = {key: value for key, value in flatten(said).items() if value and key != "id"}
    return InForce(
        tenant=tenant,
        configuration=Configuration(
            tenant=tenant_leaves, applications=application_items, jobs=job_items
        ),
        applications=applications,
        jobs=jobs,
    )


async def load_connections(registry: Registry, application: str) -> Mapping[str, object]:
    """Return `{source: {connector, settings}, target: …}` as written, references and all."""
    content = await registry.document(application, CONNECTIONS)
    return msgspec.json.decode(content, type=dict[str, object]) if content else {}


async def load_policy(registry: Registry, job: str) -> Leaves:
    content = await registry.document(job, POLICY)
    return msgspec.json.decode(content, type=dict[str, object]) if content else {}


# to leaves


def application_leaves(application: Application, connections: Mapping[str, object]) -> Leaves:
    leaves: dict[str, object] = {
        "displayName": application.display_name,
        "template": application.template_id,
        "syncAll": application.syncs_all,
        "assignments": [defaults.text_of(one) for one in application.assignments],
        "owners": list(application.owners),
        **flatten(connections),
    }
    return defaults.unusual(leaves, defaults.application_defaults(application.name))


def job_leaves(job: Job, application: str, policy: Leaves) -> Leaves:
    leaves: dict[str, object] = {
        "application": application,
        "schedule": duration_text(job.schedule),
        **flatten(job.settings, "settings."),
        **policy,
    }
    return defaults.unusual(leaves, defaults.JOB)


# and back


def to_application(
    name: str, leaves: Leaves, ids: Application
) -> tuple[Application, Mapping[str, object]]:
    """Return an application and its connections; `ids` says what it is called inside."""
    full = {**defaults.application_defaults(name), **leaves}
    names = cast(list[str], full["assignments"])
    application = replace(
        ids,
        name=name,
        display_name=str(full["displayName"]),
        template_id=str(full["template"]),
        syncs_all=full["syncAll"] is True,
        assignments=tuple(defaults.assignment_of(one) for one in names),
        owners=tuple(cast(list[str], full["owners"])),
    )
    tree = nest(leaves)
    return application, {side: tree[side] for side in ("source", "target") if side in tree}


def to_job(name: str, leaves: Leaves, application: Application, id: str) -> tuple[Job, Leaves]:
    """Return a job without status, and its policy."""
    settings = cast(dict[str, str], nest(leaves, "settings."))
    job = Job(
        id=id,
        name=name,
        template_id=application.template_id,
        application_id=application.id,
        schedule=parse_duration(str(leaves.get("schedule", ""))) or defaults.SCHEDULE,
        settings=settings,
        status=Status(),
    )
    policy = {
        path: value
        for path, value in leaves.items()
        if path not in NOT_POLICY and not path.startswith("settings.")
    }
    return job, policy


async def sealed(vault: Vault, application: str, side: str) -> Mapping[str, str]:
    """Return the secrets of one connection from the vault, by their path in its settings."""
    found: dict[str, str] = {}
    for name in await vault.names(application):
        if name.startswith(f"{side}."):
            value = await vault.get(application, name)
            if value is not None:
                found[name.removeprefix(f"{side}.")] = value
    return found


def base_of(folder: Path, applied: Applied | None) -> Path:
    """Return what the paths in settings are relative to: where the applied file lies."""
    return (folder / applied.file).parent if applied else folder
