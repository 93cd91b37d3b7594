"""Databases as sources: three servers, read as a whole, by watermark, by change table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from provisor.connectors.sql.settings import Invalid, parse
from provisor.connectors.sql.source import SqlSource
from provisor.model.entries import Entry, EntryKey, Reference
from provisor.testing.reading import LateClock, run
from tests.contracts.sources.subjects import PAGE
from tests.worlds.hands import Dialect, Hands, hands

TABLES = (
    """CREATE TABLE people (id VARCHAR(40) PRIMARY KEY, display_name VARCHAR(200),
       manager VARCHAR(40), version BIGINT)""",
    "CREATE TABLE teams (id VARCHAR(40) PRIMARY KEY, display_name VARCHAR(200), version BIGINT)",
    "CREATE TABLE person_members (team VARCHAR(40), member VARCHAR(40))",
    "CREATE TABLE team_members (team VARCHAR(40), member VARCHAR(40))",
    """CREATE TABLE changed (version BIGINT PRIMARY KEY, kind VARCHAR(10), id VARCHAR(40),
       operation VARCHAR(10))""",
)
VIEWS = tuple(
    f"CREATE VIEW changed_{table} AS SELECT version, id, operation FROM changed"
    f" WHERE kind = '{kind}'"
    for table, kind in (("people", "User"), ("teams", "Group"))
)


def settings_for(way: str) -> dict[str, Any]:
    members = [
        {"table": "person_members", "group": "team", "member": "member"},
        {"table": "team_members", "group": "team", "member": "member", "kind": "Group"},
    ]
    users: dict[str, Any] = {"table": "people", "attributes": {"version": None}}
    groups: dict[str, Any] = {"table": "teams", "attributes": {"version": None}}
    if way:
        members = [{**one, "touchesParent": True} for one in members]
    for one, table in ((users, "people"), (groups, "teams")):
        if way == "watermark":
            one |= {"watermark": "version", "overlap": "PT0S"}
        if way == "xmin":
            one |= {"watermark": "xmin"}
        if way == "change table":
            one["overlap"] = "PT0S"
            one["changes"] = {
                "table": f"changed_{table}",
                "anchor": "id",
                "sequence": "version",
                "operation": "operation",
            }
    return {"users": users, "groups": {**groups, "members": members}, "pageRows": PAGE}


class SqlSubject:
    """People and teams in tables; whoever changes a row gives it the next version."""

    def __init__(self, hands: Hands, way: str) -> None:
        self.hands, self.has_changes = hands, bool(way)
        hands.script(*TABLES, *VIEWS)
        parsed = parse({**hands.settings, **settings_for(way)}, Path())
        assert not isinstance(parsed, Invalid), parsed
        self.source = SqlSource(parsed, LateClock())
        self._version = 0

    async def hold(self, *entries: Entry) -> None:
        for entry in entries:
            self._hold(entry)

    def _hold(self, entry: Entry) -> None:
        table = "people" if entry.kind == "User" else "teams"
        version = self._note(EntryKey(entry.kind, entry.anchor), "I")
        said: Mapping[str, Any] = entry.attributes
        self.hands.do(f"DELETE FROM {table} WHERE id = ?", entry.anchor)
        if table == "people":
            manager = said.get("manager")
            self.hands.do(
                "INSERT INTO people VALUES (?, ?, ?, ?)",
                entry.anchor, said["displayName"], manager and manager.anchor, version,
            )  # fmt: skip
            return
        self.hands.do(
            "INSERT INTO teams VALUES (?, ?, ?)", entry.anchor, said["displayName"], version
        )
        for kind, members in (("User", "person_members"), ("Group", "team_members")):
            self.hands.do(f"DELETE FROM {members} WHERE team = ?", entry.anchor)
            for member in cast("tuple[Reference, ...]", said.get("members", ())):
                if member.kind == kind:
                    values = (entry.anchor, member.anchor)
                    self.hands.do(f"INSERT INTO {members} VALUES (?, ?)", *values)

    async def remove(self, gone: EntryKey) -> None:
        table = "people" if gone.kind == "User" else "teams"
        self._note(gone, "D")
        self.hands.do(f"DELETE FROM {table} WHERE id = ?", gone.anchor)

    def _note(self, key: EntryKey, operation: str) -> int:
        self._version += 1
        row = (self._version, key.kind, key.anchor, operation)
        self.hands.do("INSERT INTO changed VALUES (?, ?, ?, ?)", *row)
        return self._version


def subject(name: str, folder: Path, request: pytest.FixtureRequest) -> SqlSubject:
    dialect, _, way = name.partition(" by ")
    made = SqlSubject(hands(cast(Dialect, dialect), folder, request), way)
    request.addfinalizer(lambda: run(made.source.close()))
    return made
