"""What a cycle's counts are, told from its log records and from what is remembered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from provisor.model.cycles import Counts
from provisor.model.decisions import Record, Standing, Verdict
from provisor.store import transitions
from provisor.store.frame import UNKNOWN_MAPPING, imported
from provisor.store.memory.state import JobState


def count(job: JobState, records: Sequence[Record]) -> Counts:
    all_, begun = list(job.standings.values()), job.cycle

    def keys(holds: Callable[[Record], bool]) -> int:
        return len({r.key for r in records if holds(r)})

    escrowed = sum(bool(s.escrow) + bool(s.references_escrow) for s in all_)
    return replace(
        imported(begun.kind, begun.read, begun.deltas, begun.reference_deltas)
        if begun
        else Counts(),
        entitled=keys(lambda r: r.facts.is_entitled),
        entitled_for_provisioning=keys(lambda r: r.facts.is_effectively_entitled),
        exports=keys(lambda r: r.is_export_due),
        exported=keys(lambda r: r.is_exported),
        failed=keys(lambda r: r.verdict is Verdict.FAILURE),
        escrowed=escrowed + len(job.faults),
        escrowed_raw=escrowed + len(job.faults),
        escrowed_references=sum(bool(s.references_escrow) for s in all_),
        staged=sum(len(transitions.waiting(s)) for s in all_),
        unsettled=sum(_is_left_over(job, s) for s in all_),
    )


def _is_left_over(job: JobState, standing: Standing) -> bool:
    """True for what is neither carried through, nor in escrow, nor staged."""
    if not job.mappings.get(standing.key.mapping, UNKNOWN_MAPPING).is_enabled:
        return False
    is_object = transitions.is_unsettled(standing) and not (
        standing.escrow or transitions.is_waiting(standing.staged, standing.seen)
    )
    are_references = transitions.are_references_unsettled(standing) and not (
        standing.references_escrow
        or transitions.is_waiting(standing.references_staged, standing.references_seen)
    )
    return is_object or are_references
