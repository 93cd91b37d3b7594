"""`approve`: an administrator's word for exactly these departures, or this plan."""

from __future__ import annotations

import click

from provisor.cli.exits import WrongUse
from provisor.cli.main import Session
from provisor.cli.planfiles import approve_plan, saved_plan
from provisor.cli.render import count, say
from provisor.cli.session import administrator, find_job, within
from provisor.cli.shape import command, job_argument
from provisor.cli.workspace import Workspace

PREFIX_MIN = 8


@command("approve", "provisor approve people 3f9a1c55d0e7")
@job_argument()
@click.argument("hash")
def approve(session: Session, job: str, hash: str) -> int:
    """Let pass exactly what HASH names, once: staged departures of JOB, or a saved plan of it.

    `provisor status JOB` shows the hash of what is staged, `provisor plan JOB --out FILE` that of
    the plan; its first 8 letters are enough. Who approved and when is recorded.
    """

    async def work(workspace: Workspace) -> None:
        chosen, parts, by = await find_job(workspace, job), workspace.parts, administrator()
        view = await parts.registry.staged(chosen.id)
        wanted = hash.strip().lower()
        if len(wanted) < PREFIX_MIN:
            raise WrongUse(f"give at least the first {PREFIX_MIN} letters of the hash")
        if view.hash.startswith(wanted) and view.hash:
            now = parts.clock.now()
            if not await parts.registry.approve(chosen.id, view.hash, by, now):
                raise WrongUse("something else is staged by now; look again before you approve")
            number = len(view.departures) + len(view.members)
            what = count(number, "staged departure") if number else "the read that was held"
            say(f"approved by {by}: {what}; next: provisor run {chosen.name}")
            return
        plan = await saved_plan(workspace, chosen)
        if plan is not None and plan.hash.startswith(wanted):
            await approve_plan(workspace, chosen, plan.hash, by)
            say(
                f"approved by {by}: the plan of {plan.made_at} with {count(plan.steps, 'step')}; "
                f"next: provisor run {chosen.name} --plan FILE"
            )
            return
        raise WrongUse(
            f"nothing of this hash waits for an approval. What is staged: "
            f"{view.hash[:16] or 'nothing'}; saved last: {plan.hash[:16] if plan else 'no plan'}"
        )

    return within(session, work)
