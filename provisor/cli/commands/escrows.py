"""`escrows`: the objects that failed and wait, by cause."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import click
import msgspec

from provisor.cli.main import Session
from provisor.cli.render import clean, count, moment, say
from provisor.cli.session import find_job, within
from provisor.cli.shape import command, job_argument, json_option
from provisor.cli.workspace import Workspace
from provisor.model.decisions import Escrow, Standing
from provisor.model.jobs import Job
from provisor.planner.record import name_of
from provisor.ports import RecordQuery

SHOWN = 10
PAGE = 1_000
FAR = timedelta(days=3_650)
ROW = "SourceRowInvalid"
"""A row that cannot be read waits in its file, not in the store."""


@command("escrows", "provisor escrows people\nprovisor escrows people --code EntryConflict --all")
@job_argument()
@click.option("--code", help="Only this error code.")
@click.option("--all", "shows_all", is_flag=True, help="Show every object.")
@json_option
def escrows(session: Session, job: str, *, code: str | None, shows_all: bool, as_json: bool) -> int:
    """Show the objects of JOB that failed and wait for another attempt, grouped by cause."""

    async def work(workspace: Workspace) -> None:
        chosen = await find_job(workspace, job)
        groups = await _groups(workspace, chosen, code)
        if as_json:
            say(msgspec.json.encode({"value": _json(groups)}).decode())
            return
        if not groups:
            say(f"{chosen.name}: no object is in escrow")
        for name in sorted(groups, key=lambda name: -len(groups[name])):
            _show(workspace, chosen, name, groups[name], None if shows_all else SHOWN)

    return within(session, work)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One object, or one row of a file, that waits for another attempt."""

    mapping: str
    anchor: str
    name: str
    reason: str
    attempts: int
    first_failed_at: datetime
    retry_at: datetime | None
    """None: when its row can be read."""


async def _groups(workspace: Workspace, job: Job, code: str | None) -> dict[str, list[Waiting]]:
    groups: dict[str, list[Waiting]] = {}
    for found, waiting in [*await _objects(workspace, job), *await _rows(workspace, job)]:
        if code in (None, found):
            groups.setdefault(found, []).append(waiting)
    return groups


async def _objects(workspace: Workspace, job: Job) -> list[tuple[str, Waiting]]:
    """Return what is in escrow: in the far future every escrow is due."""
    journal = await workspace.parts.registry.view_journal(job.id)
    then = workspace.parts.clock.now() + FAR
    keys = {*await journal.due(then), *await journal.due_references(then)}
    found: list[tuple[str, Waiting]] = []
    ordered = sorted(keys)
    for first in range(0, len(ordered), PAGE):
        for standing in await journal.recall(ordered[first : first + PAGE]):
            for escrow in (standing.escrow, standing.references_escrow):
                if escrow is not None:
                    found.append((escrow.code, _waiting(standing, escrow)))
    return found


def _waiting(standing: Standing, escrow: Escrow) -> Waiting:
    return Waiting(
        mapping=standing.key.mapping,
        anchor=standing.key.anchor,
        name=name_of(standing.source.attributes) if standing.source else "",
        reason=escrow.reason,
        attempts=escrow.attempts,
        first_failed_at=escrow.first_failed_at,
        retry_at=escrow.retry_at,
    )


async def _rows(workspace: Workspace, job: Job) -> list[tuple[str, Waiting]]:
    """Return the rows that the last cycle could not read."""
    last = job.status.last
    if last is None:
        return []
    query = RecordQuery(job=job.id, cycle=last.id, code=ROW, limit=PAGE)
    records = await workspace.parts.ledger.records(query)
    return [
        (
            ROW,
            Waiting(
                mapping=record.key.mapping,
                anchor=record.key.anchor,
                name=record.source_name,
                reason=record.reason,
                attempts=1,
                first_failed_at=record.at,
                retry_at=None,
            ),
        )
        for _, _, record in records
    ]


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


def _json(groups: dict[str, list[Waiting]]) -> list[dict[str, object]]:
    """Return the stable form, described in docs/command-line.md."""
    return [
        {
            "code": code,
            "count": len(waiting),
            "objects": [
                {
                    "objectMapping": one.mapping,
                    "id": one.anchor,
                    "name": one.name,
                    "reason": one.reason,
                    "attempts": one.attempts,
                    "firstFailedAt": one.first_failed_at,
                    "retryAt": one.retry_at,
                }
                for one in waiting
            ],
        }
        for code, waiting in groups.items()
    ]
