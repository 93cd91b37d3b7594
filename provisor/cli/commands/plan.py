"""`plan`: what a cycle would do, made by code that holds no way to write."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click
import msgspec

from provisor.cli.changes import change_text
from provisor.cli.exits import Exit
from provisor.cli.main import Session
from provisor.cli.planfiles import save_plan
from provisor.cli.preview import preview, preview_json, show_preview
from provisor.cli.render import clean, count, moment, say
from provisor.cli.session import find_job, within
from provisor.cli.shape import command, job_argument, json_option
from provisor.cli.standing import error_text
from provisor.cli.workspace import Workspace
from provisor.engine.plans import make_plan
from provisor.model.cycles import CycleResult
from provisor.model.decisions import Action, Situation
from provisor.model.jobs import Job
from provisor.model.plans import Plan, PlanStep
from provisor.runtime.told import plan_document

OBJECTS_SHOWN = 20
RESTORED = (
    "this store was restored or copied: nothing that it remembers of the target is trusted, and the"
    " next cycle looks at every object there before it goes on; this is what it would do"
)


@command(
    "plan",
    "provisor plan people\n"
    "provisor plan people --all                 every object, not only the first of each kind\n"
    "provisor plan people --out plan.json       save it; `run --plan plan.json` carries it out\n"
    "provisor plan people --schema draft.json   what another schema would change\n"
    "provisor plan people --detailed-exitcode   exit 7 if there is something to do",
)
@job_argument()
@json_option
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Save the plan here. What must not show is sealed with the workspace's key.",
)
@click.option("--all", "shows_all", is_flag=True, help="Show every object.")
@click.option(
    "--show",
    "objects_max",
    type=click.IntRange(0),
    default=OBJECTS_SHOWN,
    show_default=True,
    help="How many objects of each kind of change to show.",
)
@click.option("--reconcile", "reconciles", is_flag=True, help="Plan what a reconcile would do.")
@click.option(
    "--schema",
    "draft",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Show what the schema in this file would change, from what is stored.",
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit 7 if there are changes.")
def plan(
    session: Session,
    job: str,
    *,
    as_json: bool,
    out: Path | None,
    shows_all: bool,
    objects_max: int,
    reconciles: bool,
    draft: Path | None,
    detailed_exitcode: bool,
) -> int:
    """Show what a cycle of JOB would do now: value by value, grouped by reason.

    Source and target are read, nothing is written to either, and nothing is remembered. With
    --schema neither is read: the answer comes from what was stored when they were.
    """
    if draft is not None and (out is not None or reconciles):
        raise click.UsageError("--schema goes with neither --out nor --reconcile")

    async def work(workspace: Workspace) -> int:
        chosen = await find_job(workspace, job)
        if draft is not None:
            told = await preview(workspace, chosen, draft)
            if as_json:
                say(preview_json(chosen, told))
            else:
                show_preview(chosen, draft, told, None if shows_all else objects_max)
            return Exit.CHANGES if detailed_exitcode and told.altered else Exit.SUCCEEDED
        is_restored = workspace.parts.registry.is_restored
        made = await make(workspace, chosen, reconciles=reconciles)
        if out is not None:
            await save_plan(workspace, chosen, made, out)
        if as_json:
            say(to_json(chosen, made, is_restored=is_restored))
        else:
            if is_restored:
                say(RESTORED)
            _show(chosen, made, None if shows_all else objects_max)
            if out is not None:
                say(f"saved: {out}; next: provisor run {chosen.name} --plan {out}")
        if made.cycle.result is CycleResult.FAILED and not made.steps:
            return Exit.FAILED
        return Exit.CHANGES if detailed_exitcode and made.steps else Exit.SUCCEEDED

    return within(session, work)


async def make(workspace: Workspace, job: Job, *, reconciles: bool = False) -> Plan:
    """Return what a cycle would do now."""
    parts = workspace.parts
    equipment = await parts.equip(job)
    overlay = await parts.registry.overlay_journal(job.id)
    source, reader = equipment.source(), equipment.reader()
    try:
        return await make_plan(
            job.id,
            equipment.mandate,
            source,
            reader,
            overlay,
            parts.clock,
            parts.entropy,
            reconciles=reconciles,
        )
    finally:
        await reader.close()
        await source.close()


# as text


def _show(job: Job, made: Plan, objects_max: int | None) -> None:
    cycle = made.cycle
    if cycle.error is not None:
        say(f"this cycle would fail: {error_text(cycle.error)}")
    if cycle.halt is not None and cycle.error is None:
        say(f"this cycle would end in quarantine: {error_text(cycle.halt.error)}")
    if cycle.counts.failed:
        failed = count(cycle.counts.failed, "object")
        say(f"{failed} would fail, mostly with {cycle.entry_error}: `provisor explain` says why")
    if not made.steps:
        say(f"{job.name}: no changes{'' if cycle.error else '; source and target agree'}")
        return
    groups = _groups(made.steps)
    say(f"{job.name}: {count(len(made.steps), 'change')}, planned at {moment(made.made_at)}")
    for title, steps in groups.items():
        say(f"  {len(steps):>7,}  {title}")
    for title, steps in groups.items():
        say()
        say(f"{title} ({len(steps):,})")
        for step in steps[:objects_max]:
            _show_step(step)
        if objects_max is not None and len(steps) > objects_max:
            say(f"  … and {len(steps) - objects_max:,} more; --all shows them")
    say()
    say(f"hash: {made.hash}")


def _groups(steps: Iterable[PlanStep]) -> dict[str, list[PlanStep]]:
    """Return the steps by what is done and why, in the order in which they are carried out."""
    groups: dict[str, list[PlanStep]] = {}
    for step in steps:
        groups.setdefault(title_of(step), []).append(step)
    return groups


def title_of(step: PlanStep) -> str:
    """Return what is done with an object and why, as administrators say it."""
    kind = step.key.mapping
    if step.is_reference_pass:
        return f"set references: {kind}"
    match step.action:
        case Action.CREATE:
            return f"create: {kind}, no object in the target matches"
        case Action.UPDATE if step.situation is Situation.FOUND:
            return f"update: {kind}, matched for the first time"
        case Action.UPDATE:
            return f"update: {kind}, source and target differ"
        case Action.DISABLE:
            return f"disable: {kind}, no longer entitled"
        case Action.DELETE:
            return f"delete: {kind}, gone from the source"
        case Action.STAGED_DELETE:
            return f"staged, waiting for your approval: {kind}"
        case Action.OTHER:
            return f"other: {kind}"


def _show_step(step: PlanStep) -> None:
    name = clean(step.source_name or step.target_name)
    say(f"  {clean(step.key.anchor)}  {name}".rstrip())
    for change in step.shown:
        say(f"      {change_text(change)}")


# as JSON


def to_json(job: Job, made: Plan, *, is_restored: bool) -> str:
    """Return the stable form, described in docs/command-line.md."""
    return msgspec.json.encode(plan_document(job, made, is_restored=is_restored)).decode()
