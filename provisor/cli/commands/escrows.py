"""`escrows`: the objects that failed and wait, by cause."""

from __future__ import annotations

import click
import msgspec

from provisor.cli.main import Session
from provisor.cli.render import clean, count, moment, say
from provisor.cli.session import find_job, within
from provisor.cli.shape import command, job_argument, json_option
from provisor.cli.workspace import Workspace
from provisor.model.jobs import Job
from provisor.runtime.waiting import ROW, Waiting, waiting_by_code, waiting_document

SHOWN = 10


@command("escrows", "provisor escrows people\nprovisor escrows people --code EntryConflict --all")
@job_argument()
@click.option("--code", help="Only this error code.")
@click.option("--all", "shows_all", is_flag=True, help="Show every object.")
@json_option
def escrows(session: Session, job: str, *, code: str | None, shows_all: bool, as_json: bool) -> int:
    """Show the objects of JOB that failed and wait for another attempt, grouped by cause."""

    async def work(workspace: Workspace) -> None:
        chosen = await find_job(workspace, job)
        groups = await waiting_by_code(workspace.parts, chosen)
        groups = {found: groups[found] for found in groups if code in (None, found)}
        if as_json:
            say(msgspec.json.encode({"value": waiting_document(groups)}).decode())
            return
        if not groups:
            say(f"{chosen.name}: no object is in escrow")
        for name in sorted(groups, key=lambda name: -len(groups[name])):
            _show(workspace, chosen, name, groups[name], None if shows_all else SHOWN)

    return within(session, work)


def _show(
    workspace: Workspace, job: Job, code: str, waiting: list[Waiting], objects_max: int | None
) -> None:
    say(f"{code}: {count(len(waiting), 'object')}")
    say(f"  what to do: {workspace.advice(code)}")
    for one in waiting[:objects_max]:
        say(f"  {clean(one.anchor)} {clean(one.name)}: {clean(one.reason)}")
        when = f"next attempt {moment(one.retry_at)}" if one.retry_at else "read by each cycle"
        failed = f"failed {count(one.attempts, 'time')} since {moment(one.first_failed_at)}"
        say(f"      {failed}, {when}")
    if objects_max is not None and len(waiting) > objects_max:
        say(f"  … and {len(waiting) - objects_max:,} more; --all shows them")
    if code != ROW:
        say(f"  one of them step by step: provisor explain {job.name} OBJECT")
