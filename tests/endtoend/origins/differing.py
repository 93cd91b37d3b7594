"""What became otherwise from one day to the next, in the order in which it can be done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from provisor.demo.organisation import Group, Person
from tests.endtoend.staff import Staff


@dataclass(frozen=True, slots=True)
class Difference:
    """What happened between two days."""

    gone_people: Sequence[Person]
    gone_groups: Sequence[Group]
    new_people: Sequence[Person]
    """Superiors first."""
    new_groups: Sequence[Group]
    changed: Sequence[tuple[Person, Person]]
    moved: Sequence[Person]
    """Those who are away now, or were."""
    regrouped: Sequence[tuple[Group, Group]]


def between(before: Staff, after: Staff) -> Difference:
    """Compare. Members who are gone have left their groups by that: `regrouped` is without them."""
    kept = before.people.keys() & after.people.keys()
    pairs = [
        (_without(before, after, group), after.groups[id])
        for id, group in before.groups.items()
        if id in after.groups
    ]
    return Difference(
        [p for id, p in before.people.items() if id not in after.people],
        [g for id, g in before.groups.items() if id not in after.groups],
        [p for id, p in after.people.items() if id not in before.people],
        [g for id, g in after.groups.items() if id not in before.groups],
        [
            (before.people[id], p)
            for id, p in after.people.items()
            if id in kept and p != before.people[id]
        ],
        [
            p
            for id, p in after.people.items()
            if id in kept and (id in before.away) != (id in after.away)
        ],
        [(old, new) for old, new in pairs if old != new],
    )


def _without(before: Staff, after: Staff, group: Group) -> Group:
    gone = before.people.keys() - after.people.keys()
    return Group(group.id, group.display_name, tuple(m for m in group.members if m not in gone))
