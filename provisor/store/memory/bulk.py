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
from provisor.store.frame import MappingNote
from provisor.store.memory.desk import Desk


def adopt(desk: Desk, rules: Rules, policy_hash: str, *, rereads: bool) -> bool:
    job = desk.job
    adopted = tuple((name, mapping.hash) for name, mapping in rules.items())
    is_new_policy = policy_hash != job.policy_hash
    is_new = is_new_policy or adopted != job.adopted
    known = dict(job.mappings)
    changed = {n for n, m in rules.items() if n not in known or known[n].hash != m.hash}
    for name, note in known.items():
        job.mappings[name] = dataclasses.replace(note, hash=None, is_enabled=False)
    job.mappings |= {name: MappingNote.of(mapping) for name, mapping in rules.items()}
    job.adopted, job.policy_hash = adopted, policy_hash
    for standing in desk.all():
        name = standing.key.mapping
        if name in changed:
            keeps = name in known and known[name].shows_all_of(job.mappings[name])
            desk.put(transitions.remapped(standing, keeps_image=keeps))
        elif is_new_policy:
            desk.put(transitions.stir(transitions.unsettle(standing)))
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
