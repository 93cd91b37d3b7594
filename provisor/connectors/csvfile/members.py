"""Who belongs to which group, and which groups may be shown at all.

A group is shown only where all its members are known: shown with fewer, it would lose them.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Final

from provisor.connectors.csvfile.columns import (
    GROUP,
    USER,
    miscounted,
    missing_columns,
    repeated_columns,
)
from provisor.connectors.csvfile.reader import OpenFile
from provisor.connectors.csvfile.settings import Membership
from provisor.model.entries import Anchor, ReadFault, Reference

ROWS_AT_A_TIME: Final = 10_000
KINDS: Final = {"user": USER, "group": GROUP}
LINE_BITS: Final = 40
TYPE_PROBLEM: Final = "the type of the member is none; write user or group"
IN_ORDER: Final = attrgetter("anchor", "kind")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Whose rows were read, to tell users from groups where no column does."""

    users: Collection[str]
    groups: Collection[str]
    hides_users: bool
    """A user's row could not be read, and whose it is nobody knows."""
    hides_groups: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberColumns:
    """Where in a row the group, the member and, if anywhere, the member's kind stand."""

    group: int
    member: int
    type: int | None
    count: int


def member_columns(header: Sequence[str], names: Membership) -> MemberColumns | tuple[str, ...]:
    """Return what a header means, or everything that is wrong with it."""
    labels = [label.strip() for label in header]
    problems = (
        *repeated_columns(labels),
        *missing_columns(labels, [names.group, names.member]),
    )
    if problems:
        return problems
    return MemberColumns(
        group=labels.index(names.group),
        member=labels.index(names.member),
        type=labels.index(names.type) if names.type in labels else None,
        count=len(labels),
    )


@dataclass(slots=True)
class _Members:
    references: list[Reference] = field(default_factory=list[Reference])
    places: array[int] = field(default_factory=lambda: array("Q"))
    """Where each stands: its file's number and, in the lower bits, its line."""


class Memberships:
    """All memberships, sixteen bytes each beside the references that they share."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._by_group: dict[str, _Members] = {}
        self._shared: dict[tuple[str, str], Reference] = {}
        self._told_apart: dict[str, Reference] = {}
        """By id alone, what `_kind` found out once."""
        self._held: set[str] = set()
        self._holds_all = False
        self._files: list[OpenFile] = []

    def read(
        self, file: OpenFile, rows: Iterator[tuple[int, list[str]]], columns: MemberColumns
    ) -> Iterator[tuple[int, tuple[ReadFault, ...]]]:
        """Take in the rows of a file; yield, some at a time, how many and what is wrong."""
        number = len(self._files) << LINE_BITS
        self._files.append(file)
        count, faults = 0, list[ReadFault]()
        for line, row in rows:
            fault = self._take(row, columns, number | line)
            if fault is not None:
                faults.append(replace(fault, where=file.where(line)))
            count += 1
            if count == ROWS_AT_A_TIME:
                yield count, tuple(faults)
                count, faults = 0, []
        yield count, tuple(faults)

    def faults(self) -> Iterator[ReadFault]:
        """Yield what is wrong with memberships as a whole, and hold back whom it concerns."""
        for group, members in self._by_group.items():
            if group not in self._known.groups:
                if not self._known.hides_groups:
                    yield self._stray(group, members)
            elif len(set(map(id, members.references))) != len(members.references):
                self._held.add(group)
                yield from self._repeated(group, members)

    def of(self, group: Anchor) -> tuple[Reference, ...] | None:
        """Return the members of a group by id, or None if they are not known for certain."""
        if self._holds_all or group in self._held:
            return None
        members = self._by_group.get(group)
        return tuple(sorted(members.references, key=IN_ORDER)) if members else ()

    def _take(self, row: Sequence[str], columns: MemberColumns, place: int) -> ReadFault | None:
        if len(row) != columns.count or not row[columns.group].strip():
            self._holds_all = True
            return _unattributable(row, columns)
        group, member = row[columns.group], row[columns.member]
        found = self._told_apart.get(member) if columns.type is None else None
        if found is None:
            found = self._member(row, columns)
        if isinstance(found, str):
            self._held.add(group)
            return ReadFault(kind=GROUP, where="", message=found, anchor=Anchor(group))
        members = self._by_group.get(group)
        if members is None:
            members = self._by_group[group] = _Members()
        members.references.append(found)
        members.places.append(place)
        return None

    def _member(self, row: Sequence[str], columns: MemberColumns) -> Reference | str:
        """Return whom a row names, or why that is not certain."""
        member = row[columns.member]
        if not member.strip():
            return "the row names no member; the group stays as it is until it does"
        if columns.type is not None:
            kind = KINDS.get(row[columns.type].strip().lower())
            return self._share(kind, member) if kind else TYPE_PROBLEM
        kind = self._kind(member)
        if kind is None:
            return (
                f"whether {member!r} is a user or a group cannot be told while rows of users or "
                "groups cannot be read; repair those, or add a column type with user or group"
            )
        return self._told_apart.setdefault(member, self._share(kind, member))

    def _share(self, kind: str, member: str) -> Reference:
        return self._shared.setdefault((kind, member), Reference(kind, Anchor(member)))

    def _kind(self, member: str) -> str | None:
        if member in self._known.users:
            return USER
        if member in self._known.groups:
            return None if self._known.hides_users else GROUP
        return None if self._known.hides_groups else USER

    def _stray(self, group: str, members: _Members) -> ReadFault:
        return ReadFault(
            kind=GROUP,
            where=self._where(members.places[0]),
            message=f"there is no group {group!r}, which has {len(members.references)} members "
            "here; add the group, or take out its members",
            anchor=Anchor(group),
        )

    def _repeated(self, group: str, members: _Members) -> Iterator[ReadFault]:
        seen: set[int] = set()
        for reference, place in zip(members.references, members.places, strict=True):
            if id(reference) in seen:
                yield ReadFault(
                    kind=GROUP,
                    where=self._where(place),
                    message=f"{reference.anchor!r} is a member of {group!r} already; take out one "
                    "of the rows, or correct the one that means another",
                    anchor=Anchor(group),
                )
            seen.add(id(reference))

    def _where(self, place: int) -> str:
        return self._files[place >> LINE_BITS].where(place & ((1 << LINE_BITS) - 1))


def _unattributable(row: Sequence[str], columns: MemberColumns) -> ReadFault:
    wrong = (
        "the row names no group" if len(row) == columns.count else miscounted(row, columns.count)
    )
    message = f"{wrong}; as it may belong to any group, all groups stay as they are until then"
    return ReadFault(kind=GROUP, where="", message=message)
