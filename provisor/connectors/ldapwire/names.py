"""Distinguished names (RFC 4514): taken apart, put together, compared.

The one place where values are escaped into a name.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

SPECIAL: Final = frozenset('"+,;<>\\=')
HEX: Final = frozenset("0123456789abcdefABCDEF")


class NotAName(ValueError):
    """A text that is no distinguished name."""


@dataclass(frozen=True, slots=True)
class Part:
    """One attribute of one component: `cn` and `Ada Lovelace`."""

    type: str
    value: str


Rdn = tuple[Part, ...]
"""One component; more than one part only where names have several (`cn=Ada+uid=ada`)."""


def escape(value: str) -> str:
    """Return a value as it may stand in a name (RFC 4514, 2.4)."""
    if not value:
        return ""
    out = [f"\\{c}" if c in SPECIAL else "\\00" if c == "\0" else c for c in value]
    if value[0] in " #":
        out[0] = f"\\{value[0]}"
    if value[-1] == " " and len(value) > 1:
        out[-1] = "\\ "
    return "".join(out)


def rdn(*parts: tuple[str, str]) -> str:
    """Return a component from types and values."""
    return "+".join(f"{type}={escape(value)}" for type, value in parts)


def join(*names: str) -> str:
    """Return the name made of components, the deepest first; empty ones are left out."""
    return ",".join(name for name in names if name)


def parse(name: str) -> tuple[Rdn, ...]:
    """Take a name apart, the deepest component first. Raises NotAName."""
    if not name.strip():
        return ()
    components: list[Rdn] = []
    parts: list[Part] = []
    for type, value, ending in _parts(name):
        parts.append(Part(type, value))
        if ending != "+":
            components.append(tuple(parts))
            parts = []
    return tuple(components)


def _parts(name: str) -> Iterable[tuple[str, str, str]]:
    """Yield type, value and what ends them: `,`, `+`, or nothing at the end."""
    at, size = 0, len(name)
    while True:
        equals = name.find("=", at)
        type = name[at:equals].strip() if equals >= 0 else ""
        if not type or not all(c.isalnum() or c in "-._;" for c in type):
            raise NotAName(f"'{name}' is no distinguished name: it lacks a type before '='")
        value, at = _value(name, equals + 1)
        ending = name[at : at + 1]
        yield type, value, "," if ending == ";" else ending
        if at >= size:
            return
        at += 1


def _value(name: str, at: int) -> tuple[str, int]:
    """Return the value at a position, unescaped, and where it ends."""
    while name[at : at + 1] == " ":
        at += 1
    if name[at : at + 1] == '"':  # RFC 2253 reads the quotes of RFC 1779; servers still write them
        return _quoted(name, at + 1)
    raw = bytearray()
    kept = 0  # escaped blanks at the end are kept
    while at < len(name) and name[at] not in ",+;":
        if name[at] == "\\":
            octets, at = _escaped(name, at + 1)
            raw += octets
            kept = len(raw)
        else:
            raw += name[at].encode()
            kept = kept if name[at] == " " else len(raw)
            at += 1
    return _text(bytes(raw[:kept]), name), at


def _quoted(name: str, at: int) -> tuple[str, int]:
    raw = bytearray()
    while at < len(name) and name[at] != '"':
        if name[at] == "\\":
            octets, at = _escaped(name, at + 1)
            raw += octets
        else:
            raw += name[at].encode()
            at += 1
    if at >= len(name):
        raise NotAName(f"'{name}' is no distinguished name: a quotation does not end")
    at += 1
    while name[at : at + 1] == " ":
        at += 1
    return _text(bytes(raw), name), at


def _escaped(name: str, at: int) -> tuple[bytes, int]:
    pair = name[at : at + 2]
    if len(pair) == 2 and pair[0] in HEX and pair[1] in HEX:
        return bytes.fromhex(pair), at + 2
    if at < len(name):
        return name[at].encode(), at + 1
    raise NotAName(f"'{name}' is no distinguished name: it ends with a backslash")


def _text(raw: bytes, name: str) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as odd:
        raise NotAName(f"'{name}' is no distinguished name: a value is not UTF-8") from odd


def format(components: Iterable[Rdn]) -> str:
    return ",".join(rdn(*((part.type, part.value) for part in one)) for one in components)


def normal(name: str) -> str:
    """Return what two spellings of one name have in common. Compares without case, as directory
    strings in names do; a name that cannot be parsed only equals itself."""
    if "\\" not in name and '"' not in name and "+" not in name and ";" not in name:
        return _plain(name)
    try:
        components = parse(name)
    except NotAName:
        return name.casefold()
    return ",".join(
        "+".join(sorted(f"{p.type.lower()}={escape(_squeezed(p.value))}" for p in one))
        for one in components
    )


def _plain(name: str) -> str:
    """Return the normal form of a name in which nothing is escaped."""
    pieces = [piece.partition("=") for piece in name.split(",") if piece.strip()]
    return ",".join(
        f"{type.strip().lower()}={escape(_squeezed(value))}" for type, _, value in pieces
    )


def _squeezed(value: str) -> str:
    return " ".join(value.casefold().split())


def parent(name: str) -> str:
    """Return the name one level up; empty at the top. Raises NotAName."""
    return format(parse(name)[1:])


def first(name: str) -> Rdn:
    """Return the deepest component. Raises NotAName."""
    components = parse(name)
    if not components:
        raise NotAName("an empty name has no components")
    return components[0]


def is_below(name: str, base: str, *, or_same: bool = True) -> bool:
    """Tell whether a name lies in the tree under another one."""
    low, high = normal(name), normal(base)
    if low == high:
        return or_same
    return not high or low.endswith(f",{high}")
