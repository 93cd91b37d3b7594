"""Search filters (RFC 4515): written safely, checked, and put on the wire (RFC 4511, 4.5.1.7)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from provisor.connectors.ldapwire import ber

_AND, _OR, _NOT = 0xA0, 0xA1, 0xA2
_EQUAL, _SUBSTRINGS, _GREATER, _LESS, _PRESENT, _APPROXIMATE, _EXTENSIBLE = (
    0xA3, 0xA4, 0xA5, 0xA6, 0x87, 0xA8, 0xA9,
)  # fmt: skip
_INITIAL, _ANY, _FINAL = 0x80, 0x81, 0x82
DEPTH_MAX: Final = 100
HEX: Final = frozenset("0123456789abcdefABCDEF")
EVERYTHING: Final = "(objectClass=*)"


class NotAFilter(ValueError):
    """A text that is no search filter; says where and why."""


# writing


def escape(value: str | bytes) -> str:
    """Return a value as it may stand in a filter. The one place where that is done."""
    if isinstance(value, bytes):
        return "".join(f"\\{octet:02x}" for octet in value)
    return "".join(f"\\{ord(c):02x}" if c in "\\*()\0" else c for c in value)


def equals(attribute: str, value: str | bytes) -> str:
    return f"({attribute}={escape(value)})"


def at_least(attribute: str, value: str) -> str:
    return f"({attribute}>={escape(value)})"


def both(*filters: str) -> str:
    """Return what all of these let pass; empty ones let everything pass."""
    wanted = [one for one in filters if one]
    if not wanted:
        return EVERYTHING
    return wanted[0] if len(wanted) == 1 else f"(&{''.join(wanted)})"


def any_of(filters: Iterable[str]) -> str:
    """Return what one of these lets pass; there must be one."""
    wanted = [*filters]
    return wanted[0] if len(wanted) == 1 else f"(|{''.join(wanted)})"


# reading


def encode(filter: str) -> bytes:
    """Return a filter as it goes over the wire. Raises NotAFilter."""
    text = filter.strip()
    if not text.startswith("("):
        text = f"({text})"
    content, at = _filter(text, 0, 0)
    if text[at:].strip():
        raise NotAFilter(f"'{filter}' is no filter: something follows after its end")
    return content


def _filter(text: str, at: int, depth: int) -> tuple[bytes, int]:
    if depth > DEPTH_MAX:
        raise NotAFilter("a filter is nested too deeply")
    if text[at : at + 1] != "(":
        raise NotAFilter(f"'{text}' is no filter: '(' is missing at character {at + 1}")
    at += 1
    match text[at : at + 1]:
        case "&":
            content, at = _list(text, at + 1, depth)
            content = ber.tlv(_AND, content)
        case "|":
            content, at = _list(text, at + 1, depth)
            content = ber.tlv(_OR, content)
        case "!":
            content, at = _filter(text, _blank(text, at + 1), depth + 1)
            content = ber.tlv(_NOT, content)
        case _:
            end = text.find(")", at)
            if end < 0:
                raise NotAFilter(f"'{text}' is no filter: ')' is missing at its end")
            content, at = _item(text[at:end]), end
    at = _blank(text, at)
    if text[at : at + 1] != ")":
        raise NotAFilter(f"'{text}' is no filter: ')' is missing at character {at + 1}")
    return content, at + 1


def _list(text: str, at: int, depth: int) -> tuple[bytes, int]:
    parts: list[bytes] = []
    at = _blank(text, at)
    while text[at : at + 1] == "(":
        content, at = _filter(text, at, depth + 1)
        parts.append(content)
        at = _blank(text, at)
    return b"".join(parts), at


def _blank(text: str, at: int) -> int:
    while text[at : at + 1].isspace():
        at += 1
    return at


def _item(item: str) -> bytes:
    left, equal, right = item.partition("=")
    if not equal or "(" in item:
        raise NotAFilter(f"'({item})' is no filter: it compares nothing")
    match left[-1:]:
        case ">":
            return _comparison(_GREATER, left[:-1], right)
        case "<":
            return _comparison(_LESS, left[:-1], right)
        case "~":
            return _comparison(_APPROXIMATE, left[:-1], right)
        case ":":
            return _extensible(left[:-1], right)
        case _:
            if right == "*":
                return ber.octets(_attribute(left), _PRESENT)
            return _substrings(left, right) if "*" in right else _comparison(_EQUAL, left, right)


def _comparison(tag: int, attribute: str, value: str) -> bytes:
    return ber.sequence(ber.octets(_attribute(attribute)), ber.octets(_unescape(value)), tag=tag)


def _substrings(attribute: str, value: str) -> bytes:
    first, *middle, last = value.split("*")
    parts = [ber.octets(_unescape(first), _INITIAL)] if first else []
    parts += [ber.octets(_unescape(one), _ANY) for one in middle if one]
    parts += [ber.octets(_unescape(last), _FINAL)] if last else []
    if not parts:
        raise NotAFilter(f"'({attribute}={value})' is no filter: nothing stands between the stars")
    return ber.sequence(ber.octets(_attribute(attribute)), ber.sequence(*parts), tag=_SUBSTRINGS)


def _extensible(left: str, value: str) -> bytes:
    attribute, *options = left.split(":")
    is_dn = any(option.lower() == "dn" for option in options)
    rules = [option for option in options if option and option.lower() != "dn"]
    if len(rules) > 1 or not (attribute or rules):
        raise NotAFilter(f"'({left}:={value})' is no filter: it names no rule and no attribute")
    parts = [ber.octets(rules[0], 0x81)] if rules else []
    parts += [ber.octets(_attribute(attribute), 0x82)] if attribute else []
    parts.append(ber.octets(_unescape(value), 0x83))
    parts += [ber.boolean(True, 0x84)] if is_dn else []
    return ber.sequence(*parts, tag=_EXTENSIBLE)


def _attribute(name: str) -> str:
    stripped = name.strip()
    if not stripped or not all(c.isalnum() or c in "-.;_" for c in stripped):
        raise NotAFilter(f"'{name}' is no name of an attribute")
    return stripped


def _unescape(value: str) -> bytes:
    if "\\" not in value:
        return value.encode()
    raw = bytearray()
    first, *others = value.split("\\")
    raw += first.encode()
    for piece in others:
        pair = piece[:2]
        if len(pair) < 2 or not set(pair) <= HEX:
            raise NotAFilter(
                f"'{value}' is no value in a filter: '\\' wants two hex digits after it"
            )
        raw += bytes.fromhex(pair) + piece[2:].encode()
    return bytes(raw)
