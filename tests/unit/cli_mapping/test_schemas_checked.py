"""`schema check` says everything that is wrong with a schema at once, without a workspace."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from provisor.__main__ import open_lazily
from provisor.app.checks import template_schema
from provisor.cli.main import Session, provisor


def typed(*arguments: str) -> Result:
    return CliRunner().invoke(provisor, arguments, obj=Session(open_lazily), standalone_mode=False)


@pytest.fixture
def schema() -> dict[str, Any]:
    return json.loads(template_schema("scim"))


def written(folder: Path, schema: object) -> str:
    file = folder / "draft.json"
    file.write_text(json.dumps(schema))
    return str(file)


def test_a_schema_in_order_has_nothing_wrong(tmp_path: Path, schema: dict[str, Any]) -> None:
    told = typed("schema", "check", written(tmp_path, schema))

    assert told.return_value == 0
    assert told.stdout.endswith(": nothing is wrong\n")


def test_all_problems_are_told_with_path_code_and_way_out(
    tmp_path: Path, schema: dict[str, Any]
) -> None:
    mapping = schema["synchronizationRules"][0]["objectMappings"][0]
    mapping["attributeMappings"][0]["source"] = {"expression": "Join("}
    mapping["attributeMappings"][1]["targetAttributeName"] = "nonsense"
    schema["synchronizationRules"][0]["targetDirectoryName"] = "elsewhere"
    file = written(tmp_path, schema)

    told = typed("schema", "check", file)

    assert told.return_value == 2
    at = "synchronizationRules[0].objectMappings[0].attributeMappings[0].source.expression"
    assert f"error InvalidExpression\n  at    {at}, character 6\n" in told.stdout
    assert "at    synchronizationRules[0].targetDirectoryName" in told.stdout
    assert "  do    " in told.stdout
    found = json.loads(typed("schema", "check", file, "--json").stdout)
    assert {one["code"] for one in found} >= {"InvalidExpression"}
    assert all(set(one) >= {"path", "code", "remedy", "severity"} for one in found)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"directories": 1}', "\udcff"])
def test_what_is_no_schema_is_told_in_a_sentence(tmp_path: Path, content: str) -> None:
    file = tmp_path / "draft.json"
    file.write_text(content, encoding="utf-8", errors="surrogateescape")

    told = typed("schema", "check", str(file))

    assert told.return_value == 2, told.output
    assert "error " in told.stdout
    assert typed("schema", "check", str(tmp_path / "none.json")).return_value == 2
