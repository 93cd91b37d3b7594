"""The sources under test, each with the hands that change what it shows."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from provisor.connectors.csvfile.settings import CsvSettings, parse
from provisor.connectors.csvfile.source import CsvSource
from provisor.connectors.inbound.source import InboundDirectory
from provisor.connectors.inbound.wire import Upsert
from provisor.connectors.memory import MemorySource
from provisor.errors import StoreFailed
from provisor.model.entries import Entry, EntryKey, Reference
from provisor.testing.organisation import Subject, key
from provisor.testing.reading import LateClock

PAGE = 2
READ = {
    "User": frozenset({"displayName", "manager"}),
    "Group": frozenset({"displayName", "members"}),
}
"""What mappings and filters read, by kind."""


class CsvSubject:
    """Files of users, groups and members in a folder."""

    has_changes = False

    def __init__(self, folder: Path, **settings: object) -> None:
        self.folder = folder
        self.entries: dict[EntryKey, Entry] = {}
        chosen = {"users": "users.csv", "groups": "groups.csv", "members": "members.csv"}
        parsed = parse({**chosen, **settings}, folder)
        assert isinstance(parsed, CsvSettings), parsed
        self.source = CsvSource(parsed, LateClock(), READ, page_entries=PAGE)
        self._write()

    async def hold(self, *entries: Entry) -> None:
        self.entries.update({key(entry): entry for entry in entries})
        self._write()

    async def remove(self, gone: EntryKey) -> None:
        del self.entries[gone]
        self._write()

    def _write(self) -> None:
        for name, content in files(self.entries).items():
            unfinished = self.folder / f"{name}.new"
            unfinished.write_bytes(content)
            unfinished.replace(self.folder / name)


def files(entries: Mapping[EntryKey, Entry]) -> dict[str, bytes]:
    """Return what users.csv, groups.csv and members.csv say of these objects."""
    users = [e for e in entries.values() if e.kind == "User"]
    groups = [e for e in entries.values() if e.kind == "Group"]
    return {
        "users.csv": _table(
            ("id", "displayName", "manager"),
            [(e.anchor, _text(e, "displayName"), _text(e, "manager")) for e in users],
        ),
        "groups.csv": _table(
            ("id", "displayName"), [(e.anchor, _text(e, "displayName")) for e in groups]
        ),
        "members.csv": _table(
            ("group", "member"),
            [(e.anchor, member.anchor) for e in groups for member in _members(e)],
        ),
    }


def _members(entry: Entry) -> Sequence[Reference]:
    said = entry.attributes.get("members", ())
    return [m for m in said if isinstance(m, Reference)] if isinstance(said, tuple) else []


def _text(entry: Entry, name: str) -> str:
    value = entry.attributes.get(name, "")
    return value.anchor if isinstance(value, Reference) else str(value)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()


class MemorySubject:
    def __init__(self, *, has_changes: bool) -> None:
        self.has_changes = has_changes
        self.source = MemorySource(PAGE, has_changes=has_changes)

    async def hold(self, *entries: Entry) -> None:
        for entry in entries:
            self.source.put(entry)

    async def remove(self, gone: EntryKey) -> None:
        self.source.remove(gone)


class Shelf:
    """Documents that are kept in this process, and what may happen to them."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], bytes] = {}
        self.calls = 0
        self.fails_at = 0
        """Which call from now on fails; none if 0."""

    async def document(self, owner: str, name: str) -> bytes | None:
        self._count()
        return self.kept.get((owner, name))

    async def put_document(self, owner: str, name: str, content: bytes) -> None:
        self._count()
        self.kept[owner, name] = content

    def _count(self) -> None:
        self.calls += 1
        if self.calls == self.fails_at:
            raise StoreFailed("the disk is full")


class Numbers:
    """Entropy that counts: every era has another name."""

    def __init__(self) -> None:
        self._count = 0

    def uuid(self) -> str:
        self._count += 1
        return f"era-{self._count}"

    def below(self, limit: int) -> int:
        return self._count % limit


class InboundSubject:
    has_changes = True

    def __init__(self) -> None:
        self.shelf = Shelf()
        self.source = self.another()

    def another(self) -> InboundDirectory:
        """Return the directory as another process sees it."""
        chance = Numbers()
        return InboundDirectory(self.shelf, "people", chance, match="objectId", page_size=PAGE)

    async def hold(self, *entries: Entry) -> None:
        for entry in entries:
            whole = {"manager": None, "members": None, **entry.attributes}
            await self.source.push([Upsert(entry.kind, whole)])

    async def remove(self, gone: EntryKey) -> None:
        raise NotImplementedError(f"nobody is removed from an inbound directory: {gone}")


SCIM_SNAPSHOTS = (
    "scim by index",
    "scim by cursor",
    "scim2-server",
    "scim2-server by cursor",
)
SQL_SNAPSHOTS = ("sqlite", "postgresql", "mariadb")
SQL_DELTAS = (
    "postgresql by watermark",
    "postgresql by xmin",
    "mariadb by watermark",
    "sqlite by change table",
)
SNAPSHOTS = (
    "csv",
    "memory without changes",
    "ldap without changes",
    "ad without changes",
    *SCIM_SNAPSHOTS,
    *SQL_SNAPSHOTS,
)
DELTAS = (
    *("memory", "inbound", "ldap", "ad", "ad by usn", "scim by timestamps", "msgraph"),
    *SQL_DELTAS,
)
REMOVING = (
    "csv",
    "memory",
    "memory without changes",
    "ldap",
    "ldap without changes",
    *("ad", "ad by usn", "ad without changes"),
    *SCIM_SNAPSHOTS,
    *SQL_SNAPSHOTS,
    *SQL_DELTAS,
    "msgraph",
)


def make(name: str, folder: Path, request: pytest.FixtureRequest) -> Subject:
    if name in (*SQL_SNAPSHOTS, *SQL_DELTAS):
        from tests.contracts.sources.sql import subject

        return subject(name, folder, request)
    match name:
        case "csv":
            return CsvSubject(folder)
        case "inbound":
            return InboundSubject()
        case _:
            return MemorySubject(has_changes=name == "memory")
