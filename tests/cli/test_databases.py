"""Whole organisations through the command line: out of a database, and into one."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pytest

from tests.cli.workspace import Workspace
from tests.contracts.targets.sql import tables
from tests.worlds.hands import PASSWORD, Dialect, Hands, hands

SOURCE = """\
tenant: {{id: 6f1c2f7e-5a53-4d5c-9d4a-0e8a1f6f9f10}}
jobs:
  people:
    source:
      connector: sql
      settings:
        url: "{url}"
        password: "env:HR_PASSWORD"
        users:
          table: people
          attributes: {{login: userPrincipalName, manager_id: manager, active: accountEnabled}}
          watermark: changed
          softDelete: {{column: left_at}}
        groups:
          table: teams
          members: {{table: members, group: team, member: person}}
    target:
      connector: scim
      settings: {{baseAddress: "{scim}", token: "env:APP_TOKEN"}}
    schedule: PT5M
"""
TARGET = """\
tenant: {{id: 6f1c2f7e-5a53-4d5c-9d4a-0e8a1f6f9f10}}
jobs:
  people:
    template: sql
    source:
      connector: csv
      settings: {{users: people.csv, groups: groups.csv, members: members.csv, settleFor: 0}}
    target:
      connector: sql
      settings:
        url: "{url}"
        {password}
        users: {{table: accounts}}
        groups:
          table: teams
          members: {{table: team_members, group: team_id, member: account_id}}
    schedule: PT5M
