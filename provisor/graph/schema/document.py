"""A schema as a document: read, completed, written. What is stored is this JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from provisor.graph.problems import Problem, Problems
from provisor.graph.schema.codes import Code
from provisor.graph.schema.sources import completed
from provisor.graph.wire.coding import decode, encode, read, salvage
from provisor.graph.wire.schemas import (
    AttributeMapping,
    ObjectMapping,
    SynchronizationRule,
    SynchronizationSchema,
)

DIRECTORIES_MAX = 16
OBJECTS_MAX = 200
ATTRIBUTES_MAX = 5_000
RULES_MAX = 64
MAPPINGS_MAX = 64
ATTRIBUTE_MAPPINGS_MAX = 1_000
CLAUSES_MAX = 1_000
NAME_LENGTH_MAX = 1_024
VALUE_LENGTH_MAX = 10_000


def read_schema(body: bytes) -> tuple[SynchronizationSchema | None, tuple[Problem, ...]]:
    """Read a document: the schema, or None, and what is wrong with its form.

    What it means is checked by `schema.rules.to_rules`.
    """
    return _limited(*decode(SynchronizationSchema, body))


def schema_of(raw: object) -> tuple[SynchronizationSchema | None, tuple[Problem, ...]]:
    """As `read_schema`, from JSON that is parsed already."""
    return _limited(*read(SynchronizationSchema, raw))


def salvaged_schema(body: bytes) -> SynchronizationSchema | None:
    """Read what can be read of a document whose form is wrong; see `coding.salvage`."""
    return salvage(SynchronizationSchema, body)


def canonical(schema: SynchronizationSchema) -> SynchronizationSchema:
    """Return the schema with every default filled in and every source in all its forms.

    Writing and reading it again gives the same; nothing that was put is lost.
    """
    rules = tuple(
        replace(rule, object_mappings=tuple(whole(m) for m in rule.object_mappings))
        for rule in schema.synchronization_rules
    )
    return replace(schema, synchronization_rules=rules)


def write_schema(schema: SynchronizationSchema) -> bytes:
    return encode(schema)


def uneditable(before: SynchronizationSchema, after: SynchronizationSchema) -> tuple[Problem, ...]:
    """Return an error for each rule that must not be changed and was (spec: graph-api 4.9)."""
    problems = Problems()
    kept = {rule.id: (index, rule) for index, rule in enumerate(after.synchronization_rules)}
    for rule in before.synchronization_rules:
        index, now = kept.get(rule.id, (None, None))
        if not rule.editable and now != rule:
            at = problems.at("synchronizationRules")
            (at if index is None else at.at(index)).error(
                Code.RULE_NOT_EDITABLE,
                f"Rule {rule.id} must not be changed.",
                "Put it back as it was, or set editable to true first.",
            )
    return tuple(problems.found)


def whole(mapping: ObjectMapping) -> ObjectMapping:
    """Return an object mapping with every source in all its forms."""
    return replace(
        mapping, attribute_mappings=tuple(_complete(m) for m in mapping.attribute_mappings)
    )


def _complete(mapping: AttributeMapping) -> AttributeMapping:
    return mapping if mapping.source is None else replace(mapping, source=completed(mapping.source))


def _limited(
    schema: SynchronizationSchema | None, found: tuple[Problem, ...]
) -> tuple[SynchronizationSchema | None, tuple[Problem, ...]]:
    if schema is None:
        return None, found
    problems = Problems(list(found))
    for at, what, items, most in _collections(schema, problems):
        if len(items) > most:
            at.error(Code.TOO_MANY, f"{len(items)} {what} are too many; at most {most} may be.")
    for at, text, most in _texts(schema, problems):
        if text is not None and len(text) > most:
            at.error(Code.TOO_LONG, f"{len(text)} characters are too long; at most {most} may be.")
    is_fine = len(problems.found) == len(found)
    return (schema if is_fine else None), tuple(problems.found)


def _collections(
    schema: SynchronizationSchema, problems: Problems
) -> Iterator[tuple[Problems, str, tuple[object, ...], int]]:
    """Yield every collection whose size is limited."""
    directories, rules = problems.at("directories"), problems.at("synchronizationRules")
    yield directories, "directories", schema.directories, DIRECTORIES_MAX
    for d, directory in enumerate(schema.directories):
        objects = directories.at(d).at("objects")
        yield objects, "objects", directory.objects, OBJECTS_MAX
        for o, kind in enumerate(directory.objects):
            attributes = objects.at(o).at("attributes")
            yield attributes, "attributes", kind.attributes, ATTRIBUTES_MAX
    yield rules, "rules", schema.synchronization_rules, RULES_MAX
    for r, rule in enumerate(schema.synchronization_rules):
        at = rules.at(r).at("objectMappings")
        yield at, "object mappings", rule.object_mappings, MAPPINGS_MAX
        for m, mapping in enumerate(rule.object_mappings):
            yield from _collections_of(mapping, at.at(m))


def _collections_of(
    mapping: ObjectMapping, at: Problems
) -> Iterator[tuple[Problems, str, tuple[object, ...], int]]:
    attributes = at.at("attributeMappings")
    yield attributes, "attribute mappings", mapping.attribute_mappings, ATTRIBUTE_MAPPINGS_MAX
    if mapping.scope is not None:
        scope = mapping.scope
        groups = (*scope.groups, *scope.input_filter_groups, *scope.category_filter_groups)
        clauses = tuple(clause for group in groups for clause in group.clauses)
        yield at.at("scope"), "clauses", (*groups, *clauses), CLAUSES_MAX


def _texts(
    schema: SynchronizationSchema, problems: Problems
) -> Iterator[tuple[Problems, str | None, int]]:
    """Yield every text whose length is limited. Expressions have a limit of their own."""
    for d, directory in enumerate(schema.directories):
        at = problems.at("directories").at(d)
        yield at.at("name"), directory.name, NAME_LENGTH_MAX
        for o, kind in enumerate(directory.objects):
            of = at.at("objects").at(o)
            yield of.at("name"), kind.name, NAME_LENGTH_MAX
            for a, attribute in enumerate(kind.attributes):
                where = of.at("attributes").at(a)
                yield where.at("name"), attribute.name, NAME_LENGTH_MAX
                yield where.at("defaultValue"), attribute.default_value, VALUE_LENGTH_MAX
    for r, rule in enumerate(schema.synchronization_rules):
        yield from _rule_texts(rule, problems.at("synchronizationRules").at(r))


def _rule_texts(
    rule: SynchronizationRule, at: Problems
) -> Iterable[tuple[Problems, str | None, int]]:
    yield at.at("id"), rule.id, NAME_LENGTH_MAX
    yield at.at("name"), rule.name, NAME_LENGTH_MAX
    for m, mapping in enumerate(rule.object_mappings):
        where = at.at("objectMappings").at(m)
        yield where.at("name"), mapping.name, NAME_LENGTH_MAX
        for a, attribute in enumerate(mapping.attribute_mappings):
            default = where.at("attributeMappings").at(a).at("defaultValue")
            yield default, attribute.default_value, VALUE_LENGTH_MAX
