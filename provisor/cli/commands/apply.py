"""`apply`: configuration as code, merged with what is in force (settled 36)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from provisor.cli.exits import Exit
from provisor.cli.guard import complain
from provisor.cli.main import Session
from provisor.cli.places import FILE
from provisor.cli.render import say, tell
from provisor.cli.session import administrator, within
from provisor.cli.shape import command
from provisor.cli.workspace import Workspace
from provisor.model.audit import Altered
from provisor.runtime import administer
from provisor.settings import applying, stored
from provisor.settings.leaves import Configuration
from provisor.settings.merge import ABSENT, ApplyPlan, Merged, Step, merge
from provisor.settings.references import SEALED
from provisor.settings.workspace import Wanted, read_workspace

ALTERED_MAX = 200
VALUE_LENGTH_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    is_dry: bool
    overwrites: bool
    prunes: bool


@command(
    "apply",
    "provisor apply provisor.yaml\n"
    "provisor apply provisor.yaml --dry-run    show the difference, store nothing",
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
@click.option("--dry-run", is_flag=True, help="Show the difference and store nothing.")
@click.option("--overwrite", is_flag=True, help="Where both sides changed, take the file's.")
@click.option("--prune", is_flag=True, help="Delete what the file brought once and has no more.")
def apply(
    session: Session, file: Path | None, *, dry_run: bool, overwrite: bool, prune: bool
) -> int:
    """Store what FILE says: jobs, connections, schedules, guards. Nothing is sent.

    What was changed elsewhere since the last apply is kept; what was changed in both places is
    refused, unless you say --overwrite.
    """
    choices = Choices(is_dry=dry_run, overwrites=overwrite, prunes=prune)

    async def work(workspace: Workspace) -> int:
        return await _apply(workspace, file or workspace.folder / FILE, choices)

    return within(session, work, creates=True, warns=False)


async def _apply(workspace: Workspace, file: Path, choices: Choices) -> int:
    parts, around = workspace.parts, workspace.around
    held = await stored.load_tenant(parts.registry)
    recorded = await stored.load_applied(parts.registry)
    wanted = read_workspace(file, around, held.id if held else parts.entropy.uuid())
    schemas = {name: around.template_schema(name) for name in around.templates}
    now = await stored.load(parts.registry, schemas)
    before = recorded.brought if recorded else Configuration()
    plan = merge(before, wanted.configuration, now.configuration, overwrites=choices.overwrites)
    applying.check(plan, wanted, now, file)
    for warning in wanted.warnings:
        tell(f"provisor: warning: {warning}")
    _show(plan, choices)
    if plan.conflicts:
        _refuse(plan)
        return Exit.WRONG_USE
    if choices.is_dry:
        say("nothing was stored (--dry-run)")
        return Exit.SUCCEEDED
    return await _store(workspace, file, plan, wanted, now, choices)


async def _store(
    workspace: Workspace,
    file: Path,
    plan: ApplyPlan,
    wanted: Wanted,
    now: stored.InForce,
    choices: Choices,
) -> int:
    parts, by = workspace.parts, administrator()
    at = parts.clock.now()
    # The file's place comes first: what is relative to it is looked for there from here on.
    left = dict[str, tuple[str, ...]]() if choices.prunes else plan.removed
    record = applying.applied(file, workspace.folder, wanted, left, at.isoformat())
    before = await stored.load_applied(parts.registry)
    if before is None or before.file != record.file:
        moved = before or stored.Applied(
            file="", digests={}, at="", tenant={}, applications={}, jobs={}
        )
        await stored.put_applied(parts.registry, applying.moved_to(moved, record.file))
    if choices.prunes:
        await _prune(workspace, plan, now, by)
    hands = applying.Hands(
        registry=parts.registry,
        vault=parts.vault,
        template_schema=workspace.around.template_schema,
        missing=workspace.missing,
    )
    outcomes = await applying.carry_out(plan, wanted, now, hands)
    await stored.put_applied(parts.registry, record)
    activity = "Update provisioning setting or credentials"
    await parts.registry.audit(at, by, activity, file.name, altered=_altered(plan, choices))
    for outcome in outcomes:
        if outcome.missing:
            tell(f"provisor: warning: job {outcome.job.name} cannot run yet: {outcome.missing}")
        if outcome.is_new:
            how = "started" if outcome.is_started else f"is {outcome.job.status.code.value}"
            say(f"job {outcome.job.name} {how}; its id is {outcome.job.id}")
    if not wanted.names_tenant and now.tenant is None:
        tell(
            f"provisor: warning: {file.name} names no tenant; one was made up. Write "
            f"`tenant: {{id: {wanted.tenant_id}}}` into it, so that ids survive a loss of the store"
        )
    name = outcomes[0].job.name if len(outcomes) == 1 else "JOB"
    say(f"configuration stored; nothing sent; next: provisor plan {name}")
    return Exit.SUCCEEDED


async def _prune(workspace: Workspace, plan: ApplyPlan, now: stored.InForce, by: str) -> None:
    for name in plan.removed["jobs"]:
        job = now.jobs[name]
        await administer.delete(
            workspace.parts, job, by, lambda: tell("a cycle is running; waiting until it stops")
        )
    kept = {
        job.application_id for name, job in now.jobs.items() if name not in plan.removed["jobs"]
    }
    for name in plan.removed["applications"]:
        application = now.applications[name]
        if application.id not in kept:
            await workspace.parts.registry.delete_application(application.id)


def _altered(plan: ApplyPlan, choices: Choices) -> tuple[Altered, ...]:
    """Return what the audit tells of an apply: as it is shown, and as much as it has room for."""
    found: list[Altered] = []
    for section, steps in (("applications", plan.applications), ("jobs", plan.jobs)):
        renamed = [one for one in steps if one.renamed_from]
        found += [Altered(f"{section}.{one.name}", one.renamed_from, one.name) for one in renamed]
        if choices.prunes:
            gone = plan.removed.get(section, ())
            found += [Altered(f"{section}.{name}", name, "") for name in gone]
    merged = (plan.tenant, *(step.merged for step in (*plan.applications, *plan.jobs)))
    for change in (change for one in merged for change in one.changes):
        before, after = (
            "" if value is ABSENT else _text(change.path, value)
            for value in (change.before, change.after)
        )
        found.append(Altered(change.path, before, after))
    if len(found) > ALTERED_MAX:
        more = Altered("further changes", "", str(len(found) - ALTERED_MAX))
        return (*found[:ALTERED_MAX], more)
    return tuple(found)


# what is shown


def _show(plan: ApplyPlan, choices: Choices) -> None:
    _show_merged("tenant", plan.tenant)
    for section, steps in (("applications", plan.applications), ("jobs", plan.jobs)):
        for step in steps:
            _show_step(section, step)
        for name in plan.removed.get(section, ()):
            _show_removed(section, name, is_pruned=choices.prunes)
    for name in plan.strange.get("jobs", ()):
        say(f"  jobs.{name}: not from this file, left alone")
    if not plan.does_something and not any(plan.removed.values()):
        say("the file and what is in force say the same")


def _show_step(section: str, step: Step) -> None:
    path = f"{section}.{step.name}"
    if step.is_new:
        say(f"+ {path}")
    if step.renamed_from:
        say(f"~ {path}: renamed from {step.renamed_from}, with all its links")
    _show_merged(path, step.merged, is_new=step.is_new)


def _show_merged(path: str, merged: Merged, *, is_new: bool = False) -> None:
    for change in merged.changes:
        inner = change.path
        if is_new:
            say(f"    {inner.removeprefix(path + '.')}: {_text(change.path, change.after)}")
        else:
            before, after = (_text(change.path, value) for value in (change.before, change.after))
            say(f"~ {inner}: {before} → {after}")
    for kept in merged.kept:
        say(f"  {kept}: changed since the last apply, and kept as it is")


def _show_removed(section: str, name: str, *, is_pruned: bool) -> None:
    if is_pruned:
        say(f"- {section}.{name}: deleted; accounts stay as they are")
    else:
        say(f"  {section}.{name}: no longer in the file, and still in force; --prune deletes it")


def _refuse(plan: ApplyPlan) -> None:
    for conflict in plan.conflicts:
        values: Mapping[str, object] = {
            "applied last": conflict.applied,
            "the file": conflict.file,
            "in force": conflict.live,
        }
        told = ", ".join(f"{side} {_text(conflict.path, v)}" for side, v in values.items())
        complain(f"{conflict.path} was changed in the file and in force: {told}")
    complain("nothing was stored; put one side right, or say --overwrite to take the file's values")


def _text(path: str, value: object) -> str:
    """Return a value as it may be shown: secrets and whole schemas may not."""
    if value is ABSENT:
        return "(as usual)"
    if isinstance(value, str) and value.startswith(SEALED):
        return "(secret)"
    if path.endswith(".schema"):
        return f"(a schema of {len(str(value)):,} characters)"
    text = str(value)
    return text if len(text) <= VALUE_LENGTH_MAX else f"{text[:VALUE_LENGTH_MAX]}…"
