"""`provisor eval --batch` gives every published value, and an answer to whatever it is given."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from provisor.__main__ import open_lazily
from provisor.cli.commands.evaluate import answer_line
from provisor.cli.main import Session, provisor
from provisor.expressions import Context, FixedChance
from tests.golden.cases import FOLDER

USUAL = Context(datetime(2025, 1, 1, tzinfo=UTC), "contoso.com", FixedChance())
LINES = [
    line
    for file in sorted(FOLDER.glob("*.jsonl"))
    for line in file.read_text(encoding="utf-8").splitlines()
]


def expected(case: dict[str, Any]) -> dict[str, object]:
    if "error" in case:
        return {"id": case["id"], "error": case["error"]}
    if case["out"] == "DROP":
        return {"id": case["id"], "drop": True}
    return {"id": case["id"], "out": case["out"]}


def without_message(answer: dict[str, Any]) -> dict[str, object]:
    if "error" in answer:
        return {**answer, "error": answer["error"]["code"]}
    return answer


def test_every_published_line_passes_through(tmp_path: Path) -> None:
    file = tmp_path / "cases.jsonl"
    file.write_text("\n\n".join(LINES), encoding="utf-8")

    result = CliRunner().invoke(
        provisor, ["eval", "--batch", str(file)], obj=Session(open_lazily), standalone_mode=False
    )

    assert result.return_value == 0
    answers = [without_message(json.loads(line)) for line in result.stdout.splitlines()]
    assert answers == [expected(json.loads(line)) for line in LINES]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("", "InvalidInput"),
        ("{", "InvalidInput"),
        ("[" * 100_000, "InvalidInput"),
        ("9" * 5_000, "InvalidInput"),
        ("null", "InvalidInput"),
        ("[]", "InvalidInput"),
        ("{}", "InvalidInput"),
        ('{"expr": 1}', "InvalidInput"),
        ('{"expr": "[a]", "in": []}', "InvalidInput"),
        ('{"expr": "[a]", "in": [1]}', "InvalidInput"),
        ('{"expr": "[a]", "in": {"a": {"b": 1}}}', "InvalidInput"),
        ('{"expr": "[a]", "in": {"a": [["b"]]}}', "InvalidInput"),
        ('{"expr": "Now()", "now": "soon"}', "InvalidInput"),
        ('{"expr": "Now()", "now": "0001-01-01T00:00:00+14:00"}', "InvalidInput"),
        ('{"expr": "[a]", "taken": "x"}', "InvalidInput"),
        ('{"expr": "[a]", "domain": ["x"]}', "InvalidInput"),
        ('{"expr": "Join("}', "InvalidExpression"),
        ('{"expr": ""}', "InvalidExpression"),
        (json.dumps({"expr": "Not(" * 5_000}), "InvalidExpression"),
        (json.dumps({"expr": "x" * 100_000}), "InvalidExpression"),
        ('{"expr": "CDate([a])", "in": {"a": "soon"}}', "ExpressionEvaluationError"),
    ],
)
def test_a_hostile_line_is_answered_by_an_error(line: str, code: str) -> None:
    answer = without_message(answer_line(line[:200_000], USUAL))

    assert answer == {"id": None, "error": code}


def test_a_number_with_a_fraction_is_the_text_that_stands_there() -> None:
    line = '{"id": 1, "expr": "Join(\\"|\\", [a], [b])", "in": {"a": 1.50, "b": [1e400, null, 7]}}'

    assert answer_line(line, USUAL) == {"id": 1, "out": "1.50|1e400|7"}


def test_half_a_character_comes_through() -> None:
    result = CliRunner().invoke(
        provisor,
        ["eval", "--batch", "-"],
        input='{"id": "x", "expr": "[a]", "in": {"a": "\\ud800"}}\n',
        obj=Session(open_lazily),
        standalone_mode=False,
    )

    assert json.loads(result.stdout) == {"id": "x", "out": "\ud800"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
EXPRESSIONS = st.sampled_from([json.loads(line)["expr"] for line in LINES]) | st.text(max_size=60)


@given(
    case=st.fixed_dictionaries(
        {"expr": EXPRESSIONS},
        optional={"id": JSON, "in": JSON, "now": JSON, "taken": JSON, "domain": JSON},
    )
)
def test_whatever_a_line_holds_there_is_one_answer(case: dict[str, object]) -> None:
    answer = answer_line(json.dumps(case), USUAL)

    assert len(answer.keys() & {"out", "drop", "error"}) == 1
