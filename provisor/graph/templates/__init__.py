"""The templates that come with Provisor: JSON in Graph's shape, beside this file.

A template may stand on another: `"provisor": {"extends": "scim"}` takes from it whatever it does
not say itself. With `"directories": ["Source"]` beside that, a schema of its own gets these
directories of the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import TypeAlias, cast

import msgspec
from msgspec.structs import replace

from provisor.graph.problems import errors
from provisor.graph.schema.document import canonical
from provisor.graph.wire.coding import read
from provisor.graph.wire.templates import SynchronizationTemplate

OURS = "provisor"
_Schema: TypeAlias = Mapping[str, Sequence[Mapping[str, object]]]
NO_TENANT = "0" * 32


@cache
def templates() -> Mapping[str, SynchronizationTemplate]:
    """Return the templates by id, in the order of their ids."""
    return {id: _template(id) for id in _documents()}


def template(id: str) -> SynchronizationTemplate | None:
    """Return a template by its id, which is compared without regard to case."""
    by_case = {known.lower(): known for known in _documents()}
    known = by_case.get(id.lower())
    return None if known is None else _template(known)


@cache
def _template(id: str) -> SynchronizationTemplate:
    """Return one template: whoever asks for one is spared the others, which take longer."""
    return to_template(_documents()[id], _documents())


@cache
def _documents() -> Mapping[str, Mapping[str, object]]:
    """Return the documents of all templates by their ids, in the order of those."""
    files = (f for f in resources.files(__name__).iterdir() if f.name.endswith(".json"))
    parsed = (_parsed(f.read_bytes()) for f in sorted(files, key=lambda f: f.name))
    return {str(document["id"]): document for document in parsed}


def to_template(
    document: Mapping[str, object], documents: Mapping[str, Mapping[str, object]]
) -> SynchronizationTemplate:
    """Return a template from its document; `documents` are those it may extend, by id.

    Raises ValueError for a document that is no template.
    """
    raw = dict(_inherited(document, documents))
    raw.pop(OURS, None)
    value, problems = read(SynchronizationTemplate, raw)
    if value is None:
        raise ValueError("; ".join(str(problem) for problem in errors(problems)))
    schema = replace(canonical(value.schema), id=f"{value.id}.{NO_TENANT}")
    return replace(value, schema=schema)


def _inherited(
    document: Mapping[str, object],
    documents: Mapping[str, Mapping[str, object]],
    seen: frozenset[str] = frozenset(),
) -> Mapping[str, object]:
    ours = cast(Mapping[str, object], document.get(OURS) or {})
    base = str(ours.get("extends") or "")
    if not base:
        return document
    if base in seen or base not in documents:
        raise ValueError(f"{document.get('id')} extends {base}, which leads nowhere")
    inherited = _inherited(documents[base], documents, seen | {base})
    whole = {**inherited, **document}
    if names := cast(Sequence[str], ours.get("directories") or ()):
        whole["schema"] = _with_directories(whole["schema"], inherited["schema"], names)
    return whole


def _with_directories(own: object, other: object, names: Sequence[str]) -> Mapping[str, object]:
    """Return a schema with some directories of another before its own."""
    schema, base = cast(_Schema, own), cast(_Schema, other)
    by_name = {str(one["name"]): one for one in base["directories"]}
    taken = [by_name[name] for name in names]
    return {**schema, "directories": [*taken, *schema["directories"]]}


def _parsed(content: bytes) -> Mapping[str, object]:
    return cast(Mapping[str, object], msgspec.json.decode(content))
