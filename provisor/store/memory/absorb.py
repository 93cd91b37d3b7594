"""What was read of the source is remembered."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime
from typing import assert_never

from provisor.model.decisions import Standing
from provisor.model.entries import Gone, Seen, Touched
from provisor.model.frozen import replace
from provisor.ports import Observation
from provisor.store import transitions
from provisor.store.frame import UNKNOWN_MAPPING
from provisor.store.memory.desk import Desk


def absorb(desk: Desk, observations: Sequence[Observation], now: datetime) -> None:
    for observation in observations:
        before = desk.job.standings.get(observation.key)
        after = _observe(desk, observation, before, now)
        if after is not None:
            desk.job.mappings.setdefault(observation.key.mapping, UNKNOWN_MAPPING)
            _count(desk, observation, before, after)
            desk.put(after)


def _observe(
    desk: Desk, observation: Observation, old: Standing | None, now: datetime
) -> Standing | None:
    generation = desk.job.generation
    match observation.change:
        case Seen(entry):
            is_known = old is not None and old.absence is None
            if old is not None and is_known and transitions.is_same(old.source, entry):
                return replace(old, generation=generation)
            return transitions.appear(old, observation.key, entry, generation)
        case Touched():
            if old is None or old.source is None:
                return None
            if old.absence is None:
                return replace(old, generation=generation)
            return transitions.appear(old, old.key, old.source, generation)
        case Gone(_, absence):
            if old is None or old.absence is absence:
                return old
            return transitions.disappear(old, absence, now)
        case _:
            assert_never(observation.change)


def _count(desk: Desk, observation: Observation, before: Standing | None, after: Standing) -> None:
    cycle = desk.job.cycle
    if cycle is None or not observation.is_counted:
        return
    is_shown_before = before is not None and before.generation == after.generation
    is_read = not isinstance(observation.change, Gone) and not is_shown_before
    is_delta = before is None or before.seen != after.seen
    old = transitions.pairs(before.source if before else None)
    references = len(old ^ transitions.pairs(after.source))
    desk.job.cycle = dataclasses.replace(
        cycle,
        read=cycle.read + is_read,
        deltas=cycle.deltas + is_delta,
        reference_deltas=cycle.reference_deltas + references,
    )
