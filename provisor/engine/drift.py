"""What the latest reconcile found that others had changed, and an administrator's word about it.

To accept is to keep what the target says until the source implies another value, or somebody
writes another one. To re-assert is to have the next cycle put right what stands.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from provisor.engine.work import Mandate, still_terms
from provisor.model.decisions import (
    AttributeChange,
    Echo,
    Record,
    ReferencesChange,
    Standing,
    StandingKey,
    TargetChange,
)
from provisor.planner.drift import (
    DriftState,
    amiss,
    drift_states,
    is_looked_after,
    reference_state,
)
from provisor.planner.echo import accepted
from provisor.ports import Journal

RECALLED = 500
"""Objects that are looked at in one go."""


@dataclass(frozen=True, slots=True)
class Drifted:
    """One attribute that others had changed: what it said before, what was found, and how it
    stands by now. Values are as the log may show them."""

    key: StandingKey
    change: TargetChange
    state: DriftState


async def drifted(
    mandate: Mandate, records: Sequence[Record], view: Journal, now: datetime
) -> Sequence[Drifted]:
    """Tell how it stands with what log records of a reconcile say."""
    terms = still_terms(mandate, now)
    standings = await _recall(view, [record.key for record in records])
    found: list[Drifted] = []
    for record in records:
        known = terms.get(record.key.mapping), standings.get(record.key)
        plain = frozenset(c.name for c in record.changes if isinstance(c, AttributeChange))
        states = drift_states(*known, plain)
        for change in record.changes:
            state = (
                reference_state(*known, change)
                if isinstance(change, ReferencesChange)
                else states[change.name]
            )
            found.append(Drifted(record.key, change, state))
    return found


async def accept(
    mandate: Mandate,
    wanted: Mapping[StandingKey, Collection[str]],
    journal: Journal,
    now: datetime,
) -> Sequence[tuple[StandingKey, AttributeChange]]:
    """Let be what the target says of these attributes; return what would have put them right."""
    terms = still_terms(mandate, now)
    echoes: dict[StandingKey, Mapping[str, Echo]] = {}
    done: list[tuple[StandingKey, AttributeChange]] = []
    for key, standing in (await _recall(journal, list(wanted))).items():
        own = terms.get(key.mapping)
        if own is None or standing.link is None or not is_looked_after(own, standing):
            continue
        wrong = amiss(own, standing) or {}
        let_be = [wrong[name] for name in wanted[key] if name in wrong]
        if let_be:
            echoes[key] = accepted(let_be, standing.link.echoes)
            done += [(key, one) for one in let_be]
    await journal.let_be(echoes, unsettles=False)
    return done


async def reassert(wanted: Mapping[StandingKey, Collection[str]], journal: Journal) -> int:
    """Have the next cycle put right what stands, accepted or not; return how many objects."""
    echoes: dict[StandingKey, Mapping[str, Echo]] = {}
    for key, standing in (await _recall(journal, list(wanted))).items():
        if standing.link is not None:
            known = standing.link.echoes
            echoes[key] = {name: one for name, one in known.items() if name not in wanted[key]}
    await journal.let_be(echoes, unsettles=True)
    return len(echoes)


async def _recall(journal: Journal, keys: Sequence[StandingKey]) -> Mapping[StandingKey, Standing]:
    known: dict[StandingKey, Standing] = {}
    for first in range(0, len(keys), RECALLED):
        for standing in await journal.recall(keys[first : first + RECALLED]):
            known[standing.key] = standing
    return known
