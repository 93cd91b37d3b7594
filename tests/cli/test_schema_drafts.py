"""A schema is edited: previewed without a look at source or target, applied, and then only what
differs is written."""

from __future__ import annotations

import json
from typing import Any

from tests.cli.workspace import Workspace


def draft(workspace: Workspace) -> dict[str, Any]:
    """Write the schema in force to a file, with other job titles."""
    schema = json.loads(workspace.provisor("schema", "show", "people", "--json").out)
    mapping = schema["synchronizationRules"][0]["objectMappings"][0]
    for attribute in mapping["attributeMappings"]:
        if attribute["targetAttributeName"] == "title":
            attribute["source"] = {
                "expression": 'IIF([department]="Sales", Append([jobTitle], ", Sales"), [jobTitle])'
            }
    workspace.write("draft.json", json.dumps(schema))
    return schema


def test_an_edited_schema_is_previewed_and_then_writes_only_what_differs(
    running: Workspace,
) -> None:
    running.edit("bob", department="Research")
    assert running.run().code == 0
    draft(running)
    writes = len(running.server.writes())
    people = (running.folder / "people.csv").read_bytes()
    (running.folder / "people.csv").unlink()

    told = running.provisor("plan", "people", "--schema", "draft.json", "--detailed-exitcode")

    assert told.code == 7, told.err
    assert "people: 4 objects of 5 would change" in told.out
    assert "      title: Analyst → Analyst, Sales" in told.out
    assert "bob" not in told.out
    as_json = running.provisor("plan", "people", "--schema", "draft.json", "--json").json
    assert as_json["counts"] == {"update": 4}
    assert len(running.server.writes()) == writes

    (running.folder / "people.csv").write_bytes(people)
    text = (running.folder / "provisor.yaml").read_text()
    running.configure(text.replace("schedule: PT5M", "schedule: PT5M\n    schema: draft.json"))
    running.apply()
    assert running.run().code == 0
    assert len(running.server.writes()) == writes + 4
    assert running.users()["ada"]["title"] == "Analyst, Sales"
    assert running.users()["bob"]["title"] == "Analyst"


def test_a_draft_that_is_wrong_is_refused_with_its_place(running: Workspace) -> None:
    schema = draft(running)
    schema["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"][0]["source"] = {
        "expression": "Join("
    }
    running.write("draft.json", json.dumps(schema))

    told = running.provisor("plan", "people", "--schema", "draft.json")

    assert told.code == 2
    assert "attributeMappings[0].source.expression, character 6" in told.err
    assert running.provisor("plan", "people", "--schema", "none.json").code == 2
    assert running.provisor("plan", "people", "--schema", "x", "--out", "y").code == 2


def test_the_schema_of_a_job_is_shown_mapping_by_mapping(running: Workspace) -> None:
    told = running.provisor("schema", "show", "people")

    assert told.code == 0, told.err
    assert "User to User\n  may create, update, delete\n" in told.out
    assert "← [userPrincipalName]" in told.out
    assert "matching 1" in told.out
