"""One attribute mapping: what may flow where (spec: behaviour 8, graph-api 4.11)."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec import UNSET

from provisor.expressions.check import OBJECT_FILTER, Use, check_expression
from provisor.graph.problems import Problem, Problems, Severity
from provisor.graph.schema.codes import Code
from provisor.graph.schema.directories import Kind, check_default, closest
from provisor.graph.schema.sources import tree_of
from provisor.graph.wire import schemas as wire
from provisor.model.expressions import Attribute, Expression, attributes_of
from provisor.model.rules import (
    IS_SOFT_DELETED,
    AttributeDefinition,
    AttributeMapping,
    AttributeType,
    Mutability,
)

UNKNOWN_ATTRIBUTE = "UnknownAttribute"
FILTER = AttributeDefinition(name=OBJECT_FILTER, mutability=Mutability.READ_ONLY)
"""The pseudo attribute on which an expression leaves whole objects out: never written."""


@dataclass(frozen=True, slots=True)
class Ends:
    """The two kinds of object that an object mapping joins; None where a name leads nowhere."""

    source: Kind | None
    target: Kind | None


def to_attribute_mapping(
    mapping: wire.AttributeMapping, ends: Ends, problems: Problems
) -> AttributeMapping | None:
    """Return the mapping, or None where too little of it can be understood."""
    before = len(problems.found)
    source = None
    if mapping.source is not None:
        source = tree_of(mapping.source, problems.at("source"))
        if source is not None:
            _check_source(source, mapping, ends.source, problems.at("source"))
    target = _target(mapping, ends.target, problems)
    if target is None or (source is None and len(problems.found) > before):
        return None
    _check_value(mapping, target, source, problems)
    if source is not None and target.type is AttributeType.REFERENCE and ends.source is not None:
        _check_reference(source, ends.source, problems)
    _check_null_flow(mapping, target, problems)
    if mapping.matching_priority:
        _check_matching(mapping, target, source, problems)
    return AttributeMapping(
        target=target,
        source=source,
        default_value=mapping.default_value,
        matching_priority=mapping.matching_priority,
        flow_type=mapping.flow_type,
        flow_behavior=mapping.flow_behavior,
        flows_null=_flows_null(mapping) and target.flows_null,
        depends_on_soft_deleted=source is not None and IS_SOFT_DELETED in attributes_of(source),
    )


def _flows_null(mapping: wire.AttributeMapping) -> bool:
    return mapping.flow_null_values is not UNSET and bool(mapping.flow_null_values)


def _target(
    mapping: wire.AttributeMapping, kind: Kind | None, problems: Problems
) -> AttributeDefinition | None:
    at = problems.at("targetAttributeName")
    name = mapping.target_attribute_name
    if not name:
        at.error(Code.NAME_MISSING, "This names no target attribute.")
        return None
    if name == OBJECT_FILTER:
        return FILTER
    if kind is None:
        return None
    target = kind.attributes.get(name)
    if target is None:
        at.error(
            Code.TARGET_ATTRIBUTE_UNKNOWN,
            f"{kind.name} of the target has no attribute {name!r}.",
            f"{closest(name, kind.attributes)}To add it, give the target's {kind.name} the "
            f'attribute {{"name": "{name}", "type": "String"}}.',
        )
        return None
    if target.is_anchor:
        at.error(
            Code.ANCHOR_MAPPED,
            f"{name} is the anchor: the target gives it, nobody writes it.",
            "Remove this mapping.",
        )
    elif target.mutability is Mutability.READ_ONLY:
        at.warn(
            Code.TARGET_ATTRIBUTE_READ_ONLY,
            f"{name} is read-only in the target, so that it is never written.",
            "Remove this mapping, or correct the attribute's mutability.",
        )
    return target


def _check_source(
    source: Expression, mapping: wire.AttributeMapping, kind: Kind | None, problems: Problems
) -> None:
    """Note what can be said against an expression before any object meets it."""
    text = (mapping.source.expression if mapping.source is not None else None) or ""
    at = problems.at("expression") if text else problems
    known = None if kind is None else kind.attributes
    use = Use(
        attributes=known,
        target=mapping.target_attribute_name or "",
        is_matching=mapping.matching_priority > 0,
        flow_type=mapping.flow_type,
    )
    for found in check_expression(source, use):
        if found.code != UNKNOWN_ATTRIBUTE:
            at.note(
                Problem(
                    code=found.code,
                    path=at.path,
                    message=f"{found.message}.",
                    remedy=found.remedy,
                    position=place(text, found.where),
                    severity=Severity(found.severity.value),
                )
            )
    if kind is not None:
        is_simple = isinstance(source, Attribute) and not text
        _check_known(source, text, kind, at.at("name") if is_simple else at)


def _check_known(source: Expression, text: str, kind: Kind, at: Problems) -> None:
    """Note every source attribute that is not defined (spec: expression 2)."""
    known = {*kind.attributes, IS_SOFT_DELETED}
    for name in sorted(attributes_of(source) - known):
        at.error(
            Code.SOURCE_ATTRIBUTE_UNKNOWN,
            f"{kind.name} of the source has no attribute {name!r}.",
            f"{closest(name, known)}To add it, give the source's {kind.name} the "
            f'attribute {{"name": "{name}", "type": "String"}}.',
            position=place(text, f"[{name}]"),
        )


def place(text: str, part: str) -> int | None:
    """Return where a part of an expression stands in its text; None if it is not found there."""
    position = text.find(part)
    return position if position >= 0 else None


def _check_value(
    mapping: wire.AttributeMapping,
    target: AttributeDefinition,
    source: Expression | None,
    problems: Problems,
) -> None:
    check_default(target, mapping.default_value, problems)
    if target.type is AttributeType.REFERENCE:
        if not isinstance(source, Attribute):
            problems.at("source").error(
                Code.REFERENCE_NOT_DIRECT,
                f"{target.name} points at objects; only an attribute that does so can fill it.",
                "Map one source attribute directly, without a function or constant.",
            )
    elif source is None and mapping.default_value is None:
        problems.at("source").warn(
            Code.MAPPING_WITHOUT_VALUE,
            f"This mapping of {target.name} has neither source nor default: it does nothing.",
            "Remove it, or give it a source.",
        )


def _check_reference(source: Expression, kind: Kind, at: Problems) -> None:
    """Note a reference that is to be filled from an attribute that points at nothing."""
    if not isinstance(source, Attribute):
        return
    definition = kind.attributes.get(source.name)
    if definition is not None and definition.type is not AttributeType.REFERENCE:
        at.at("source").error(
            Code.REFERENCE_FROM_TEXT,
            f"{source.name} is a {definition.type} and points at no object.",
            'If it holds the ids of objects, give its definition the type "Reference".',
        )


def _check_null_flow(
    mapping: wire.AttributeMapping, target: AttributeDefinition, problems: Problems
) -> None:
    if not _flows_null(mapping):
        return
    at = problems.at("flowNullValues")
    if target.is_multivalued:
        at.error(
            Code.NULL_FLOW_NOT_POSSIBLE,
            f"{target.name} has many values; only one value can be cleared.",
            "Set flowNullValues to false.",
        )
    elif not target.flows_null:
        at.warn(
            Code.NULL_FLOW_WITHOUT_EFFECT,
            f"Nothing is cleared, because {target.name} itself does not let nulls flow.",
            "Set flowNullValues of the target attribute to true as well.",
        )


def _check_matching(
    mapping: wire.AttributeMapping,
    target: AttributeDefinition,
    source: Expression | None,
    problems: Problems,
) -> None:
    at = problems.at("matchingPriority")
    if mapping.matching_priority < 0:
        at.error(
            Code.MATCHING_PRIORITY_INVALID,
            f"{mapping.matching_priority} is no priority.",
            "0 is not matching; 1 is tried first.",
        )
    why = unmatchable(mapping, target, source)
    if why:
        at.error(
            Code.MATCHING_NOT_POSSIBLE,
            f"{target.name} cannot be a matching attribute: {why}.",
            "Match by an attribute whose value is one person's alone, as it stands in the source.",
        )


def unmatchable(
    mapping: wire.AttributeMapping, target: AttributeDefinition, source: Expression | None
) -> str:
    """Say why objects cannot be matched by this mapping; nothing, if they can (behaviour 6)."""
    if source is None:
        return "it has no source"
    if not attributes_of(source):
        return "its value is the same for every object"
    if target.type is AttributeType.REFERENCE:
        return "it points at other objects"
    if target.is_multivalued:
        return "it has many values"
    if target.mutability is Mutability.WRITE_ONLY:
        return "the target does not tell it"
    if _flows_null(mapping):
        return "it may be cleared (flowNullValues)"
    return ""
