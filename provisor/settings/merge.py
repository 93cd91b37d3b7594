"""Last applied, the file and what is in force, merged (settled 36). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from provisor.settings.leaves import NO_LEAVES, Configuration, Item, Leaves

SECTIONS = ("applications", "jobs")


class Absent(Enum):
    """What a side says that says nothing: it holds as usual."""

    ABSENT = "(as usual)"


ABSENT = Absent.ABSENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One value that the file changes."""

    path: str
    before: object
    after: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """One value that was changed in the file and in force, since they last agreed."""

    path: str
    applied: object
    file: object
    live: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """One application or job after a merge."""

    leaves: Leaves
    changes: tuple[Change, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    kept: tuple[str, ...] = ()
    """Paths where what is in force differs from the file, which has not changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What is to be done to one application or job."""

    name: str
    merged: Merged
    is_new: bool = False
    renamed_from: str = ""
    has_schedule: bool = False

    @property
    def does_something(self) -> bool:
        return self.is_new or bool(self.renamed_from) or bool(self.merged.changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyPlan:
    """What an apply does, before it does anything."""

    tenant: Merged
    applications: tuple[Step, ...] = ()
    jobs: tuple[Step, ...] = ()
    removed: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """Names by section that the file brought once and has no more: `--prune` removes them."""
    strange: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """Names by section that are in force and never were in the file."""

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        steps = (*self.applications, *self.jobs)
        found = [self.tenant, *(step.merged for step in steps)]
        return tuple(conflict for merged in found for conflict in merged.conflicts)

    @property
    def does_something(self) -> bool:
        steps = (*self.applications, *self.jobs)
        return bool(self.tenant.changes) or any(step.does_something for step in steps)


def merge(
    applied: Configuration, file: Configuration, live: Configuration, *, overwrites: bool
) -> ApplyPlan:
    """Return what an apply of `file` does, where `applied` was applied last."""
    applications = _merge_items(
        "applications", applied.applications, file.applications, live.applications, overwrites
    )
    jobs = _merge_items("jobs", applied.jobs, file.jobs, live.jobs, overwrites)
    removed: dict[str, tuple[str, ...]] = {}
    strange: dict[str, tuple[str, ...]] = {}
    sections = {
        "applications": (applied.applications, file.applications, live.applications),
        "jobs": (applied.jobs, file.jobs, live.jobs),
    }
    for section, (base, wanted, held) in sections.items():
        renamed = {item.renamed_from for item in wanted.values()}
        left = [name for name in sorted(held) if name not in wanted and name not in renamed]
        removed[section] = tuple(name for name in left if name in base)
        strange[section] = tuple(name for name in left if name not in base)
    return ApplyPlan(
        tenant=merge_leaves("tenant", applied.tenant, file.tenant, live.tenant, overwrites),
        applications=applications,
        jobs=jobs,
        removed=removed,
        strange=strange,
    )


def _merge_items(
    section: str,
    applied: Mapping[str, Item],
    file: Mapping[str, Item],
    live: Mapping[str, Item],
    overwrites: bool,
) -> tuple[Step, ...]:
    steps: list[Step] = []
    for name, item in file.items():
        is_renamed = name not in live and item.renamed_from in live
        held = item.renamed_from if is_renamed else name
        known = live.get(held)
        base = applied[held].leaves if held in applied else NO_LEAVES
        path = f"{section}.{name}"
        if known is None:  # lost or never there: what was applied once is no guide
            merged = merge_leaves(path, NO_LEAVES, item.leaves, NO_LEAVES, overwrites)
        else:
            merged = merge_leaves(path, base, item.leaves, known.leaves, overwrites)
        steps.append(
            Step(
                name=name,
                merged=merged,
                is_new=known is None,
                renamed_from=held if is_renamed else "",
                has_schedule=item.has_schedule,
            )
        )
    return tuple(steps)


def merge_leaves(
    path: str, applied: Leaves, file: Leaves, live: Leaves, overwrites: bool
) -> Merged:
    """Merge leaf by leaf: what changed on one side flows, what changed on both is a conflict."""
    leaves = dict(live)
    changes: list[Change] = []
    conflicts: list[Conflict] = []
    kept: list[str] = []
    for leaf in sorted({*applied, *file, *live}):
        base, ours, theirs = (side.get(leaf, ABSENT) for side in (applied, file, live))
        place = f"{path}.{leaf}"
        if ours == theirs:
            continue
        if ours == base:
            kept.append(place)
            continue
        if theirs != base and not overwrites:
            conflicts.append(Conflict(path=place, applied=base, file=ours, live=theirs))
            continue
        changes.append(Change(path=place, before=theirs, after=ours))
        if ours is ABSENT:
            leaves.pop(leaf, None)
        else:
            leaves[leaf] = ours
    return Merged(
        leaves=leaves, changes=tuple(changes), conflicts=tuple(conflicts), kept=tuple(kept)
    )
