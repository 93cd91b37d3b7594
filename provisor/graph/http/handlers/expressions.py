"""What mappings are written with: operators, functions, and an expression tried out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import cast

from provisor.expressions import Candidates, Context, Flow, evaluate, parse
from provisor.expressions.errors import ExpressionError, ExpressionSyntaxError
from provisor.expressions.functions import function_schemas
from provisor.expressions.operators import OPERATORS
from provisor.expressions.sources import write_source
from provisor.expressions.values import coerce
from provisor.graph.http.answers import Answer, Document, document
from provisor.graph.http.calls import Call
from provisor.graph.http.faults import bad_request
from provisor.graph.http.handlers.schema import place_of
from provisor.graph.translate.values import value_text
from provisor.graph.wire.coding import names_of, read
from provisor.graph.wire.errors import PublicError
from provisor.graph.wire.functions import FilterOperatorSchema, FunctionSchema, ScopeOperatorType
from provisor.graph.wire.pairs import ObjectPair
from provisor.graph.wire.requests import ParseExpression, ParseExpressionResponse
from provisor.graph.wire.schemas import AttributeDefinition, AttributeMappingSource
from provisor.model.entries import Scalar, Value
from provisor.model.expressions import Expression

OPERATOR_PROPERTIES, FUNCTION_PROPERTIES = names_of(FilterOperatorSchema), names_of(FunctionSchema)
TEST_PROPERTIES_MAX = 1_000


async def filter_operators(call: Call) -> Answer:
    await place_of(call)
    found = [
        document(
            FilterOperatorSchema(
                id=one.name,
                name=one.name,
                arity=ScopeOperatorType(one.arity.value),
                supported_attribute_types=one.types,
            )
        )
        for one in OPERATORS
    ]
    return call.collection(found, "filterOperators", "filterOperatorSchema", OPERATOR_PROPERTIES)


async def functions(call: Call) -> Answer:
    await place_of(call)
    found: list[Document] = function_schemas()
    return call.collection(
        found, "functions", "attributeMappingFunctionSchema", FUNCTION_PROPERTIES
    )


async def parse_expression(call: Call) -> Answer:
    """Parse, and evaluate for the object given. A wrong expression is an answer, no failure."""
    await place_of(call)
    if not isinstance(call.read_object().get("expression"), str):
        raise bad_request("expression is missing, or no text.")
    wanted = call.read(ParseExpression)
    house = call.house
    context = Context(
        now=house.parts.clock.now(),
        default_domain=house.tenant.default_domain,
        chance=house.parts.entropy,
    )
    answer = await asyncio.to_thread(_tried, wanted, context)
    return call.entity(document(answer), "microsoft.graph.parseExpressionResponse")


def _tried(wanted: ParseExpression, context: Context) -> ParseExpressionResponse:
    try:
        tree = parse(wanted.expression)
    except ExpressionError as failure:
        return ParseExpressionResponse(error=_error(failure.limit or "InvalidExpression", failure))
    source, _ = read(AttributeMappingSource, write_source(tree))
    if wanted.test_input_object is None:
        return ParseExpressionResponse(parsed_expression=source, parsing_succeeded=True)
    pairs = wanted.test_input_object.properties[:TEST_PROPERTIES_MAX]
    try:
        result = _evaluated(tree, pairs, wanted.target_attribute_definition, context)
    except ExpressionError as failure:
        error = _error(failure.limit or failure.code, failure)
        return ParseExpressionResponse(
            error=error, parsed_expression=source, parsing_succeeded=True
        )
    return ParseExpressionResponse(
        evaluation_succeeded=True,
        evaluation_result=tuple(result),
        parsed_expression=source,
        parsing_succeeded=True,
    )


def _error(code: str, failure: ExpressionError) -> PublicError:
    at = str(failure.position) if isinstance(failure, ExpressionSyntaxError) else None
    return PublicError(code=code, message=str(failure), target=at)


def _evaluated(
    tree: Expression,
    pairs: Iterable[ObjectPair],
    target: AttributeDefinition | None,
    context: Context,
) -> list[str]:
    attributes = {p.key: v for p in pairs if (v := _value(p.value)) is not None}
    answer = evaluate(tree, attributes, context)
    if isinstance(answer, Candidates):
        answer = next(iter(answer.values), None)
    if isinstance(answer, Flow):
        return []
    if answer is None and target is not None:
        answer = target.default_value
    if answer is None:
        return []
    if target is not None:
        answer = coerce(answer, target.type, multivalued=target.multivalued)
    values = answer if isinstance(answer, tuple) else (answer,)
    return [value_text(one) or "" for one in values]


def _value(raw: object) -> Value | None:
    """Return a value of the open type as attributes have it."""
    if isinstance(raw, list):
        values = (_scalar(one) for one in cast(list[object], raw))
        return tuple(one for one in values if one is not None)
    return _scalar(raw)


def _scalar(raw: object) -> Scalar | None:
    match raw:
        case bool() | int() | str():
            return raw
        case float():
            return str(raw)
        case _:
            return None
