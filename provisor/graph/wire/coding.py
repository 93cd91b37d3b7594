"""Between Graph's types and JSON: strict in what is written, lenient in what is read.

Reading finds everything that is wrong at once. What may differ on the way in (spec: graph-api 1.4):
enum values in any case, flags as text, list or number, an empty text for a date or an enum that was
not supplied, annotations (`@odata.…`), properties nobody knows.
"""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import Enum, Flag, StrEnum
from functools import cache
from typing import Any, NamedTuple, TypeVar, Union, cast, get_args, get_origin

import msgspec
from msgspec import NODEFAULT, UNSET, Struct, UnsetType

from provisor.graph.problems import Problem, Problems
from provisor.graph.schema.codes import Code
from provisor.graph.wire.base import (
    Open,
    duration_of,
    duration_text,
    instant_of,
    instant_text,
)

T = TypeVar("T")

DEPTH_MAX = 200
"""JSON nested deeper than this is hostile: a source of 64 levels needs three for each."""


class _Unread(Enum):
    """What reading returns for a value that is wrong, or not supplied."""

    NOT_SUPPLIED = 1


Unread = _Unread.NOT_SUPPLIED


class Property(NamedTuple):
    """One property of a type."""

    name: str
    wire_name: str
    type: Any
    is_required: bool


@cache
def properties(cls: type[Struct]) -> tuple[Property, ...]:
    """Return the properties of a type in the order in which they are written."""
    return tuple(
        Property(
            f.name,
            f.encode_name,
            f.type,
            f.default is NODEFAULT and f.default_factory is NODEFAULT,
        )
        for f in msgspec.structs.fields(cls)
        if f.name != "additional"
    )


def names_of(cls: type[Struct]) -> tuple[str, ...]:
    """Return the names of the properties of a type, as they are written."""
    return tuple(p.wire_name for p in properties(cls))


def scalars_of(cls: type[Struct]) -> tuple[str, ...]:
    """Return the names of those properties that hold one plain value."""
    return tuple(p.wire_name for p in properties(cls) if _is_scalar(p.type))


def _is_scalar(kind: Any) -> bool:
    kinds = get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)
    plain = (str, bool, int, float, datetime, timedelta, Enum)
    return all(isinstance(one, type) and issubclass(one, (*plain, types.NoneType, UnsetType))
               for one in kinds)  # fmt: skip


def encode(value: object) -> bytes:
    """Return the JSON of a value built of Graph's types."""
    return msgspec.json.encode(plain(value))


def plain(value: object) -> object:
    """Return a value built of Graph's types as what JSON is made of."""
    match value:
        case Struct():
            return _plain_struct(value)
        case Flag():
            return flags_text(value)
        case StrEnum():
            return value.value
        case datetime():
            return instant_text(value)
        case timedelta():
            return duration_text(value)
        case tuple() | list():
            return [plain(item) for item in cast(Iterable[object], value)]
        case dict():
            items = cast(dict[str, object], value).items()
            return {name: plain(item) for name, item in items}
        case _:
            return value


def _plain_struct(value: Struct) -> dict[str, object]:
    held = ((p.wire_name, getattr(value, p.name)) for p in properties(type(value)))
    written = {name: plain(content) for name, content in held if content is not UNSET}
    if isinstance(value, Open):
        written.update(value.additional)
    return written


def decode(cls: type[T], body: bytes) -> tuple[T | None, tuple[Problem, ...]]:
    """Read JSON as one of Graph's types: the value, or None, and what was wrong or odd."""
    problems = Problems()
    try:
        raw = cast(object, msgspec.json.decode(body))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as failure:
        problems.error(Code.INVALID_JSON, f"This is no JSON document: {failure}.")
        return None, tuple(problems.found)
    return read(cls, raw)


