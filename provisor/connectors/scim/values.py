"""How values travel: from JSON to the model and back, and when two are the same."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from datetime import UTC, datetime

from provisor.connectors.http.body import Json, NotJson, decode, get, items, number_of, truth_of
from provisor.model.entries import Anchor, Reference, Scalar, Value
from provisor.model.rules import AttributeDefinition, AttributeType


def value_of(raw: Json, definition: AttributeDefinition, owner: str) -> Value | None:
    """Return what a resource says, in the type that the attribute has; None if it says nothing.

    What cannot be read in that type stays text: it differs from whatever is wanted, so that it is
    written anew. `owner` is the kind that a reference points at where its definition names none.
    """
    if definition.is_multivalued:
        elements = raw if isinstance(raw, list) else [raw]
        values = (_scalar(element, definition, owner) for element in elements)
        return tuple(value for value in values if value is not None) or None
    if isinstance(raw, list):
        raw = _foremost(raw)
    return _scalar(raw, definition, owner)


def _foremost(elements: list[Json]) -> Json:
    """Return the primary element, else the first."""
    for element in items(elements):
        if truth_of(get(element, "primary")):
            return element
    return elements[0] if elements else None


def _scalar(raw: Json, definition: AttributeDefinition, owner: str) -> Scalar | None:
    if definition.type is AttributeType.REFERENCE:
        anchor = anchor_of(raw)
        kind = definition.refers_to[0] if definition.refers_to else owner
        return Reference(kind, anchor) if anchor else None
    if isinstance(raw, dict):
        raw = get(raw, "value")
    if raw is None or isinstance(raw, dict | list):
        return None
    return _READ[definition.type](raw)


def anchor_of(raw: Json) -> Anchor | None:
    """Return whom a reference names, whichever of the shapes in use it has (scim-target 5.5)."""
    if isinstance(raw, list):
        raw = _foremost(raw)
    if isinstance(raw, dict):
        named = get(raw, "value") or get(raw, "id")
        if named is None and isinstance(reference := get(raw, "$ref"), str):
            named = reference.rstrip("/").rpartition("/")[2]
        raw = named
    if isinstance(raw, str | int) and not isinstance(raw, bool):
        return Anchor(str(raw)) or None
    return None


def _text(raw: str | float | bool) -> str:
    if isinstance(raw, float) and raw.is_integer():
        return str(int(raw))
    return raw if isinstance(raw, str) else str(raw)


def _integer(raw: str | float | bool) -> Scalar:
    number = number_of(raw)
    return _text(raw) if number is None else number


def _boolean(raw: str | float | bool) -> Scalar:
    truth = truth_of(raw)
    return _text(raw) if truth is None else truth


def _moment(raw: str | float | bool) -> Scalar:
    try:
        moment = datetime.fromisoformat(_text(raw).strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):  # the latter: beyond the calendar in UTC
        return _text(raw)


def moment_of(raw: Json) -> datetime | None:
    """Return a date and time, None if it is none."""
    moment = _moment(raw) if isinstance(raw, str) else None
    return moment if isinstance(moment, datetime) else None


def _bytes(raw: str | float | bool) -> Scalar:
    try:
        return base64.b64decode(_text(raw), validate=True)
    except binascii.Error:
        return _text(raw)


_READ: dict[AttributeType, Callable[[str | float | bool], Scalar]] = {
    AttributeType.STRING: _text,
    AttributeType.INTEGER: _integer,
    AttributeType.BOOLEAN: _boolean,
    AttributeType.DATE_TIME: _moment,
    AttributeType.BINARY: _bytes,
}


def raw_of(value: Value, definition: AttributeDefinition) -> Json:
    """Return a value as JSON has it."""
    if isinstance(value, tuple):
        return [_raw(one, definition) for one in value]
    raw = _raw(value, definition)
    return [raw] if definition.is_multivalued else raw


def _raw(value: Scalar, definition: AttributeDefinition) -> Json:
    match value:
        case Reference():
            return str(value.anchor)
        case bytes():
            return base64.b64encode(value).decode("ascii")
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case str():
            typed = _READ.get(definition.type, _text)(value)
            return typed if isinstance(typed, bool | int) else value
        case bool() | int():
            return str(value) if definition.type is AttributeType.STRING else value


def element_of(raw: Json) -> Json:
    """Return one value of a complex multi-valued attribute as its element.

    A JSON object given as text is the element itself: roles come like that (scim-target 5.7).
    """
    if isinstance(raw, str) and raw.startswith("{"):
        try:
            parsed = decode(raw.encode())
        except NotJson:
            parsed = None
        if isinstance(parsed, dict):
            return parsed
    return {"value": raw}


def is_same(one: Value | None, other: Value | None, *, is_case_exact: bool) -> bool:
    """Compare two values as a directory does: texts without case unless they are exact."""
    return _key(one, is_case_exact) == _key(other, is_case_exact)


def _key(value: Value | None, is_case_exact: bool) -> object:
    if isinstance(value, tuple):
        return frozenset(_key(one, is_case_exact) for one in value)
    if isinstance(value, str) and not is_case_exact:
        return value.casefold()
    return value
