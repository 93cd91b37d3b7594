"""The table of functions says what is true, and the reference says what the table says."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from provisor.expressions import Context, ExpressionError, FixedChance, evaluate, parse
from provisor.expressions.document import functions_page
from provisor.expressions.functions import FUNCTIONS, Example, function_schemas
from provisor.expressions.rendering import rendered

CONTEXT = Context(datetime(2025, 7, 30, 12, tzinfo=UTC), "contoso.com", FixedChance())
EXAMPLES = [(name, one) for name, function in FUNCTIONS.items() for one in function.examples]
ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=lambda part: getattr(part, "text", ""))
def test_an_example_gives_what_it_says(name: str, example: Example) -> None:
    answer = rendered(evaluate(parse(example.text), example.attributes, CONTEXT))

    assert name in example.text
    assert answer == (list(example.output) if isinstance(example.output, tuple) else example.output)


def test_the_reference_is_current() -> None:
    written = (ROOT / "docs" / "functions.md").read_text(encoding="utf-8")

    assert written == functions_page(), (
        "renew it: python -c 'from provisor.expressions.document import functions_page; "
        'print(functions_page(), end="")\' > docs/functions.md'
    )


# What the live service lists (spec: graph-api 8.6); others may be added, these stay as they are.
LISTED = """
Append(source, suffix) DefaultDomain() AppRoleAssignments(source) IsNothing(source:Boolean)
Join(separator, source*) Prepend(prefix, source) Mid(source, start:Integer, length:Integer)
Not(source:Boolean) Replace(source, Find?, RegularExpression?, RegularExpressionGroupName?,
Replacement?, ReplacementPropertyName?, Template?) SingleAppRoleAssignment(source)
Split(source, delimiter?) StripSpaces(source) Switch(source, defaultValue?, switchValue*?)
"""


def test_the_listed_functions_have_the_parameters_of_the_api() -> None:
    described = " ".join(described_as_listed(schema) for schema in function_schemas())

    for listed in " ".join(LISTED.split()).replace(") ", ")|").split("|"):
        assert listed in described


def described_as_listed(schema: dict[str, object]) -> str:
    parameters = schema["parameters"]
    assert isinstance(parameters, list)
    written = ", ".join(
        f"{p['name']}"
        + ("*" if p["allowMultipleOccurrences"] else "")
        + (f":{p['type']}" if p["type"] in ("Integer", "Boolean") else "")
        + ("" if p["required"] else "?")
        for p in parameters  # pyright: ignore[reportUnknownVariableType]
    )
    return f"{schema['name']}({written})"


class Counting:
    """Chance that remembers what it was asked, and answers with the highest number."""

    def __init__(self) -> None:
        self.limits: list[int] = []

    def uuid(self) -> str:
        return "0F8FAD5B-D9CB-469F-A165-70867728950E"

    def below(self, limit: int) -> int:
        self.limits.append(limit)
        return limit - 1


def drawn(text: str, start: int = 0) -> str:
    answer = evaluate(parse(text), {}, Context(CONTEXT.now, "", FixedChance(start)))
    assert isinstance(answer, str)
    return answer


@pytest.mark.parametrize("start", range(20))
def test_a_random_string_has_what_was_asked_for(start: int) -> None:
    text = drawn('RandomString(10, 2, 2, 2, 1, "?,")', start)

    assert len(text) == 10
    assert sum(map(str.isdigit, text)) >= 2
    assert sum(map(str.isupper, text)) >= 2
    assert sum(map(str.islower, text)) >= 1
    assert sum(not character.isalnum() for character in text) >= 2
    assert not set(text) & set("?,")


def test_a_random_string_draws_the_rest_from_the_kinds_that_were_asked_for() -> None:
    assert set(drawn("RandomString(200, 3, 0, 0, 3)")) <= set(
        "0123456789abcdefghijklmnopqrstuvwxyz"
    )
    assert drawn("RandomString(200, 0, 0, 0, 0)").isalnum()
    assert drawn("RandomString(3, 3, 0, 0, 0, )").isdigit()


def test_every_place_of_a_random_string_is_shuffled() -> None:
    chance = Counting()

    evaluate(parse("RandomString(4, 4, 0, 0, 0)"), {}, Context(CONTEXT.now, "", chance))

    assert chance.limits == [10, 10, 10, 10, 4, 3, 2]


def test_a_guid_is_written_in_lower_case() -> None:
    answer = evaluate(parse("Guid()"), {}, Context(CONTEXT.now, "", Counting()))

    assert answer == "0f8fad5b-d9cb-469f-a165-70867728950e"


def test_without_chance_nothing_is_drawn() -> None:
    with pytest.raises(ExpressionError, match="no source of random values"):
        evaluate(parse("Guid()"), {}, Context(CONTEXT.now))


def test_without_a_default_domain_there_is_an_error() -> None:
    with pytest.raises(ExpressionError, match="no default domain"):
        evaluate(parse("DefaultDomain()"), {}, Context(CONTEXT.now))


def test_now_is_given_in_utc_whatever_the_clock_says() -> None:
    now = datetime.fromisoformat("2025-07-30T14:00:00+02:00")

    assert evaluate(parse("Now()"), {}, Context(now)) == CONTEXT.now
