"""The operators of scoping filters (spec: expression 9, graph-api 8.3, 8.4).

Every operator answers no for an attribute without a value, the negated ones included; only IS NULL
asks for that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from provisor.expressions.dotnet_regex import compile_pattern
from provisor.expressions.errors import INVALID, ExpressionError
from provisor.expressions.values import Inner, inner_text, is_empty, many, number_in
from provisor.model.entries import Value
from provisor.model.rules import AttributeType

INTEGER, STRING = AttributeType.INTEGER, AttributeType.STRING
BINARY, BOOLEAN = AttributeType.BINARY, AttributeType.BOOLEAN


class Arity(StrEnum):
    BINARY = "Binary"
    UNARY = "Unary"


Test = Callable[[Inner, str, AttributeType], bool]
"""Takes one value of the attribute, one value of the clause ("" for unary operators), the type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """One operator. `holds` is asked of values only; what null means is said above."""

    name: str
    """As the API writes it."""
    aliases: tuple[str, ...] = ()
    arity: Arity
    types: tuple[AttributeType, ...]
    holds: Test
    is_negated: bool = False
    """`holds` is turned around: of several values in the clause none may hold."""
    is_documented: bool = True
    """False for those that the portal offers beside the API's own list."""
    summary: str


def _equals(value: Inner, operand: str, _: AttributeType) -> bool:
    return inner_text(value) == operand


def _is_true(value: Inner, operand: str, _: AttributeType) -> bool:
    return value is True or (isinstance(value, str) and value.lower() == "true")


def _is_false(value: Inner, operand: str, _: AttributeType) -> bool:
    return value is False or (isinstance(value, str) and value.lower() == "false")


def _is_there(value: Inner, operand: str, _: AttributeType) -> bool:
    return True


def _is_match(value: Inner, operand: str, _: AttributeType) -> bool:
    return compile_pattern(operand).search(inner_text(value)) is not None


def _is_greater(value: Inner, operand: str, _: AttributeType) -> bool:
    one, other = _natural(inner_text(value)), _natural(operand)
    return one is not None and other is not None and one > other


def _is_greater_or_equal(value: Inner, operand: str, _: AttributeType) -> bool:
    one, other = _natural(inner_text(value)), _natural(operand)
    return one is not None and other is not None and one >= other


def _natural(text: str) -> int | None:
    number = number_in(text)
    return number if isinstance(number, int) and number >= 0 else None


def _includes(value: Inner, operand: str, _: AttributeType) -> bool:
    return operand in inner_text(value)


def _ends_with(value: Inner, operand: str, _: AttributeType) -> bool:
    return inner_text(value).endswith(operand)


def _shares(value: Inner, operand: str, attribute_type: AttributeType) -> bool:
    """Bits in common for integers; for text, whether the operand contains the attribute's text."""
    is_integer = isinstance(value, int) and not isinstance(value, bool)
    if is_integer or attribute_type is INTEGER:
        bits, mask = number_in(inner_text(value)), number_in(operand)
        return isinstance(bits, int) and isinstance(mask, int) and bits & mask != 0
    return inner_text(value) in operand


OPERATORS: tuple[Operator, ...] = (
    Operator(
        name="EQUALS",
        aliases=("EQ",),
        arity=Arity.BINARY,
        types=(INTEGER, STRING),
        holds=_equals,
        summary="The value is exactly this, case included.",
    ),
    Operator(
        name="NOT EQUALS",
        arity=Arity.BINARY,
        types=(INTEGER, STRING),
        holds=_equals,
        is_negated=True,
        summary="There is a value, and it is another.",
    ),
    Operator(
        name="IS TRUE",
        arity=Arity.UNARY,
        types=(BOOLEAN,),
        holds=_is_true,
        summary="The value is True.",
    ),
    Operator(
        name="IS FALSE",
        arity=Arity.UNARY,
        types=(BOOLEAN,),
        holds=_is_false,
        summary="The value is False.",
    ),
    Operator(
        name="IS NULL",
        arity=Arity.UNARY,
        types=(INTEGER, STRING, BINARY, BOOLEAN),
        holds=_is_there,
        is_negated=True,
        summary="There is no value, or an empty one.",
    ),
    Operator(
        name="IS NOT NULL",
        arity=Arity.UNARY,
        types=(INTEGER, STRING, BINARY, BOOLEAN),
        holds=_is_there,
        summary="There is a value other than empty text.",
    ),
    Operator(
        name="REGEX MATCH",
        arity=Arity.BINARY,
        types=(INTEGER, STRING),
        holds=_is_match,
        summary="The .NET pattern is found anywhere in the value; use ^ and $ for all of it.",
    ),
    Operator(
        name="NOT REGEX MATCH",
        arity=Arity.BINARY,
        types=(INTEGER, STRING),
        holds=_is_match,
        is_negated=True,
        summary="There is a value, and the .NET pattern is not found in it.",
    ),
    Operator(
        name="GREATER_THAN",
        aliases=("Greater_Than",),
        arity=Arity.BINARY,
        types=(INTEGER,),
        holds=_is_greater,
        is_documented=False,
        summary="Both are whole numbers from 0 on, and the value is the greater one.",
    ),
    Operator(
        name="GREATER_THAN_OR_EQUALS",
        aliases=("Greater_Than_OR_EQUALS",),
        arity=Arity.BINARY,
        types=(INTEGER,),
        holds=_is_greater_or_equal,
        is_documented=False,
        summary="Both are whole numbers from 0 on, and the value is not the lesser one.",
    ),
    Operator(
        name="INCLUDES",
        aliases=("Includes",),
        arity=Arity.BINARY,
        types=(STRING,),
        holds=_includes,
        is_documented=False,
        summary="The value contains this text, case included.",
    ),
    Operator(
        name="ENDS_WITH",
        arity=Arity.BINARY,
        types=(STRING,),
        holds=_ends_with,
        is_documented=False,
        summary="The value ends in this text, case included.",
    ),
    Operator(
        name="&",
        arity=Arity.BINARY,
        types=(INTEGER, STRING),
        holds=_shares,
        is_documented=False,
        summary="An integer has a bit in common with this one; a text occurs within this text.",
    ),
    Operator(
        name="!&",
        arity=Arity.BINARY,
        types=(INTEGER, STRING),
        holds=_shares,
        is_negated=True,
        is_documented=False,
        summary="There is a value, and & does not hold for it.",
    ),
)


