"""Examples that stand beside a job are run through its rules, before anything is applied."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from provisor.__main__ import open_lazily
from provisor.app.checks import template_schema
from provisor.cli.main import Session, provisor

FILE = """\
tenant: {{defaultDomain: example.com}}
jobs:
  people:
    source: {{connector: csv, settings: {{users: people.csv}}}}
    target:
      connector: scim
      settings: {{baseAddress: "https://example.com/scim", token: "env:APP_TOKEN"}}
{more}
"""
ADA = "{userPrincipalName: ada@example.com, objectId: e1, givenName: Ada, surname: Lovelace}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "people.csv").write_text("id,userName\n")
    return tmp_path


def try_out(folder: Path, examples: str, *arguments: str, more: str = "") -> Result:
    """Write a configuration with these examples, and run them."""
    indented = "\n".join(f"      {line}" for line in examples.splitlines())
    tests = f"    tests:\n{indented}" if examples.startswith("-") else f"    tests: {examples}"
    (folder / "provisor.yaml").write_text(FILE.format(more=f"{tests}\n{more}"))
    session = Session(open_lazily)
    session.folder = folder
    return CliRunner().invoke(provisor, ["test", *arguments], obj=session, standalone_mode=False)


def test_an_example_that_holds_says_nothing_but_that(folder: Path) -> None:
    told = try_out(
        folder,
        f"- name: A new colleague\n  source: {ADA}\n  inScope: true\n"
        "  target: {userName: ada@example.com, name.formatted: Ada Lovelace, active: true,\n"
        "           title: null}",
    )

    assert (told.return_value, told.stdout) == (0, "1 example, 0 failed\n"), told.stderr


def test_a_difference_says_what_was_expected_and_what_was_found(folder: Path) -> None:
    told = try_out(
        folder,
        f"- name: A new colleague\n  source: {ADA}\n  inScope: false\n"
        "  target: {name.formatted: Lovelace Ada, nonsense: x}",
    )

    assert told.return_value == 3
    assert "people: A new colleague (" in told.stdout
    assert "provisor.yaml:9)" in told.stdout
    assert "  inScope\n    expected  False\n    found     True\n" in told.stdout
    assert "    expected  Lovelace Ada\n    found     Ada Lovelace\n" in told.stdout
    assert "found     no mapping of User to User writes it" in told.stdout
    assert told.stdout.endswith("1 example, 1 failed\n")


def test_who_leaves_is_disabled(folder: Path) -> None:
    told = try_out(
        folder,
        "- name: A leaver\n  source: {userPrincipalName: a@example.com, IsSoftDeleted: true}\n"
        "  inScope: false\n  target: {active: false}",
    )

    assert told.return_value == 0, told.stdout


def test_groups_are_tried_by_their_own_mapping(folder: Path) -> None:
    told = try_out(
        folder,
        "- name: Staff\n  mapping: Group\n  source: {displayName: Staff, objectId: g1}\n"
        "  target: {displayName: Staff, externalId: g1}",
    )
    assert told.return_value == 0, told.stdout

    wrong = try_out(folder, "- {name: x, mapping: Grop, source: {}, inScope: true}")
    assert wrong.return_value == 2
    assert "there is no mapping Grop" in wrong.stderr


def test_the_schema_of_the_file_is_tried_with_defaults_unique_values_and_refusals(
    folder: Path,
) -> None:
    schema: dict[str, Any] = json.loads(template_schema("scim"))
    mapping = schema["synchronizationRules"][0]["objectMappings"][0]
    for attribute in mapping["attributeMappings"]:
        match attribute["targetAttributeName"]:
            case "displayName":
                attribute["flowType"] = "ObjectAddOnly"
                attribute["source"] = {
                    "expression": 'SelectUniqueValue([givenName], Append([givenName], "2"))'
                }
            case "title":
                attribute["defaultValue"] = "Colleague"
            case "name.givenName":
                attribute["source"] = {"expression": "CDate([department])"}
            case _:
                pass
    (folder / "people.json").write_text(json.dumps(schema))
    rest = "userPrincipalName: ada@example.com, givenName: Ada"

    told = try_out(
        folder,
        f"- name: Second\n  source: {{{rest}, department: '2025-01-01'}}\n  taken: [ada]\n"
        "  target: {displayName: Ada2, title: Colleague}\n"
        f"- name: Refused\n  source: {{{rest}, department: soon}}\n"
        "  error: ExpressionEvaluationError\n"
        f"- name: Exhausted\n  source: {{{rest}, department: '2025-01-01'}}\n  taken: [ada, ada2]\n"
        "  error: UniqueValueExhausted\n"
        f"- name: Surprise\n  source: {{{rest}, department: soon}}\n"
        "  target: {title: Colleague}\n",
        "people",
        "--json",
        more="    schema: people.json",
    )

    assert told.return_value == 3, told.stderr
    outcomes = {one["name"]: one["succeeded"] for one in json.loads(told.stdout)}
    assert outcomes == {"Second": True, "Refused": True, "Exhausted": True, "Surprise": False}


def test_examples_may_stand_in_a_file_of_their_own(folder: Path) -> None:
    (folder / "people.tests.yaml").write_text(
        f"tests:\n  - name: Ada\n    source: {ADA}\n    target: {{externalId: e1}}\n"
    )

    assert try_out(folder, "people.tests.yaml").stdout == "1 example, 0 failed\n"


@pytest.mark.parametrize(
    ("examples", "complaint"),
    [
        ("5", "is to be a list of examples, or the name of a file"),
        ("none.yaml", "there is no such file"),
        ("- {name: x}", "the key source is missing"),
        ("- {name: x, source: {}}", "expects nothing"),
        ("- {name: x, source: {}, inScop: true}", "did you mean inScope?"),
        ("- {name: x, source: {a: {b: c}}, inScope: true}", "is to be a text, a number"),
        ("- {name: x, source: {}, inScope: true, now: soon}", "is to be a time"),
    ],
)
def test_what_is_wrong_with_examples_is_told_with_its_place(
    folder: Path, examples: str, complaint: str
) -> None:
    told = try_out(folder, examples)

    assert told.return_value == 2
    assert complaint in told.stderr
    assert ".yaml" in told.stderr


def test_without_examples_nothing_fails_and_unknown_jobs_are_guessed(folder: Path) -> None:
    assert try_out(folder, "[]").return_value == 0
    assert "there is no job peple" in try_out(folder, "[]", "peple").stderr
