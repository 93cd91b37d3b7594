"""Graph's types as JSON Schema: as they are answered, and as they are taken.

What is answered has every property of its type and no other. What is taken may leave out what has
a usual value, say null for it, and have more than anybody knows; it is described in its usual form,
though other forms are understood as well (spec: graph-api 1.4).
"""

from __future__ import annotations

import types
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from enum import Flag, StrEnum
from typing import Any, Union, cast, get_args, get_origin

from msgspec import Struct, UnsetType

from provisor.graph.http.answers import Document
from provisor.graph.wire.base import Open
from provisor.graph.wire.coding import flag_word, properties

ANNOTATION = r"@odata\."
SCALARS: Mapping[object, Document] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer", "format": "int64"},
    float: {"type": "number"},
    # RFC 3339 knows no fraction of a second in a duration, .NET's longest one has it.
    timedelta: {"type": "string", "pattern": "^P"},
    datetime: {"type": "string", "format": "date-time"},
    object: {},
}


class Described:
    """Types by name, described once they are referred to."""

    def __init__(self, partial: Collection[type[Struct] | None] = ()) -> None:
        self.schemas: dict[str, Document] = {}
        self._partial = frozenset(partial)
        """Of these an answer may have only what was selected."""

    def answered(self, kind: Any) -> Document:
        return self._of(kind, is_taken=False)

    def taken(self, kind: Any) -> Document:
        return self._of(kind, is_taken=True)

    def _of(self, kind: Any, *, is_taken: bool) -> Document:
        origin = get_origin(kind)
        if origin in (Union, types.UnionType):
            kinds = [one for one in get_args(kind) if one not in (types.NoneType, UnsetType)]
            inner = self._of(kinds[0], is_taken=is_taken)
            return nullable(inner) if types.NoneType in get_args(kind) else inner
        if origin is tuple:
            return {"type": "array", "items": self._of(get_args(kind)[0], is_taken=is_taken)}
        if origin is dict:
            inner = self._of(get_args(kind)[1], is_taken=is_taken)
            return {"type": "object", "additionalProperties": inner}
        if kind is Any or kind in SCALARS:
            return SCALARS.get(kind, {})
        if issubclass(kind, Struct):
            return self._reference(kind, is_taken=is_taken)
        if issubclass(kind, Flag):
            return _flags(kind)
        assert issubclass(kind, StrEnum), kind
        return {"type": "string", "enum": [member.value for member in kind]}

    def _reference(self, cls: type[Struct], *, is_taken: bool) -> Document:
        name = f"{cls.__name__}.taken" if is_taken else cls.__name__
        if name not in self.schemas:
            self.schemas[name] = {}  # it may hold itself
            self.schemas[name] = self._struct(cls, is_taken=is_taken)
        return {"$ref": f"#/components/schemas/{name}"}

    def _struct(self, cls: type[Struct], *, is_taken: bool) -> Document:
        held: Document = {}
        required: list[str] = []
        for one in properties(cls):
            schema = self._of(one.type, is_taken=is_taken)
            is_usual = is_taken and not one.is_required
            held[one.wire_name] = nullable(schema) if is_usual else schema
            may_lack = is_usual or UnsetType in get_args(one.type) or cls in self._partial
            if not may_lack:
                required.append(one.wire_name)
        made: Document = {"type": "object", "properties": held}
        if cls.__doc__:
            made["description"] = " ".join(cls.__doc__.split())
        if required:
            made["required"] = required
        if not is_taken and not issubclass(cls, Open):
            made |= {"patternProperties": {ANNOTATION: {}}, "additionalProperties": False}
        return made


def nullable(schema: Document) -> Document:
    """Return the schema of what may also be null."""
    if isinstance(schema.get("type"), str) and "enum" not in schema:
        return {**schema, "type": [schema["type"], "null"]}
    if "anyOf" in schema and {"type": "null"} in cast(list[object], schema["anyOf"]):
        return schema
    return schema if not schema else {"anyOf": [schema, {"type": "null"}]}


def _flags(kind: type[Flag]) -> Document:
    word = "|".join(flag_word(name) for name in kind.__members__)
    return {"type": "string", "pattern": f"^({word})(, ({word}))*$"}