def read(cls: type[T], raw: object) -> tuple[T | None, tuple[Problem, ...]]:
    """As `decode`, from what JSON is made of. A value comes back only if nothing is wrong."""
    problems = Problems()
    if is_too_deep(raw):
        problems.error(Code.DOCUMENT_TOO_DEEP, f"The document has more than {DEPTH_MAX} levels.")
        return None, tuple(problems.found)
    value = _read(cls, raw, problems)
    found = tuple(problems.found)
    if value is Unread or any(p.severity == "error" for p in found):
        return None, found
    return cast(T, value), found


def salvage(cls: type[T], body: bytes) -> T | None:
    """Read JSON as one of Graph's types with all that is wrong left out, None if that is all.

    Only to look for what else may be wrong: such a value is no substitute for what was meant.
    """
    try:
        raw = cast(object, msgspec.json.decode(body))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    value = Unread if is_too_deep(raw) else _read(cls, raw, Problems())
    return None if value is Unread else cast(T, value)


def is_too_deep(raw: object) -> bool:
    level: list[object] = [raw]
    for _ in range(DEPTH_MAX):
        level = [child for node in level for child in _children(node)]
        if not level:
            return False
    return True


def _children(node: object) -> Iterable[object]:
    if isinstance(node, dict):
        return cast(dict[str, object], node).values()
    return cast(list[object], node) if isinstance(node, list) else ()


def _read(kind: Any, raw: object, problems: Problems) -> object:
    """Return the value, or Unread with a problem noted."""
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _read_nullable(kind, raw, problems)
    if origin is tuple:
        return _read_list(get_args(kind)[0], raw, problems)
    if origin is dict:
        return _read_texts(raw, problems)
    if kind is object:
        return raw
    if issubclass(kind, Struct):
        return _read_struct(kind, raw, problems)
    if issubclass(kind, Flag):
        return _read_flags(kind, raw, problems)
    if issubclass(kind, StrEnum):
        return _read_enum(kind, raw, problems)
    return _read_scalar(kind, raw, problems)


def _read_nullable(kind: Any, raw: object, problems: Problems) -> object:
    kinds = get_args(kind)
    if raw is None and types.NoneType in kinds:
        return None
    (inner,) = (k for k in kinds if k not in (types.NoneType, UnsetType))
    value = _read(inner, raw, problems)
    # An empty text stands for a date that is not there.
    return None if value is Unread and raw == "" and types.NoneType in kinds else value


def _read_list(kind: Any, raw: object, problems: Problems) -> object:
    if raw is None:
        return ()
    if not isinstance(raw, list):
        return _wrong(problems, "a list", raw)
    items = [
        _read(kind, item, problems.at(index))
        for index, item in enumerate(cast(list[object], raw))
        if item is not None
    ]
    return tuple(item for item in items if item is not Unread)


def _read_texts(raw: object, problems: Problems) -> object:
    if not isinstance(raw, dict):
        return _wrong(problems, "an object", raw)
    return dict(cast(dict[str, object], raw))


def _read_struct(cls: type[Struct], raw: object, problems: Problems) -> object:
    if not isinstance(raw, dict):
        return _wrong(problems, "an object", raw)
    given = cast(dict[str, object], raw)
    known = properties(cls)
    spelled = {name.lower(): name for name in given}
    values: dict[str, Any] = {}
    is_whole = True
    for p in known:
        name = p.wire_name if p.wire_name in given else spelled.get(p.wire_name.lower(), "")
        value = _read_property(p, given[name], problems.at(name)) if name else Unread
        if value is not Unread:
            values[p.name] = value
        elif p.is_required:
            is_whole = False
            if not name or given[name] is None:
                problems.at(p.wire_name).error(Code.MISSING, "This is needed.")
    if issubclass(cls, Open):
        values["additional"] = _additional(given, known, problems)
    return cls(**values) if is_whole else Unread


def _read_property(p: Property, raw: object, problems: Problems) -> object:
    """Null says that something is not supplied, except where null is a value."""
    if raw is None and types.NoneType not in get_args(p.type):
        return Unread
    return _read(p.type, raw, problems)


