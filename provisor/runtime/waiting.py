"""What failed and waits for another attempt, grouped by its cause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from provisor.model.decisions import Escrow, Standing
from provisor.model.jobs import Job
from provisor.planner.record import name_of
from provisor.ports import RecordQuery
from provisor.runtime.parts import Parts

PAGE = 1_000
FAR = timedelta(days=3_650)
ROW = "SourceRowInvalid"
"""A row that cannot be read waits in its file, not in the store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One object, or one row of a file, that waits for another attempt."""

    mapping: str
    anchor: str
    name: str
    reason: str
    attempts: int
    first_failed_at: datetime
    retry_at: datetime | None
    """None: when its row can be read."""


async def waiting_by_code(parts: Parts, job: Job) -> dict[str, list[Waiting]]:
    """Return everything that waits, by the code it failed with."""
    groups: dict[str, list[Waiting]] = {}
    for code, waiting in [*await _objects(parts, job), *await _rows(parts, job)]:
        groups.setdefault(code, []).append(waiting)
    return groups


async def _objects(parts: Parts, job: Job) -> list[tuple[str, Waiting]]:
    """Return what is in escrow: in the far future every escrow is due."""
    journal = await parts.registry.view_journal(job.id)
    then = parts.clock.now() + FAR
    keys = {*await journal.due(then), *await journal.due_references(then)}
    found: list[tuple[str, Waiting]] = []
    ordered = sorted(keys)
    for first in range(0, len(ordered), PAGE):
        for standing in await journal.recall(ordered[first : first + PAGE]):
            for escrow in (standing.escrow, standing.references_escrow):
                if escrow is not None:
                    found.append((escrow.code, _waiting(standing, escrow)))
    return found


def _waiting(standing: Standing, escrow: Escrow) -> Waiting:
    return Waiting(
        mapping=standing.key.mapping,
        anchor=standing.key.anchor,
        name=name_of(standing.source.attributes) if standing.source else "",
        reason=escrow.reason,
        attempts=escrow.attempts,
        first_failed_at=escrow.first_failed_at,
        retry_at=escrow.retry_at,
    )


async def _rows(parts: Parts, job: Job) -> list[tuple[str, Waiting]]:
    """Return the rows that the last cycle could not read."""
    last = job.status.last
    if last is None:
        return []
    query = RecordQuery(job=job.id, cycle=last.id, code=ROW, limit=PAGE)
    return [
        (
            ROW,
            Waiting(
                mapping=record.key.mapping,
                anchor=record.key.anchor,
                name=record.source_name,
                reason=record.reason,
                attempts=1,
                first_failed_at=record.at,
                retry_at=None,
            ),
        )
        for _, _, record in await parts.ledger.records(query)
    ]


def waiting_document(groups: Mapping[str, Sequence[Waiting]]) -> list[dict[str, object]]:
    """Return the stable form, described in docs/command-line.md."""
    return [
        {
            "code": code,
            "count": len(waiting),
            "objects": [
                {
                    "objectMapping": one.mapping,
                    "id": one.anchor,
                    "name": one.name,
                    "reason": one.reason,
                    "attempts": one.attempts,
                    "firstFailedAt": one.first_failed_at,
                    "retryAt": one.retry_at,
                }
                for one in waiting
            ],
        }
        for code, waiting in groups.items()
    ]
