"""What the cells of a row mean: from a header and settings to attributes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Final

from provisor.connectors.csvfile.settings import CsvSettings
from provisor.model.entries import Anchor, Entry, Reference, Value
from provisor.model.rules import ACCOUNT_ENABLED

USER: Final = "User"
GROUP: Final = "Group"
OBJECT_ID: Final = "objectId"
MANAGER: Final = "manager"
MEMBERS: Final = "members"

BOOLEANS: Final[Mapping[str, bool]] = {
    "true": True,
    "1": True,
    "yes": True,
    "false": False,
    "0": False,
    "no": False,
}


@dataclass(frozen=True, slots=True)
class Malformed:
    """Why a row is no object, and whose row it is if that is certain."""

    message: str
    anchor: Anchor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """How each row of one file becomes an object. Use `columns` to make one."""

    kind: str
    names: tuple[str, ...]
    """What the columns are called inside; empty for those left out."""
    anchor: int
    has_object_id: bool
    separator: str
    multivalued: frozenset[str] | None
    empty_as_null: bool
    managers: dict[str, Reference] = field(default_factory=dict[str, Reference])
    """Each made once, however many report to them."""

    def entry(self, row: Sequence[str]) -> Entry | Malformed:
        """Return the object that a row describes."""
        if len(row) != len(self.names):
            return Malformed(miscounted(row, len(self.names)))
        anchor = Anchor(row[self.anchor])
        if not anchor or anchor.isspace():
            return Malformed("the row has no id; give it the one that never changes")
        attributes: dict[str, Value] = dict(zip(self.names, row, strict=True))
        if self.empty_as_null and "" in row:
            attributes = {name: cell for name, cell in attributes.items() if cell}
        attributes.pop("", None)
        if not self.has_object_id:
            attributes[OBJECT_ID] = anchor
        if self.separator:
            self._split(attributes)
        if self.kind == USER:
            problem = self._give_types(attributes)
            if problem:
                return Malformed(problem, anchor)
        return Entry(self.kind, anchor, attributes)

    def _give_types(self, attributes: dict[str, Value]) -> str:
        """Turn cells that are no texts into what they are; return what is wrong, if anything."""
        manager = attributes.get(MANAGER)
        if isinstance(manager, str):
            if manager and not manager.isspace():
                reference = self.managers.get(manager)
                if reference is None:
                    reference = self.managers[manager] = Reference(USER, Anchor(manager))
                attributes[MANAGER] = reference
            else:
                del attributes[MANAGER]
        enabled = attributes.get(ACCOUNT_ENABLED)
        if isinstance(enabled, str):
            value = BOOLEANS.get(enabled)
            if value is None:
                value = BOOLEANS.get(enabled.strip().lower())
            if value is not None:
                attributes[ACCOUNT_ENABLED] = value
            elif enabled:
                return f"accountEnabled is {enabled!r}; write true or false"
            else:
                del attributes[ACCOUNT_ENABLED]
        return ""

    def _split(self, attributes: dict[str, Value]) -> None:
        for name, cell in [*attributes.items()]:
            if not isinstance(cell, str) or name in (OBJECT_ID, MANAGER, ACCOUNT_ENABLED):
                continue
            if name in self.multivalued if self.multivalued is not None else self.separator in cell:
                parts = cell.split(self.separator)
                attributes[name] = tuple(p for p in parts if p or not self.empty_as_null)
                if not attributes[name]:
                    del attributes[name]


def columns(
    kind: str, header: Sequence[str], settings: CsvSettings, required: frozenset[str]
) -> Columns | tuple[str, ...]:
    """Return what a header means, or everything that is wrong with it."""
    labels = [label.strip() for label in header]
    names = [settings.name_of(label) or "" for label in labels]
    anchor = settings.user_anchor if kind == USER else settings.group_anchor
    given = {*names, OBJECT_ID}
    problems = (
        *_unusable(labels, names),
        *missing_columns(labels, [anchor]),
        *_missing(sorted(required - given), given),
        *((MEMBERS_PROBLEM,) if kind == GROUP and MEMBERS in names else ()),
    )
    if problems:
        return problems
    split = settings.multivalued
    return Columns(
        kind=kind,
        names=tuple(names),
        anchor=labels.index(anchor),
        has_object_id=OBJECT_ID in names,
        separator=settings.separator,
        multivalued=split and frozenset(settings.name_of(label) or "" for label in split),
        empty_as_null=settings.empty_as_null,
    )


MEMBERS_PROBLEM: Final = (
    "memberships are read from the file that the setting members names; leave this column out "
    "with attributes: {members: null}"
)


def miscounted(row: Sequence[str], expected: int) -> str:
    """Return what is wrong with a row that has not as many cells as the header."""
    if not row:
        return "the line is empty; delete it"
    way_out = "put a cell that holds the delimiter in quotes"
    return f"the row has {len(row)} cells where the header has {expected}; {way_out}"


def missing_columns(labels: Sequence[str], wanted: Sequence[str]) -> Iterator[str]:
    """Yield what is wrong with a header that lacks columns which the settings name."""
    for column in wanted:
        if column not in labels:
            same = [label for label in labels if label.lower() == column.lower()]
            near = same or get_close_matches(column, labels, 1)
            hint = f"is it {near[0]!r}" if near else f"there are {', '.join(map(repr, labels))}"
            way_out = "or is the delimiter another? The first line has to be the header"
            yield f"there is no column {column!r}; {hint}, {way_out}"


def repeated_columns(labels: Sequence[str]) -> Iterator[str]:
    """Yield what is wrong with a header that has a column without a name, or a name twice."""
    for label, count in Counter(labels).items():
        if not label:
            yield f"{count} columns have no name" if count > 1 else "a column has no name"
        elif count > 1:
            yield f"the column {label!r} is there {count} times"


def _unusable(labels: Sequence[str], names: Sequence[str]) -> Iterator[str]:
    yield from repeated_columns(labels)
    sources: dict[str, str] = {}
    for label, name in zip(labels, names, strict=True):
        other = sources.setdefault(name, label)
        if name and other != label:
            way_out = f"leave one out with attributes: {{{label}: null}}"
            yield f"the columns {other!r} and {label!r} both are {name}; {way_out}"


def _missing(names: Sequence[str], given: set[str]) -> Iterator[str]:
    """Yield one sentence about all that the schema reads and no column is."""
    if not names:
        return
    told = ", ".join(f"{name}{_hint(name, given)}" for name in names)
    many = len(names) > 1
    them = "them" if many else "it"
    yield (
        f"no {'columns are' if many else 'column is'} {told}, which the schema reads; add {them}, "
        f"name {'some' if many else 'one'} in attributes, or take the "
        f"{'names' if many else 'name'} out of mappings and filters"
    )


def _hint(name: str, given: set[str]) -> str:
    near = get_close_matches(name, sorted(given - {""}), 1)
    return f" (is it {near[0]!r}?)" if near else ""
