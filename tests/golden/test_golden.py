"""Published expressions give what their own functions say they give."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from provisor.expressions import Answer, ExpressionError, evaluate, parse, print_expression
from provisor.expressions.compile import compile_expression
from provisor.expressions.errors import INVALID
from provisor.expressions.sources import read_source, write_source
from tests.golden.cases import Case, cases, shown

CASES = list(cases())
READABLE = [case for case in CASES if case.error != INVALID]


def named(case: Case) -> str:
    return case.id


def outcome(case: Case, run: Callable[[], Answer]) -> object:
    try:
        return shown(run(), case.taken)
    except ExpressionError as error:
        return error.code


@pytest.mark.parametrize("case", CASES, ids=named)
def test_an_expression_gives_its_published_value(case: Case) -> None:
    def compiled_answer() -> Answer:
        return compile_expression(parse(case.text))(case.attributes, case.context)

    walked = outcome(case, lambda: evaluate(parse(case.text), case.attributes, case.context))
    compiled = outcome(case, compiled_answer)

    expected = case.out if case.error is None else case.error
    assert walked == expected
    assert compiled == expected


@pytest.mark.parametrize("case", READABLE, ids=named)
def test_an_expression_survives_printing_and_the_form_of_the_api(case: Case) -> None:
    tree = parse(case.text)

    assert parse(print_expression(tree)) == tree
    assert read_source(write_source(tree)) == tree


def test_no_published_line_is_missing() -> None:
    counted = {prefix: sum(case.id.startswith(prefix) for case in CASES) for prefix in "RWSOD"}

    assert counted == {"R": 78, "W": 56, "S": 75, "O": 11, "D": 85}
    assert len({case.id for case in CASES}) == len(CASES)
