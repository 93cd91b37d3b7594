"""Fingerprints of the rows of users' files: the next read parses only what it does not know.

A row is known by the very bytes of its line, under the header it stood under. What is remembered of
one is sixteen bytes of print and eight of its anchor's hash. They are hashes for finding, seeded by
chance, not for security.
"""

from __future__ import annotations

import codecs
import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress, repeat
from operator import not_
from typing import Final

import msgspec
import xxhash

from provisor.connectors.csvfile.reader import OpenFile

FORM: Final = 1
"""Of what is remembered, and of what makes a line a row. Raise it when either comes to differ."""
PRINT_BYTES: Final = 16
BY_LINES: Final = re.compile(r"utf-8|ascii|iso8859-\d+|cp125\d")
"""Encodings, by Python's names, in which a line feed is one byte, that byte is nothing else, and a
line means the same wherever it stands."""


class Unsure(Exception):
    """What a file says cannot be told from its lines alone: it is read as a whole."""


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of a file, the header first, with the prints of those below it."""

    header: bytes
    prints: Sequence[bytes]
    anchors: array[int]
    """Hashes of the anchors, one for each print."""


class Remembered(msgspec.Struct, frozen=True, array_like=True):
    """What a read to the end leaves behind: which files it was of, and their rows."""

    form: int
    hashes: tuple[tuple[str, str], ...]
    """All that the read depended on, by path and hash (`recognise.py`)."""
    seed: int
    tables: tuple[tuple[bytes, bytes, bytes], ...]
    """Of each users' file the header, the prints and the hashes of the anchors."""

    def lines(self) -> list[Lines]:
        return [
            Lines(header, _cut(prints), _numbers(anchors))
            for header, prints, anchors in self.tables
        ]


def pack(hashes: Iterable[tuple[str, str]], seed: int, tables: Iterable[Lines]) -> bytes:
    packed = tuple((t.header, b"".join(t.prints), t.anchors.tobytes()) for t in tables)
    return msgspec.msgpack.encode(Remembered(FORM, tuple(hashes), seed, packed))


def unpack(content: bytes | None) -> Remembered | None:
    """Return what was remembered; None where there is nothing, or something else."""
    try:
        found = msgspec.msgpack.decode(content or b"", type=Remembered)
    except msgspec.DecodeError:
        return None
    return found if found.form == FORM else None


def anchor_hash(anchor: str, seed: int) -> int:
    return xxhash.xxh3_64_intdigest(anchor.encode("utf-8", "surrogateescape"), seed)


def digests(lines: Sequence[bytes], seed: int) -> list[bytes]:
    return [*map(xxhash.xxh3_128_digest, lines, repeat(seed))]


def is_by_lines(encoding: str) -> bool:
    """True of encodings in which lines can be told apart before they are decoded."""
    return BY_LINES.fullmatch(codecs.lookup(encoding).name) is not None


def prints_of(file: OpenFile, seed: int) -> tuple[bytes, list[bytes]]:
    """Return the header's line and the prints of the others. Raises Unsure, Unreachable."""
    header, prints = b"", list[bytes]()
    for lines in whole_lines(file):
        if not header:
            header = lines.pop(0)
        prints.extend(digests(lines, seed))
    return header, prints


def whole_lines(file: OpenFile) -> Iterator[list[bytes]]:
    """Yield the lines of a file as they lie there, many at a time, without their line feeds.

    Raises Unsure where a line ends otherwise than with a line feed, or with CR and one.
    """
    rest = b""
    for chunk in file.bytes_ahead():
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop()
        if b"\r" in chunk and _has_lone_return(lines):
            raise Unsure("a carriage return stands alone")
        if lines:
            yield lines
    if rest:
        raise Unsure("the last line does not end")


def _has_lone_return(lines: Sequence[bytes]) -> bool:
    ends = sum(map(bytes.endswith, lines, repeat(b"\r")))
    return sum(map(bytes.count, lines, repeat(b"\r"))) != ends


def unknown(
    lines: Sequence[bytes], prints: Sequence[bytes], known: set[bytes]
) -> Iterator[tuple[bytes, bytes]]:
    """Yield the lines that are not known, with their prints. No Python runs for one that is."""
    return compress(zip(lines, prints, strict=True), map(not_, map(known.__contains__, prints)))


def without(table: Lines, lost: set[bytes]) -> tuple[list[bytes], array[int], array[int]]:
    """Return the prints and anchors that are left, and the anchors that are not."""
    if not lost:
        return list(table.prints), array("Q", table.anchors), array("Q")
    is_lost = [*map(lost.__contains__, table.prints)]
    gone = array("Q", compress(table.anchors, is_lost))
    stays = [*map(not_, is_lost)]
    return [*compress(table.prints, stays)], array("Q", compress(table.anchors, stays)), gone


def _cut(prints: bytes) -> list[bytes]:
    return [prints[at : at + PRINT_BYTES] for at in range(0, len(prints), PRINT_BYTES)]


def _numbers(anchors: bytes) -> array[int]:
    numbers = array("Q")
    numbers.frombytes(anchors)
    return numbers
