"""Scoping filters: every clause understood at the gate, never at run time (graph-api 8.3)."""

from __future__ import annotations

from collections.abc import Sequence

from provisor.expressions.operators import (
    OPERATORS,
    Arity,
    Operator,
    clause_problem,
    operator_named,
)
from provisor.graph.problems import Problems
from provisor.graph.schema.codes import Code
from provisor.graph.schema.directories import Kind, closest
from provisor.graph.wire import schemas as wire
from provisor.model.rules import AttributeDefinition, AttributeType, Clause, ClauseGroup, Filter


def to_filter(groups: Sequence[wire.FilterGroup], kind: Kind | None, problems: Problems) -> Filter:
    """Return one of the three filters of a scope. Without groups everything passes."""
    return tuple(_to_group(group, kind, problems.at(index)) for index, group in enumerate(groups))


def _to_group(group: wire.FilterGroup, kind: Kind | None, problems: Problems) -> ClauseGroup:
    at = problems.at("clauses")
    if not group.clauses:
        at.warn(
            Code.CLAUSES_MISSING,
            "A group without clauses lets every object pass.",
            "Remove the group, or give it a clause.",
        )
    clauses = tuple(_to_clause(clause, kind, at.at(i)) for i, clause in enumerate(group.clauses))
    return ClauseGroup(group.name or "", clauses)


def _to_clause(clause: wire.FilterClause, kind: Kind | None, problems: Problems) -> Clause:
    values = clause.target_operand.values if clause.target_operand is not None else ()
    attribute = clause.source_operand_name or ""
    operator = _operator(clause.operator_name or "", problems.at("operatorName"))
    definition = _attribute(attribute, kind, problems.at("sourceOperandName"))
    if operator is None:
        return Clause(attribute, clause.operator_name or "", values)
    if operator.arity is Arity.UNARY:
        _check_unary(operator, values, problems.at("targetOperand").at("values"))
        values = ()
    if definition is not None:
        _check(operator, definition, values, problems)
    kind_of_value = AttributeType.STRING if definition is None else definition.type
    return Clause(attribute, operator.name, values, kind_of_value)


def _operator(name: str, at: Problems) -> Operator | None:
    operator = operator_named(name)
    if operator is None:
        names = [one.name for one in OPERATORS]
        at.error(
            Code.OPERATOR_UNKNOWN,
            f"There is no operator {name[:60]!r}.",
            f"{closest(name.upper(), names)}There are {', '.join(names)}.",
        )
    return operator


def _attribute(name: str, kind: Kind | None, at: Problems) -> AttributeDefinition | None:
    if not name:
        at.error(Code.NAME_MISSING, "This names no source attribute.")
        return None
    if kind is None:
        return None
    definition = kind.attributes.get(name)
    if definition is None:
        at.error(
            Code.SOURCE_ATTRIBUTE_UNKNOWN,
            f"{kind.name} of the source has no attribute {name!r}.",
            f"{closest(name, kind.attributes)}To add it, give the source's {kind.name} the "
            f'attribute {{"name": "{name}", "type": "String"}}.',
        )
    return definition


def _check_unary(operator: Operator, values: tuple[str, ...], at: Problems) -> None:
    if any(values):
        at.warn(
            Code.OPERAND_NOT_USED,
            f"{operator.name} compares with nothing; its values are not looked at.",
            "Remove the values.",
        )


def _check(
    operator: Operator, attribute: AttributeDefinition, values: tuple[str, ...], problems: Problems
) -> None:
    """Note why a clause cannot be saved (spec: expression 9)."""
    if operator.arity is Arity.BINARY and not values:
        problems.at("targetOperand").at("values").error(
            Code.OPERAND_MISSING, f"{operator.name} needs a value to compare with."
        )
        return
    problem = clause_problem(operator.name, values, attribute.type, attribute.is_multivalued)
    if problem is None:
        return
    if attribute.is_multivalued or attribute.type not in operator.types:
        problems.at("sourceOperandName").error(
            Code.CLAUSE_TYPE_NOT_SUPPORTED,
            f"{attribute.name}: {problem}.",
            "Filter by another attribute, or with another operator.",
        )
    else:
        problems.at("targetOperand").at("values").error(Code.OPERAND_INVALID, f"{problem}.")
