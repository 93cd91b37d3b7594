"""The encoding of LDAP messages: BER with definite lengths only (RFC 4511, 5.1)."""

from __future__ import annotations

from typing import Final

BOOLEAN: Final = 0x01
INTEGER: Final = 0x02
OCTETS: Final = 0x04
NULL: Final = 0x05
ENUMERATED: Final = 0x0A
SEQUENCE: Final = 0x30
SET: Final = 0x31
LENGTH_OCTETS_MAX: Final = 4


class Malformed(ValueError):
    """Octets that are no LDAP message."""


# writing


def tlv(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + content


def integer(value: int, tag: int = INTEGER) -> bytes:
    return tlv(tag, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def boolean(value: bool, tag: int = BOOLEAN) -> bytes:
    return tlv(tag, b"\xff" if value else b"\x00")


def octets(value: bytes | str, tag: int = OCTETS) -> bytes:
    return tlv(tag, value.encode() if isinstance(value, str) else value)


def sequence(*parts: bytes, tag: int = SEQUENCE) -> bytes:
    return tlv(tag, b"".join(parts))


# reading


def header(data: bytes, at: int, end: int) -> tuple[int, int, int]:
    """Return the tag at a position, and where its content begins and ends. Raises Malformed."""
    if at + 2 > end:
        raise Malformed("an element is cut off")
    size = data[at + 1]
    start = at + 2
    if size >= 0x80:
        count = size & 0x7F
        if not 1 <= count <= LENGTH_OCTETS_MAX:
            raise Malformed("an element has no definite length")
        start += count
        size = int.from_bytes(data[at + 2 : start], "big")
    if start + size > end:
        raise Malformed("an element is longer than what holds it")
    return data[at], start, start + size


def size_of(data: bytes, at: int) -> int | None:
    """Return how many octets the element at a position takes; None if that cannot be seen yet."""
    left = len(data) - at
    if left < 2:
        return None
    size = data[at + 1]
    if size < 0x80:
        return size + 2
    count = size & 0x7F
    if not 1 <= count <= LENGTH_OCTETS_MAX:
        raise Malformed("an element has no definite length")
    if left < 2 + count:
        return None
    return 2 + count + int.from_bytes(data[at + 2 : at + 2 + count], "big")


class Reader:
    """Walks through the elements of one that is constructed."""

    __slots__ = ("_at", "_data", "_end")

    def __init__(self, data: bytes, at: int = 0, end: int | None = None) -> None:
        self._data, self._at, self._end = data, at, len(data) if end is None else end

    @property
    def is_at_end(self) -> bool:
        return self._at >= self._end

    @property
    def tag(self) -> int:
        """Return the tag of the next element, -1 at the end."""
        return self._data[self._at] if self._at < self._end else -1

    def take(self, *tags: int) -> bytes:
        """Return the content of the next element, which has one of these tags (any, if none)."""
        tag, start, end = header(self._data, self._at, self._end)
        if tags and tag not in tags:
            raise Malformed(f"an element has tag {tag:#04x}, where {tags[0]:#04x} belongs")
        self._at = end
        return self._data[start:end]

    def enter(self, *tags: int) -> Reader:
        """Return a reader of what is in the next element."""
        tag, start, end = header(self._data, self._at, self._end)
        if tags and tag not in tags:
            raise Malformed(f"an element has tag {tag:#04x}, where {tags[0]:#04x} belongs")
        self._at = end
        return Reader(self._data, start, end)

    def integer(self, tag: int = INTEGER) -> int:
        return int.from_bytes(self.take(tag), "big", signed=True)

    def enumerated(self) -> int:
        return self.integer(ENUMERATED)

    def boolean(self, tag: int = BOOLEAN) -> bool:
        return any(self.take(tag))

    def octets(self, tag: int = OCTETS) -> bytes:
        return self.take(tag)

    def text(self, tag: int = OCTETS) -> str:
        return text(self.take(tag))


def text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as odd:
        raise Malformed("a text is not UTF-8") from odd
