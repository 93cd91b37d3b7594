"""What a cycle did, in a few lines, and what to do next."""

from __future__ import annotations

from collections import Counter

from provisor.cli.render import count, moment, say, span
from provisor.cli.standing import error_text, staged_text
from provisor.cli.workspace import Workspace
from provisor.model.cycles import Cycle, CycleResult
from provisor.model.decisions import Action, Verdict
from provisor.model.jobs import Job
from provisor.ports import RecordQuery

TALLIED_MAX = 20_000
PAGE = 1_000
VERBS = {
    Action.CREATE: "created",
    Action.UPDATE: "updated",
    Action.DISABLE: "disabled",
    Action.DELETE: "deleted",
}


async def summarize(workspace: Workspace, job: Job, cycle: Cycle) -> None:
    """Tell how a cycle went, on standard output."""
    took = span(cycle.ended - cycle.began)
    say(f"{job.name}: {cycle.result.value}, {cycle.kind.value} cycle of {took}")
    say(f"  read {cycle.counts.imported:,}; {await _done(workspace, job, cycle)}")
    if cycle.error is not None:
        say(f"  {error_text(cycle.error)}")
        say(f"  what to do: {workspace.advice(cycle.error.code)}")
    await _tell_failures(workspace, job, cycle)
    await _tell_staged(workspace, job, cycle)
    await _tell_left_out(workspace, job, cycle)
    if cycle.are_escrows_pruned:
        say("  so many objects failed that their escrows were discarded; the job is paused then")
    status = (await workspace.parts.registry.job(job.id) or job).status
    if status.quarantine is not None:
        quarantine = status.quarantine
        say(
            f"  in quarantine ({quarantine.reason.value}), next attempt at "
            f"{moment(quarantine.next_attempt)}; provisor start {job.name} tries at once"
        )


async def _done(workspace: Workspace, job: Job, cycle: Cycle) -> str:
    """Return what was written, by kind of change where that is quickly counted."""
    counts = cycle.counts
    if not counts.exports:
        return "0 changes, nothing sent"
    of = "" if counts.exported == counts.exports else f" of {counts.exports:,}"
    told = f"{counts.exported:,}{of} exported"
    if counts.exported > TALLIED_MAX:
        return told
    tally = await _tally(workspace, job, cycle)
    kinds = ", ".join(f"{number:,} {what}" for what, number in tally.items())
    return f"{told} ({kinds})" if kinds else told


async def _tally(workspace: Workspace, job: Job, cycle: Cycle) -> dict[str, int]:
    counted = Counter[str]()
    after = 0
    while True:
        query = RecordQuery(
            job=job.id,
            cycle=cycle.id,
            verdict=Verdict.SUCCESS.value,
            after=after,
            limit=PAGE,
            is_descending=False,
        )
        page = await workspace.parts.ledger.records(query)
        for _, _, record in page:
            if record.is_exported:
                is_reference = record.is_reference_pass
                word = "with references set" if is_reference else VERBS.get(record.action, "done")
                counted[word] += 1
        if len(page) < PAGE:
            break
        after = page[-1][0]
    order = [*VERBS.values(), "with references set", "done"]
    return {word: counted[word] for word in order if counted[word]}


async def _tell_failures(workspace: Workspace, job: Job, cycle: Cycle) -> None:
    if not cycle.counts.failed and not cycle.entry_error:
        if cycle.counts.escrowed:
            waiting = count(cycle.counts.escrowed, "object")
            say(f"  {waiting} still in escrow: provisor escrows {job.name}")
        return
    failed = count(cycle.counts.failed, "object")
    say(f"  {failed} failed, mostly with {cycle.entry_error}: provisor escrows {job.name}")


async def _tell_staged(workspace: Workspace, job: Job, cycle: Cycle) -> None:
    view = await workspace.parts.registry.staged(job.id)
    if not view.hash:
        return
    say(f"  {staged_text(job.name, len(view.departures), len(view.members), view.snapshot)}")
    say(f"    look:    provisor plan {job.name}")
    say(f"    approve: provisor approve {job.name} {view.hash[:16]}")


async def _tell_left_out(workspace: Workspace, job: Job, cycle: Cycle) -> None:
    if cycle.result is CycleResult.FAILED or not cycle.counts.unsettled:
        return
    left = count(cycle.counts.unsettled, "object")
    say(f"  {left} left for the next cycle")
