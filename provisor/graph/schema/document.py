"""A schema as a document: read, completed, written. What is stored is this JSON."""

from __future__ import annotations

from typing import cast

import msgspec
from msgspec.structs import replace

from provisor.graph.problems import Problem, Problems
from provisor.graph.schema.codes import Code
from provisor.graph.schema.limits import DOCUMENT_BYTES_MAX, check_limits
from provisor.graph.schema.sources import completed
from provisor.graph.wire.coding import decode, encode, read, salvage
from provisor.graph.wire.schemas import AttributeMapping, ObjectMapping, SynchronizationSchema


def read_schema(body: bytes) -> tuple[SynchronizationSchema | None, tuple[Problem, ...]]:
    """Read a document: the schema, or None, and what is wrong with its form.

    What it means is checked by `schema.rules.to_rules`.
    """
    if len(body) > DOCUMENT_BYTES_MAX:
        problems = Problems()
        problems.error(
            Code.DOCUMENT_TOO_LONG,
            f"More than {DOCUMENT_BYTES_MAX} bytes are too long for a schema.",
        )
        return None, tuple(problems.found)
    return _limited(*_unless_said_empty(body, *decode(SynchronizationSchema, body)))


def _unless_said_empty(
    body: bytes, schema: SynchronizationSchema | None, found: tuple[Problem, ...]
) -> tuple[SynchronizationSchema | None, tuple[Problem, ...]]:
    """Elsewhere null says nothing. In place of the rules it would do away with all of them, and
    who means that leaves them out, or gives an empty list (spec: graph-api 3.9)."""
    if schema is None or schema.synchronization_rules:
        return schema, found
    problems = Problems(list(found))
    for name, said in cast(dict[str, object], msgspec.json.decode(body)).items():
        if name.lower() == "synchronizationrules" and said != []:
            problems.at(name).error(
                Code.WRONG_TYPE,
                "This should be a list of rules, and there is null instead.",
                "Give the rules; or an empty list, where no rule shall be left.",
            )
    return (schema if len(problems.found) == len(found) else None), tuple(problems.found)


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
    check_limits(schema, problems)
    is_fine = len(problems.found) == len(found)
    return (schema if is_fine else None), tuple(problems.found)
