"""One read of all files, from the first header to the receipt; the order is the argument.

Users come first, as members are told from groups by who is a user. Groups come last, when every
membership has been read and every file has been found unchanged: a group shown too early would
lose members.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from provisor.connectors.csvfile import manifest
from provisor.connectors.csvfile.columns import GROUP, MEMBERS, USER, Columns, Malformed, columns
from provisor.connectors.csvfile.manifest import Manifest, Vouched
from provisor.connectors.csvfile.members import (
    ROWS_AT_A_TIME,
    Known,
    MemberColumns,
    Memberships,
    member_columns,
)
from provisor.connectors.csvfile.reader import OpenFile, incomplete
from provisor.connectors.csvfile.settings import CsvSettings
from provisor.model.entries import Anchor, Entry, Page, ReadFault, Receipt, Seen
from provisor.model.frozen import replace

PAGE_MEMBERS: Final = 50_000
UNVOUCHED: Final = Vouched()

Meaning = TypeVar("Meaning", Columns, MemberColumns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The files of one read, opened together."""

    users: tuple[OpenFile, ...]
    groups: tuple[OpenFile, ...]
    members: tuple[OpenFile, ...]
    manifest: OpenFile | None

    @property
    def tables(self) -> tuple[OpenFile, ...]:
        return (*self.users, *self.groups, *self.members)

    @property
    def beside(self) -> tuple[OpenFile, ...]:
        """The tables that are not of users."""
        return (*self.groups, *self.members)

    @property
    def files(self) -> tuple[OpenFile, ...]:
        """All of them: what the read depends on."""
        return (*self.tables, self.manifest) if self.manifest else self.tables


@dataclass(slots=True)
class Table(Generic[Meaning]):
    """A file whose header has been read."""

    file: OpenFile
    rows: Iterator[tuple[int, list[str]]]
    columns: Meaning
    count: int = 0
    """Rows read, the header left aside."""
    anchors: list[str] = field(default_factory=list[str])
    """Of each row, in order."""


@dataclass(slots=True)
class _Shown:
    """What has been read of one kind."""

    anchors: set[str]
    is_hiding: bool = False
    """A row could not be read, and whose it is nobody knows."""
    rows: int = 0
    faults: int = 0
    first_fault: str = ""


