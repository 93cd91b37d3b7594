"""What files say that they did not say when they were last read to the end.

Rows are told apart by their prints (`prints.py`); only those that are not known are parsed. What a
row means is what the whole read makes of it. Wherever lines alone do not tell, and wherever
somebody is gone, the files are read as a whole: `Unsure` says why. Then nothing has been shown.

Why lines are rows: the read that left the prints found as many rows as lines, so each line that is
known begins and ends outside of quotes. A line that is not known is parsed alone, and must be one
row from its beginning to its end. So all lines are rows, from the first to the last.
"""

from __future__ import annotations

import csv
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from provisor.connectors.csvfile import manifest
from provisor.connectors.csvfile.columns import Columns, Malformed
from provisor.connectors.csvfile.manifest import Manifest
from provisor.connectors.csvfile.prints import (
    Lines,
    Remembered,
    Unsure,
    anchor_hash,
    digests,
    unknown,
    whole_lines,
    without,
)
from provisor.connectors.csvfile.reader import LINE_CHARACTERS_MAX, OpenFile
from provisor.connectors.csvfile.snapshot import UNVOUCHED, Opened, Snapshot, Table
from provisor.model.entries import Anchor, Entry

NEWS_MAX: Final = 100_000
"""So many new rows are held together; with more, a read of the whole is no dearer."""


@dataclass(slots=True)
class News:
    """What is new, and what is to be remembered from now on."""

    entries: list[Entry] = field(default_factory=list[Entry])
    tables: list[Lines] = field(default_factory=list[Lines])


def news(
    frame: Snapshot, opened: Opened, known: Remembered, hashes: Sequence[tuple[str, str]]
) -> News:
    """Return what is new in users' files; all others are to be what they were.

    `hashes`: of the files as they are now, by path. Raises Unsure, Unreachable.
    """
    _check_others(opened, frame.manifest, known, hashes)
    found, gone = News(), array("Q")
    for table, before in zip(frame.users, known.lines(), strict=True):
        gone.extend(_take_in(found, table, before, known.seed))
        now = dict(hashes)[str(table.file.path)]
        vouched = frame.manifest.get(table.file.path.name, UNVOUCHED)
        manifest.check(table.file.path, vouched, rows=len(found.tables[-1].prints), sha256=now)
    arrived = _arrived(found, known, gone)
    if arrived and not frame.group_anchors().isdisjoint(arrived):
        raise Unsure("a user has the id of a group: whom memberships name may be another")
    for file in opened.files:
        file.check_there()
    return found


def _check_others(
    opened: Opened, vouched: Manifest, known: Remembered, hashes: Sequence[tuple[str, str]]
) -> None:
    """Whatever is not a users' file, or its manifest, is to say what it said."""
    may_differ = {str(file.path) for file in opened.files if file not in opened.beside}
    then, now = dict(known.hashes), dict(hashes)
    if then.keys() != now.keys() or len(known.tables) != len(opened.users):
        raise Unsure("other files were read")
    if any(then[path] != now[path] for path in then.keys() - may_differ):
        raise Unsure("groups or memberships changed")
    if any(vouched.get(file.path.name, UNVOUCHED).rows is not None for file in opened.beside):
        raise Unsure("the manifest counts rows that are not read")


def _take_in(found: News, table: Table[Columns], before: Lines, seed: int) -> array[int]:
    """Parse what is new in one file; return the hashes of the anchors whose rows are no more."""
    known = set(before.prints)
    left, count, new = set(known), 0, dict[bytes, Entry]()
    for lines, prints in _bodies(table.file, before.header, seed):
        count += len(lines)
        left.difference_update(prints)
        for line, mark in unknown(lines, prints, known):
            new[mark] = _entry(table, line)
            if len(new) > NEWS_MAX:
                raise Unsure("very much is new")
    if count != len(known) - len(left) + len(new):
        raise Unsure("a row is there twice")
    prints, anchors, gone = without(before, left)
    prints.extend(new)
    anchors.extend(anchor_hash(entry.anchor, seed) for entry in new.values())
    found.entries.extend(new.values())
    found.tables.append(Lines(before.header, prints, anchors))
    return gone


def _bodies(file: OpenFile, header: bytes, seed: int) -> Iterator[tuple[list[bytes], list[bytes]]]:
    """Yield the lines below the header, with their prints. Raises Unsure under another header."""
    is_begun = False
    for lines in whole_lines(file):
        if not is_begun:
            is_begun = True
            if lines.pop(0) != header:
                raise Unsure("the header is another")
        yield lines, digests(lines, seed)


def _entry(table: Table[Columns], line: bytes) -> Entry:
    if b"\0" in line or len(line) > LINE_CHARACTERS_MAX:
        raise Unsure("a line is no text")
    try:
        rows = table.file.rows_in(line)
    except (UnicodeError, csv.Error) as error:
        raise Unsure("a row does not end where its line does, or is damaged") from error
    made = table.columns.entry(rows[0]) if len(rows) == 1 else Malformed("")
    if isinstance(made, Malformed):
        raise Unsure("a row is no object")
    return made


def _arrived(found: News, known: Remembered, gone: array[int]) -> list[Anchor]:
    """Return who was not there before. Raises Unsure where somebody is gone, or an id stands in
    two rows."""
    by_hash = {anchor_hash(entry.anchor, known.seed): entry.anchor for entry in found.entries}
    told, lost = by_hash.keys(), set(gone)
    if len(told) != len(found.entries):
        raise Unsure("an id is there twice")
    if not lost <= told:
        raise Unsure("somebody is gone")
    arrived = told - lost
    if arrived and any(not arrived.isdisjoint(table.anchors) for table in known.lines()):
        raise Unsure("an id is there twice")
    return [by_hash[one] for one in arrived]
