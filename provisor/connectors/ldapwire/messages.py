"""Requests as octets, and octets as answers (RFC 4511, section 4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, TypeAlias

from provisor.connectors.ldapwire import ber, filters
from provisor.connectors.ldapwire.controls import USUAL_STATES, UUID_OCTETS, Control, read_controls
from provisor.connectors.ldapwire.entries import Found, Layouts, laid
from provisor.connectors.ldapwire.results import Result

BIND, UNBIND, SEARCH, MODIFY, ADD, DELETE, MODIFY_DN, COMPARE, ABANDON, EXTENDED = (
    0x60, 0x42, 0x63, 0x66, 0x68, 0x4A, 0x6C, 0x6E, 0x50, 0x77,
)  # fmt: skip
ENTRY, DONE, REFERENCE, EXTENDED_RESPONSE, INTERMEDIATE = 0x64, 0x65, 0x73, 0x78, 0x79
CONTROLS: Final = 0xA0
USUAL_ENDS: Final = frozenset(
    bytes((CONTROLS, len(told) + UUID_OCTETS)) + told for told in USUAL_STATES
)
"""How very many messages with an entry end, but for the UUID at the very end."""
START_TLS: Final = "1.3.6.1.4.1.1466.20037"
WHO_AM_I: Final = "1.3.6.1.4.1.4203.1.11.3"
PASSWORD_MODIFY: Final = "1.3.6.1.4.1.4203.1.11.1"  # noqa: S105 - its identifier
DISCONNECTION: Final = "1.3.6.1.4.1.1466.20036"
PLAIN_RESULTS: Final = frozenset({0x61, 0x65, 0x67, 0x69, 0x6B, 0x6D, 0x6F})

Values: TypeAlias = Sequence[bytes]


class Scope(IntEnum):
    BASE = 0
    ONE = 1
    SUBTREE = 2


class Change(IntEnum):
    """What a modification does to an attribute."""

    ADD = 0
    DELETE = 1
    REPLACE = 2


@dataclass(frozen=True, slots=True)
class Modification:
    change: Change
    attribute: str
    values: tuple[bytes, ...] = ()
    """None of them deletes the attribute, whatever it holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A search, before it is cut into pages."""

    base: str
    scope: Scope = Scope.SUBTREE
    filter: str = filters.EVERYTHING
    attributes: tuple[str, ...] = ()
    """None of them asks for all that users may set; `1.1` for none."""
    size_limit: int = 0
    time_limit_s: int = 0
    controls: tuple[Control, ...] = ()


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A part of the tree that another server holds (a search result reference)."""

    urls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Intermediate:
    oid: str
    value: bytes
    controls: tuple[Control, ...] = ()


@dataclass(frozen=True, slots=True)
class Extended:
    """The end of an extended operation, or of a bind."""

    result: Result
    oid: str = ""
    value: bytes | None = None


Answer: TypeAlias = Found | Elsewhere | Intermediate | Extended | Result


# requests


def message(number: int, operation: bytes, controls: Sequence[Control] = ()) -> bytes:
    parts = [ber.integer(number), operation]
    if controls:
        parts.append(ber.sequence(*(c.encoded() for c in controls), tag=CONTROLS))
    return ber.sequence(*parts)


def simple_bind(dn: str, password: str) -> bytes:
    return ber.sequence(ber.integer(3), ber.octets(dn), ber.octets(password, 0x80), tag=BIND)


def sasl_bind(mechanism: str, credentials: bytes | None) -> bytes:
    parts = [ber.octets(mechanism)]
    if credentials is not None:
        parts.append(ber.octets(credentials))
    return ber.sequence(ber.integer(3), ber.octets(""), ber.sequence(*parts, tag=0xA3), tag=BIND)


def search(request: Search) -> bytes:
    """Raises NotAFilter."""
    return ber.sequence(
        ber.octets(request.base),
        ber.integer(request.scope, ber.ENUMERATED),
        ber.integer(0, ber.ENUMERATED),  # aliases stay aliases: what they point at is read itself
        ber.integer(request.size_limit),
        ber.integer(request.time_limit_s),
        ber.boolean(False),
        filters.encode(request.filter),
        ber.sequence(*map(ber.octets, request.attributes)),
        tag=SEARCH,
    )


def _attribute(name: str, values: Values) -> bytes:
    return ber.sequence(ber.octets(name), ber.sequence(*map(ber.octets, values), tag=ber.SET))


def add(dn: str, attributes: Mapping[str, Values]) -> bytes:
    listed = ber.sequence(*(_attribute(name, values) for name, values in attributes.items()))
    return ber.sequence(ber.octets(dn), listed, tag=ADD)


def modify(dn: str, modifications: Sequence[Modification]) -> bytes:
    listed = (
        ber.sequence(ber.integer(m.change, ber.ENUMERATED), _attribute(m.attribute, m.values))
        for m in modifications
    )
    return ber.sequence(ber.octets(dn), ber.sequence(*listed), tag=MODIFY)


