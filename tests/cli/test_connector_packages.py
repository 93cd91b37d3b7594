"""A connector that a package brings is used like any other, and missed when the package is gone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.workspace import CONFIGURATION, Workspace
from tests.fakes.packages import install_example

CSV = "{{users: people.csv, groups: groups.csv, members: members.csv, settleFor: 0}}"


@pytest.fixture
def record(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Read two people from a file of JSON lines, by the example package."""
    text = CONFIGURATION.replace("connector: csv", "connector: jsonlines")
    workspace.configure(
        text.replace(CSV, "{{file: people.jsonl}}").format(url=workspace.server.url)
    )
    people = [
        {
            "kind": "User",
            "id": id,
            "userPrincipalName": id,
            "displayName": id.title(),
            "accountEnabled": True,
        }
        for id in ("ada", "bob")
    ]
    lines = [json.dumps(line) for line in (*people, {"end": {"User": 2}})]
    workspace.write("people.jsonl", "\n".join(lines))
    return install_example(monkeypatch, tmp_path / "site-packages")


def names(workspace: Workspace) -> set[str]:
    return {str(user["userName"]) for user in workspace.server.says("User")}


@pytest.mark.usefixtures("record")
def test_people_flow_from_a_connector_that_a_package_brings(workspace: Workspace) -> None:
    workspace.apply()

    told = workspace.provisor("probe", "people")
    assert told.code == 0, told.out + told.err
    assert "source: A file of JSON lines" in told.out

    ended = workspace.run()
    assert ended.code == 0, ended.out + ended.err
    assert names(workspace) == {"ada", "bob"}


def test_when_the_package_is_gone_the_job_says_so_and_nobody_is_removed(
    workspace: Workspace, record: Path
) -> None:
    workspace.apply()
    assert workspace.run().code == 0

    record.rename(record.with_suffix(".gone"))
    ended = workspace.run()

    assert ended.code != 0
    assert "there is no connector jsonlines" in ended.err
    assert "(ConnectorUnusable)" in ended.err
    assert names(workspace) == {"ada", "bob"}
