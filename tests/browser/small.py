"""A picture of a page made small: few colours, by their number, packed as tightly as can be."""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from pathlib import Path

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOURS_MAX = 256
BYTES = {2: 3, 6: 4}
"""Of one dot, by the kind of picture: with or without transparency."""


def shrink(file: Path) -> None:
    """Write a PNG of true colours anew with at most 256: those that are seen most, and for all
    others the nearest of these."""
    width, height, kind, packed = _read(file.read_bytes())
    wide = BYTES[kind]
    rows = _unfiltered(zlib.decompress(packed), width * wide, height, wide)
    dots = [[row[at : at + 3] for at in range(0, len(row), wide)] for row in rows]
    seen = Counter(dot for row in dots for dot in row)
    palette = [colour for colour, _ in seen.most_common(COLOURS_MAX)]
    numbers = {colour: number for number, colour in enumerate(palette)}
    for colour in seen:
        if colour not in numbers:
            numbers[colour] = _nearest(colour, palette)
    body = b"".join(b"\0" + bytes(numbers[dot] for dot in row) for row in dots)
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = (
        (b"IHDR", head), (b"PLTE", b"".join(palette)), (b"IDAT", zlib.compress(body, 9)),
        (b"IEND", b""),
    )  # fmt: skip
    file.write_bytes(SIGNATURE + b"".join(_chunk(name, content) for name, content in parts))


def _read(content: bytes) -> tuple[int, int, int, bytes]:
    assert content.startswith(SIGNATURE)
    at, packed, head = len(SIGNATURE), b"", b""
    while at < len(content):
        (length,) = struct.unpack_from(">I", content, at)
        name, inner = content[at + 4 : at + 8], content[at + 8 : at + 8 + length]
        head = inner if name == b"IHDR" else head
        packed += inner if name == b"IDAT" else b""
        at += length + 12
    width, height, depth, kind, _, _, interlaced = struct.unpack(">IIBBBBB", head)
    assert (depth, interlaced) == (8, 0)
    assert kind in BYTES
    return width, height, kind, packed


def _unfiltered(raw: bytes, length: int, height: int, wide: int) -> list[bytes]:
    """Return the rows, each as it is and not as it differs from its neighbours (PNG, 9.2)."""
    rows, above = list[bytes](), bytes(length)
    for start in range(0, (length + 1) * height, length + 1):
        how, row = raw[start], bytearray(raw[start + 1 : start + 1 + length])
        for at in range(length) if how else ():
            left = row[at - wide] if at >= wide else 0
            corner = above[at - wide] if at >= wide else 0
            match how:
                case 1:
                    guess = left
                case 2:
                    guess = above[at]
                case 3:
                    guess = (left + above[at]) // 2
                case _:
                    guess = _paeth(left, above[at], corner)
            row[at] = (row[at] + guess) & 0xFF
        above = bytes(row)
        rows.append(above)
    return rows


def _paeth(left: int, up: int, corner: int) -> int:
    near = left + up - corner
    return min((left, up, corner), key=lambda one: abs(near - one))


def _nearest(colour: bytes, palette: list[bytes]) -> int:
    def far(number: int) -> int:
        return sum((a - b) ** 2 for a, b in zip(colour, palette[number], strict=True))

    return min(range(len(palette)), key=far)


def _chunk(name: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
    )
