"""What every method of a journal in memory works at: one job, and how to read and write a standing
of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from provisor.model.decisions import Standing, StandingKey
from provisor.model.entries import Anchor, Reference
from provisor.store import transitions
from provisor.store.frame import UNKNOWN_MAPPING, MappingNote
from provisor.store.memory.state import JobState


@dataclass(slots=True)
class Desk:
    job: JobState

    def all(self) -> Iterator[Standing]:
        """Yield every object as it is when its turn comes: an earlier one may have stirred it."""
        for key in list(self.job.standings):
            if key in self.job.standings:
                yield self.job.standings[key]

    def present(self) -> Iterator[Standing]:
        return (s for s in self.all() if transitions.is_present(s))

    def is_shown(self, standing: Standing) -> bool:
        return standing.generation == self.job.generation

    def note(self, key: StandingKey) -> MappingNote:
        return self.job.mappings.get(key.mapping, UNKNOWN_MAPPING)

    def target_kind(self, key: StandingKey) -> str:
        return self.note(key).target_kind

    def governor(self, kind: str, target: Anchor) -> Standing | None:
        for standing in self.all():
            link = standing.link
            if link and link.target == target and self.target_kind(standing.key) == kind:
                return standing
        return None

    def predecessor(self, key: StandingKey, target: Anchor | None) -> Standing | None:
        """Return who else governs a target object, if anybody does."""
        governor = self.governor(self.target_kind(key), target) if target else None
        return governor if governor is not None and governor.key != key else None

    def put(self, standing: Standing) -> None:
        """Store a standing, or forget it. Where others can point at it anew, or no longer, those
        who refer to it are stirred, in this same step."""
        before = self.job.standings.get(standing.key)
        was = transitions.pointed_at(before.link) if before else None
        is_moved = was != transitions.pointed_at(standing.link)
        if transitions.is_forgettable(standing):
            self.job.standings.pop(standing.key, None)
        else:
            self.job.standings[standing.key] = transitions.stir(standing) if is_moved else standing
        if is_moved and standing.source is not None:
            self._stir(Reference(standing.source.kind, standing.key.anchor), is_new=was is None)

    def _stir(self, referred: Reference, *, is_new: bool) -> None:
        """Stir who refers to an object. By one that is new, who has no link is not: by the time
        that he has one, he is stirred by that."""
        for standing in self.all():
            if is_new and standing.link is None:
                continue
            if any(reference == referred for _, reference in transitions.pairs(standing.source)):
                self.job.standings[standing.key] = transitions.stir(standing)
