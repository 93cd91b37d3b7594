"""`start`, `pause`, `restart`, `delete`: what administrators do to a job."""

from __future__ import annotations

import click

from provisor.cli.exits import Exit
from provisor.cli.guard import complain
from provisor.cli.main import Session
from provisor.cli.render import count, say, tell
from provisor.cli.session import administrator, find_job, within
from provisor.cli.shape import command, job_argument, yes_option
from provisor.cli.workspace import Workspace
from provisor.model.jobs import Job, ResetScope
from provisor.runtime import administer
from provisor.settings.problems import suggestion

SCOPES = {
    "None": ResetScope.NONE,
    "ConnectorDataStore": ResetScope.CONNECTOR_DATA_STORE,
    "Escrows": ResetScope.ESCROWS,
    "Watermark": ResetScope.WATERMARK,
    "QuarantineState": ResetScope.QUARANTINE_STATE,
    "Full": ResetScope.FULL,
    "ForceDeletes": ResetScope.FORCE_DELETES,
}
FORGOTTEN = {
    ResetScope.CONNECTOR_DATA_STORE: "which account belongs to whom: all are matched anew, and who "
    "is not known again by the next complete cycle is weighed as a departure",
    ResetScope.ESCROWS: "the errors of objects that failed: they are tried again when they change",
    ResetScope.WATERMARK: "how far the source was read: the next cycle reads all of it",
    ResetScope.QUARANTINE_STATE: "that the job is in quarantine; it comes back if the cause does",
}


def _waiting() -> None:
    tell("a cycle is running; it stops at the next object …")


@command("start", "provisor start people")
@job_argument()
def start(session: Session, job: str) -> int:
    """Let the schedule run JOB: `provisor run JOB --watch` carries it out.

    Lifts a quarantine as well; it comes back if its cause is still there.
    """

    async def work(workspace: Workspace) -> None:
        chosen = await find_job(workspace, job)
        await administer.start(workspace.parts, chosen, administrator())
        say(f"{chosen.name} is started; `provisor run {chosen.name} --watch` keeps it cycling")

    return within(session, work)


@command("pause", "provisor pause people")
@job_argument()
def pause(session: Session, job: str) -> int:
    """Stop JOB, and keep all that is remembered; a running cycle ends at its next object."""

    async def work(workspace: Workspace) -> None:
        chosen = await find_job(workspace, job)
        await administer.pause(workspace.parts, chosen, administrator(), _waiting)
        say(f"{chosen.name} is paused; `provisor start {chosen.name}` goes on where it stopped")

    return within(session, work)


@command(
    "restart",
    "provisor restart people                          as Graph does: read all again, retry all\n"
    "provisor restart people --scope Escrows\n"
    "provisor restart people --scope Watermark,QuarantineState\n"
    "provisor restart people --scope ForceDeletes     let staged departures pass",
)
@job_argument()
@click.option(
    "--scope",
    help=f"What to forget: {', '.join(SCOPES)}, several with commas. "
    "[default: QuarantineState,Watermark,Escrows]",
)
@yes_option
def restart(session: Session, job: str, *, scope: str | None, is_sure: bool) -> int:
    """Forget some of what is remembered of JOB, and start it again.

    Says first what will be forgotten. Full and ConnectorDataStore want --yes.
    """
    chosen_scope = _scope(scope)

    async def work(workspace: Workspace) -> int:
        chosen = await find_job(workspace, job)
        await _announce(workspace, chosen, chosen_scope)
        if ResetScope.CONNECTOR_DATA_STORE in chosen_scope and not is_sure:
            complain("nothing was forgotten; say --yes if you mean it")
            return Exit.WRONG_USE
        by = administrator()
        await administer.restart(workspace.parts, chosen, chosen_scope, by, _waiting)
        say(f"{chosen.name} is restarted; next: provisor run {chosen.name}")
        return Exit.SUCCEEDED

    return within(session, work)


def _scope(text: str | None) -> ResetScope:
    if text is None:
        return administer.USUAL_RESTART
    by_name = {name.lower(): flag for name, flag in SCOPES.items()}
    scope = ResetScope.NONE
    for name in text.split(","):
        if name.strip().lower() not in by_name:
            raise click.UsageError(f"there is no scope {name.strip()}; {suggestion(name, SCOPES)}")
        scope |= by_name[name.strip().lower()]
    return scope


async def _announce(workspace: Workspace, job: Job, scope: ResetScope) -> None:
    """Say what a restart of this scope forgets, before anything happens."""
    told = [text for flag, text in FORGOTTEN.items() if flag in scope]
    if told:
        say(f"what {job.name} forgets:")
    for text in told:
        say(f"  - {text}")
    if ResetScope.FORCE_DELETES in scope:
        staged = await workspace.parts.registry.staged(job.id)
        waiting = len(staged.departures) + len(staged.members)
        say(f"what is let pass: {count(waiting, 'staged departure')}, and nothing besides")
    if not told and ResetScope.FORCE_DELETES not in scope:
        say(f"{job.name} forgets nothing")


@command("delete", "provisor delete people --yes")
@job_argument()
@yes_option
def delete(session: Session, job: str, *, is_sure: bool) -> int:
    """Forget JOB with its links and its log. Nothing is sent: accounts stay as they are."""

    async def work(workspace: Workspace) -> int:
        chosen = await find_job(workspace, job)
        links = await (await workspace.parts.registry.view_journal(chosen.id)).links()
        say(
            f"{chosen.name} governs {count(sum(links.values()), 'object')}; they stay in the "
            "target, and nobody will look after them"
        )
        if not is_sure:
            complain("nothing was deleted; say --yes if you mean it")
            return Exit.WRONG_USE
        await administer.delete(workspace.parts, chosen, administrator(), _waiting)
        say(f"{chosen.name} is deleted; take it out of provisor.yaml, or apply makes it anew")
        return Exit.SUCCEEDED

    return within(session, work)
