"""Whatever the expression, whatever the object: a value or an ExpressionError, twice the same."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from provisor.expressions import (
    Answer,
    Candidates,
    Context,
    Expression,
    ExpressionError,
    ExpressionSyntaxError,
    FixedChance,
    Flow,
    coerce,
    compile_expression,
    compile_mappings,
    evaluate,
    parse,
    print_expression,
    trace,
)
from provisor.expressions.check import Severity, Use, check_expression
from provisor.expressions.sources import read_source, write_source
from provisor.model.entries import Attributes
from provisor.model.expressions import Constant
from provisor.model.rules import AttributeType
from tests.properties.expressions.strategies import attributes, contexts, expressions


def outcome(run: Callable[[Context], Answer], context: Context) -> object:
    """Return what came out in a form that compares: a value and its type, or an error."""
    fresh = Context(context.now, context.default_domain, FixedChance())
    try:
        answer = run(fresh)
        if isinstance(answer, Candidates):
            return [(type(value), value) for value in answer.values]
        return type(answer), answer
    except ExpressionError as error:
        return error.code, str(error)


@given(expressions, attributes, contexts)
@settings(deadline=None)
def test_evaluation_gives_a_value_or_an_expression_error(
    e: Expression, given_attributes: Attributes, context: Context
) -> None:
    outcome(lambda fresh: evaluate(e, given_attributes, fresh), context)


@given(expressions, attributes, contexts)
@settings(deadline=None)
def test_compiled_and_walked_agree_in_values_and_errors(
    e: Expression, given_attributes: Attributes, context: Context
) -> None:
    compiled = compile_expression(e)

    walked = outcome(lambda fresh: evaluate(e, given_attributes, fresh), context)

    assert outcome(lambda fresh: compiled(given_attributes, fresh), context) == walked


@given(st.lists(expressions, max_size=3), attributes, contexts)
@settings(deadline=None)
def test_mappings_compiled_together_give_what_each_gives_alone(
    several: list[Expression], given_attributes: Attributes, context: Context
) -> None:
    targets = [(f"target{index}", e) for index, e in enumerate(several)]
    alone = [outcome(lambda c, e=e: evaluate(e, given_attributes, c), context) for e in several]
    try:
        together = compile_mappings(targets)(
            given_attributes, Context(context.now, context.default_domain, FixedChance())
        )
    except ExpressionError as error:
        refusal = (error.code, str(error))
    else:
        refusal = None
        assert list(together) == [target for target, _ in targets]
    assert refusal is None or refusal in alone


@given(expressions)
@settings(deadline=None)
def test_what_is_printed_parses_to_the_same_tree(e: Expression) -> None:
    assert parse(print_expression(e)) == e


@given(expressions)
@settings(deadline=None)
def test_the_form_of_the_api_keeps_the_tree(e: Expression) -> None:
    # A bare number is a constant like any other there, and constants are text.
    text = print_expression(e)
    kept = Constant(text) if isinstance(e, Constant) and not isinstance(e.value, str) else e

    assert read_source(write_source(e)) == kept


@given(expressions, attributes, contexts)
@settings(deadline=None)
def test_a_trace_ends_as_the_evaluation_does(
    e: Expression, given_attributes: Attributes, context: Context
) -> None:
    first, *_ = trace(
        e, given_attributes, Context(context.now, context.default_domain, FixedChance())
    )

    ended = (type(first.value), first.value)
    if first.error is not None:
        ended = (first.error.code, str(first.error))
    expected = outcome(lambda fresh: evaluate(e, given_attributes, fresh), context)
    is_unlike = first.value == "[Redact]" or isinstance(expected, list)  # of candidates: several
    assert is_unlike or ended == expected


@given(expressions, attributes, contexts)
@settings(deadline=None)
def test_an_expression_without_call_errors_never_fails_for_its_form(
    e: Expression, given_attributes: Attributes, context: Context
) -> None:
    problems = check_expression(e, Use(attributes=None))

    assert all(problem.message and problem.remedy for problem in problems)
    assert all(problem.severity in Severity for problem in problems)


@given(expressions, attributes, contexts, st.sampled_from(AttributeType), st.booleans())
@settings(deadline=None)
def test_a_result_fits_the_target_or_is_refused(
    e: Expression,
    given_attributes: Attributes,
    context: Context,
    kind: AttributeType,
    multivalued: bool,
) -> None:
    try:
        answer = evaluate(e, given_attributes, context)
        if answer is None or isinstance(answer, Flow | Candidates):
            return
        fitted = coerce(answer, kind, multivalued)
    except ExpressionError:
        return
    assert isinstance(fitted, tuple) is multivalued


@given(st.text(alphabet='[]()",&\\ abF1.<=>-HLeft', max_size=60))
@settings(deadline=None)
def test_any_text_parses_or_is_refused_with_a_place(text: str) -> None:
    try:
        parse(text)
    except ExpressionSyntaxError as error:
        position, expected = error.position, error.expected
    else:
        return
    assert 0 <= position <= len(text)
    assert expected
