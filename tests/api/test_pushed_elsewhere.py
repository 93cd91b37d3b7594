"""People who are pushed through the API arrive in a database too."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.api.served import Served, command, serving, target, token_for, wait_until

CONFIGURATION = """\
tenant: {id: 3f7565a3-fde6-4e4d-bda8-1bb70aba3612}
applications:
  intranet:
    template: API2SQL
    source: {connector: inbound}
    target:
      connector: sql
      settings:
        url: "sqlite:///accounts.db"
        users: {table: accounts}
        groups:
          table: teams
          members: {table: team_members, group: team_id, member: account_id}
jobs:
  intranet: {application: intranet}
"""
TABLES = """
CREATE TABLE accounts (
    id INTEGER PRIMARY KEY, external_id TEXT UNIQUE, user_name TEXT UNIQUE, given_name TEXT,
    family_name TEXT, display_name TEXT, mail TEXT, job_title TEXT, department TEXT,
    active BOOLEAN, manager_id INTEGER REFERENCES accounts (id));
CREATE TABLE teams (id INTEGER PRIMARY KEY, external_id TEXT, display_name TEXT);
CREATE TABLE team_members (
    team_id INTEGER REFERENCES teams (id), account_id INTEGER REFERENCES accounts (id));
"""
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
MEDIA = {"Content-Type": "application/scim+json"}


def pushed(*people: dict[str, Any]) -> dict[str, Any]:
    return {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [
            {"method": "POST", "bulkId": one["externalId"], "path": "/Users", "data": one}
            for one in people
        ],
        "failOnErrors": None,
    }


def person(id: str, manager: str = "", **more: Any) -> dict[str, Any]:
    name = id.title()
    said = {"department": "Sales", **({"manager": {"value": manager}} if manager else {})}
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
        "externalId": id,
        "userName": f"{id}@example.com",
        "displayName": f"{name} Example",
        "name": {"givenName": name, "familyName": "Example"},
        "active": True,
        ENTERPRISE: said,
        **more,
    }


def rows(folder: Path) -> dict[str, tuple[Any, ...]]:
    asked = (
        "SELECT a.user_name, a.display_name, a.department, a.active, m.user_name FROM accounts a "
        "LEFT JOIN accounts m ON a.manager_id = m.id"
    )
    with closing(sqlite3.connect(folder / "accounts.db")) as database:
        return {one[0].partition("@")[0]: one[1:] for one in database.execute(asked)}


def push(house: Served, job: str, *people: dict[str, Any]) -> None:
    answer = house.send("POST", f"{job}/bulkUpload", json.dumps(pushed(*people)).encode(), MEDIA)
    assert (answer.status, answer.body) == (202, b"")
    assert "/auditLogs/provisioning/?$filter=jobid" in answer.headers["location"]


def test_people_are_pushed_into_a_database(tmp_path: Path) -> None:
    command(tmp_path, "init")
    (tmp_path / "provisor.yaml").write_text(CONFIGURATION, encoding="utf-8")
    with closing(sqlite3.connect(tmp_path / "accounts.db")) as database:
        database.executescript(TABLES)
    command(tmp_path, "apply", str(tmp_path / "provisor.yaml"))
    with target() as scim, serving(tmp_path, scim, token_for(tmp_path)) as house:
        principal = house.get("/v1.0/servicePrincipals").json["value"][0]["id"]
        at = f"/v1.0/servicePrincipals/{principal}/synchronization/jobs"
        job = f"{at}/{house.get(at).json['value'][0]['id']}"

        push(house, job, person("ada"), person("bob", manager="ada"))
        assert house.post(f"{job}/start").status == 204
        wait_until(lambda: len(rows(tmp_path)) == 2 and rows(tmp_path)["bob"][3])
        assert rows(tmp_path) == {
            "ada": ("Ada Example", "Sales", 1, None),
            "bob": ("Bob Example", "Sales", 1, "ada@example.com"),
        }

        push(house, job, person("bob", manager="ada", active=False))
        house.post(f"{job}/restart", {"criteria": {"resetScope": "Watermark"}})
        wait_until(lambda: rows(tmp_path)["bob"][2] == 0)
        assert rows(tmp_path)["ada"][2] == 1
        assert house.get(job).json["status"]["code"] == "Active"
