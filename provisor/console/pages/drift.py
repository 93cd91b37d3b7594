"""What others changed in the target: per object and attribute, accepted or put right."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.responses import Response

from provisor.console.pages.job import standing
from provisor.console.visit import Visit, to
from provisor.console.words import DRIFTS
from provisor.graph.http.faults import Fault
from provisor.graph.wire.drift import DriftReport, Taken

SIZE = "200"
ASKED = ("search", "attribute", "state")
"""What the address may narrow the page by; a link with these shows the same again."""
ACTS = ("accept", "reassert")


async def drift(visit: Visit) -> Response:
    asked = {name: visit.asked(name) for name in ASKED}
    narrowed = {f"_{name}": value for name, value in asked.items() if value}
    told = await visit.api.read(DriftReport, f"{visit.at}/drift", top=SIZE, **narrowed)
    return await visit.render(
        "_drift.html" if visit.is_part else "drift.html",
        told=told,
        asked=asked,
        is_narrowed=bool(narrowed),
        standing=sum(told.states.get(name, 0) for name, one in DRIFTS.items() if one.is_open),
        may_accept=await visit.may("POST", f"{visit.at}/drift/accept"),
        may_reconcile=await visit.may("POST", f"{visit.at}/reconcile"),
        may_explain=await visit.may("GET", f"{visit.at}/explain"),
        tab="drift",
        head=await standing(visit),
    )


async def decide(visit: Visit) -> Response:
    """Accept or re-assert what the form names, as the reconcile that was looked at found it."""
    act = visit.keys["act"]
    if act not in ACTS:
        raise Fault(404, "ResourceNotFound", "There is nothing like this to be done.")
    names = {"attribute": "attribute", "object": "object", "mapping": "objectMapping"}
    choice = {to: visit.form[name] for name, to in names.items() if visit.form.get(name)}
    choice["cycle"] = visit.form.get("cycle", "")
    await visit.api.posted(Taken, f"{visit.at}/drift/{act}", choice)
    kept = {name: visit.form[f"kept-{name}"] for name in ASKED if visit.form.get(f"kept-{name}")}
    asked = f"?{urlencode(kept)}" if kept else ""
    return to(f"{visit.here}/drift{asked}", did=act)
