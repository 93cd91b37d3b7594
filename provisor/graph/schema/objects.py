"""One object mapping: kinds of object, scope, attributes, matching (spec: graph-api 4.10)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from provisor.graph.problems import Problems
from provisor.graph.schema.attributes import Ends, to_attribute_mapping
from provisor.graph.schema.codes import Code
from provisor.graph.schema.directories import Definitions, Directory, Kind, closest, spelling
from provisor.graph.schema.document import whole
from provisor.graph.schema.filters import to_filter
from provisor.graph.wire import schemas as wire
from provisor.graph.wire.coding import plain
from provisor.model.expressions import attributes_of
from provisor.model.rules import (
    IS_SOFT_DELETED,
    AttributeMapping,
    AttributeType,
    MappingName,
    Mutability,
    ObjectMapping,
)

DISPOSITION = "Disposition"
NORMAL = '"Normal"'
NO_DEFINITIONS: Mapping[str, wire.AttributeDefinition] = {}


@dataclass(frozen=True, slots=True)
class Join:
    """What an object mapping stands in: its rule, the directories it joins, what the source has."""

    rule: wire.SynchronizationRule
    source: Directory | None
    target: Directory | None
    definitions: Definitions


def to_object_mapping(
    mapping: wire.ObjectMapping, join: Join, name: MappingName, problems: Problems
) -> ObjectMapping:
    """Return the mapping. Where something is wrong it is noted, and left out."""
    ends = _ends(mapping, join, problems)
    at = problems.at("attributeMappings")
    attributes = _attributes(mapping, ends, at)
    _check_targets(mapping, at)
    _check_matching(mapping, at)
    _check_required(mapping, ends.target, at)
    _check_read(mapping, attributes, join.definitions, problems)
    _check_disposition(mapping, problems)
    scope = mapping.scope or wire.Filter()
    where = problems.at("scope")
    return ObjectMapping(
        name=name,
        source_kind=_source_kind(mapping, join.definitions),
        target_kind=mapping.target_object_name or "",
        attributes=tuple(attributes.values()),
        rule_id=join.rule.id or "",
        priority=join.rule.priority,
        is_enabled=mapping.enabled,
        flows=mapping.flow_types,
        scope=to_filter(scope.groups, ends.source, where.at("groups")),
        input_filter=to_filter(
            scope.input_filter_groups, ends.source, where.at("inputFilterGroups")
        ),
        category_filter=to_filter(
            scope.category_filter_groups, ends.source, where.at("categoryFilterGroups")
        ),
        hash=fingerprint(mapping, ends),
    )


def fingerprint(mapping: wire.ObjectMapping, ends: Ends) -> str:
    """Return what changes whenever the mapping means something else; order does not matter.

    What the target says of the mapped attributes is part of it: it decides what is a difference.
    """
    mapped = sorted(whole(mapping).attribute_mappings, key=lambda m: m.target_attribute_name or "")
    names = [m.target_attribute_name or "" for m in mapped]
    definitions = ends.target.definitions if ends.target is not None else NO_DEFINITIONS
    meaning = {
        "source": mapping.source_object_name,
        "target": mapping.target_object_name,
        "enabled": mapping.enabled,
        "flows": plain(mapping.flow_types),
        "scope": plain(mapping.scope or wire.Filter()),
        "attributes": plain(mapped),
        "definitions": {n: plain(definitions[n]) for n in names if n in definitions},
    }
    return hashlib.sha256(msgspec.json.encode(meaning, order="sorted")).hexdigest()[:32]


def _attributes(
    mapping: wire.ObjectMapping, ends: Ends, at: Problems
) -> Mapping[int, AttributeMapping]:
    """Return the attribute mappings by their place."""
    read = (
        (index, to_attribute_mapping(one, ends, at.at(index)))
        for index, one in enumerate(mapping.attribute_mappings)
    )
    return {index: one for index, one in read if one is not None}


def _ends(mapping: wire.ObjectMapping, join: Join, problems: Problems) -> Ends:
    source = _kind(
        mapping.source_object_name, join.source, "source", problems.at("sourceObjectName")
    )
    target = _kind(
        mapping.target_object_name, join.target, "target", problems.at("targetObjectName")
    )
    return Ends(source, target)


def _kind(name: str | None, directory: Directory | None, side: str, at: Problems) -> Kind | None:
    if not name:
        at.error(Code.NAME_MISSING, f"This names no object of the {side}.")
        return None
    if directory is None:
        return None
    kind = directory.kinds.get(name)
    if kind is None:
        at.error(
            Code.OBJECT_UNKNOWN,
            f"The {side} directory {directory.name!r} has no object {name!r}.",
            f"{closest(name, directory.kinds)}It has {', '.join(directory.kinds) or 'none'}.",
        )
    return kind


def _source_kind(mapping: wire.ObjectMapping, definitions: Definitions) -> str:
    name = mapping.source_object_name or ""
    return spelling(name, definitions) or name


def _check_targets(mapping: wire.ObjectMapping, at: Problems) -> None:
    """Note a target attribute that two mappings would write. Names differ by more than case."""
    first: dict[str, int] = {}
    for index, one in enumerate(mapping.attribute_mappings):
        name = (one.target_attribute_name or "").lower()
        if name and name in first:
            at.at(index).at("targetAttributeName").error(
                Code.TARGET_ATTRIBUTE_REPEATED,
                f"{one.target_attribute_name} is already mapped by attributeMappings"
                f"[{first[name]}].",
                "Remove one of the two.",
            )
        first.setdefault(name, index)


def _check_matching(mapping: wire.ObjectMapping, at: Problems) -> None:
    """Note when there is no matching attribute, or no order among several."""
    first: dict[int, int] = {}
    for index, one in enumerate(mapping.attribute_mappings):
        priority = one.matching_priority
        if priority > 0 and priority in first:
            at.at(index).at("matchingPriority").error(
                Code.MATCHING_PRIORITY_REPEATED,
                f"attributeMappings[{first[priority]}] has the priority {priority}, too.",
                "Give each matching attribute a priority of its own; the lowest is tried first.",
            )
        if priority > 0:
            first.setdefault(priority, index)
    if mapping.enabled and not first:
        at.error(
            Code.MATCHING_MISSING,
            "No attribute finds the objects that are already in the target.",
            "Set matchingPriority to 1 on the mapping of a unique attribute.",
        )


def _check_required(mapping: wire.ObjectMapping, target: Kind | None, at: Problems) -> None:
    if target is None or not mapping.enabled:
        return
    mapped = {one.target_attribute_name for one in mapping.attribute_mappings}
    for name, definition in target.attributes.items():
        is_given = definition.is_anchor or definition.mutability is Mutability.READ_ONLY
        if definition.is_required and name not in mapped and not is_given:
            at.warn(
                Code.REQUIRED_NOT_MAPPED,
                f"{target.name} of the target needs {name}, and nothing is mapped to it.",
                "Map it, or no object can be created."
                if definition.default_value is None
                else f"It is created with {definition.default_value!r}.",
            )


def _check_read(
    mapping: wire.ObjectMapping,
    attributes: Mapping[int, AttributeMapping],
    definitions: Definitions,
    problems: Problems,
) -> None:
    """Note what is mapped but does not come out of the connector, where it says what does."""
    if not definitions or not mapping.enabled:
        return
    kind = spelling(mapping.source_object_name or "", definitions)
    if kind is None:
        problems.at("sourceObjectName").warn(
            Code.OBJECT_NOT_IN_SOURCE,
            f"The source has no objects {mapping.source_object_name!r}: nothing will be read.",
            f"It has {', '.join(definitions)}. Disable this mapping, or name one of them.",
        )
        return
    known = {one.name for one in definitions[kind]} | {IS_SOFT_DELETED}
    for index, one in attributes.items():
        missing = set(attributes_of(one.source) if one.source is not None else ()) - known
        for name in sorted(missing):
            problems.at("attributeMappings").at(index).at("source").warn(
                Code.SOURCE_ATTRIBUTE_NOT_READ,
                f"The source does not deliver {name} of {kind}: it is always empty.",
                f"{closest(name, known)}Remove the mapping, or let the source deliver it.",
            )
    for name in sorted(_filtered_by(mapping.scope) - known):
        problems.at("scope").warn(
            Code.SOURCE_ATTRIBUTE_NOT_READ,
            f"The source does not deliver {name} of {kind}, so that no clause about it holds.",
            f"{closest(name, known)}Remove the clause, or let the source deliver it.",
        )


def _filtered_by(scope: wire.Filter | None) -> set[str]:
    if scope is None:
        return set()
    groups = (*scope.groups, *scope.input_filter_groups, *scope.category_filter_groups)
    return {clause.source_operand_name or "" for group in groups for clause in group.clauses}


def _check_disposition(mapping: wire.ObjectMapping, problems: Problems) -> None:
    for index, entry in enumerate(mapping.metadata):
        if entry.key == DISPOSITION and entry.value not in (None, "", NORMAL, "Normal"):
            problems.at("metadata").at(index).warn(
                Code.DISPOSITION_NOT_SUPPORTED,
                f"The disposition {entry.value} is kept, and has no effect.",
                "To leave objects alone, disable the mapping.",
            )


def points_at(attributes: Iterable[AttributeMapping]) -> Mapping[str, tuple[str, ...]]:
    """Return, for each mapped reference, the kinds of target object it may point at."""
    return {
        one.target.name: one.target.refers_to
        for one in attributes
        if one.target.type is AttributeType.REFERENCE
    }
