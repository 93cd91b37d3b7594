"""Whoever writes an expression wrongly is told where, what stands there, and what could."""

from __future__ import annotations

from decimal import Decimal

import pytest

from provisor.expressions import ExpressionSyntaxError, attributes_of, parse, print_expression
from provisor.expressions.parser import parse_with_notices
from provisor.model.expressions import (
    Attribute,
    Call,
    Comparator,
    Comparison,
    Concat,
    Constant,
    Keyword,
    Word,
)

WRONG = [
    # text, position, token, some of what was expected
    ("", 0, "", "a function"),
    ("   ", 3, "", "a function"),
    ('Left("a"', 8, "", ")"),
    ('Left("a", )', 10, ")", "NumChars"),
    ("Left([a], 1, 2)", 13, "2", "Left(String, NumChars)"),
    ('Join(",")', 8, ")", "source"),
    ("SelectUniqueValue([a])", 21, ")", "uniqueValueRule"),
    ('Switch([a], , "k")', 17, ")", "a value"),
    ("Repalce([a])", 0, "Repalce", "Replace"),
    ("Xyzzy([a])", 0, "Xyzzy", "a function of the reference"),
    ("abc", 0, "abc", '"abc" in quotes'),
    ("Now", 3, "", "("),
    ('"abc', 0, '"abc', 'a closing "'),
    ('"abc\\"', 0, '"abc\\"', 'a closing "'),
    ("[abc", 0, "[abc", "a closing ]"),
    ('[a[b "c]]', 0, '[a[b "c]]', "a closing ]"),
    ("[ ]", 0, "[ ]", "[name]"),
    ("Left([a], 1) x", 13, "x", "the end"),
    ("[a] [b]", 4, "[b]", "&"),
    ("([a])", 0, "(", "a function"),
    ("[a] ([b])", 4, "(", "no grouping"),
    ('IIF([a] = "b" = "c", 1, 2)', 14, "=", "IIF"),
    ("Len([a] #)", 8, "#", "a function"),
    ("&", 0, "&", "a function"),
    ("[a] &", 5, "", "a function"),
    ("[a] = ", 6, "", "a function"),
    ("9" * 101, 0, "9" * 20, "100 digits"),
    ("vbtextcompare", 0, "vbtextcompare", "vbTextCompare"),
    (",", 0, ",", "a function"),
    ("Len(1.)", 5, ".", "a function"),
    ("- 5", 0, "-", "a function"),
]


@pytest.mark.parametrize(("text", "position", "token", "expected"), WRONG)
def test_an_error_names_position_token_and_what_was_expected(
    text: str, position: int, token: str, expected: str
) -> None:
    with pytest.raises(ExpressionSyntaxError) as raised:
        parse(text)

    error = raised.value
    assert (error.position, error.token) == (position, token)
    assert expected in error.expected
    assert error.code == "InvalidExpression"
    assert f"at character {position + 1}" in str(error)


TREES = [
    ("[mail]", Attribute("mail")),
    ("[ mail ]", Attribute("mail")),
    ('[emails[type eq "work"].value]', Attribute('emails[type eq "work"].value')),
    ('"a\\"b\\\\c\\d"', Constant('a"b\\c\\d')),
    ("42", Constant(42)),
    ("-1.50", Constant(Decimal("-1.50"))),
    ("&HfF", Constant(255)),
    ("UTF8", Keyword(Word.UTF8)),
    ("Now()", Call("Now")),
    ("now ( )", Call("Now")),
    ("ToLower([a], )", Call("ToLower", (Attribute("a"), None))),
    ('"a" & [b] & 1', Concat((Constant("a"), Attribute("b"), Constant(1)))),
    ("[a]<>[b]", Comparison(Comparator.NOT_EQUAL, Attribute("a"), Attribute("b"))),
    (
        '"a" & "b" >= 1',
        Comparison(
            Comparator.GREATER_OR_EQUAL, Concat((Constant("a"), Constant("b"))), Constant(1)
        ),
    ),
]


@pytest.mark.parametrize(("text", "tree"), TREES)
def test_text_becomes_its_tree_and_the_tree_text_that_means_the_same(
    text: str, tree: object
) -> None:
    assert parse(text) == tree
    assert parse(print_expression(parse(text))) == tree


def test_the_canonical_text_keeps_the_places_of_arguments_left_out() -> None:
    text = 'Replace([preferredLanguage], "-", , , "_", ,  )'

    assert print_expression(parse(text)) == 'Replace([preferredLanguage], "-", , , "_", , )'


def test_a_function_in_another_case_is_understood_and_mentioned() -> None:
    tree, notices = parse_with_notices('switch([a], "b", "c", toLOWER([d]))')

    assert print_expression(tree) == 'Switch([a], "b", "c", ToLower([d]))'
    assert [(notice.position, "Switch" in notice.message) for notice in notices] == [
        (0, True),
        (22, False),
    ]


def test_attributes_are_found_wherever_they_stand() -> None:
    tree = parse('IIF([a] = "x", Join(",", [b], Left([c], 1)), "t" & [d])')

    assert attributes_of(tree) == {"a", "b", "c", "d"}
