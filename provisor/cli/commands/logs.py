"""`logs`: the provisioning log, newest first."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

import click
import msgspec

from provisor.cli.exits import WrongUse
from provisor.cli.main import Session
from provisor.cli.render import clean, moment, say, table
from provisor.cli.session import find_job, within
from provisor.cli.shape import command, job_argument, json_option
from provisor.cli.workspace import Workspace
from provisor.model.decisions import Action, Record, Verdict
from provisor.ports import RecordQuery
from provisor.settings.durations import parse_duration


@command(
    "logs",
    "provisor logs people\n"
    "provisor logs people --status failure            what failed, and why\n"
    "provisor logs people --about e000017 --details   every step for one object\n"
    "provisor logs people --since PT1H --json         Graph's provisioningObjectSummary",
)
@job_argument()
@click.option("--status", type=click.Choice([one.value for one in Verdict]), help="How it ended.")
@click.option("--action", type=click.Choice([one.value for one in Action]), help="What was done.")
@click.option("--code", help="An error code or skip reason, such as EntryConflict.")
@click.option("--about", help="A source id, target id or name.")
@click.option("--cycle", help="One cycle, by its id.")
@click.option("--change", help="One change, by its id.")
@click.option("--since", help="A time (2026-01-31T12:00Z), or a duration before now (PT1H).")
@click.option("--until", help="As --since.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many.")
@click.option("--details", is_flag=True, help="Show every step.")
@json_option
def logs(session: Session, job: str, *, as_json: bool, details: bool, **filters: Any) -> int:
    """Show what was decided for JOB, object by object, newest first."""

    async def work(workspace: Workspace) -> None:
        chosen = await find_job(workspace, job)
        now = workspace.parts.clock.now()
        query = RecordQuery(
            job=chosen.id,
            cycle=filters["cycle"] or "",
            change=filters["change"] or "",
            since=_time(filters["since"], now),
            until=_time(filters["until"], now),
            action=filters["action"] or "",
            verdict=filters["status"] or "",
            code=filters["code"] or "",
            about=filters["about"] or "",
            limit=filters["limit"],
        )
        records = [(p, r) for p, _, r in await workspace.parts.ledger.records(query)]
        if not as_json and not details:
            _show(records)
            return
        entry_of = await workspace.log_json(chosen)
        entries = [entry_of(position, record) for position, record in records]
        shown = [entry for entry in entries if entry is not None]
        if as_json:
            say(f'{{"value":[{b",".join(shown).decode()}]}}')
            return
        for entry in shown:
            _show_details(cast(dict[str, Any], msgspec.json.decode(entry)))

    return within(session, work)


def _time(text: str | None, now: datetime) -> datetime | None:
    if text is None:
        return None
    duration = parse_duration(text)
    if duration is not None:
        return now - duration
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise WrongUse(f"'{text}' is no time such as 2026-01-31T12:00Z, nor PT1H") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _show(records: list[tuple[int, Record]]) -> None:
    if not records:
        say("no entries")
        return
    heading = ("TIME", "STATUS", "ACTION", "OBJECT", "NAME", "TARGET", "CODE", "REASON")
    rows = [
        (
            moment(record.at),
            record.verdict.value,
            record.action.value + (" references" if record.is_reference_pass else ""),
            record.key.anchor,
            record.source_name,
            record.target or "",
            record.code,
            record.reason,
        )
        for _, record in records
    ]
    say(table([heading, *rows]))


def _show_details(entry: dict[str, Any]) -> None:
    """Show one entry of the log with its steps, as Graph tells it."""
    source, target = entry["sourceIdentity"], entry["targetIdentity"]
    say(
        f"{entry['activityDateTime']}  {entry['provisioningAction']}  "
        f"{source['identityType']} {clean(source['id'])} {clean(source['displayName'] or '')} → "
        f"{clean(target['id'] or '(none)')}"
    )
    for step in entry["provisioningSteps"]:
        say(f"    {step['status']:<8} {step['name']}: {clean(step['description'])}")
    for change in entry["modifiedProperties"]:
        before = f"{clean(change['oldValue'])} → " if change["oldValue"] is not None else ""
        after = clean(change["newValue"]) if change["newValue"] is not None else "(none)"
        say(f"        {change['displayName']}: {before}{after}")
    info = cast("dict[str, Any]", entry["provisioningStatusInfo"] or {})
    error = cast("dict[str, Any]", info.get("errorInformation") or {})
    if error:
        say(f"    {error['errorCode']}: {clean(error['reason'] or '')}")
        if error["recommendedAction"]:
            say(f"    what to do: {error['recommendedAction']}")
    say(f"    change {entry['changeId']}, cycle {entry['cycleId']}")
