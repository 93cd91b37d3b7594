"""What the steps of many objects will ask, asked together before the first of them is taken."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

from provisor.model.decisions import Decision, Link, Outcome, Settled, Standing, StandingKey
from provisor.model.entries import Anchor
from provisor.store import transitions
from provisor.store.sql.writes import Writes

if TYPE_CHECKING:
    from provisor.store.sql.desk import Desk

About: TypeAlias = tuple[Standing, Decision | Outcome]
"""What a step is about: an object, and what is to be claimed for it or what came of it."""
Target: TypeAlias = tuple[int, str]
"""A target object as a mapping knows it: the mapping's number, and the anchor."""
Referred: TypeAlias = tuple[str, str]
"""Kind and anchor of a source object."""
Governor: TypeAlias = tuple[int, Anchor]
"""Number and anchor of the standing that governs a target object."""


class Gathered(Writes, Protocol):
    """Writes that wait for the end of the transaction, and questions that are asked together."""

    def ask(
        self, job: int, targets: Collection[Target], moving: Collection[Referred]
    ) -> tuple[dict[Target, Governor], dict[Referred, list[int]]]:
        """Return who governs these target objects, and the standings of a job that refer to these
        source objects."""
        ...

    def clear(self) -> None:
        """Forget what was not written."""
        ...


@dataclass(slots=True)
class Foreseen:
    """Answers that hold for one transaction, in which nobody else changes anything."""

    governors: dict[Target, Governor | None] = field(
        default_factory=dict[Target, "Governor | None"]
    )
    referrers: dict[Referred, list[int]] = field(default_factory=dict[Referred, list[int]])

    def relink(self, mapping: int, governor: Governor, old: str | None, new: str | None) -> None:
        """Take note that a standing governs another target object now."""
        for target, by in ((old, None), (new, governor)):
            if target is not None and (mapping, target) in self.governors:
                self.governors[mapping, target] = by


def foresee(desk: Desk, gathered: Gathered, abouts: Sequence[About | None]) -> Foreseen:
    targets, moving = set[Target](), set[Referred]()
    for about in abouts:
        if about is None:
            continue
        standing, what = about
        held = desk.held.find(standing.key)
        known = held[1] if held is not None else standing
        target = _target_of(what)
        if target is not None and not desk.is_sole_governor(known, target):
            targets.update(_as_known(desk, standing.key, target))
        if known.source is not None and _moves(known.link, what):
            moving.add((known.source.kind, known.key.anchor))
    if not targets and not moving:
        return Foreseen()
    governors, referrers = gathered.ask(desk.job, targets, moving)
    return Foreseen(
        {target: governors.get(target) for target in targets},
        {one: referrers.get(one, []) for one in moving},
    )


def _target_of(what: Decision | Outcome) -> Anchor | None:
    match what:
        case Decision():
            return transitions.claimed_anchor(what)
        case Settled(Link(target)):
            return target
        case _:
            return None


def _moves(before: Link | None, what: Decision | Outcome) -> bool:
    """Tell whether others may have to point elsewhere afterwards. Who is wrong costs a question
    more, and nothing else."""
    match what:
        case Settled(link):
            return transitions.pointed_at(before) != transitions.pointed_at(link)
        case Decision():
            anchor = transitions.claimed_anchor(what)
            return anchor is not None and anchor != transitions.pointed_at(before)
        case _:
            return False


def _as_known(desk: Desk, key: StandingKey, target: Anchor) -> list[Target]:
    kind = desk.note(key.mapping).target_kind
    return [
        (mapped.number, target)
        for mapped in desk.mappings().values()
        if mapped.note.target_kind == kind
    ]
