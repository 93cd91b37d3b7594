"""A schema to the rules of a job, with everything that is wrong with it at once.

The source directory of a schema is the job's source, whatever its name (spec: settled 31).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from provisor.graph.problems import Problem, Problems, errors
from provisor.graph.schema.codes import Code
from provisor.graph.schema.directories import (
    Definitions,
    Directory,
    closest,
    extended,
    to_directories,
)
from provisor.graph.schema.objects import Join, points_at, to_object_mapping
from provisor.graph.wire import schemas as wire
from provisor.model.rules import Flows, MappingName, ObjectMapping, Rules

NO_DEFINITIONS: Definitions = {}


@dataclass(frozen=True, slots=True)
class _Place:
    """An object mapping with where it stands, in the order in which mappings run."""

    rule_index: int
    rule: wire.SynchronizationRule
    index: int
    mapping: wire.ObjectMapping


def to_rules(
    schema: wire.SynchronizationSchema, definitions: Definitions = NO_DEFINITIONS
) -> tuple[Rules, tuple[Problem, ...]]:
    """Return the rules, and all errors and warnings. With any error there are no rules.

    `definitions` is what the source's connector knows of its own attributes (the columns of a
    file): they may be mapped although the schema does not list them.
    """
    problems = Problems()
    directories = to_directories(schema, problems)
    _check_rules(schema, problems)
    _check_directions(schema, problems)
    places = list(_places(schema))
    names = _names(places)
    rules = {
        name: _to_mapping(place, name, directories, definitions, problems)
        for place, name in zip(places, names, strict=True)
    }
    _check_enabled(rules, problems)
    _check_referenced(rules, places, problems)
    found = tuple(problems.found)
    return ({} if errors(found) else rules), found


def without_deletes(rules: Rules) -> Rules:
    """Return the rules with every Delete flow off, as `HardDeletesEnabled` False means."""
    return {
        name: replace(
            mapping, flows=mapping.flows & ~Flows.DELETE, hash=f"{mapping.hash}-without-deletes"
        )
        for name, mapping in rules.items()
    }


def _places(schema: wire.SynchronizationSchema) -> Iterator[_Place]:
    """Yield object mappings by the priority of their rules, then as they stand."""
    numbered = sorted(enumerate(schema.synchronization_rules), key=lambda one: one[1].priority)
    for rule_index, rule in numbered:
        for index, mapping in enumerate(rule.object_mappings):
            yield _Place(rule_index, rule, index, mapping)


def _names(places: list[_Place]) -> list[MappingName]:
    """Name each mapping `{source} to {target}`; of those that share it all but the first get
    more, because what is remembered of an object is kept under this name."""
    taken: list[MappingName] = []
    for place in places:
        mapping = place.mapping
        plain = f"{mapping.source_object_name or ''} to {mapping.target_object_name or ''}"
        candidates = [plain]
        candidates += [f"{plain} ({more})" for more in (mapping.name, place.rule.name) if more]
        candidates += [f"{plain} ({number})" for number in range(2, len(places) + 2)]
        taken.append(next(MappingName(name) for name in candidates if name not in taken))
    return taken


def _to_mapping(
    place: _Place,
    name: MappingName,
    directories: Mapping[str, Directory],
    definitions: Definitions,
    problems: Problems,
) -> ObjectMapping:
    source = directories.get(place.rule.source_directory_name or "")
    if source is not None:
        kinds = {n: extended(kind, definitions) for n, kind in source.kinds.items()}
        source = replace(source, kinds=kinds)
    target = directories.get(place.rule.target_directory_name or "")
    at = problems.at("synchronizationRules").at(place.rule_index)
    return to_object_mapping(
        place.mapping,
        Join(place.rule, source, target, definitions),
        name,
        at.at("objectMappings").at(place.index),
    )


def _check_rules(schema: wire.SynchronizationSchema, problems: Problems) -> None:
    known = {directory.name: directory for directory in schema.directories}
    seen: set[str] = set()
    for index, rule in enumerate(schema.synchronization_rules):
        at = problems.at("synchronizationRules").at(index)
        if not rule.id:
            at.at("id").error(
                Code.RULE_ID_MISSING,
                "This rule has no id.",
                "Give it one that no other rule of this schema has, such as a GUID.",
            )
        elif rule.id in seen:
            at.at("id").error(Code.RULE_ID_REPEATED, f"Two rules have the id {rule.id}.")
        seen.add(rule.id or "")
        _check_directory(rule.source_directory_name, known, at.at("sourceDirectoryName"))
        _check_directory(rule.target_directory_name, known, at.at("targetDirectoryName"))
        target = known.get(rule.target_directory_name or "")
        if target is not None and target.read_only:
            at.at("targetDirectoryName").error(
                Code.DIRECTORY_READ_ONLY,
                f"{target.name!r} is read-only, so that nothing can be written to it.",
                "Set readOnly of that directory to false, if it can be written to.",
            )
        _check_filters(rule, at)


def _check_directory(
    name: str | None, known: Mapping[str, wire.DirectoryDefinition], at: Problems
) -> None:
    if not name:
        at.error(Code.NAME_MISSING, "This names no directory.")
    elif name not in known:
        at.error(
            Code.DIRECTORY_UNKNOWN,
            f"No directory of this schema is named {name!r}.",
            f"{closest(name, known)}There are {', '.join(map(repr, known)) or 'none'}.",
        )


def _check_filters(rule: wire.SynchronizationRule, at: Problems) -> None:
    containers = rule.container_filter.included_containers if rule.container_filter else ()
    groups = rule.group_filter.included_groups if rule.group_filter else ()
    if containers and groups:
        at.error(
            Code.CONTAINER_AND_GROUP_FILTER, "A rule filters by container or by group, not by both."
        )
    for name, values in (("containerFilter", containers), ("groupFilter", groups)):
        if values:
            at.at(name).error(
                Code.FILTER_NOT_SUPPORTED,
                "This filter would not be applied, and more objects than it lists would flow.",
                "Set it to null, and narrow what the source connection reads (its search base), "
                "the assignments, or the scope of the mapping.",
            )


def _check_directions(schema: wire.SynchronizationSchema, problems: Problems) -> None:
    """A job has one source and one target; every rule that does something goes that way."""
    way: tuple[str | None, str | None] | None = None
    for index, rule in enumerate(schema.synchronization_rules):
        if not any(mapping.enabled for mapping in rule.object_mappings):
            continue
        mine = (rule.source_directory_name, rule.target_directory_name)
        way = way or mine
        if mine != way:
            problems.at("synchronizationRules").at(index).error(
                Code.TWO_DIRECTIONS,
                f"This rule goes from {mine[0]!r} to {mine[1]!r}, and another from {way[0]!r} to "
                f"{way[1]!r}.",
                "A job has one source and one target: disable the mappings of this rule, or put "
                "it into a job of its own.",
            )


def _check_enabled(rules: Rules, problems: Problems) -> None:
    if not any(mapping.is_enabled for mapping in rules.values()):
        problems.at("synchronizationRules").warn(
            Code.NOTHING_ENABLED,
            "No object mapping is enabled: the job does nothing.",
            "Set enabled to true on a mapping.",
        )


def _check_referenced(rules: Rules, places: list[_Place], problems: Problems) -> None:
    """Note mapped references to objects that no mapping of the schema writes."""
    written = {mapping.target_kind for mapping in rules.values()}
    for place, mapping in zip(places, rules.values(), strict=True):
        at = problems.at("synchronizationRules").at(place.rule_index)
        for name, kinds in points_at(mapping.attributes).items():
            unknown = set(kinds) - written
            if mapping.is_enabled and unknown and not unknown < set(kinds):
                at.at("objectMappings").at(place.index).warn(
                    Code.REFERENCED_OBJECT_UNKNOWN,
                    f"{name} points at {', '.join(sorted(unknown))}, which no mapping writes: it "
                    "stays empty.",
                )
