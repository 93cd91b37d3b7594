"""What befalls many objects of a job at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime

from provisor.model.entries import Absence, Anchor
from provisor.model.frozen import replace
from provisor.model.jobs import ResetScope
from provisor.model.rules import MappingName, Rules
from provisor.store import transitions
from provisor.store.expected import adoption
from provisor.store.frame import MappingNote
from provisor.store.memory.desk import Desk


def adopt(desk: Desk, rules: Rules, policy_hash: str, *, rereads: bool) -> bool:
    job = desk.job
    adopted = tuple((name, mapping.hash) for name, mapping in rules.items())
    is_new_policy = policy_hash != job.policy_hash
    is_new = is_new_policy or adopted != job.adopted
    known = dict(job.mappings)
    befalls = adoption(known, rules, is_new_policy=is_new_policy)
    for name, note in known.items():
        job.mappings[name] = dataclasses.replace(note, hash=None, is_enabled=False)
    job.mappings |= {name: MappingNote.of(mapping) for name, mapping in rules.items()}
    job.adopted, job.policy_hash = adopted, policy_hash
    for standing in desk.all():
        if (after := befalls.of(standing)) is not standing:
            desk.put(after)
    if is_new and rereads:
        job.watermark, job.is_initial = None, True
    return is_new


def assign(desk: Desk, assigned: Mapping[MappingName, frozenset[Anchor]]) -> int:
    changed = 0
    for standing in desk.all():
        is_assigned = standing.key.anchor in assigned.get(standing.key.mapping, frozenset())
        if is_assigned != standing.is_assigned:
            desk.put(transitions.unsettle(replace(standing, is_assigned=is_assigned)))
            changed += 1
    return changed


def reset(desk: Desk, scope: ResetScope) -> None:
    job = desk.job
    if ResetScope.WATERMARK in scope:
        job.watermark, job.is_initial = None, True
    if ResetScope.ESCROWS in scope:
        job.faults = ()
    for standing in desk.all():
        after = transitions.reset(standing, scope)
        if transitions.is_forgettable(after):
            del job.standings[standing.key]
        else:  # nobody is stirred on top: whatever drops links unsettles everything
            job.standings[standing.key] = after


def expire(desk: Desk, absent_since: datetime) -> int:
    expired = [
        s
        for s in desk.all()
        if s.absence is Absence.ABSENT and s.absent_since and s.absent_since <= absent_since
    ]
    for standing in expired:
        desk.put(transitions.expire(standing))
    return len(expired)
