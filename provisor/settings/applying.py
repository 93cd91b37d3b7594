"""From a merge to the store: what `apply` does, in an order that a crash cannot harm."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import msgspec

from provisor.model.jobs import Application, Job
from provisor.planner.status import Configured, Event, Started, Unquarantined
from provisor.ports import Registry, Vault
from provisor.settings import ids
from provisor.settings.applied import digest
from provisor.settings.connections import SOURCE, TARGET
from provisor.settings.examples import as_written
from provisor.settings.leaves import Configuration, flatten, nest
from provisor.settings.merge import ApplyPlan, Step
from provisor.settings.problems import Invalid, Problem
from provisor.settings.references import is_sealed, references
from provisor.settings.stored import (
    CONNECTIONS,
    POLICY,
    SCHEMA,
    TESTS_OF_FILE,
    Applied,
    InForce,
    Tenant,
    put_tenant,
    to_application,
    to_job,
)
from provisor.settings.workspace import Wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """What an apply works with."""

    registry: Registry
    vault: Vault
    template_schema: Callable[[str], str]
    missing: Callable[[Application], Awaitable[str]]
    """What an application lacks before it can be used; empty when nothing is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one job in an apply."""

    job: Job
    is_new: bool
    is_started: bool
    missing: str


def check(plan: ApplyPlan, wanted: Wanted, now: InForce, file: Path) -> None:
    """Refuse what a merge cannot know to be impossible. Raises Invalid."""
    found: list[Problem] = []

    def refuse(path: str, message: str) -> None:
        found.append(Problem(str(file), 0, path, message))

    known = now.tenant.id if now.tenant else ""
    if known and wanted.tenant_id != known:
        message = f"this store belongs to {known}; use another workspace, or put that id back"
        refuse("tenant.id", message)
    taken = {job.application_id for job in now.jobs.values()}
    for step in plan.applications:
        held = now.applications.get(step.renamed_from or step.name)
        if held is None or held.id not in taken:
            continue
        template = step.merged.leaves.get("template", "scim")
        if template != held.template_id:
            message = f"is {held.template_id} for good: its job's id and links hang on it"
            refuse(f"applications.{step.name}.template", message)
    renamed = {step.renamed_from: step.name for step in plan.applications if step.renamed_from}
    for step in plan.jobs:
        job = now.jobs.get(step.renamed_from or step.name)
        if job is None:
            continue
        held_by = next(a.name for a in now.applications.values() if a.id == job.application_id)
        wants = step.merged.leaves.get("application")
        if wants != renamed.get(held_by, held_by):
            message = (
                f"is {held_by}: a job stays with its application; delete the job first, or say "
                f"renamedFrom: {held_by} at the application if it only has another name"
            )
            refuse(f"jobs.{step.name}.application", message)
    if found:
        raise Invalid(found)


async def carry_out(
    plan: ApplyPlan, wanted: Wanted, now: InForce, hands: Hands
) -> tuple[Outcome, ...]:
    """Store what the plan says. Applications come before jobs, and secrets before both."""
    tenant = _tenant(plan, wanted, now)
    await put_tenant(hands.registry, tenant)
    applications: dict[str, Application] = {}
    for step in plan.applications:
        applications[step.name] = await _put_application(step, wanted, now, tenant.id, hands)
    outcomes: list[Outcome] = []
    for step in plan.jobs:
        application = applications[str(step.merged.leaves["application"])]
        touched = _is_touched(plan, application.name) or bool(step.merged.changes)
        outcome = await _put_job(step, application, now, tenant.id, touched, hands)
        await _put_tests(outcome.job, wanted, hands.registry)
        outcomes.append(outcome)
    return tuple(outcomes)


def _tenant(plan: ApplyPlan, wanted: Wanted, now: InForce) -> Tenant:
    leaves = plan.tenant.leaves
    return Tenant(
        id=now.tenant.id if now.tenant else wanted.tenant_id,
        display_name=str(leaves.get("displayName", "")),
        default_domain=str(leaves.get("defaultDomain", "")),
        allowed_targets=tuple(cast(list[str], leaves.get("allowedTargets", []))),
        notifications=nest(leaves, "notifications."),
    )


def _is_touched(plan: ApplyPlan, application: str) -> bool:
    steps = (step for step in plan.applications if step.name == application)
    return any(step.merged.changes for step in steps)


async def _put_application(
    step: Step, wanted: Wanted, now: InForce, tenant: str, hands: Hands
) -> Application:
    known = now.applications.get(step.renamed_from or step.name)
    names = known or new_application(step.name, tenant, now)
    application, connections = to_application(step.name, step.merged.leaves, names)
    for (owner, path), secret in wanted.secrets.items():
        if owner == step.name:
            await hands.vault.put(application.id, path, secret)
    if known != application:
        await hands.registry.put_application(application)
    await _forget_secrets(application.id, connections, hands.vault)
    content = msgspec.json.encode(connections)
    if content != await hands.registry.document(application.id, CONNECTIONS):
        await hands.registry.put_document(application.id, CONNECTIONS, content)
    return application


async def _forget_secrets(
    application: str, connections: Mapping[str, object], vault: Vault
) -> None:
    """Delete the secrets of connections that nothing refers to any more."""
    used = set[str]()
    for side in (SOURCE, TARGET):
        settings = nest(flatten(connections), f"{side}.settings.")
        used |= {f"{side}.{path}" for path, text in references(settings) if is_sealed(text)}
    for name in await vault.names(application):
        if name.startswith((f"{SOURCE}.", f"{TARGET}.")) and name not in used:
            await vault.delete(application, name)


def new_application(name: str, tenant: str, now: InForce) -> Application:
    """Return an application with the ids that its name gives it."""
    others = list(now.applications.values())
    return Application(
        id=ids.derived(tenant, "application", name, [one.id for one in others]),
        app_id=ids.derived(tenant, "app", name, [one.app_id for one in others]),
        principal_id=ids.derived(tenant, "principal", name, [one.principal_id for one in others]),
        name=name,
        display_name=name,
        template_id="",
    )


async def _put_job(
    step: Step,
    application: Application,
    now: InForce,
    tenant: str,
    is_touched: bool,
    hands: Hands,
) -> Outcome:
    known = now.jobs.get(step.renamed_from or step.name)
    id = known.id if known else ids.job_id(application.template_id, tenant, application.app_id)
    job, policy = to_job(step.name, step.merged.leaves, application, id)
    registry = hands.registry
    if known is None or replace(known, status=job.status) != job:
        await registry.put_job(job)
    schema = str(step.merged.leaves.get("schema") or "")
    for name, text in (
        (SCHEMA, schema or hands.template_schema(application.template_id)),
        (POLICY, msgspec.json.encode(policy).decode()),
    ):
        if text.encode() != await registry.document(id, name):
            await registry.put_document(id, name, text.encode())
    missing = await hands.missing(application)
    is_started = known is None and step.has_schedule and not missing
    events: list[Event] = [Configured(is_usable=not missing)]
    if is_started:
        events.append(Started())
    elif known is not None and is_touched:
        events.append(Unquarantined())
    status = await registry.note(id, *events)
    return Outcome(
        job=replace(job, status=status),
        is_new=known is None,
        is_started=is_started,
        missing=missing,
    )


async def _put_tests(job: Job, wanted: Wanted, registry: Registry) -> None:
    """Keep the tests that stand beside a job, for whoever changes its mappings elsewhere."""
    tests = [as_written(one) for one in wanted.tests.get(job.name, ())]
    content = msgspec.json.encode(tests)
    if content != (await registry.document(job.id, TESTS_OF_FILE) or b"[]"):
        await registry.put_document(job.id, TESTS_OF_FILE, content)


# what was applied


def applied(
    file: Path, folder: Path, wanted: Wanted, left: Mapping[str, Collection[str]], at: str
) -> Applied:
    """Return the record of an apply; `left` stays in force although the file has it no more."""
    names = (file.name, *wanted.files)
    return Applied(
        file=place_of(file, folder),
        digests={name: digest(file.parent / name) for name in names},
        at=at,
        tenant=dict(wanted.configuration.tenant),
        applications={n: dict(i.leaves) for n, i in wanted.configuration.applications.items()},
        jobs={n: dict(i.leaves) for n, i in wanted.configuration.jobs.items()},
        left={section: list(names) for section, names in left.items() if names},
    )


def place_of(file: Path, folder: Path) -> str:
    """Return a path relative to the workspace, so that the two can be moved together."""
    try:
        return os.path.relpath(file.resolve(), folder.resolve())
    except ValueError:  # on another drive
        return str(file.resolve())


async def differs(recorded: Applied, folder: Path, read: Callable[[Path], Configuration]) -> str:
    """Return how the file differs from what was applied; empty if it says the same."""
    file = folder / recorded.file
    if recorded.is_untouched(folder):
        return ""
    if not file.exists():
        return f"{file.name} is gone; what was applied from it is still in force"
    try:
        configuration = read(file)
    except Invalid as failure:
        count = len(failure.problems)
        return f"{file.name} was changed since it was applied, and {count} things in it are wrong"
    said = _leaves(configuration) == _leaves(recorded.configuration)
    return "" if said else f"{file.name} was changed since it was applied"


def _leaves(configuration: Configuration) -> tuple[object, ...]:
    """Return what a configuration says, without what only concerns its application."""
    return (
        dict(configuration.tenant),
        {name: dict(item.leaves) for name, item in configuration.applications.items()},
        {name: dict(item.leaves) for name, item in configuration.jobs.items()},
    )


def moved_to(recorded: Applied, file: str) -> Applied:
    """Return the record with the file in another place: paths are relative to it."""
    return msgspec.structs.replace(recorded, file=file)
