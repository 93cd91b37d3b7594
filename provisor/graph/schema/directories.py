"""What a schema says its directories know: objects, attributes, types (spec: graph-api 4.13)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TypeAlias

from provisor.graph.problems import Problems
from provisor.graph.schema.codes import Code
from provisor.graph.wire import schemas as wire
from provisor.model.rules import AttributeDefinition, AttributeType

Definitions: TypeAlias = Mapping[str, Sequence[AttributeDefinition]]
"""What a connector itself knows of its source: attributes by kind of object."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of object of one directory."""

    name: str
    attributes: Mapping[str, AttributeDefinition]
    definitions: Mapping[str, wire.AttributeDefinition]


@dataclass(frozen=True, slots=True)
class Directory:
    name: str
    is_read_only: bool
    kinds: Mapping[str, Kind]


def to_directories(
    schema: wire.SynchronizationSchema, problems: Problems
) -> Mapping[str, Directory]:
    """Return the directories by name, and note what is wrong with them."""
    directories: dict[str, Directory] = {}
    for index, definition in enumerate(schema.directories):
        at = problems.at("directories").at(index)
        if is_named(definition.name, directories, at):
            directories[definition.name] = _to_directory(definition, at)
    return directories


def is_named(name: str | None, taken: Iterable[str], at: Problems) -> bool:
    """Note a name that is missing or taken; return True if it is neither."""
    if not name:
        at.at("name").error(Code.NAME_MISSING, "This needs a name.")
        return False
    if name in taken:
        at.at("name").error(
            Code.NAME_REPEATED, f"{name!r} is there twice.", "Give one of the two another name."
        )
        return False
    return True


def closest(name: str, known: Iterable[str]) -> str:
    """Return `Did you mean …?` where a known name is much like this one."""
    close = get_close_matches(name, list(known), n=1, cutoff=0.75)
    return f"Did you mean {close[0]!r}? " if close else ""


def _to_directory(definition: wire.DirectoryDefinition, at: Problems) -> Directory:
    kinds: dict[str, Kind] = {}
    for index, kind in enumerate(definition.objects):
        of = at.at("objects").at(index)
        if is_named(kind.name, kinds, of):
            kinds[kind.name] = _to_kind(kind, of)
    return Directory(definition.name, definition.read_only, kinds)


def _to_kind(kind: wire.ObjectDefinition, at: Problems) -> Kind:
    attributes: dict[str, AttributeDefinition] = {}
    definitions: dict[str, wire.AttributeDefinition] = {}
    for index, definition in enumerate(kind.attributes):
        of = at.at("attributes").at(index)
        if is_named(definition.name, attributes, of):
            attributes[definition.name] = to_definition(definition)
            definitions[definition.name] = definition
            check_default(attributes[definition.name], definition.default_value, of)
    anchors = [name for name, a in attributes.items() if a.is_anchor]
    if len(anchors) > 1:
        at.at("attributes").error(
            Code.ANCHOR_REPEATED,
            f"{', '.join(anchors)} are all anchors of {kind.name}.",
            "An object has exactly one: the identifier that never changes.",
        )
    if kind.attributes and not anchors:
        at.at("attributes").warn(
            Code.ANCHOR_MISSING,
            f"No attribute of {kind.name} is its anchor.",
            'Set "anchor": true on the identifier that never changes.',
        )
    return Kind(kind.name, attributes, definitions)


def to_definition(definition: wire.AttributeDefinition) -> AttributeDefinition:
    referred = (one.referenced_object_name for one in definition.referenced_objects)
    return AttributeDefinition(
        name=definition.name,
        type=definition.type,
        is_anchor=definition.anchor,
        is_case_exact=definition.case_exact,
        is_required=definition.required,
        is_multivalued=definition.multivalued,
        mutability=definition.mutability,
        flows_null=definition.flow_null_values,
        default_value=definition.default_value,
        refers_to=tuple(name for name in referred if name),
    )


def check_default(definition: AttributeDefinition, value: str | None, at: Problems) -> None:
    """Note a default value that the attribute's type cannot hold."""
    match definition.type:
        case AttributeType.BOOLEAN if value and value.lower() not in ("true", "false", "1", "0"):
            expected = '"True" or "False"'
        case AttributeType.INTEGER if value and not value.strip().lstrip("+-").isdecimal():
            expected = "a whole number"
        case AttributeType.REFERENCE if value:
            expected = "nothing: a reference has no default"
        case _:
            return
    at.at("defaultValue").error(
        Code.DEFAULT_INVALID,
        f"{value!r} is no value for {definition.name}, whose type is {definition.type}.",
        f"Write {expected}.",
    )


def extended(kind: Kind, definitions: Definitions) -> Kind:
    """Return a source kind with what its connector knows besides; the schema's own words win."""
    known = of_kind(kind.name, definitions)
    if known is None:
        return kind
    more = {one.name: one for one in known if one.name not in kind.attributes}
    return Kind(kind.name, {**kind.attributes, **more}, kind.definitions)


def of_kind(name: str, definitions: Definitions) -> Sequence[AttributeDefinition] | None:
    """Return what a connector knows of a kind, whose name may differ in case."""
    spelled = spelling(name, definitions)
    return None if spelled is None else definitions[spelled]


def spelling(name: str, definitions: Iterable[str]) -> str | None:
    """Return how a connector itself spells a kind of object; None if it has no such kind."""
    by_case = {known.lower(): known for known in definitions}
    return by_case.get(name.lower())
