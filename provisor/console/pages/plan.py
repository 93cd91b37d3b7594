"""What a cycle would do, before it does it; and what waits for somebody's word."""

from __future__ import annotations

from collections import Counter

from starlette.responses import Response

from provisor.console.pages.job import standing
from provisor.console.shapes import Plan
from provisor.console.visit import Visit, to
from provisor.graph.http.faults import Fault, bad_request

LOOKED = "looked"


async def plan_form(visit: Visit) -> Response:
    return await visit.render("plan.html", plan=None, tab="plan", head=await standing(visit))


async def plan(visit: Visit) -> Response:
    """Make a plan. It reads both systems and writes to none."""
    made = await visit.api.posted(Plan, f"{visit.at}/plan", _wanted(visit))
    return await visit.render("plan.html", plan=made, tab="plan", head=await standing(visit))


async def download(visit: Visit) -> Response:
    """Make a plan anew, and hand it on as the API tells it."""
    answer = await visit.api.send("POST", f"{visit.at}/plan", _wanted(visit))
    headers = {"Content-Disposition": 'attachment; filename="plan.json"'}
    return Response(answer.body, media_type="application/json", headers=headers)


def _wanted(visit: Visit) -> dict[str, object]:
    return {"reconcile": bool(visit.form.get("reconcile"))}


async def staged(visit: Visit) -> Response:
    return await _staged(visit)


async def _staged(visit: Visit, changed: str = "") -> Response:
    head = await standing(visit)
    count = visit.form.get("count", "")
    return await visit.render(
        "staged.html",
        409 if changed else 200,
        tab="staged",
        head=head,
        why=Counter(one.reason for one in head.staged.departures if one.reason),
        changed=changed,
        looked_at=int(count) if count.isdecimal() else 0,
        may_approve=await visit.may("POST", f"{visit.at}/staged/approve"),
    )


async def approve(visit: Visit) -> Response:
    """Let pass exactly what the form names by its hash, once; show what is staged if that is
    something else by now."""
    if not visit.form.get(LOOKED):
        raise bad_request("Tick that you have looked at what is staged.")
    wanted = {"hash": visit.form.get("hash", "")}
    try:
        await visit.api.send("POST", f"{visit.at}/staged/approve", wanted)
    except Fault as fault:
        if fault.status != 409:
            raise
        return await _staged(visit, fault.message)
    return to(visit.here, did="approve")