def _spelling(name: str) -> str:
    return re.sub(r"[ _]+", " ", name.strip()).upper()


_BY_SPELLING: Mapping[str, Operator] = {
    _spelling(name): operator
    for operator in OPERATORS
    for name in (operator.name, *operator.aliases)
}


def operator_named(name: str) -> Operator | None:
    """Return the operator by any of its spellings: case, blanks and underscores do not matter."""
    return _BY_SPELLING.get(_spelling(name))


def evaluate_clause(
    operator: str,
    values: Sequence[str],
    attribute_value: Value | None,
    attribute_type: str = AttributeType.STRING,
) -> bool:
    """Return whether a scoping clause holds for one source object.

    `values` are those of the clause; of several, one has to hold, or none for a negated operator.
    A list of values holds when each of its values does. `attribute_type` matters to & alone, where
    a connector delivers integers as text.

    Raises ExpressionError for an unknown operator, a missing value or a pattern that is none: what
    clause_problem says beforehand.
    """
    known = operator_named(operator)
    if known is None:
        raise ExpressionError(f'there is no operator "{operator[:60]}"', INVALID)
    if known.name == "IS NULL":
        return _without_value(attribute_value)
    if known.arity is Arity.BINARY and not values:
        raise ExpressionError(f"{known.name} needs a value to compare with", INVALID)
    if _without_value(attribute_value):
        return False
    operands = values if known.arity is Arity.BINARY else ("",)
    kind = AttributeType(attribute_type)
    return all(
        any(known.holds(value, operand, kind) for operand in operands) is not known.is_negated
        for value in many(attribute_value)
        if not is_empty(value)
    )


def _without_value(value: Value | None) -> bool:
    return all(is_empty(one) for one in many(value))


def clause_problem(
    operator: str,
    values: Sequence[str],
    attribute_type: str = AttributeType.STRING,
    multivalued: bool = False,
) -> str | None:
    """Return why a clause cannot be saved, None if it can (spec: expression 9)."""
    known = operator_named(operator)
    if known is None:
        names = ", ".join(one.name for one in OPERATORS)
        return f'there is no operator "{operator[:60]}"; there are {names}'
    if known.arity is Arity.BINARY and not values:
        return f"{known.name} needs a value to compare with"
    if known.arity is Arity.UNARY and any(values):
        return f"{known.name} takes no value"
    if multivalued:
        return "a multi-valued attribute cannot be filtered on"
    if attribute_type not in known.types:
        types = ", ".join(known.types)
        return f"{known.name} takes attributes of type {types}, not {attribute_type}"
    return _operand_problem(known, values)


def _operand_problem(operator: Operator, values: Sequence[str]) -> str | None:
    if operator.holds is _is_match:
        for value in values:
            try:
                compile_pattern(value)
            except ExpressionError as error:
                return str(error)
    if operator.holds in (_is_greater, _is_greater_or_equal):
        wrong = next((value for value in values if _natural(value) is None), None)
        if wrong is not None:
            return f'{operator.name} needs a whole number from 0 on, not "{wrong[:60]}"'
    return None


def operator_schemas() -> list[dict[str, object]]:
    """Return all operators as the API lists them, the documented ones first."""
    ordered = sorted(OPERATORS, key=lambda operator: not operator.is_documented)
    return [
        {
            "id": operator.name,
            "name": operator.name,
            "arity": operator.arity.value,
            "multivaluedComparisonType": "All",
            "supportedAttributeTypes": [kind.value for kind in operator.types],
        }
        for operator in ordered
    ]
