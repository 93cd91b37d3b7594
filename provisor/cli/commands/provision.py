"""`provision`: one object through all steps, now (spec: behaviour 16, settled 28)."""

from __future__ import annotations

import msgspec

from provisor.cli.changes import change_text
from provisor.cli.exits import Exit
from provisor.cli.guard import complain
from provisor.cli.main import Session
from provisor.cli.objects import find_object
from provisor.cli.render import clean, say, tell
from provisor.cli.session import administrator, audit, find_job, within
from provisor.cli.shape import command, job_argument, json_option, object_argument
from provisor.cli.workspace import Workspace
from provisor.engine.on_demand import NotInSource, OnDemand, provision_one
from provisor.model.decisions import Escrowed, Keep, Outcome
from provisor.model.jobs import Job
from provisor.model.rules import ObjectMapping, Rules
from provisor.planner.record import name_of
from provisor.runtime.interruption import Interruption
from provisor.runtime.runner import possess
from provisor.runtime.told import changes as changes_json
from provisor.runtime.told import visible_changes


@command("provision", "provisor provision people e000017")
@job_argument()
@object_argument
@json_option
def provision(session: Session, job: str, object: str, *, as_json: bool) -> int:
    """Read OBJECT from the source now and carry it through, outside any cycle.

    Works while the job is paused, and moves no watermark. Departures count in the guard. Exits 3
    if the object failed or waits for an approval.
    """

    async def work(workspace: Workspace) -> int:
        chosen = await find_job(workspace, job)
        try:
            rules, done = await _provision(workspace, chosen, object)
        except NotInSource as failure:
            complain(f"{failure}; it is left as it is")
            return Exit.ENTRY_ERRORS
        if as_json:
            told = [_json(one, rules[one.standing.key.mapping]) for one in done]
            say(msgspec.json.encode(told).decode())
        else:
            for one in done:
                _show(chosen, one, rules[one.standing.key.mapping])
        failed = any(one.passage is None or failure_of(one) is not None for one in done)
        return Exit.ENTRY_ERRORS if failed else Exit.SUCCEEDED

    return within(session, work)


async def _provision(
    workspace: Workspace, job: Job, text: str
) -> tuple[Rules, tuple[OnDemand, ...]]:
    interruption = Interruption(workspace.parts.clock)
    with interruption.on_signals():
        async with possess(workspace.parts, job, interruption) as ready:
            rules, ports = ready.mandate.rules, ready.ports
            key = await find_object(rules, ports.journal, ports.source, text)
            id = workspace.parts.entropy.uuid()
            work = provision_one(ready.mandate, ports, key, id, administrator())
            done = await interruption.finish(work)
    about = f"{job.name} {job.id}: {key.kind} {key.anchor}"
    await audit(workspace, "Provision on demand", about)
    return rules, done


def failure_of(done: OnDemand) -> Escrowed | None:
    """Return what went wrong with the object or its references."""
    outcomes: list[Outcome | None] = [done.passage.outcome if done.passage else None]
    outcomes.append(done.references)
    return next((one for one in outcomes if isinstance(one, Escrowed)), None)


def _show(job: Job, done: OnDemand, mapping: ObjectMapping) -> None:
    standing = done.standing
    name = name_of(standing.source.attributes) if standing.source else ""
    failure = failure_of(done)
    say(f"{mapping.name}: {clean(standing.key.anchor)} {clean(name)}: {_word(done)}")
    for change in visible_changes(done.decision, mapping):
        say(f"    {change_text(change)}")
    if failure is not None:
        say(f"    {failure.code}: {clean(failure.reason)}")
    if done.passage is None:
        tell(f"the guard holds it; provisor status {job.name} says what waits for your approval")


def _word(done: OnDemand) -> str:
    if done.passage is None:
        return "staged"
    if failure_of(done) is not None:
        return f"{done.decision.action.value} failed"
    if isinstance(done.decision.resolution, Keep):
        return f"nothing to do ({done.decision.code or done.decision.situation.value})"
    return f"{done.decision.action.value} done"


def _json(done: OnDemand, mapping: ObjectMapping) -> dict[str, object]:
    """Return the stable form, described in docs/command-line.md."""
    failure = failure_of(done)
    status = "success" if failure is None else "failure"
    if done.passage is None:
        status = "warning"
    elif failure is None and isinstance(done.decision.resolution, Keep):
        status = "skipped"
    return {
        "objectMapping": mapping.name,
        "object": {"kind": mapping.source_kind, "id": done.standing.key.anchor},
        "action": done.decision.action.value,
        "status": status,
        "row": done.decision.row,
        "situation": done.decision.situation.value,
        "code": failure.code if failure else done.decision.code,
        "reason": failure.reason if failure else "",
        "changes": changes_json(visible_changes(done.decision, mapping)),
    }
