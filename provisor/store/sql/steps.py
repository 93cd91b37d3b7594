"""The steps of one object: claimed before each write, settled after it.

Each raises before it writes anything, or not at all: several share a transaction (`grouped`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from provisor.errors import Rejected
from provisor.model.decisions import (
    Decision,
    Escrow,
    Outcome,
    Record,
    Span,
    Standing,
    TargetChange,
)
from provisor.model.entries import Reference
from provisor.store import transitions
from provisor.store.sql.codec import to_micros
from provisor.store.sql.desk import Desk
from provisor.store.sql.rare import Rare


def attempt(desk: Desk, standing: Standing, decision: Decision, now: datetime) -> bool:
    number, current = desk.again(standing)
    found = desk.predecessor(standing.key, transitions.claimed_anchor(decision))
    predecessor = desk.known(found) if found else None
    if predecessor is not None and not transitions.is_ceded(predecessor[1]):
        return False
    claims = transitions.claimed_queries(decision)
    if desk.awaiting(claims) - {number}:
        return False
    if predecessor is not None:
        desk.put(*predecessor, transitions.ceded(predecessor[1]))
        number, current = desk.again(standing)  # who points at the other was stirred
    after = transitions.attempted(current, decision, predecessor[1] if predecessor else None)
    if after is not current:
        desk.put(number, current, after)
    if transitions.is_departure(decision):
        _count_departure(desk, standing, now)
    return True


def _count_departure(desk: Desk, standing: Standing, now: datetime) -> None:
    """What was approved is not counted by the guard."""
    name, anchor = standing.key.mapping, standing.key.anchor
    desk.note_rare(Rare.DEPARTED)
    desk.run(
        "DELETE FROM departure WHERE job = ? AND mapping = ? AND anchor = ?",
        (desk.job, name, anchor),
    )
    if not transitions.is_approved(standing.staged, standing.seen):
        desk.run(
            "INSERT INTO departure (job, mapping, anchor, at) VALUES (?, ?, ?, ?)",
            (desk.job, name, anchor, to_micros(now)),
        )


def _count_removals(
    desk: Desk, standing: Standing, removed: Collection[Reference], now: datetime
) -> None:
    """What was approved is not counted by the guard."""
    name, anchor = standing.key.mapping, standing.key.anchor
    rows = [(desk.job, name, anchor, r.kind, r.anchor) for r in removed]
    if transitions.is_approved(standing.references_staged, standing.references_seen):
        desk.connection.executemany(
            "DELETE FROM removal WHERE job = ? AND mapping = ? AND anchor = ?"
            " AND kind = ? AND target = ?",
            rows,
        )
        return
    desk.connection.executemany(
        "INSERT INTO removal (job, mapping, anchor, kind, target, at) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (job, mapping, anchor, kind, target) DO UPDATE SET at = excluded.at",
        [(*row, to_micros(now)) for row in rows],
    )


def settle(
    desk: Desk,
    standing: Standing,
    outcome: Outcome,
    escrow: Escrow | None,
    record: Record,
    *,
    keeps_attempt: bool,
    referred: Mapping[str, Span] | None,
    settles_references: bool,
) -> None:
    number, current = desk.again(standing)
    after = transitions.settled(
        current,
        standing.seen,
        outcome,
        escrow,
        keeps_attempt=keeps_attempt,
        referred=referred,
        references_seen=standing.references_seen if settles_references else None,
    )
    if after.link and desk.predecessor(standing.key, after.link.target):
        raise Rejected(transitions.TAKEN, code="DuplicateSourceEntries")
    desk.put(number, current, after)
    desk.log(record)


def attempt_references(
    desk: Desk, standing: Standing, changes: Sequence[TargetChange], now: datetime
) -> None:
    number, current = desk.again(standing)
    _count_removals(desk, standing, transitions.removed_members(changes), now)
    desk.put(number, current, transitions.attempted_references(current, changes))


def settle_references(
    desk: Desk,
    standing: Standing,
    changes: Sequence[TargetChange],
    outcome: Outcome,
    escrow: Escrow | None,
    record: Record | None,
) -> None:
    number, current = desk.again(standing)
    seen = standing.references_seen
    after = transitions.settled_references(current, seen, changes, outcome, escrow)
    desk.put(number, current, after)
    if record is not None:
        desk.log(record)
