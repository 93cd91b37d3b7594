"""What holds where nothing is said, and how objects are named in lists."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Final, cast

from provisor.model.entries import Anchor, EntryKey
from provisor.model.jobs import Assignment
from provisor.model.rules import Policy
from provisor.settings.durations import duration_text
from provisor.settings.leaves import Leaves

TEMPLATE: Final = "scim"
SCHEDULE: Final = timedelta(minutes=40)
SCHEDULE_MIN: Final = timedelta(minutes=1)
NEVER: Final = "never"
USER: Final = "User"
DRIFTS: Final = ("repair", "report")

_USUAL: Final = Policy()
APPLICATION: Final[Mapping[str, object]] = MappingProxyType(
    {"template": TEMPLATE, "syncAll": True, "assignments": [], "owners": []}
)
"""By leaf; the display name of an application is its name."""
JOB: Final[Mapping[str, object]] = MappingProxyType(
    {
        "schedule": duration_text(SCHEDULE),
        "guards.departures.percent": _USUAL.guards.departures.percent,
        "guards.departures.floor": _USUAL.guards.departures.floor,
        "guards.members.percent": _USUAL.guards.members.percent,
        "guards.members.floor": _USUAL.guards.members.floor,
        "guards.shrinks.percent": _USUAL.guards.shrinks_percent,
        "guards.shrinks.rows": _USUAL.guards.shrinks_rows,
        "thresholds.minFailures": _USUAL.thresholds.failures_min,
        "thresholds.proportion": _USUAL.thresholds.proportion,
        "thresholds.base": _USUAL.thresholds.base,
        "thresholds.total": _USUAL.thresholds.total,
        "canaries": [],
        "deleteAfter": duration_text(_USUAL.delete_after or timedelta()),
        "skipOutOfScopeDeletions": _USUAL.skips_out_of_scope_deletions,
        "relinkMissing": _USUAL.relinks_missing,
        "deleteReleased": _USUAL.deletes_released,
        "targetReads": _USUAL.target_reads.value,
        "drift": DRIFTS[0],
        "parallel": _USUAL.parallel_max,
    }
)


def template_for(said: str, connector: str, templates: Collection[str]) -> str:
    """Return the template that is said, or else the one with the name of the target's connector."""
    return said or (connector if connector in templates else TEMPLATE)


def unusual(leaves: Leaves, usual: Leaves) -> Leaves:
    """Return the leaves without those that say what holds anyway."""
    return {path: value for path, value in leaves.items() if usual.get(path) != value}


def application_defaults(name: str) -> Leaves:
    return {**APPLICATION, "displayName": name}


def keys_of(names: object) -> frozenset[EntryKey]:
    """Return the objects that a list such as `[User:e1, Group:g1]` names."""
    given = cast(list[object], names) if isinstance(names, list) else []
    found = (assignment_of(name) for name in given if isinstance(name, str))
    return frozenset(EntryKey(a.kind, Anchor(a.anchor)) for a in found)


def assignment_of(name: str) -> Assignment:
    """Return the object that `User:e1` or `e1` names; a bare anchor is a user's."""
    kind, colon, anchor = name.partition(":")
    return Assignment(kind=kind, anchor=anchor) if colon else Assignment(kind=USER, anchor=name)


def text_of(assignment: Assignment) -> str:
    return f"{assignment.kind}:{assignment.anchor}"
