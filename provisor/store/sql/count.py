"""How the open cycle stands, counted anew from what is stored."""

from __future__ import annotations

from dataclasses import replace

from provisor.model.cycles import Counts, Cycle, CycleKind
from provisor.model.jobs import Progress
from provisor.store.frame import OpenCycle, imported, interrupted
from provisor.store.sql.codec import from_micros
from provisor.store.sql.desk import Desk
from provisor.store.sql.documents import from_json, to_json

STAGED = "(staged_at IS NOT NULL AND NOT (staged_approved AND staged_seen = seen))"
REFERENCES_STAGED = (
    "(references_staged_at IS NOT NULL AND NOT"
    " (references_staged_approved AND references_staged_seen = references_seen))"
)
OPEN = """
SELECT c.id, c.began, j.cycle_kind, j.cycle_read, j.cycle_deltas, j.cycle_reference_deltas,
       j.progress, c.number, c.records_after
FROM job j JOIN cycle c ON c.number = j.cycle WHERE j.number = ?
"""
RECOUNT = f"""
WITH object AS (
    SELECT max(CASE WHEN is_entitled THEN 1 ELSE 0 END) AS entitled,
           max(CASE WHEN is_effectively_entitled THEN 1 ELSE 0 END) AS effectively,
           max(CASE WHEN is_export_due THEN 1 ELSE 0 END) AS due,
           max(CASE WHEN is_exported THEN 1 ELSE 0 END) AS exported,
           max(CASE WHEN verdict = 'failure' THEN 1 ELSE 0 END) AS failed
    FROM record
    WHERE cycle = :cycle AND position > :after
    GROUP BY mapping, anchor
), logged AS (
    SELECT sum(entitled), sum(effectively), sum(due), sum(exported), sum(failed)
    FROM object
), standing_now AS (
    SELECT count(*) FILTER (WHERE escrow IS NOT NULL),
           count(*) FILTER (WHERE references_escrow IS NOT NULL),
           count(*) FILTER (WHERE {STAGED}) + count(*) FILTER (WHERE {REFERENCES_STAGED}),
           count(*) FILTER (WHERE is_enabled AND (
               seen <> settled AND escrow IS NULL AND NOT {STAGED}
               OR state = 'managed' AND has_references
                  AND references_seen <> references_settled
                  AND references_escrow IS NULL AND NOT {REFERENCES_STAGED}))
    FROM standing JOIN mapping ON mapping.number = standing.mapping
    WHERE mapping.job = :job
)
SELECT logged.*, standing_now.*, faults_count
FROM logged, standing_now, job WHERE job.number = :job
"""  # noqa: S608


def open_cycle(desk: Desk) -> OpenCycle | None:
    return _open(desk)[0]


def _open(desk: Desk) -> tuple[OpenCycle | None, int, int]:
    """Return the open cycle with its number, and after which position its records lie."""
    row = desk.run(OPEN, (desk.job,)).fetchone()
    if row is None:
        return None, 0, 0
    id, began, kind, read, deltas, reference_deltas, progress, number, after = row
    cycle = OpenCycle(
        id=id,
        kind=CycleKind(kind),
        began=from_micros(began),
        read=read,
        deltas=deltas,
        reference_deltas=reference_deltas,
        progress=from_json(progress, Progress) if progress else None,
    )
    return cycle, number, after


def note_progress(desk: Desk, progress: Progress) -> None:
    desk.run(
        "UPDATE job SET progress = ? WHERE number = ? AND cycle IS NOT NULL",
        (to_json(progress), desk.job),
    )


def recount(desk: Desk) -> Counts:
    cycle, number, after = _open(desk)
    row = desk.run(RECOUNT, {"cycle": number, "after": after, "job": desk.job}).fetchone()
    counts = [int(column or 0) for column in row]
    entitled, effectively, due, exported, failed = counts[:5]
    escrowed, references, staged, unsettled, faults = counts[5:]
    return replace(
        imported(cycle) if cycle else Counts(),
        entitled=entitled,
        entitled_for_provisioning=effectively,
        exports=due,
        exported=exported,
        failed=failed,
        escrowed=escrowed + references + faults,
        escrowed_references=references,
        escrowed_raw=escrowed + references + faults,
        staged=staged,
        unsettled=unsettled,
    )


def close_interrupted(desk: Desk, cycle: OpenCycle) -> Cycle:
    """Return the record of a cycle whose process died, which ended with its last trace."""
    (latest,) = desk.run(
        "SELECT max(at) FROM record WHERE cycle = ? AND position > ?", _open(desk)[1:]
    ).fetchone()
    traces = [cycle.began, cycle.how_far().observed_at]
    ended = max(traces if latest is None else [*traces, from_micros(latest)])
    return interrupted(cycle, ended, recount(desk))
