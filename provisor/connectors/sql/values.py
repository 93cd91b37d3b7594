"""From what drivers give to values and anchors, and back.

Keys are compared byte by byte: not as the database's collation does, under which `ę` may be `e`,
`A` may be `a`, and blanks at the end may mean nothing. Only the blanks that fill up a CHAR(n) are
taken off.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final, cast

from provisor.connectors.sql.catalogue import Column
from provisor.model.entries import Anchor, Reference, Scalar, Value
from provisor.model.rules import AttributeDefinition, AttributeType

TRUE: Final = frozenset({"true", "1", "yes", "t", "y"})
FALSE: Final = frozenset({"false", "0", "no", "f", "n"})
INTEGER_TEXT_MAX: Final = 40
NESTED: tuple[type, ...] = (dict, list)


class Unusable(ValueError):
    """A value that cannot be what it is to be; the text says why, without the value."""


# anchors


def anchor_of(raw: object, column: Column) -> Anchor | None:
    """Return the anchor that a key column holds; None where it holds none. Raises Unusable."""
    if raw is None:
        return None
    text = _key_text(raw, column)
    return Anchor(text) if text and not text.isspace() else None


def _key_text(raw: object, column: Column) -> str:
    match raw:
        case bool():
            raise Unusable("is true or false, and names nobody")
        case str():
            return raw.rstrip(" ") if column.is_padded else raw
        case int() | uuid.UUID():
            return str(raw)
        case Decimal() if column.is_known and raw == raw.to_integral_value():
            return format(raw.to_integral_value(), "f")
        case bytes() if column.is_known:
            return raw.hex()
        case _:
            hint = "" if column.is_known else "; cast it to text in the query"
            raise Unusable(f"is a {type(raw).__name__}, which is no key{hint}")


def keys_of(anchor: str, column: Column) -> tuple[object, ...]:
    """Return what a key column may hold for an anchor; nothing, if it can hold no such."""
    if not column.is_known:
        return (anchor,)
    if column.is_uuid:
        try:
            found = uuid.UUID(anchor)
        except ValueError:
            return ()
        return (str(found),) if str(found) == anchor else ()
    if column.type is AttributeType.INTEGER:
        return (int(anchor),) if _is_integer(anchor) else ()
    if column.type is AttributeType.BINARY:
        try:
            return (bytes.fromhex(anchor),)
        except ValueError:
            return ()
    return (anchor,)


def loose_keys_of(anchor: str, column: Column) -> tuple[object, ...]:
    """As `keys_of`, where a column may hold what its type does not say (SQLite)."""
    integers = (int(anchor),) if _is_integer(anchor) else ()
    return tuple(dict.fromkeys((anchor, *integers, *keys_of(anchor, column))))


def _is_integer(text: str) -> bool:
    """Tell whether a text is exactly how an integer is written."""
    if len(text) > INTEGER_TEXT_MAX or not text.removeprefix("-").isdecimal():
        return False
    return text.isascii() and str(int(text)) == text


# values


def scalar_of(raw: object, column: Column) -> Scalar | None:
    """Return a value as the connector shows it; None where there is none."""
    match raw:
        case None:
            return None
        case str():
            return raw.rstrip(" ") if column.is_padded else raw
        case bool():
            return raw
        case int():
            return bool(raw) if column.type is AttributeType.BOOLEAN else raw
        case bytes():
            return any(raw) if column.type is AttributeType.BOOLEAN else raw
        case datetime():
            return raw.replace(tzinfo=UTC) if raw.tzinfo is None else raw.astimezone(UTC)
        case date():
            return raw.isoformat()
        case Decimal():
            is_whole = column.type is AttributeType.INTEGER and raw == raw.to_integral_value()
            return int(raw) if is_whole else format(raw, "f")
        case _:
            return _text(raw)


def _text(raw: object) -> str:
    if isinstance(raw, NESTED):
        return json.dumps(raw, ensure_ascii=False, sort_keys=True, default=str)
    return str(raw)


def value_of(raw: object, column: Column) -> Value | None:
    """Return all that a cell holds: several values where it is an array or a set."""
    if isinstance(raw, set | frozenset):
        found = (scalar_of(one, column) for one in cast("Iterable[object]", raw))
        return tuple(sorted(str(one) for one in found if one is not None)) or None
    if isinstance(raw, list) and column.is_array:
        found = (scalar_of(one, column) for one in cast("Iterable[object]", raw))
        return tuple(one for one in found if one is not None) or None
    return scalar_of(cast("object", raw), column)


def truth_of(raw: object) -> bool | None:
    """Return whether a value says yes; None where nobody can tell."""
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, int):
        return raw != 0
    if isinstance(raw, bytes):
        return any(raw)
    text = str(raw).strip().lower()
    return True if text in TRUE else False if text in FALSE else None


def defined(value: Scalar, definition: AttributeDefinition) -> Scalar:
    """Return a target's value as the rules' type has it, so that the same is the same."""
    match definition.type:
        case AttributeType.BOOLEAN:
            truth = truth_of(value)
            return value if truth is None else truth
        case AttributeType.INTEGER:
            text = str(value)
            return int(text) if _is_integer(text) else value
        case AttributeType.STRING if isinstance(value, bool):
            return "True" if value else "False"
        case AttributeType.STRING if isinstance(value, int):
            return str(value)
        case AttributeType.STRING if isinstance(value, datetime):
            return value.isoformat().replace("+00:00", "Z")
        case AttributeType.DATE_TIME if isinstance(value, str):
            return _moment(value) or value
        case AttributeType.BINARY if isinstance(value, str):
            return value.encode()
        case _:
            return value


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def stored(value: Scalar, column: Column, *, is_sqlite: bool) -> object:
    """Return what is sent to a column for a value. Raises Unusable."""
    match value:
        case Reference():
            keys = keys_of(value.anchor, column)
            if not keys:
                raise Unusable(f"{column.name} cannot hold the key of what it points at")
            return keys[0]
        case datetime():
            moment = value.astimezone(UTC)
            if is_sqlite or column.type is AttributeType.STRING:
                return moment.strftime("%Y-%m-%d %H:%M:%S.%f").removesuffix(".000000")
            return moment.replace(tzinfo=None) if column.is_naive else moment
        case bool() if column.type is AttributeType.STRING:
            return "true" if value else "false"
        case str() if column.type is AttributeType.BOOLEAN:
            truth = truth_of(value)
            if truth is None:
                raise Unusable(f"{column.name} holds true or false, and this is neither")
            return truth
        case str() if column.type is AttributeType.INTEGER:
            if not _is_integer(value.strip()):
                raise Unusable(f"{column.name} holds whole numbers, and this is none")
            return int(value)
        case str() if column.type is AttributeType.DATE_TIME and not is_sqlite:
            moment = _moment(value)
            if moment is None:
                raise Unusable(f"{column.name} holds a time, and this is none")
            return moment.replace(tzinfo=None) if column.is_naive else moment
        case _:
            return value