"""
ORGANISATION = (
    """CREATE TABLE people (id VARCHAR(20) PRIMARY KEY, login VARCHAR(80), given_name VARCHAR(40),
       family_name VARCHAR(40), display_name VARCHAR(80), mail VARCHAR(80),
       department VARCHAR(40), job_title VARCHAR(40), manager_id VARCHAR(20),
       active BOOLEAN, left_at TIMESTAMPTZ, changed TIMESTAMPTZ DEFAULT now())""",
    "CREATE TABLE teams (id VARCHAR(20) PRIMARY KEY, display_name VARCHAR(80))",
    "CREATE TABLE members (team VARCHAR(20), person VARCHAR(20))",
)


def hire(made: Hands, *ids: str, manager: str | None = None) -> None:
    for id in ids:
        made.do(
            "INSERT INTO people VALUES (?, ?, ?, 'Example', ?, ?, 'Sales', 'Analyst', ?, true)",
            id, f"{id}@example.com", id.title(), f"{id.title()} Ę", f"{id}@example.com", manager,
        )  # fmt: skip


def says(workspace: Workspace, kind: Literal["User", "Group"] = "User") -> dict[str, Any]:
    name = "userName" if kind == "User" else "displayName"
    return {one[name]: one for one in workspace.server.says(kind)}


def run(workspace: Workspace) -> None:
    ended = workspace.run()
    assert ended.code == 0, (ended.out, ended.err)


def test_an_organisation_in_postgresql_flows_into_a_scim_server(
    workspace: Workspace, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    made = hands("postgresql", tmp_path, request)
    made.script(*ORGANISATION)
    hire(made, "ada")
    hire(made, "bob", "cyd", "dan", "eve", manager="ada")
    made.script(
        "INSERT INTO teams VALUES ('t1', 'Staff')",
        "INSERT INTO members VALUES ('t1', 'ada'), ('t1', 'bob'), ('t1', 'cyd')",
    )
    workspace.environment["HR_PASSWORD"] = PASSWORD
    workspace.configure(SOURCE.format(url=made.url, scim=workspace.server.url))
    workspace.apply()
    probed = workspace.provisor("probe", "people")
    assert probed.code == 0, probed.out + probed.err
    assert PASSWORD not in probed.out

    run(workspace)
    people = says(workspace)
    assert set(people) == {f"{id}@example.com" for id in ("ada", "bob", "cyd", "dan", "eve")}
    assert people["bob@example.com"]["displayName"] == "Bob Ę"
    staff = {one["value"] for one in says(workspace, "Group")["Staff"]["members"]}
    assert staff == {people[f"{id}@example.com"]["id"] for id in ("ada", "bob", "cyd")}

    # renamed, left softly, left for good, dismissed by a flag, hired, and out of a team
    made.script(
        "UPDATE people SET login = 'ada.king@example.com', changed = now() WHERE id = 'ada'",
        "UPDATE people SET left_at = now(), changed = now() WHERE id = 'bob'",
        "UPDATE people SET active = false, changed = now() WHERE id = 'dan'",
        "DELETE FROM members WHERE person = 'cyd'",
    )
    hire(made, "fay")
    run(workspace)
    after = says(workspace)
    assert after["ada.king@example.com"]["id"] == people["ada@example.com"]["id"]
    active = {name for name, one in after.items() if one.get("active")}
    assert active == {f"{id}@example.com" for id in ("ada.king", "cyd", "eve", "fay")}
    staff = {one["value"] for one in says(workspace, "Group")["Staff"].get("members") or ()}
    assert people["cyd@example.com"]["id"] not in staff

    # back again under the same key, and somebody new under the name of one who left
    made.script("UPDATE people SET left_at = NULL, changed = now() WHERE id = 'bob'")
    run(workspace)
    again = says(workspace)
    assert again["bob@example.com"]["id"] == people["bob@example.com"]["id"]
    assert again["bob@example.com"]["active"]
    writes = len(workspace.server.writes())
    run(workspace)
    assert len(workspace.server.writes()) == writes, "a quiet cycle writes nothing"


@pytest.mark.parametrize("dialect", ["postgresql", "mariadb", "sqlite"])
def test_files_flow_into_a_database(
    workspace: Workspace, tmp_path: Path, request: pytest.FixtureRequest, dialect: Dialect
) -> None:
    made = hands(dialect, tmp_path, request)
    made.script(*tables(dialect))
    made.do("INSERT INTO accounts (user_name, display_name) VALUES ('Ada@example.com', 'Old Ada')")
    workspace.environment["APP_PASSWORD"] = PASSWORD
    password = "" if dialect == "sqlite" else 'password: "env:APP_PASSWORD"'
    workspace.configure(TARGET.format(url=made.url, password=password))
    workspace.edit("bob", manager="ada")
    workspace.write("members.csv", "group,member\ng1,ada\ng1,bob\ng1,cyd\n")
    workspace.apply()
    assert workspace.provisor("probe", "people").code == 0

    def accounts() -> dict[str, tuple[Any, ...]]:
        rows = made.do("SELECT external_id, id, user_name, display_name, active FROM accounts")
        return {row[0]: row[1:] for row in rows}

    def team() -> set[int]:
        return {row[0] for row in made.do("SELECT account_id FROM team_members")}

    run(workspace)
    first = accounts()
    assert set(first) == {"ada", "bob", "cyd", "dan", "eve"}
    assert first["ada"][0] == 1, "who was there was matched"
    assert first["ada"][2] == "Ada Example"
    bosses = made.do("SELECT manager_id FROM accounts WHERE external_id = 'bob'")
    assert bosses == [(first["ada"][0],)]
    assert team() == {first[id][0] for id in ("ada", "bob", "cyd")}

    workspace.edit("cyd", userName="cyd.new@example.com")
    workspace.edit("eve", accountEnabled="false")
    workspace.write("members.csv", "group,member\ng1,ada\ng1,bob\n")
    workspace.hire("fay")
    run(workspace)
    second = accounts()
    assert second["cyd"][:2] == (first["cyd"][0], "cyd.new@example.com")
    assert not second["eve"][3]
    assert second["dan"][3]
    assert "fay" in second
    assert team() == {first[id][0] for id in ("ada", "bob")}

    workspace.edit("eve", accountEnabled="true")
    run(workspace)
    assert accounts()["eve"][0] == first["eve"][0]
    assert accounts()["eve"][3]
    before = made.do("SELECT * FROM accounts ORDER BY id")
    run(workspace)
    assert made.do("SELECT * FROM accounts ORDER BY id") == before

    made.do("DELETE FROM team_members")
    made.do("UPDATE accounts SET display_name = 'Drifted' WHERE external_id = 'bob'")
    repaired = workspace.provisor("reconcile", "people")
    assert repaired.code == 0, repaired.err
    assert accounts()["bob"][2] == "Bob Example"
