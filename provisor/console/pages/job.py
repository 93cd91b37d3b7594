"""One job: its status in full, live while a cycle runs, and what may be done to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.responses import Response

from provisor.console.reasons import Way, way_of
from provisor.console.render import plural
from provisor.console.visit import Visit, to
from provisor.console.words import ACTS, SCOPES, Act
from provisor.graph.http.faults import Fault, bad_request
from provisor.graph.wire.beside import Staged
from provisor.graph.wire.overview import CycleHistory, JobSummary

CYCLES = "40"
CONFIRMATION = "confirmed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What the head of every page of a job shows."""

    summary: JobSummary
    staged: Staged
    offered: Mapping[str, Act]
    may_restart: bool
    may_set_up: bool
    rate: str = ""

    @property
    def way(self) -> Way | None:
        """Where somebody goes on if something is not as it should be."""
        return way_of(self.summary)

    def holds(self, mapping: str, object: str) -> bool:
        """True when the departure of an object waits for somebody's word."""
        return any(
            (one.object_mapping, one.object) == (mapping, object) for one in self.staged.departures
        )


async def job(visit: Visit) -> Response:
    graphs = await visit.api.job(visit.at)
    cycles = await visit.api.read(CycleHistory, f"{visit.at}/cycles", top=CYCLES)
    return await visit.render(
        "job.html",
        job=graphs,
        cycles=cycles.value,
        may_explain=await visit.may("GET", f"{visit.at}/explain"),
        tab="status",
        head=await standing(visit),
    )


async def history(visit: Visit) -> Response:
    """Show the cycles anew, once one has ended."""
    cycles = await visit.api.read(CycleHistory, f"{visit.at}/cycles", top=CYCLES)
    return await visit.render("_history.html", cycles=cycles.value)


async def standing(visit: Visit, rate: str = "") -> Head:
    summary = await visit.api.read(JobSummary, f"{visit.at}/summary")
    staged = await visit.api.read(Staged, f"{visit.at}/staged")
    offered = {
        name: act
        for name, act in ACTS.items()
        if _makes_sense(name, summary) and await visit.may("POST", f"{visit.at}/{act.path}")
    }
    return Head(
        summary=summary,
        staged=staged,
        offered=offered,
        may_restart=await visit.may("POST", f"{visit.at}/restart"),
        may_set_up=await visit.may("PUT", f"{visit.at}/schema"),
        rate=rate,
    )


def _makes_sense(act: str, summary: JobSummary) -> bool:
    is_started = summary.schedule_state == "Active"
    match act:
        case "start":
            return not is_started or summary.code == "Quarantine"
        case "pause":
            return is_started
        case _:
            return summary.code != "NotConfigured"


async def act(visit: Visit) -> Response:
    """Do what a button says."""
    name = visit.keys["act"]
    if name not in ACTS:
        raise Fault(404, "ResourceNotFound", "There is nothing like this to be done.")
    await visit.api.send("POST", f"{visit.at}/{ACTS[name].path}")
    return to(visit.here, did=name)


async def restart_form(visit: Visit) -> Response:
    return await _restart(visit, missing=False)


async def _restart(visit: Visit, *, missing: bool) -> Response:
    head = await standing(visit)
    return await visit.render(
        "restart.html",
        400 if missing else 200,
        scopes=SCOPES,
        now_there=_there(head),
        tab="status",
        head=head,
        missing=missing,
    )


def _there(head: Head) -> Mapping[str, str]:
    """Return what there is at present of what each scope of a restart is about."""
    one = head.summary
    held = len(head.staged.departures)
    return {
        "Watermark": "the source was read" if one.last_ended else "nothing was read yet",
        "Escrows": plural(one.count_escrowed, "object"),
        "QuarantineState": "it is in quarantine" if one.status.quarantine else "it is in none",
        "ConnectorDataStore": plural(one.links, "link"),
        "ForceDeletes": f"{plural(held, 'departure')} held",
    }


async def restart(visit: Visit) -> Response:
    """Restart with the scopes that were ticked. Grave ones want a second word."""
    chosen = [scope for scope in SCOPES if visit.form.get(scope.name)]
    if not chosen:
        raise bad_request("Choose what the restart is to forget.")
    if any(scope.is_grave for scope in chosen) and not visit.form.get(CONFIRMATION):
        return await _restart(visit, missing=True)
    names = ",".join(scope.name for scope in chosen)
    await visit.api.send("POST", f"{visit.at}/restart", {"criteria": {"resetScope": names}})
    return to(visit.here, did="restart")
