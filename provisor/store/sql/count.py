"""How the open cycle stands, counted anew from what is stored."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from provisor.model.cycles import Counts, Cycle, CycleKind
from provisor.model.jobs import Progress
from provisor.store.frame import OpenCycle, imported, interrupted
from provisor.store.sql.codec import from_micros, to_micros
from provisor.store.sql.desk import Desk, Opened
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
BEGIN = """
INSERT INTO cycle (job, id, began, records_after)
VALUES (?, ?, ?, coalesce((SELECT max(position) FROM record), 0))
ON CONFLICT (job, id) DO UPDATE SET began = excluded.began RETURNING number, records_after
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
SELECT logged.*, standing_now.*, faults_count,
       cycle_read, cycle_deltas, cycle_reference_deltas
FROM logged, standing_now, job WHERE job.number = :job
"""  # noqa: S608


def open_cycle(desk: Desk) -> OpenCycle | None:
    row = desk.run(OPEN, (desk.job,)).fetchone()
    if row is None:
        return None
    id, began, kind, read, deltas, reference_deltas, progress, *_ = row
    return OpenCycle(
        id=id,
        kind=CycleKind(kind),
        began=from_micros(began),
        read=read,
        deltas=deltas,
        reference_deltas=reference_deltas,
        progress=from_json(progress, Progress) if progress else None,
    )


def begin(desk: Desk, id: str, kind: CycleKind, began: datetime) -> None:
    """Open a cycle; call it inside a transaction, while none is open."""
    at = to_micros(began)
    number, after = desk.run(BEGIN, (desk.job, id, at)).fetchone()
    desk.writes.then(
        "UPDATE job SET cycle = ?, cycle_kind = ?, cycle_read = 0, cycle_deltas = 0,"
        " cycle_reference_deltas = 0, progress = NULL WHERE number = ?",
        (number, kind, desk.job),
    )
    desk.open(Opened(number, after, id, kind, began))


def _opened(desk: Desk) -> Opened | None:
    row = desk.run(OPEN, (desk.job,)).fetchone()
    if row is None:
        return None
    id, began, kind, *_, number, after = row
    return Opened(number, after, id, CycleKind(kind), from_micros(began))


def note_progress(desk: Desk, progress: Progress) -> None:
    desk.run(
        "UPDATE job SET progress = ? WHERE number = ? AND cycle IS NOT NULL",
        (to_json(progress), desk.job),
    )


def recount(desk: Desk) -> Counts:
    opened = desk.opened or _opened(desk)
    number, after = (opened.number, opened.records_after) if opened else (0, 0)
    row = desk.run(RECOUNT, {"cycle": number, "after": after, "job": desk.job}).fetchone()
    counts = [int(column or 0) for column in row]
    entitled, effectively, due, exported, failed = counts[:5]
    escrowed, references, staged, unsettled, faults = counts[5:10]
    return replace(
        imported(opened.kind, *counts[10:]) if opened else Counts(),
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
    opened = _opened(desk)
    assert opened is not None, "it is in the table"
    (latest,) = desk.run(
        "SELECT max(at) FROM record WHERE cycle = ? AND position > ?",
        (opened.number, opened.records_after),
    ).fetchone()
    traces = [cycle.began, cycle.how_far().observed_at]
    ended = max(traces if latest is None else [*traces, from_micros(latest)])
    return interrupted(cycle, ended, recount(desk))
