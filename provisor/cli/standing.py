"""Where one job stands, and what to do about it."""

from __future__ import annotations

from provisor.cli.commands.status import next_text
from provisor.cli.render import clean, count, moment, say, span, table
from provisor.cli.workspace import Workspace
from provisor.model.cycles import Cycle, JobError
from provisor.model.jobs import Job, ScheduleState, StatusCode


async def show_job(workspace: Workspace, job: Job) -> None:
    """Tell all that there is to tell of one job, on standard output."""
    parts, state = workspace.parts, job.status
    now = parts.clock.now()
    say(f"{job.name}: {state.code.value}{_why(job)}")
    progress = await parts.registry.running(job.id)
    links = await (await parts.registry.view_journal(job.id)).links()
    rows = [("id", job.id), ("schedule", f"every {span(job.schedule)}, next {next_text(job, now)}")]
    rows += [(f"{name}", count(number, "link")) for name, number in links.items()]
    if progress is not None:
        of = f" of {progress.total_units:,}" if progress.total_units else ""
        rows.append(("running", f"{progress.completed_units:,}{of} {progress.units}"))
    rows.append(("steady since", moment(state.steady_state_first)))
    rows.append(("steady last", moment(state.steady_state_last)))
    say(table(rows, "  "))
    if state.last is not None:
        say("last cycle:")
        say(table(cycle_rows(state.last), "  "))
    if state.quarantine is not None:
        _show_quarantine(job)
    await _show_advice(workspace, job)


def _why(job: Job) -> str:
    if job.status.code is StatusCode.PAUSED:
        return f" (`provisor start {job.name}` lets the schedule run it)"
    return ""


def cycle_rows(cycle: Cycle) -> list[tuple[str, str]]:
    """Return what a cycle did, a row for each thing worth telling."""
    counts = cycle.counts
    rows = [
        ("result", cycle.result.value),
        ("kind", cycle.kind.value),
        ("ended", f"{moment(cycle.ended)} after {span(cycle.ended - cycle.began)}"),
        ("imported", f"{counts.imported:,}"),
        ("exported", f"{counts.exported:,} of {counts.exports:,}"),
    ]
    if counts.imported_reference_deltas:
        rows.append(("reference changes", f"{counts.imported_reference_deltas:,}"))
    if counts.failed:
        rows.append(("failed", f"{counts.failed:,}"))
    if counts.escrowed:
        rows.append(("in escrow", f"{counts.escrowed:,}"))
    if counts.staged:
        rows.append(("staged", f"{counts.staged:,}"))
    if counts.unsettled:
        rows.append(("left for later", f"{counts.unsettled:,}"))
    rows.append(("cycle", cycle.id))
    return rows


def error_text(error: JobError) -> str:
    return f"{error.code}: {clean(error.message)}"


def _show_quarantine(job: Job) -> None:
    quarantine = job.status.quarantine
    assert quarantine is not None
    say(f"quarantine: {quarantine.reason.value}")
    rows = [
        ("since", moment(quarantine.series_began)),
        ("attempts", str(quarantine.series_count)),
        ("next attempt", moment(quarantine.next_attempt)),
        ("error", error_text(quarantine.error)),
    ]
    say(table(rows, "  "))


async def _show_advice(workspace: Workspace, job: Job) -> None:
    """Say what is wrong and what to do about it, most urgent first."""
    state, name = job.status, job.name
    last = state.last
    if last is not None and last.error is not None and state.quarantine is None:
        say(f"error: {error_text(last.error)}")
    if state.troubleshooting_code:
        say(f"what to do: {workspace.advice(state.troubleshooting_code)}")
    staged = await workspace.parts.registry.staged(job.id)
    if staged.hash:
        say(staged_text(name, len(staged.departures), len(staged.members), staged.snapshot))
        say(f"  look:    provisor plan {name}")
        say(f"  approve: provisor approve {name} {staged.hash[:16]}")
    if last is not None and last.counts.escrowed:
        say(f"objects in escrow, by cause: provisor escrows {name}")
    if state.code is StatusCode.NOT_CONFIGURED:
        say(f"not configured: {await missing(workspace, job)}")
    if state.schedule_state is ScheduleState.DISABLED and state.last is None:
        say(f"next: provisor plan {name}, then provisor run {name}")


def staged_text(name: str, departures: int, members: int, snapshot: str) -> str:
    """Return what waits for an administrator, in one sentence."""
    parts: list[str] = []
    if departures:
        parts.append(count(departures, "departure"))
    if members:
        parts.append(f"removals of members in {count(members, 'object')}")
    if snapshot:
        parts.append(f"a read that proves nobody gone ({clean(snapshot)})")
    return f"waiting for your approval: {', '.join(parts)}"


async def missing(workspace: Workspace, job: Job) -> str:
    applications = await workspace.parts.registry.applications()
    mine = [one for one in applications if one.id == job.application_id]
    return (await workspace.missing(mine[0]) if mine else "") or "nothing is missing any more"
