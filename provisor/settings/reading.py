"""Plain values to forms, with everything that is wrong at once."""

from __future__ import annotations

import types
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar, Union, cast, get_args, get_origin

import msgspec
from msgspec import NODEFAULT, Struct, UnsetType

from provisor.settings.problems import Problems, suggestion

S = TypeVar("S", bound=Struct)
WORDS: Mapping[object, str] = {
    str: "a text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
}
Path = tuple[str, ...]


class _Unread:
    """Stands for a value that is wrong; what was wrong is noted."""


UNREAD = _Unread()


def read(form: type[S], raw: object, problems: Problems, path: Path = ()) -> S | None:
    """Return `raw` as a form, or None with every reason noted in `problems`."""
    before = len(problems.found)
    value = _read_form(form, raw, path, problems)
    return cast(S, value) if len(problems.found) == before else None


@cache
def _fields(form: type[Struct]) -> Mapping[str, msgspec.structs.FieldInfo]:
    return {field.encode_name: field for field in msgspec.structs.fields(form)}


def _read_form(form: type[Struct], raw: object, path: Path, problems: Problems) -> object:
    if raw is None:
        raw = {}
    if not isinstance(raw, dict):
        return _wrong(path, "a mapping", problems)
    given, fields = cast(dict[str, object], raw), _fields(form)
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name not in fields:
            problems.add((*path, name), f"there is no such key; {suggestion(name, fields)}")
            continue
        field = fields[name]
        values[field.name] = _read(field.type, value, (*path, name), problems)
    for name, field in fields.items():
        is_needed = field.default is NODEFAULT and field.default_factory is NODEFAULT
        if is_needed and name not in given:
            problems.add(path, f"the key {name} is missing")
            values[field.name] = UNREAD
    if any(value is UNREAD for value in values.values()):
        return UNREAD
    return form(**values)


def _read(kind: Any, raw: object, path: Path, problems: Problems) -> object:
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _read_either(kind, raw, path, problems)
    if origin is tuple:
        return _read_list(get_args(kind)[0], raw, path, problems)
    if origin is dict:
        return _read_names(get_args(kind)[1], raw, path, problems)
    if kind is object:
        return raw
    if issubclass(kind, Struct):
        return _read_form(kind, raw, path, problems)
    return _read_scalar(kind, raw, path, problems)


def _read_either(kind: Any, raw: object, path: Path, problems: Problems) -> object:
    """Take the form for a mapping, and the scalar for everything else."""
    kinds = [one for one in get_args(kind) if one is not UnsetType]
    forms = [one for one in kinds if isinstance(one, type) and issubclass(one, Struct)]
    others = [one for one in kinds if one not in forms]
    is_mapping = isinstance(raw, Mapping)
    if forms and (is_mapping or not others):
        return _read_form(forms[0], cast(object, raw), path, problems)
    return _read(others[0], raw, path, problems)


def _read_list(kind: Any, raw: object, path: Path, problems: Problems) -> object:
    if not isinstance(raw, list):
        return _wrong(path, "a list", problems)
    items = [
        _read(kind, item, (*path, str(index)), problems)
        for index, item in enumerate(cast(list[object], raw))
    ]
    return UNREAD if UNREAD in items else tuple(items)


def _read_names(kind: Any, raw: object, path: Path, problems: Problems) -> object:
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        return _wrong(path, "a mapping", problems)
    given = cast(dict[str, object], raw)
    read = {name: _read(kind, value, (*path, name), problems) for name, value in given.items()}
    return UNREAD if any(value is UNREAD for value in read.values()) else read


def _read_scalar(kind: Any, raw: object, path: Path, problems: Problems) -> object:
    if kind is float and isinstance(raw, int) and not isinstance(raw, bool):
        return float(raw)
    if kind is int and isinstance(raw, bool):
        return _wrong(path, WORDS[kind], problems)
    if not isinstance(raw, kind):
        hint = "; put it in quotes" if kind is str and isinstance(raw, int | float) else ""
        return _wrong(path, WORDS[kind] + hint, problems)
    return raw


def _wrong(path: Path, expected: str, problems: Problems) -> _Unread:
    problems.add(path, f"is to be {expected}")
    return UNREAD