class Snapshot:
    """Reads what was opened, once. Raises Unreachable, code `SourceReadIncomplete`."""

    def __init__(
        self, settings: CsvSettings, required: Mapping[str, frozenset[str]], opened: Opened
    ) -> None:
        self._settings = settings
        self._required = required
        self._opened = opened
        self._shown = {USER: _Shown(set())}
        if settings.groups:
            self._shown[GROUP] = _Shown(set())
        self.manifest = self._believe_manifest()
        self.users, self._groups, self._members = self._read_headers()

    def parts(self, page_entries: int) -> Iterator[Page | Receipt | None]:
        """Yield pages and the receipt; None where there is nothing yet and others may run."""
        yield from self._pages(self._objects(USER, self.users), page_entries)
        groups: dict[Anchor, Entry] = {}
        for part in self._objects(GROUP, self._groups):
            if isinstance(part, Entry):
                groups[part.anchor] = part
            else:
                yield Page((), None, (part,))
        memberships = Memberships(self._known())
        yield from self._read_members(memberships)
        self._check_end()
        yield from self._pages(self._groups_shown(groups, memberships), page_entries)
        yield self._receipt()

    def group_anchors(self) -> set[str]:
        """Return the ids of all groups; instead of reading `parts`."""
        for _ in self._objects(GROUP, self._groups):
            pass
        return self._shown[GROUP].anchors if GROUP in self._shown else set()

    # before the first row

    def _believe_manifest(self) -> Manifest:
        file = self._opened.manifest
        if file is None:
            return {}
        paths = [table.path for table in self._opened.tables]
        said = manifest.parse(file.content(), file.path, paths)
        for table in self._opened.tables:
            vouched = said[table.path.name]
            if vouched.sha256 is not None:
                manifest.check(table.path, vouched, sha256=table.hash_ahead())
        return said

    def _read_headers(
        self,
    ) -> tuple[list[Table[Columns]], list[Table[Columns]], list[Table[MemberColumns]]]:
        problems: list[str] = []
        opened, settings = self._opened, self._settings

        def objects(kind: str, files: Sequence[OpenFile]) -> list[Table[Columns]]:
            needed = self._required.get(kind, frozenset[str]()) - {MEMBERS}
            return _tables(files, lambda h: columns(kind, h, settings, needed), problems)

        users, groups = objects(USER, opened.users), objects(GROUP, opened.groups)
        members = _tables(
            opened.members, lambda h: member_columns(h, settings.membership), problems
        )
        if opened.groups and not members and MEMBERS in self._required.get(GROUP, ()):
            problems.append(
                "the schema reads members, and the settings name no file with them: set members, "
                "or take members out of the mapping"
            )
        if problems:
            raise incomplete("; ".join(problems))
        return users, groups, members

    # rows

    def _objects(self, kind: str, tables: Sequence[Table[Columns]]) -> Iterator[Entry | ReadFault]:
        for table in tables:
            shown, entry = self._shown[kind], table.columns.entry
            for line, row in table.rows:
                table.count += 1
                found = entry(row)
                table.anchors.append(found.anchor or "")
                if found.anchor is None:
                    shown.is_hiding = True
                elif found.anchor in shown.anchors:
                    found = Malformed(DUPLICATE, found.anchor)
                else:
                    shown.anchors.add(found.anchor)
                if isinstance(found, Entry):
                    yield found
                else:
                    where = table.file.where(line)
                    yield self._fault(
                        ReadFault(
                            kind=kind, where=where, message=found.message, anchor=found.anchor
                        )
                    )

    def _groups_shown(
        self, groups: Mapping[Anchor, Entry], memberships: Memberships
    ) -> Iterator[Entry]:
        for anchor, group in groups.items():
            members = memberships.of(anchor)
            if members:
                yield replace(group, attributes={**group.attributes, MEMBERS: members})
            elif members is not None:
                yield group

    def _read_members(self, memberships: Memberships) -> Iterator[Page | None]:
        for table in self._members:
            for count, faults in memberships.read(table.file, table.rows, table.columns):
                table.count += count
                yield self._page((), [*map(self._fault, faults)]) if faults else None
        yield from self._pages(map(self._fault, memberships.faults()), ROWS_AT_A_TIME)

    def _pages(self, parts: Iterator[Entry | ReadFault], page_entries: int) -> Iterator[Page]:
        """Cut objects of one kind into pages."""
        changes: list[Seen] = []
        faults: list[ReadFault] = []
        members = 0
        for part in parts:
            if isinstance(part, ReadFault):
                faults.append(part)
            else:
                changes.append(Seen(part))
                if part.kind == GROUP:
                    listed = part.attributes.get(MEMBERS)
                    members += len(listed) if isinstance(listed, tuple) else 0
            if len(changes) + len(faults) >= page_entries or members >= PAGE_MEMBERS:
                yield self._page(changes, faults)
                changes, faults, members = [], [], 0
        if changes or faults:
            yield self._page(changes, faults)

    def _page(self, changes: Sequence[Seen], faults: Sequence[ReadFault]) -> Page:
        for change in changes[:1]:
            self._shown[change.entry.kind].rows += len(changes)
        return Page(tuple(changes), None, tuple(faults))

    def _known(self) -> Known:
        users, groups = self._shown[USER], self._shown.get(GROUP, _Shown(set()))
        return Known(
            users=users.anchors,
            groups=groups.anchors,
            hides_users=users.is_hiding,
            hides_groups=groups.is_hiding,
        )

    def _fault(self, fault: ReadFault) -> ReadFault:
        shown = self._shown[fault.kind]
        shown.faults += 1
        shown.first_fault = shown.first_fault or f"{fault.where}: {fault.message}"
        return fault

    # after the last row

    def _check_end(self) -> None:
        for file in self._opened.tables:
            file.check_unchanged()
        if self._opened.manifest:
            self._opened.manifest.check_unchanged()
        for table in (*self.users, *self._groups, *self._members):
            path = table.file.path
            vouched = self.manifest.get(path.name, UNVOUCHED)
            manifest.check(path, vouched, rows=table.count, sha256=table.file.sha256())

    def _receipt(self) -> Receipt:
        content = "\n".join(file.sha256() for file in self._opened.tables)
        return Receipt(
            is_snapshot=True,
            rows={kind: shown.rows for kind, shown in self._shown.items()},
            void={kind: _why(shown) for kind, shown in self._shown.items() if shown.faults},
            is_atomic=True,
            has_manifest=self._opened.manifest is not None,
            digest=hashlib.sha256(content.encode()).hexdigest(),
        )


DUPLICATE: Final = "an earlier row has this id; give each object one row and an id of its own"


def _tables(
    files: Sequence[OpenFile],
    understand: Callable[[list[str]], Meaning | tuple[str, ...]],
    problems: list[str],
) -> list[Table[Meaning]]:
    """Read the headers of files; add what is wrong with them to `problems`."""
    tables: list[Table[Meaning]] = []
    for file in files:
        rows = file.rows()
        line, header = next(rows, (1, None))
        if header is None:
            raise incomplete(f"{file.path.name} is empty; it needs at least a header")
        meaning = understand(header)
        if isinstance(meaning, tuple):
            problems.extend(f"{file.where(line)}: {problem}" for problem in meaning)
        else:
            tables.append(Table(file, rows, meaning))
    return tables


def _why(shown: _Shown) -> str:
    others = f", and {shown.faults - 1} rows more" if shown.faults > 1 else ""
    return f"{shown.first_fault}{others}"
