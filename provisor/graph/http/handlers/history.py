"""What stands beside Graph's resources to tell how a job came to be as it is: cycles, escrows."""

from __future__ import annotations

import asyncio
from dataclasses import asdict

from provisor.graph.http.answers import Answer, Document, document, said
from provisor.graph.http.calls import Call
from provisor.graph.http.faults import bad_request, conflict
from provisor.graph.http.handlers.common import job_of
from provisor.graph.translate.job import to_execution
from provisor.graph.troubleshooting import page_url, trouble_of
from provisor.graph.wire.overview import FoundObject, FoundObjects, Retried, RetryRequest
from provisor.model.cycles import Cycle, Spent
from provisor.model.decisions import StandingKey
from provisor.model.entries import Anchor, Entry
from provisor.model.rules import MappingName
from provisor.planner.record import name_of
from provisor.runtime import administer
from provisor.runtime.waiting import waiting_by_code, waiting_document

FOUND_MAX, AT_ONCE, LOOKED_AT_MAX = 20, 1_000, 200_000
"""Names are looked for among so many objects, and so many are shown."""
NAMES = ("displayName", "userPrincipalName", "userName", "mail")
"""What an object is looked for by, beside its id."""
SHOWN_MAX = 200
"""So many objects of each cause are listed; all are counted."""


async def cycles(call: Call) -> Answer:
    """Return the latest cycles of a job, newest first."""
    _, job = await job_of(call)
    found = await call.house.parts.ledger.cycles(job.id, call.page_size())
    return said({"value": [told(one) for one in found]})


def told(cycle: Cycle) -> Document:
    """Return Graph's execution of a cycle, and what Graph does not tell of it."""
    counts, error = cycle.counts, cycle.error or (cycle.halt.error if cycle.halt else None)
    return {
        **document(to_execution(cycle)),
        "kind": cycle.kind.value,
        "countFailed": counts.failed,
        "countStaged": counts.staged,
        "errorSide": error.side.value if error else None,
        "entryError": cycle.entry_error or None,
        "spent": _spent(cycle.spent) if cycle.spent else None,
    }


def _spent(spent: Spent) -> Document:
    seconds = asdict(spent)
    return {name: round(value, 4) for name, value in seconds.items()}


async def escrows(call: Call) -> Answer:
    """Return what failed and waits, by cause, with what is known of each cause."""
    _, job = await job_of(call)
    groups = waiting_document(await waiting_by_code(call.house.parts, job))
    return said({"value": [_explained(group, call.house.docs) for group in groups]})


async def retry(call: Call) -> Answer:
    """Have the next cycle, which begins at once, try again what failed."""
    _, job = await job_of(call)
    wanted, parts = call.read(RetryRequest), call.house.parts
    groups = await waiting_by_code(parts, job)
    if wanted.code and wanted.code not in groups:
        raise conflict(f"Nothing waits with the code {wanted.code[:100]} by now.")
    keys = {
        StandingKey(MappingName(one.mapping), Anchor(one.anchor))
        for code, waiting in groups.items()
        for one in waiting
        if wanted.code in (None, "", code)
        and wanted.object in (None, "", one.anchor)
        and wanted.object_mapping in (None, "", one.mapping)
    }
    about, asked_at = wanted.object or wanted.code or "all", parts.clock.now()
    count = await administer.retry(parts, job, keys, about, call.caller.name)
    call.house.hurry(job.id, asked_at)
    return said(Retried(count=count), 202)


async def objects(call: Call) -> Answer:
    """Return the remembered source objects whose name or id holds what `?search=` says."""
    _, job = await job_of(call)
    text = call.query.others.get("search", "").strip().casefold()
    if not text:
        raise bad_request("Say what to look for: ?search= a part of a name or id.")
    journal = await call.house.parts.registry.view_journal(job.id)
    kinds = dict.fromkeys(m.source_kind for m in (await call.house.rules(job)).values())
    found: list[FoundObject] = []
    for kind in kinds:
        after, looked_at = None, 0
        while looked_at < LOOKED_AT_MAX and len(found) < FOUND_MAX:
            page = await journal.entries(kind, after, AT_ONCE)
            found += [_found(one) for one in page if _is_meant(one, text)]
            looked_at += len(page)
            if len(page) < AT_ONCE:
                break
            after = page[-1].anchor
            await asyncio.sleep(0)  # others are answered meanwhile
    return said(FoundObjects(value=tuple(found[:FOUND_MAX])))


def _is_meant(entry: Entry, text: str) -> bool:
    known = (entry.anchor, *(entry.attributes.get(name) for name in NAMES))
    return any(isinstance(one, str) and text in one.casefold() for one in known)


def _found(entry: Entry) -> FoundObject:
    name = name_of(entry.attributes)
    return FoundObject(kind=entry.kind, id=entry.anchor, display_name=name or None)


def _explained(group: Document, docs: str) -> Document:
    code, objects = str(group["code"]), group["objects"]
    assert isinstance(objects, list)
    shown: list[object] = objects[:SHOWN_MAX]  # pyright: ignore[reportUnknownVariableType]
    return {**group, "objects": shown, **explained(code, docs)}


def explained(code: str, docs: str) -> Document:
    """Return what is known of a code: what it means, the way out, when it is tried again."""
    known = trouble_of(code)
    return {
        "meaning": known.meaning if known else None,
        "recommendedAction": known.advice if known else None,
        "steps": list(known.steps) if known else [],
        "retried": known.retried.value if known else None,
        "troubleshootingUrl": page_url(docs, code),
    }
