"""What would be remembered of objects, were they seen and rules adopted: for explanations, which
remember nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from provisor.model.decisions import Standing, StandingKey
from provisor.model.entries import Anchor, Entry
from provisor.model.frozen import replace
from provisor.model.rules import MappingName, Rules
from provisor.store import transitions
from provisor.store.frame import MappingNote


@dataclass(frozen=True, slots=True)
class Adoption:
    """What taking note of rules does to objects."""

    remapped: Mapping[MappingName, bool]
    """The mappings that differ, and whether images of their objects will do."""
    is_new_policy: bool

    def of(self, standing: Standing) -> Standing:
        keeps_image = self.remapped.get(standing.key.mapping)
        if keeps_image is not None:
            return transitions.remapped(standing, keeps_image=keeps_image)
        if self.is_new_policy:
            return transitions.stir(transitions.unsettle(standing))
        return standing


def adoption(
    known: Mapping[MappingName, MappingNote], rules: Rules, *, is_new_policy: bool
) -> Adoption:
    """Return what these rules do to objects where those mappings are known."""
    remapped = {
        name: name in known and known[name].shows_all_of(MappingNote.of(mapping))
        for name, mapping in rules.items()
        if name not in known or known[name].hash != mapping.hash
    }
    return Adoption(remapped, is_new_policy)


def expected(
    keys: Collection[StandingKey],
    remembered: Sequence[Standing],
    adopted: Adoption,
    seen: Entry | None,
    assigned: Mapping[MappingName, frozenset[Anchor]] | None,
    generation: int,
) -> Sequence[Standing]:
    """Return what is expected of these objects, as `Journal.expected` tells it."""
    known = {standing.key: adopted.of(standing) for standing in remembered}
    if seen is not None:
        known = {key: _seen(known.get(key), key, seen, generation) for key in keys}
    standings = [known[key] for key in keys if key in known]
    return standings if assigned is None else [_assigned(one, assigned) for one in standings]


def _seen(old: Standing | None, key: StandingKey, entry: Entry, generation: int) -> Standing:
    if old is not None and old.absence is None and transitions.is_same(old.source, entry):
        return replace(old, generation=generation)
    return transitions.appear(old, key, entry, generation)


def _assigned(standing: Standing, assigned: Mapping[MappingName, frozenset[Anchor]]) -> Standing:
    key = standing.key
    is_assigned = key.anchor in assigned.get(key.mapping, frozenset[Anchor]())
    if is_assigned == standing.is_assigned:
        return standing
    return transitions.unsettle(replace(standing, is_assigned=is_assigned))
