"""Expressions are tried at the prompt, and every function explains itself there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from provisor.__main__ import open_lazily
from provisor.cli.main import Session, provisor
from provisor.expressions.functions import FUNCTIONS


def typed(*arguments: str, text: str = "") -> Result:
    return CliRunner().invoke(
        provisor, arguments, input=text, obj=Session(open_lazily), standalone_mode=False
    )


def test_an_expression_is_evaluated_on_a_file_of_attributes(tmp_path: Path) -> None:
    file = tmp_path / "ada.json"
    file.write_text('{"givenName": "Ada", "surname": "Lovelace"}')

    told = typed("eval", 'Join(" ", [givenName], [surname])', "--attributes", str(file))

    assert told.stdout == "Ada Lovelace\n"
    assert told.return_value == 0


@pytest.mark.parametrize(
    ("expression", "out"),
    [
        ('Split("a,b", ",")', "a\nb\n"),
        ("[nothing]", "(no value)\n"),
        ("IgnoreFlowIfNullOrEmpty([nothing])", "DROP\n"),
        ('SelectUniqueValue("a", "b")', "a\nb\n"),
        ('FormatDateTime(Now(), , "M/d/yyyy h:mm:ss tt", "yyyy")', "2025\n"),
        ("DefaultDomain()", "example.com\n"),
    ],
)
def test_what_an_expression_gives_is_shown_as_text(expression: str, out: str) -> None:
    told = typed(
        "eval", expression, "--attributes", "-", "--now", "2025-07-30", "--domain", "example.com",
        text="{}",
    )  # fmt: skip

    assert told.stdout == out, told.stderr


def test_a_trace_shows_every_part_that_was_evaluated_and_hides_what_is_redacted() -> None:
    told = typed(
        "eval", 'IIF([a]="1", ToUpper("x"), Redact("s"))', "--trace", "--attributes", "-",
        text='{"a": 1}',
    )  # fmt: skip

    assert told.stdout.splitlines()[0].endswith('→  "X"') or "[Redact]" in told.stdout
    assert 'ToUpper("x")  →  "X"' in told.stdout
    assert 'Redact("s")  →' not in told.stdout


def test_json_tells_a_value_an_error_and_the_steps() -> None:
    assert json.loads(typed("eval", '"a"', "--json").stdout) == {"out": "a"}
    failed = json.loads(typed("eval", 'CDate("soon")', "--json").stdout)
    assert failed["error"]["code"] == "ExpressionEvaluationError"
    steps = json.loads(typed("eval", 'ToUpper("a")', "--trace", "--json").stdout)
    assert steps == [
        {"expression": 'ToUpper("a")', "level": 0, "out": "A"},
        {"expression": '"a"', "level": 1, "out": "a"},
    ]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("eval", "Join("), 2),
        (("eval", "[a]", "--attributes", "no such file"), 2),
        (("eval", "[a]", "--now", "soon"), 2),
        (("eval", "--batch", "no such file"), 2),
        (("eval", 'CDate("soon")'), 3),
        (("eval", 'CDate("soon")', "--trace"), 3),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence_and_by_the_exit_code(
    arguments: tuple[str, ...], code: int
) -> None:
    told = typed(*arguments)

    assert told.return_value == code
    assert "Traceback" not in told.output


def test_where_an_expression_goes_wrong_is_pointed_at() -> None:
    told = typed("eval", 'Join(" ",\n  Jion([a]))')

    assert told.stderr.splitlines()[:2] == ["    Jion([a]))", "    ^"]
    assert "at character 13" in told.stderr


def test_attributes_that_nobody_gave_are_named() -> None:
    told = typed(
        "eval", "Coalesce([mail], [mial], [b])", "--attributes", "-", text='{"mail": null}'
    )

    assert told.stdout == "(no value)\n"
    assert "no value for b, mail, mial" in told.stderr
    assert not typed("eval", "[a]").stderr


def test_attributes_may_be_typed_as_they_are_and_a_misspelled_one_is_guessed() -> None:
    told = typed("eval", "Append([giveName], [mail])", "--attributes", '{"givenName": "Ada"}')

    assert told.stdout == "(no value)\n"
    assert "giveName (did you mean givenName?), mail" in told.stderr
    assert "should be a JSON object" in typed("eval", "[a]", "--attributes", "-", text="[1]").stderr


def test_an_expression_and_a_batch_are_not_both_given() -> None:
    for arguments in (["eval"], ["eval", "[a]", "--batch", "x"]):
        assert CliRunner().invoke(provisor, arguments).exit_code == 2


def test_the_list_has_every_function_and_the_page_its_examples() -> None:
    listed = typed("functions").stdout
    assert all(f"{name}(" in listed for name in FUNCTIONS)
    assert len(json.loads(typed("functions", "--json").stdout)) == len(FUNCTIONS)

    for name, function in FUNCTIONS.items():
        page = typed("functions", name.lower()).stdout
        assert page.startswith(f"{name}(")
        assert all(example.text in page for example in function.examples)


def test_a_function_that_is_misspelled_is_guessed() -> None:
    told = CliRunner().invoke(provisor, ["functions", "Jion"])

    assert told.exit_code == 2
    assert "did you mean Join" in told.output