def modify_dn(dn: str, rdn: str, *, deletes_old: bool, superior: str | None) -> bytes:
    parts = [ber.octets(dn), ber.octets(rdn), ber.boolean(deletes_old)]
    if superior is not None:
        parts.append(ber.octets(superior, 0x80))
    return ber.sequence(*parts, tag=MODIFY_DN)


def delete(dn: str) -> bytes:
    return ber.octets(dn, DELETE)


def compare(dn: str, attribute: str, value: bytes) -> bytes:
    return ber.sequence(
        ber.octets(dn), ber.sequence(ber.octets(attribute), ber.octets(value)), tag=COMPARE
    )


def extended(oid: str, value: bytes | None = None) -> bytes:
    parts = [ber.octets(oid, 0x80)]
    if value is not None:
        parts.append(ber.octets(value, 0x81))
    return ber.sequence(*parts, tag=EXTENDED)


def abandon(number: int) -> bytes:
    return ber.integer(number, ABANDON)


def unbind() -> bytes:
    return ber.tlv(UNBIND, b"")


# answers


def read(data: bytes, at: int, end: int, layouts: Layouts | None = None) -> tuple[int, Answer]:
    """Return the number of the message that lies there, and what it says. Raises Malformed.

    `layouts` are what entries of this connection are known to look like.
    """
    header = ber.header
    tag, start, end = header(data, at, end)
    number_tag, first, after = header(data, start, end)
    if tag != ber.SEQUENCE or number_tag != ber.INTEGER:
        raise ber.Malformed("a message does not begin with its number")
    number = int.from_bytes(data[first:after], "big", signed=True)
    tag, start, after = header(data, after, end)
    if tag == ENTRY:  # nine of ten messages of a read
        told = _told(data, after, end)
        return number, _entry(data, start, after, told, layouts or Layouts())
    controls: tuple[Control, ...] = ()
    if after < end and data[after] == CONTROLS:
        _, first, last = header(data, after, end)
        controls = read_controls(ber.Reader(data, first, last))
    body = ber.Reader(data, start, after)
    if tag in PLAIN_RESULTS:
        result = _result(body, controls)
        if tag == 0x61:
            return number, Extended(result, "", body.octets(0x87) if body.tag == 0x87 else None)
        return number, result
    if tag == REFERENCE:
        return number, Elsewhere(_texts(body))
    if tag == INTERMEDIATE:
        oid = body.text(0x80) if body.tag == 0x80 else ""
        return number, Intermediate(oid, body.octets(0x81) if body.tag == 0x81 else b"", controls)
    if tag == EXTENDED_RESPONSE:
        result = _result(body, controls)
        oid = body.text(0x8A) if body.tag == 0x8A else ""
        return number, Extended(result, oid, body.octets(0x8B) if body.tag == 0x8B else None)
    raise ber.Malformed(f"{tag:#04x} is no answer")


def entry(data: bytes) -> Found:
    """Return an entry that is told within a control. Raises Malformed."""
    tag, start, end = ber.header(data, 0, len(data))
    if tag != ENTRY:
        raise ber.Malformed("it is no entry")
    return _entry(data, start, end, b"", Layouts())


def _entry(data: bytes, start: int, end: int, told: bytes, layouts: Layouts) -> Found:
    if start + 2 < end and data[start + 1] < 0x80:  # a name of usual length
        name_tag, first = data[start], start + 2
        last = first + data[start + 1]
    else:
        name_tag, first, last = ber.header(data, start, end)
    listed_tag, listed, ending = ber.header(data, last, end)
    if name_tag != ber.OCTETS or listed_tag != ber.SEQUENCE:
        raise ber.Malformed("an entry is no name with attributes")
    dn = ber.text(data[first:last])
    read = layouts.read(data, listed, ending)
    if isinstance(read, dict):
        return Found(dn, read, read_controls(ber.Reader(told)))
    return laid(dn, *read, told)


def _told(data: bytes, at: int, end: int) -> bytes:
    """Return the controls that go with a message, known to be sound."""
    if at >= end or data[at] != CONTROLS:
        return b""
    if data[at : end - UUID_OCTETS] in USUAL_ENDS:
        return data[at + 2 : end]
    _, first, last = ber.header(data, at, end)
    read_controls(ber.Reader(data, first, last))
    return data[first:last]


def _result(body: ber.Reader, controls: tuple[Control, ...]) -> Result:
    code, matched = body.enumerated(), body.octets().decode(errors="replace")
    said = body.octets().decode(errors="replace")
    referrals = _texts(body.enter(0xA3)) if body.tag == 0xA3 else ()
    return Result(code=code, matched=matched, message=said, referrals=referrals, controls=controls)


def _texts(reader: ber.Reader) -> tuple[str, ...]:
    found: list[str] = []
    while not reader.is_at_end:
        found.append(reader.text())
    return tuple(found)
