"""`run` and `reconcile`: cycles, now or one after the other."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from provisor.cli.exits import Exit, WrongUse, of_cycle
from provisor.cli.failures import tell as tell_failure
from provisor.cli.main import Session
from provisor.cli.planfiles import consume_approval, read_plan
from provisor.cli.progress import progress
from provisor.cli.render import moment, tell
from provisor.cli.session import audit, find_job, within
from provisor.cli.shape import command, job_argument
from provisor.cli.summary import summarize
from provisor.cli.workspace import Workspace
from provisor.engine.cycle import run_cycle
from provisor.engine.plans import apply_plan
from provisor.errors import StoreTooNew
from provisor.model.audit import Altered
from provisor.model.cycles import Cycle
from provisor.model.jobs import Job
from provisor.model.plans import Plan
from provisor.runtime.interruption import Interrupted, Interruption
from provisor.runtime.runner import Ready, Watcher, run_once, watch

Execute = Callable[[Ready], Coroutine[Any, Any, Cycle]]


@command(
    "run",
    "provisor run people\n"
    "provisor run people --watch            cycle after cycle, as the schedule says\n"
    "provisor run people --plan plan.json   exactly what a saved plan says",
)
@job_argument()
@click.option("--watch", "watches", is_flag=True, help="Keep cycling, as the schedule says.")
@click.option(
    "--plan",
    "plan_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Carry out a saved plan: each step while it still holds, and nothing else.",
)
@click.option(
    "--same-system",
    is_flag=True,
    help="Source or target have another address, and are still the same systems.",
)
def run(
    session: Session, job: str, *, watches: bool, plan_file: Path | None, same_system: bool
) -> int:
    """Run one cycle of JOB now, whatever its state; a paused job stays paused.

    Exits 0 when all went well, 3 if objects failed, 4 in quarantine, 5 if the cycle failed, 6 if
    another process is running one.
    """
    if watches and (plan_file or same_system):
        raise click.UsageError("--watch goes with neither --plan nor --same-system")

    async def work(workspace: Workspace) -> int:
        chosen = await find_job(workspace, job)
        if watches:
            return await _watch(workspace, chosen)
        if plan_file is not None or same_system:  # what a schedule does not say of itself
            said = Altered("sameSystem", "", "true") if same_system else None
            about = f"{chosen.name} {chosen.id}" + (f" {plan_file}" if plan_file else "")
            await audit(workspace, "Run by hand", about, *([said] if said else []))
        if plan_file is not None:
            return await _run_plan(workspace, chosen, plan_file, same_system)
        return await _once(workspace, chosen, _cycle(workspace), may_change_system=same_system)

    return within(session, work)


@command("reconcile", "provisor reconcile people")
@job_argument()
def reconcile(session: Session, job: str) -> int:
    """Read the target in full, and report what others changed there since.

    Where the job says `drift: repair`, which is usual, it is put right again.
    """

    async def work(workspace: Workspace) -> int:
        chosen = await find_job(workspace, job)
        await audit(workspace, "Reconcile", f"{chosen.name} {chosen.id}")
        return await _once(workspace, chosen, _cycle(workspace, reconciles=True))

    return within(session, work)


def _cycle(workspace: Workspace, *, reconciles: bool = False) -> Execute:
    async def execute(ready: Ready) -> Cycle:
        id = workspace.parts.entropy.uuid()
        return await run_cycle(ready.mandate, ready.ports, id, reconciles=reconciles)

    return execute


async def _once(
    workspace: Workspace, job: Job, execute: Execute, *, may_change_system: bool = False
) -> int:
    parts = workspace.parts
    interruption = Interruption(parts.clock)
    with interruption.on_signals():
        try:
            async with progress(parts, job.id):
                cycle = await run_once(
                    parts, job, execute, interruption, may_change_system=may_change_system
                )
        except Interrupted as cut_off:
            tell(f"provisor: {cut_off}; the next cycle looks what became of them")
            return interruption.exit_code
    await summarize(workspace, job, cycle)
    await workspace.notify()
    if interruption.is_asked:
        tell("provisor: stopped by a signal; what is left is carried on by the next cycle")
        return interruption.exit_code
    return of_cycle(cycle)


async def _run_plan(workspace: Workspace, job: Job, file: Path, same_system: bool) -> int:
    plan = read_plan(workspace, job, file)
    is_approved = await consume_approval(workspace, job, plan)

    async def execute(ready: Ready) -> Cycle:
        id = workspace.parts.entropy.uuid()
        return await apply_plan(plan, ready.mandate, ready.ports, id, is_approved=is_approved)

    _warn_of_staged(plan, job, is_approved)
    return await _once(workspace, job, execute, may_change_system=same_system)


def _warn_of_staged(plan: Plan, job: Job, is_approved: bool) -> None:
    from provisor.model.decisions import Action

    staged = sum(step.action is Action.STAGED_DELETE for step in plan.steps)
    if staged and not is_approved:
        tell(
            f"provisor: {staged} departures of this plan are not approved and stay staged; "
            f"`provisor approve {job.name} {plan.hash[:16]}` lets them pass"
        )


async def _watch(workspace: Workspace, job: Job) -> int:
    parts = workspace.parts
    interruption = Interruption(parts.clock)

    async def ended(cycle: Cycle) -> None:
        await summarize(workspace, job, cycle)
        await workspace.notify()

    def waits(due: datetime | None) -> None:
        if due is None:
            tell(f"{job.name} is not scheduled; `provisor start {job.name}` lets it run")
        else:
            tell(f"{job.name}: next cycle at {moment(due)}")

    def failed(failure: Exception) -> bool:
        if isinstance(failure, StoreTooNew):
            return False
        return tell_failure(failure) in (Exit.WRONG_USE, Exit.FAILED)

    watcher = Watcher(ended=ended, waits=waits, failed=failed)
    with interruption.on_signals():
        try:
            await watch(parts, job.id, _cycle(workspace), interruption, watcher)
        except Interrupted as cut_off:
            tell(f"provisor: {cut_off}; the next cycle looks what became of them")
    if not interruption.is_asked:
        raise WrongUse(f"there is no job {job.name} any more")
    return interruption.exit_code
