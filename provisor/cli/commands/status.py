"""`status`: where jobs stand, truthfully. The list of all loads nothing of what a cycle needs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from provisor.cli.exits import Exit
from provisor.cli.guard import guarded
from provisor.cli.main import Session
from provisor.cli.places import FILE
from provisor.cli.render import moment, say, span, table
from provisor.cli.shape import command, job_argument, json_option
from provisor.model.jobs import Job
from provisor.planner.schedule import next_start

if TYPE_CHECKING:
    from provisor.cli.workspace import Workspace


@command(
    "status",
    "provisor status\nprovisor status people\n"
    "provisor status people --json    Graph's synchronizationJob",
)
@job_argument(is_needed=False)
@json_option
def status(session: Session, job: str | None, *, as_json: bool) -> int:
    """Show where a job stands: state, last cycle, errors, and what to do next.

    Without JOB all are listed. Exits 0 whatever there is to tell.
    """
    if job is None and not as_json:
        return guarded(lambda: _list(session))

    from provisor.cli.session import find_job, within
    from provisor.cli.standing import show_job

    async def work(workspace: Workspace) -> None:
        if job is None:
            jobs = in_order(await workspace.parts.registry.jobs())
            told = [await workspace.job_json(one) for one in jobs]
            say(f'{{"value":[{b",".join(told).decode()}]}}')
            return
        found = await find_job(workspace, job)
        if as_json:
            say((await workspace.job_json(found)).decode())
        else:
            await show_job(workspace, found)

    return within(session, work)


def in_order(jobs: Iterable[Job]) -> list[Job]:
    return sorted(jobs, key=lambda job: job.name)


def _list(session: Session) -> int:
    glimpse = session.open.glimpse(session.folder, session.tenant)
    if glimpse is None:
        return _list_opened(session)
    _show(glimpse.jobs, glimpse.now)
    return Exit.SUCCEEDED


def _list_opened(session: Session) -> int:
    from provisor.cli.session import within

    async def work(workspace: Workspace) -> None:
        _show(await workspace.parts.registry.jobs(), workspace.parts.clock.now())

    return within(session, work)


def _show(jobs: Iterable[Job], now: datetime) -> None:
    rows = [_row(job, now) for job in in_order(jobs)]
    if not rows:
        say(f"no jobs yet; describe one in {FILE}, then `provisor apply {FILE}`")
        return
    say(table([("JOB", "STATE", "LAST CYCLE", "RESULT", "ESCROWS", "NEXT"), *rows]))


def _row(job: Job, now: datetime) -> tuple[str, ...]:
    last = job.status.last
    return (
        job.name,
        job.status.code.value,
        moment(last.ended) if last else "never",
        last.result.value if last else "",
        str(last.counts.escrowed) if last else "",
        next_text(job, now),
    )


def next_text(job: Job, now: datetime) -> str:
    """Return when the schedule runs a job next."""
    due = next_start(job.status, job.schedule, now)
    if due is None:
        return "not scheduled"
    return "now" if due <= now else f"in {span(due - now)}"
