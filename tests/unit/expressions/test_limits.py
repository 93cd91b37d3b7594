"""Hostile input ends in a clear error: no hang, no overflow, no other exception."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from provisor.expressions import (
    Context,
    Expression,
    ExpressionError,
    ExpressionSyntaxError,
    compile_expression,
    evaluate,
    parse,
    print_expression,
)
from provisor.expressions.context import DEPTH_MAX, LENGTH_MAX, RESULT_MAX
from provisor.expressions.sources import SourceError, read_source
from provisor.model.expressions import Attribute, Call, Constant

CONTEXT = Context(datetime(2025, 7, 30, 12, tzinfo=UTC))


def nested(levels: int, opening: str = "ToLower(", closing: str = ")") -> str:
    return opening * (levels - 1) + "[a]" + closing * (levels - 1)


def test_the_longest_expression_is_read_and_one_character_more_is_not() -> None:
    longest = '"' + "x" * (LENGTH_MAX - 2) + '"'

    assert parse(longest) == Constant("x" * (LENGTH_MAX - 2))
    with pytest.raises(ExpressionSyntaxError, match="too long"):
        parse(longest + " ")


def test_the_deepest_expression_runs_and_one_level_more_is_refused() -> None:
    deepest = parse(nested(DEPTH_MAX))

    assert evaluate(deepest, {"a": "X"}, CONTEXT) == "x"
    assert compile_expression(deepest)({"a": "X"}, CONTEXT) == "x"
    with pytest.raises(ExpressionSyntaxError, match="too many levels"):
        parse(nested(DEPTH_MAX + 1))


def test_branches_nested_to_the_limit_compile() -> None:
    text = nested(DEPTH_MAX - 3, 'IIF(Len([a]) = 1, "no", ', ")")

    assert compile_expression(parse(text))({"a": "deep"}, CONTEXT) == "deep"


@pytest.mark.parametrize("text", ["(" * 9000, "Not(" * 2400, "[" * 9000, '"' * 9999, "&" * 9000])
def test_heaps_of_openings_are_refused(text: str) -> None:
    with pytest.raises(ExpressionSyntaxError):
        parse(text)


def test_a_tree_deeper_than_text_can_be_is_refused_at_evaluation() -> None:
    tree: Expression = Attribute("a")
    for _ in range(5000):
        tree = Call("ToLower", (tree,))

    for run in (lambda: evaluate(tree, {}, CONTEXT), lambda: compile_expression(tree)({}, CONTEXT)):
        with pytest.raises(ExpressionError, match="levels"):
            run()


def test_a_source_nested_too_deeply_is_refused() -> None:
    source: object = {"name": "a", "type": "Attribute"}
    for _ in range(5000):
        source = {
            "name": "Not",
            "type": "Function",
            "parameters": [{"key": "source", "value": source}],
        }

    with pytest.raises(SourceError, match="deeper"):
        read_source(source)


BOMBS = [
    'Replace([a], "x", , , [a], , )',
    'Replace([a], , "x", , [a], , )',
    'Replace([a], , "x", , "$_$_$_", , )',
    'Replace("x", "x", , , , , [a]) & [a] & [a]',
    "Join([a], [a], [a], [a])",
    "Append([a], [a])",
    "Prepend([a], [a])",
    "[a] & [a]",
    "ConvertToBase64([a])",
    "ConvertToUTF8Hex([a])",
    'PadLeft("a", 999999999, "x")',
    'PadRight([a], 99999999999999999999, "x")',
]


@pytest.mark.parametrize("text", BOMBS)
def test_a_result_that_grows_beyond_the_limit_is_refused(text: str) -> None:
    attributes = {"a": "x" * (RESULT_MAX // 2 + 1)}

    with pytest.raises(ExpressionError, match="longer than"):
        evaluate(parse(text), attributes, CONTEXT)
    with pytest.raises(ExpressionError, match="longer than"):
        compile_expression(parse(text))(attributes, CONTEXT)


def test_a_pattern_that_explodes_is_stopped_by_the_clock() -> None:
    tree = parse('Replace([a], , "(x+x+)+(y|z)(?<n>x?)\\\\k<n>$", , "", , )')

    with pytest.raises(ExpressionError, match="needs more than 1 s"):
        evaluate(tree, {"a": "x" * 5000}, CONTEXT)


def test_a_template_of_many_parts_on_many_matches_is_refused() -> None:
    tree = parse('Replace([a], , "(x)|(y)", , "' + "$2" * 4900 + '", , )')

    with pytest.raises(ExpressionError, match="too many parts"):
        evaluate(tree, {"a": "x" * 1_000}, CONTEXT)


@pytest.mark.parametrize(
    "pattern", ["(?:a{1000}){1000}", "a{99999}", "(" * 51 + ")" * 51, "[a-[" * 60 + "b" + "]]" * 60]
)
def test_a_pattern_that_would_fill_the_memory_is_refused(pattern: str) -> None:
    with pytest.raises(ExpressionError, match="regular expression"):
        evaluate(parse(f'Replace([a], , "{pattern}", , "", , )'), {"a": "aaa"}, CONTEXT)


@pytest.mark.parametrize(
    "text",
    [
        'DateAdd("d", 99999999999999999999, Now())',
        'DateAdd("yyyy", -99999999999999999999, Now())',
        "DateFromNum(99999999999999999999999)",
        "DateFromNum(-99999999999999999999999)",
        'CDate("0001-01-01T00:00:00+14:00")',
        'Mid("abc", 99999999999999999999, 99999999999999999999) & Error("reached")',
        'CBool([b] = 1) & Left("a", [b])',
        "BitAnd([n], 1)",
    ],
)
def test_numbers_and_dates_without_bounds_are_refused(text: str) -> None:
    attributes = {"b": "9" * 5000, "n": 10**5000}

    with pytest.raises(ExpressionError):
        evaluate(parse(text + ' & Error("x")'), attributes, CONTEXT)


def test_a_huge_integer_has_no_text() -> None:
    with pytest.raises(ExpressionError, match="digits"):
        evaluate(parse('[n] & ""'), {"n": 10**5000}, CONTEXT)


def test_an_attribute_name_that_brackets_cannot_hold_is_not_printed() -> None:
    with pytest.raises(ExpressionError, match="cannot be read back"):
        print_expression(Attribute("a]b"))
