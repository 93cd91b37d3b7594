"""Tests stored beside a job: examples of source objects, and what the target is to say of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from msgspec import UNSET, Struct, UnsetType

from provisor.model.entries import Scalar, Value
from provisor.settings.problems import Problems
from provisor.settings.reading import read
from provisor.settings.yamlfile import load

TESTS = "tests"


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One source object, and what is expected of the job's rules."""

    name: str
    where: str
    """File and line, for who looks it up."""
    mapping: str
    """The object mapping that is meant; empty: the first."""
    source: Mapping[str, Value]
    target: Mapping[str, object]
    """As text, lists of texts, or None for no value, by target attribute."""
    in_scope: bool | None
    """None: not asked."""
    error: str
    """The code that the object is refused with; empty: it is not."""
    taken: tuple[str, ...]
    now: datetime | None


class ExampleForm(Struct, frozen=True, kw_only=True, rename="camel"):
    name: str
    source: dict[str, object]
    target: dict[str, object] = {}
    mapping: str = ""
    in_scope: bool | UnsetType = UNSET
    error: str = ""
    taken: tuple[str, ...] = ()
    now: str = ""


def read_examples(given: object, problems: Problems, at: tuple[str, ...]) -> tuple[Example, ...]:
    """Return the tests of a job: a list, or the name of a file that has one at `tests:`."""
    if isinstance(given, str):
        inner = Problems(problems.file.parent / given)
        raw = load(inner.file, inner)
        if not inner.found and set(raw) != {TESTS}:
            inner.add((), "is to hold the key tests, and nothing else")
        examples = _read_list(raw.get(TESTS), inner, (TESTS,)) if not inner.found else ()
        problems.found += inner.found
        return examples
    return _read_list(given, problems, at)


def _read_list(given: object, problems: Problems, at: tuple[str, ...]) -> tuple[Example, ...]:
    if not isinstance(given, list):
        problems.add(at, "is to be a list of examples, or the name of a file")
        return ()
    found: list[Example] = []
    for index, raw in enumerate(cast("list[object]", given)):
        path = (*at, str(index))
        form = read(ExampleForm, raw, problems, path)
        if form is not None:
            found.append(_example(form, problems, path))
    return tuple(found)


def _example(form: ExampleForm, problems: Problems, at: tuple[str, ...]) -> Example:
    if not form.target and not form.error and form.in_scope is UNSET:
        problems.add(at, "expects nothing; say target, inScope or error")
    source = {n: _value(v, problems, (*at, "source", n)) for n, v in form.source.items()}
    target = {n: _text(v, problems, (*at, "target", n)) for n, v in form.target.items()}
    return Example(
        name=form.name,
        where=f"{problems.file}:{problems.line(at)}",
        mapping=form.mapping,
        source={name: value for name, value in source.items() if value is not None},
        target=target,
        in_scope=None if isinstance(form.in_scope, UnsetType) else form.in_scope,
        error=form.error,
        taken=form.taken,
        now=_moment(form.now, problems, (*at, "now")),
    )


def as_written(example: Example) -> dict[str, object]:
    """Return an example as `tests:` has it."""
    said: dict[str, object] = {
        "name": example.name,
        "mapping": example.mapping,
        "source": dict(example.source),
        "target": dict(example.target),
        "inScope": example.in_scope,
        "error": example.error,
        "taken": list(example.taken),
        "now": example.now.isoformat() if example.now else "",
    }
    return {name: value for name, value in said.items() if value not in (None, "", [])}


def _value(given: object, problems: Problems, at: tuple[str, ...]) -> Value | None:
    if isinstance(given, list):
        many = (_scalar(one, problems, at) for one in cast("list[object]", given))
        return tuple(one for one in many if one is not None)
    return _scalar(given, problems, at)


def _scalar(given: object, problems: Problems, at: tuple[str, ...]) -> Scalar | None:
    if given is None or isinstance(given, str | int):
        return given
    if isinstance(given, float):
        return str(given)
    problems.add(at, "is to be a text, a number, true, false, or a list of these")
    return None


def _text(given: object, problems: Problems, at: tuple[str, ...]) -> object:
    """Return an expected value as values are compared: as text."""
    value = _value(given, problems, at)
    return [str(one) for one in value] if isinstance(value, tuple) else _plain(value)


def _plain(value: Scalar | None) -> str | None:
    return None if value is None else str(value)


def _moment(text: str, problems: Problems, at: tuple[str, ...]) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        problems.add(at, "is to be a time such as 2025-07-30T12:00:00Z")
        return None