def _additional(
    given: Mapping[str, object], known: Iterable[Property], problems: Problems
) -> dict[str, object]:
    """Return the properties that Graph does not have; annotations are not properties."""
    names = {p.wire_name.lower() for p in known}
    kept = {n: v for n, v in given.items() if n.lower() not in names and "@odata." not in n}
    for name in kept:
        problems.at(name).warn(Code.UNKNOWN_PROPERTY, "Nothing here knows this; it is only kept.")
    return kept


NUMBER_LENGTH_MAX = 4
"""Of flags that are written as a number in quotes, as .NET reads them too."""


def _read_flags(cls: type[Flag], raw: object, problems: Problems) -> object:
    match raw:
        case bool():
            return _wrong(problems, "names of flags", raw)
        case int() if 0 <= raw <= sum(flag.value for flag in cls):
            return cls(raw)
        case list():
            return _named_flags(cls, cast(list[object], raw), problems)
        case str() if raw.isascii() and raw.isdecimal() and len(raw) <= NUMBER_LENGTH_MAX:
            return _read_flags(cls, int(raw), problems)
        case str():
            return _named_flags(cls, raw.split(","), problems) if raw.strip() else Unread
        case _:
            return _wrong(problems, "names of flags", raw)


def _named_flags(cls: type[Flag], names: Iterable[object], problems: Problems) -> object:
    members = {flag_word(n): m for n, m in cls.__members__.items()}
    by_name = {name.lower(): member for name, member in members.items()}
    flags = cls(0)
    for name in names:
        member = by_name.get(str(name).strip().lower())
        if member is None:
            problems.error(Code.UNKNOWN_VALUE, f"{name!r} is none of {', '.join(members)}.")
            return Unread
        flags |= member
    return flags


def flag_word(name: str) -> str:
    """Return how Graph spells the member of a flags enum: FORCE_DELETES is ForceDeletes."""
    return "".join(part.capitalize() for part in name.split("_"))


def flags_text(flags: Flag) -> str:
    """Return `Add, Update, Delete`; `None` for the empty set."""
    return ", ".join(flag_word(flag.name or "") for flag in flags) or "None"


def _read_enum(cls: type[StrEnum], raw: object, problems: Problems) -> object:
    if not isinstance(raw, str):
        return _wrong(problems, "one of " + ", ".join(cls), raw)
    if not raw:
        return Unread
    for member in cls:
        if member.value.lower() == raw.lower():
            return member
    problems.error(Code.UNKNOWN_VALUE, f"{raw!r} is none of {', '.join(cls)}.")
    return Unread


def _read_scalar(kind: Any, raw: object, problems: Problems) -> object:
    if kind is bool or isinstance(raw, bool):
        return (
            raw if kind is bool and isinstance(raw, bool) else _wrong(problems, _NAMES[kind], raw)
        )
    if kind in (datetime, timedelta) and isinstance(raw, str):
        return _read_time(kind, raw, problems)
    if kind is float and isinstance(raw, int):
        return float(raw)
    return raw if isinstance(raw, kind) else _wrong(problems, _NAMES[kind], raw)


def _read_time(kind: Any, raw: str, problems: Problems) -> object:
    if not raw:
        return Unread
    try:
        return instant_of(raw) if kind is datetime else duration_of(raw)
    except ValueError as failure:
        problems.error(Code.WRONG_TYPE, f"{failure}.")
        return Unread


_NAMES: Mapping[object, str] = {
    str: "a text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    datetime: "a date",
    timedelta: "a duration",
}


def _wrong(problems: Problems, expected: str, raw: object) -> _Unread:
    names: dict[type, str] = {
        dict: "an object",
        list: "a list",
        str: "a text",
        bool: "true or false",
    }
    found = "null" if raw is None else names.get(type(raw), "a number")
    problems.error(Code.WRONG_TYPE, f"This should be {expected}, and is {found}.")
    return Unread
