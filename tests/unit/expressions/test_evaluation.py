"""Explanations, candidates, compiled mappings, and values as the target holds them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from provisor.expressions import (
    Candidates,
    Context,
    ExpressionError,
    coerce,
    compile_expression,
    compile_mappings,
    evaluate,
    parse,
    redacts,
    trace,
)
from provisor.expressions.rendering import rendered, texts
from provisor.model.entries import Anchor, Reference, Value

CONTEXT = Context(datetime(2025, 7, 30, 12, tzinfo=UTC))


def test_a_trace_shows_each_part_that_was_evaluated_and_no_other() -> None:
    tree = parse('IIF([a] = "x", ToUpper([b]), Left("abc", 1))')

    steps = trace(tree, {"a": "x", "b": "y"}, CONTEXT)

    assert [(step.level, step.text, step.value) for step in steps] == [
        (0, 'IIF([a] = "x", ToUpper([b]), Left("abc", 1))', "Y"),
        (1, '[a] = "x"', True),
        (2, "[a]", "x"),
        (2, '"x"', "x"),
        (1, "ToUpper([b])", "Y"),
        (2, "[b]", "y"),
    ]


def test_a_trace_shows_where_an_error_came_up() -> None:
    steps = trace(parse('Append("a", Left("b", [n]))'), {"n": "x"}, CONTEXT)

    assert [step.text for step in steps if step.error is not None] == [
        'Append("a", Left("b", [n]))',
        'Left("b", [n])',
    ]
    assert steps[-1].value == "x"


def test_a_trace_hides_what_is_redacted_from_the_inside_out() -> None:
    tree = parse('Join(",", Redact(ToLower([secret])), [mail])')

    steps = trace(tree, {"secret": "Pa55", "mail": "a@b"}, CONTEXT)

    assert redacts(tree)
    assert "pa55" not in str([step.value for step in steps]).lower()
    assert steps[-1].value == "a@b"


def test_a_trace_of_candidates_lists_them_all() -> None:
    steps = trace(parse('SelectUniqueValue([a], "b", Left("cd", 1))'), {}, CONTEXT)

    assert steps[0].value == ("b", "c")


def test_candidates_are_computed_one_at_a_time() -> None:
    tree = parse('SelectUniqueValue("a", Error("never asked for"))')

    for answer in (evaluate(tree, {}, CONTEXT), compile_expression(tree)({}, CONTEXT)):
        assert isinstance(answer, Candidates)
        assert next(iter(answer.values)) == "a"


def test_a_trace_computes_every_candidate() -> None:
    steps = trace(parse('SelectUniqueValue("a", Error("asked for"))'), {}, CONTEXT)

    assert str(steps[0].error) == "asked for"


def test_mappings_compiled_together_name_the_one_that_fails() -> None:
    mappings = [("good", parse("[a]")), ("bad", parse("Left([a], [b])"))]

    with pytest.raises(ExpressionError, match="NumChars") as raised:
        compile_mappings(mappings)({"a": "x", "b": "y"}, CONTEXT)

    assert raised.value.target == "bad"


def test_mappings_compiled_together_answer_in_order_with_null_where_there_is_nothing() -> None:
    mappings = [("b", parse("[y]")), ("a", parse("ToUpper([x])")), ("c", parse('""'))]

    assert list(compile_mappings(mappings)({"x": "q"}, CONTEXT).items()) == [
        ("b", None),
        ("a", "Q"),
        ("c", ""),
    ]


def test_nobody_s_text_is_run() -> None:
    evil = '"); import os; os.abort(); ("'
    tree = parse(f'Append("{evil[1:-1]}\\"", [{evil.replace("(", "").replace(")", "")}])')

    assert compile_expression(tree)({}, CONTEXT) is evaluate(tree, {}, CONTEXT)


@pytest.mark.parametrize(
    ("value", "kind", "multivalued", "held"),
    [
        ("a", "String", False, "a"),
        (5, "String", False, "5"),
        (True, "String", False, "True"),
        (("a",), "String", False, "a"),
        ("a", "String", True, ("a",)),
        ((1, "b"), "String", True, ("1", "b")),
        ("42", "Integer", False, 42),
        (" 7 ", "Integer", False, 7),
        ("2.0", "Integer", False, 2),
        ("TRUE", "Boolean", False, True),
        ("0", "Boolean", False, False),
        (1, "Boolean", False, True),
        ("2025-07-30T14:00:00+02:00", "DateTime", False, CONTEXT.now),
        (datetime(2025, 7, 30, 12), "DateTime", False, CONTEXT.now),  # noqa: DTZ001
        (datetime(2025, 7, 30, 14, tzinfo=timezone(timedelta(hours=2))), "DateTime", False,
         CONTEXT.now),
        ("AAE=", "Binary", False, b"\x00\x01"),
        (b"\x00", "Binary", False, b"\x00"),
        (b"\x00", "String", False, "AA=="),
        (Reference("User", Anchor("7")), "Reference", False, Reference("User", Anchor("7"))),
        ("7", "Reference", False, "7"),
    ],
)  # fmt: skip
def test_a_result_takes_the_type_of_the_target(
    value: Value, kind: str, multivalued: bool, held: Value
) -> None:
    assert coerce(value, kind, multivalued) == held


@pytest.mark.parametrize(
    ("value", "kind", "code"),
    [
        (("a", "b"), "String", "SchemaPropertyCanOnlyAcceptValue"),
        ("x", "Integer", "ExpressionEvaluationError"),
        ("1.5", "Integer", "ExpressionEvaluationError"),
        (True, "Integer", "ExpressionEvaluationError"),
        ("yes", "Boolean", "ExpressionEvaluationError"),
        ("soon", "DateTime", "ExpressionEvaluationError"),
        ("", "DateTime", "ExpressionEvaluationError"),
        ("%", "Binary", "ExpressionEvaluationError"),
        ("a", "Colour", "ExpressionEvaluationError"),
    ],
)
def test_what_the_target_cannot_hold_is_refused(value: Value, kind: str, code: str) -> None:
    with pytest.raises(ExpressionError) as raised:
        coerce(value, kind, multivalued=False)

    assert raised.value.code == code


def test_answers_are_shown_as_text() -> None:
    candidates = evaluate(parse('SelectUniqueValue("a", "b")'), {}, CONTEXT)
    dropped = evaluate(parse("IgnoreAttributeFlow"), {}, CONTEXT)

    assert (texts(candidates), rendered(candidates)) == (["a"], ["a", "b"])
    assert (texts(dropped), rendered(dropped)) == ([], "DROP")
    assert (texts(None), rendered(None)) == ([], None)
    assert (texts(("a", 1)), rendered(True)) == (["a", "1"], "True")
