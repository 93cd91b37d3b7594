"""What stands beside Graph's resources to tell how a job came to be as it is: cycles, escrows."""

from __future__ import annotations

from provisor.graph.http.answers import Answer, Document, document, said
from provisor.graph.http.calls import Call
from provisor.graph.http.handlers.common import job_of
from provisor.graph.translate.job import to_execution
from provisor.graph.troubleshooting import page_url, trouble_of
from provisor.model.cycles import Cycle
from provisor.runtime.waiting import waiting_by_code, waiting_document

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
    }


async def escrows(call: Call) -> Answer:
    """Return what failed and waits, by cause, with what is known of each cause."""
    _, job = await job_of(call)
    groups = waiting_document(await waiting_by_code(call.house.parts, job))
    return said({"value": [_explained(group, call.house.docs) for group in groups]})


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
