"""A schema with one thing changed in it: what a form says, put where it belongs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from msgspec import structs

from provisor.graph.http.faults import Fault, bad_request
from provisor.graph.wire.schemas import (
    AttributeDefinition,
    AttributeMapping,
    AttributeMappingSource,
    Filter,
    FilterClause,
    FilterGroup,
    FilterOperand,
    FlowBehavior,
    Flows,
    FlowType,
    ObjectMapping,
    SynchronizationRule,
    SynchronizationSchema,
)

CLAUSES_MAX = 40
FLOWS = (("Add", Flows.ADD), ("Update", Flows.UPDATE), ("Delete", Flows.DELETE))


@dataclass(frozen=True, slots=True)
class At:
    """Where an object mapping stands: by its place, since names may be missing."""

    rule: int
    mapping: int

    @property
    def text(self) -> str:
        return f"{self.rule}.{self.mapping}"


def at_of(text: str) -> At:
    """Raises Fault."""
    rule, _, mapping = text.partition(".")
    if not (rule.isdecimal() and mapping.isdecimal()):
        raise Fault(404, "ResourceNotFound", "There is no such object mapping.")
    return At(int(rule), int(mapping))


def found(schema: SynchronizationSchema, at: At) -> tuple[SynchronizationRule, ObjectMapping]:
    """Return what stands there. Raises Fault."""
    try:
        rule = schema.synchronization_rules[at.rule]
        return rule, rule.object_mappings[at.mapping]
    except IndexError as failure:
        raise Fault(404, "ResourceNotFound", "There is no such object mapping.") from failure


def attributes_of(
    schema: SynchronizationSchema, directory: str | None, kind: str | None
) -> Iterator[AttributeDefinition]:
    """Yield the attributes that a schema describes of one kind of object in a directory."""
    for one in schema.directories:
        if one.name == directory:
            for each in one.objects:
                if each.name == kind:
                    yield from each.attributes


def changed(
    schema: SynchronizationSchema, at: At, change: Callable[[ObjectMapping], ObjectMapping]
) -> SynchronizationSchema:
    """Return the schema with one object mapping changed."""
    rule, mapping = found(schema, at)
    mappings = tuple(change(one) if one is mapping else one for one in rule.object_mappings)
    rules = tuple(
        structs.replace(one, object_mappings=mappings) if one is rule else one
        for one in schema.synchronization_rules
    )
    return structs.replace(schema, synchronization_rules=rules)


def with_attribute(
    mapping: ObjectMapping,
    before: str,
    form: Mapping[str, str],
    source: AttributeMappingSource | None,
) -> ObjectMapping:
    """Return the object mapping with the attribute mapping of a form, in place of the one for the
    target attribute `before`; empty: one more. Raises Fault."""
    target = form.get("target", "").strip()
    if not target:
        raise bad_request("Say which target attribute gets the value.")
    known = next(
        (one for one in mapping.attribute_mappings if one.target_attribute_name == before), None
    )
    priority = form.get("priority", "").strip() or "0"
    if not priority.isdecimal():
        raise bad_request("The matching priority is a whole number; 0 means: not matched by.")
    made = structs.replace(
        known or AttributeMapping(),
        target_attribute_name=target,
        source=source,
        default_value=form.get("default", "") or None,
        flow_type=FlowType(form.get("flow") or FlowType.ALWAYS),
        flow_behavior=FlowBehavior(form.get("behavior") or FlowBehavior.FLOW_WHEN_CHANGED),
        matching_priority=int(priority),
    )
    others = mapping.attribute_mappings
    if known is None:
        return structs.replace(mapping, attribute_mappings=(*others, made))
    kept = tuple(made if one is known else one for one in others)
    return structs.replace(mapping, attribute_mappings=kept)


def without_attribute(mapping: ObjectMapping, target: str) -> ObjectMapping:
    kept = tuple(one for one in mapping.attribute_mappings if one.target_attribute_name != target)
    return structs.replace(mapping, attribute_mappings=kept)


def with_scope(mapping: ObjectMapping, form: Mapping[str, str]) -> ObjectMapping:
    """Return the object mapping with the scoping filter and the flows of a form."""
    groups: dict[str, list[FilterClause]] = {}
    for index in range(CLAUSES_MAX):
        attribute = form.get(f"attribute-{index}", "").strip()
        if attribute:
            values = form.get(f"values-{index}", "").splitlines()
            clause = FilterClause(
                source_operand_name=attribute,
                operator_name=form.get(f"operator-{index}", ""),
                target_operand=FilterOperand(values=tuple(one for one in values if one.strip())),
            )
            groups.setdefault(form.get(f"group-{index}", "1"), []).append(clause)
    scope = structs.replace(
        mapping.scope or Filter(),
        groups=tuple(
            FilterGroup(name=name, clauses=tuple(clauses))
            for name, clauses in sorted(groups.items())
        ),
    )
    flows = Flows(0)
    for name, flow in FLOWS:
        if form.get(f"flow-{name}"):
            flows |= flow
    is_enabled = bool(form.get("enabled"))
    return structs.replace(mapping, scope=scope, flow_types=flows, enabled=is_enabled)
