"""What single objects go through before they are written to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from provisor.model.decisions import Decision, Standing, StandingKey, TargetChange
from provisor.model.frozen import replace
from provisor.store import transitions
from provisor.store.frame import spell_claim
from provisor.store.memory.desk import Desk


def stage(desk: Desk, held: Mapping[StandingKey, int], now: datetime) -> None:
    for standing in desk.all():
        if standing.key in held:
            desk.put(transitions.staged(standing, held[standing.key], now))
        elif not transitions.is_approved(standing.staged, standing.seen):
            desk.put(replace(standing, staged=None))


def attempt(desk: Desk, standing: Standing, decision: Decision, now: datetime) -> bool:
    key = standing.key
    current = desk.job.standings[key]
    predecessor = desk.predecessor(key, transitions.claimed_anchor(decision))
    if predecessor is not None and not transitions.is_ceded(predecessor):
        return False
    if _is_awaited(desk, current, decision):
        return False
    if predecessor is not None:
        desk.put(transitions.ceded(predecessor))
        current = desk.job.standings[key]  # who points at the other was stirred
    desk.put(transitions.attempted(current, decision, predecessor))
    if transitions.is_departure(decision):
        if transitions.is_approved(standing.staged, standing.seen):
            desk.job.departures.pop(key, None)
        else:
            desk.job.departures[key] = now
    return True


def _is_awaited(desk: Desk, current: Standing, decision: Decision) -> bool:
    claims = set(map(spell_claim, transitions.claimed_queries(decision)))
    others = (s for s in desk.all() if s.key != current.key)
    return any(claims & set(map(spell_claim, s.attempt)) for s in others)


def stage_references(desk: Desk, held: Mapping[StandingKey, int], now: datetime) -> None:
    for standing in desk.all():
        let = transitions.is_approved(standing.references_staged, standing.references_seen)
        if standing.key in held:
            desk.put(transitions.staged_references(standing, held[standing.key], now))
        elif not let:
            desk.put(replace(standing, references_staged=None))


def attempt_references(
    desk: Desk, standing: Standing, changes: Sequence[TargetChange], now: datetime
) -> None:
    for removed in transitions.removed_members(changes):
        desk.job.removals.pop((standing.key, removed), None)
        if not transitions.is_approved(standing.references_staged, standing.references_seen):
            desk.job.removals[standing.key, removed] = now
    current = desk.job.standings[standing.key]
    desk.put(transitions.attempted_references(current, changes))
