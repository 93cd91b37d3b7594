"""What a source under test is to show, and whose hands put it there."""

from __future__ import annotations

from operator import attrgetter
from typing import Protocol

from provisor.model.entries import Anchor, Entry, EntryKey, Reference, Value
from provisor.ports import Source

IN_ORDER = attrgetter("anchor", "kind")


def person(anchor: str, name: str, manager: str = "") -> Entry:
    attributes: dict[str, Value] = {"objectId": anchor, "displayName": name}
    if manager:
        attributes["manager"] = Reference("User", Anchor(manager))
    return Entry("User", Anchor(anchor), attributes)


def group(anchor: str, name: str, *members: str) -> Entry:
    """Return a group; a member whose id begins with `g` is a group."""
    said = [Reference("Group" if m.startswith("g") else "User", Anchor(m)) for m in members]
    attributes: dict[str, Value] = {"objectId": anchor, "displayName": name}
    if said:
        attributes["members"] = tuple(sorted(said, key=IN_ORDER))
    return Entry("Group", Anchor(anchor), attributes)


def key(entry: Entry) -> EntryKey:
    return EntryKey(entry.kind, entry.anchor)


ORGANISATION = (
    person("u1", "Ada Lovelace"),
    person("u2", "Åsa Öberg", manager="u1"),
    person("u3", 'Bob "the\nBuilder", Jr.', manager="u1"),
    person("u4", "陳大文", manager="u2"),
    person("u5", "Eve"),
    group("g1", "Sales", "u1", "u2", "u3"),
    group("g2", "Everyone", "g1", "u4", "u5"),
    group("g3", "Nobody"),
)


class Subject(Protocol):
    """A source, and who puts things into it."""

    has_changes: bool
    """It can tell what changed, by a watermark."""

    @property
    def source(self) -> Source: ...

    async def hold(self, *entries: Entry) -> None:
        """Let these be there, beside what is there already."""
        ...

    async def remove(self, gone: EntryKey) -> None: ...
