"""An organisation in tables: in a file, in PostgreSQL, in MariaDB."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path

import pytest

from provisor.demo.organisation import Person
from tests.endtoend.origins.differing import between
from tests.endtoend.staff import Staff
from tests.worlds.databases import Server
from tests.worlds.hands import Dialect, Hands, hands
from tests.worlds.tcp import Wire

TABLES = (
    """CREATE TABLE people (id VARCHAR(40) PRIMARY KEY, user_name VARCHAR(200),
       given_name VARCHAR(200), family_name VARCHAR(200), display_name VARCHAR(200),
       mail VARCHAR(200), department VARCHAR(200), job_title VARCHAR(200), manager VARCHAR(40),
       account_enabled INT, is_away INT, deleted INT)""",
    "CREATE TABLE teams (id VARCHAR(40) PRIMARY KEY, display_name VARCHAR(200), deleted INT)",
    """CREATE TABLE team_members (team VARCHAR(40), member VARCHAR(40),
       PRIMARY KEY (team, member))""",
    """CREATE TABLE changed (version BIGINT PRIMARY KEY, kind VARCHAR(10), id VARCHAR(40),
       operation VARCHAR(10))""",
    """CREATE VIEW changed_people AS SELECT version, id, operation FROM changed
       WHERE kind = 'people'""",
    """CREATE VIEW changed_teams AS SELECT version, id, operation FROM changed
       WHERE kind = 'teams'""",
)
COLUMNS = (
    *("user_name", "given_name", "family_name", "display_name", "mail", "department"),
    *("job_title", "manager", "account_enabled", "is_away"),
)
SOURCE = """\
      connector: sql
      settings:
        url: "{url}"
{password}        users:
          table: people
          attributes: {{is_away: null, deleted: null}}
{users}        groups:
          table: teams
          attributes: {{deleted: null}}
{groups}          members: {{table: team_members, group: team, member: member{touches}}}
"""
MARKED = """\
          watermark: xmin
          softDelete: {column: deleted}
"""
LOGGED = """\
          overlap: PT0S
          changes: {{table: changed_{table}, anchor: id, sequence: version, operation: operation}}
"""
CHUNK_BYTES = 1500


class Database:
    """Implements `Origin`. `way`: `snapshot`, `xmin` or `change table`."""

    steps = (1, 12, 150, 2_000)
    away_code = 5
    tells_deletions = True

    def __init__(self, made: Hands, server: Server | None, wire: Wire | None, way: str) -> None:
        self.hands, self.server, self.wire, self.way = made, server, wire, way
        url = made.url if wire is None else made.url.replace(f":{made.port}/", f":{wire.port}/")
        chosen = {
            "xmin": (MARKED, MARKED),
            "change table": (LOGGED.format(table="people"), LOGGED.format(table="teams")),
        }
        users, groups = chosen.get(way, ("", ""))
        self.source = SOURCE.format(
            url=url,
            password="" if server is None else "        password: env:DB\n",
            users=users,
            groups=groups,
            touches="" if way == "snapshot" else ", touchesParent: true",
        )
        self.deletes_softly = way != "change table"
        self._version = 0

    @classmethod
    @contextmanager
    def run(
        cls, folder: Path, dialect: Dialect, way: str, request: pytest.FixtureRequest
    ) -> Generator[Database]:
        made = hands(dialect, folder, request)
        fixture = {"postgresql": "postgres", "mariadb": "mariadb"}.get(dialect)
        server = None if fixture is None else request.getfixturevalue(fixture)
        with ExitStack() as stack:
            wire = None if server is None else stack.enter_context(Wire.to(made.port))
            yield cls(made, server, wire, way)

    # hands

    def found(self, staff: Staff) -> None:
        self.hands.script(*TABLES)
        self._insert("people", [self._row(staff, person) for person in staff.people.values()])
        self._insert("teams", [(g.id, g.display_name, 0) for g in staff.groups.values()])
        pairs = [(g.id, member) for g in staff.groups.values() for member in g.members]
        self._insert("team_members", pairs)

    def become(self, before: Staff, after: Staff) -> None:
        said = between(before, after)
        for group in said.gone_groups:
            self._remove("teams", group.id)
            self.hands.do("DELETE FROM team_members WHERE team = ?", group.id)
        for person in said.gone_people:
            teams = self.hands.do("SELECT team FROM team_members WHERE member = ?", person.id)
            self.hands.do("DELETE FROM team_members WHERE member = ?", person.id)
            self._touch("teams", [str(team) for (team,) in teams])
            self._remove("people", person.id)
        self._insert("people", [self._row(after, person) for person in said.new_people])
        self._touch("people", [person.id for person in said.new_people])
        altered = {new.id: new for _, new in said.changed} | {p.id: p for p in said.moved}
        for person in altered.values():
            id, *values = self._row(after, person)[:-1]
            setting = ", ".join(f"{column} = ?" for column in COLUMNS)
            self.hands.do(f"UPDATE people SET {setting} WHERE id = ?", *values, id)
        self._touch("people", altered)
        self._insert("teams", [(g.id, g.display_name, 0) for g in said.new_groups])
        pairs = [(g.id, member) for g in said.new_groups for member in g.members]
        for old, new in said.regrouped:
            self.hands.do(
                "UPDATE teams SET display_name = ? WHERE id = ?", new.display_name, new.id
            )
            for member in {*old.members} - {*new.members}:
                self.hands.do(
                    "DELETE FROM team_members WHERE team = ? AND member = ?", new.id, member
                )
            pairs += [(new.id, member) for member in {*new.members} - {*old.members}]
        self._insert("team_members", pairs)
        self._touch("teams", [g.id for g in said.new_groups] + [g.id for _, g in said.regrouped])

    def _row(self, staff: Staff, person: Person) -> tuple[object, ...]:
        return (
            *(person.id, person.user_name, person.given_name or None, person.family_name),
            *(person.display_name, person.mail or None, person.department),
            *(person.job_title or None, person.manager or None, int(person.is_enabled)),
            *(int(person.id in staff.away), 0),
        )

    def _insert(self, table: str, rows: Iterable[tuple[object, ...]]) -> None:
        if listed := [*rows]:
            places = ", ".join("?" for _ in listed[0])
            self.hands.many(f"INSERT INTO {table} VALUES ({places})", listed)

    def _remove(self, table: str, id: str) -> None:
        if self.way == "xmin":
            self.hands.do(f"UPDATE {table} SET deleted = 1 WHERE id = ?", id)
            return
        self.hands.do(f"DELETE FROM {table} WHERE id = ?", id)
        self._touch(table, [id], "D")

    def _touch(self, table: str, ids: Iterable[str], operation: str = "U") -> None:
        """Tell of changes, of the row or of its children, as a trigger would."""
        if self.way == "xmin":
            for id in ids:
                self.hands.do(f"UPDATE {table} SET deleted = deleted WHERE id = ?", id)
            return
        rows: list[tuple[object, ...]] = []
        for id in ids:
            self._version += 1
            rows.append((self._version, table, id, operation))
        self._insert("changed", rows)

    def anchors(self, staff: Staff) -> Mapping[str, str]:
        return {id: id for id in (*staff.people, *staff.groups)}

    def restart(self) -> None:
        self.stop()
        self.start()

    def stop(self) -> None:
        self.hands.close()
        if self.server is None:
            Path(self.hands.name).rename(f"{self.hands.name}.away")
        else:
            self.server.kill()

    def start(self) -> None:
        if self.server is None:
            Path(f"{self.hands.name}.away").rename(self.hands.name)
        else:
            self.server.start()
        self.hands.connection = self.hands.another()

    def back_up(self) -> Callable[[], None] | None:
        if self.server is not None:
            return None
        file = Path(self.hands.name)
        self.hands.do("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copyfile(file, f"{file}.kept")

        def restore() -> None:
            self.hands.connection.close()
            for ending in ("-wal", "-shm"):
                Path(f"{file}{ending}").unlink(missing_ok=True)
            shutil.copyfile(f"{file}.kept", file)
            self.hands.connection = self.hands.another()

        return restore

    # wires and lies

    @contextmanager
    def cut_after(self, step: int) -> Generator[None]:
        if self.wire is None:
            yield
            return
        self.wire.cut_after(step * CHUNK_BYTES)
        try:
            yield
        finally:
            self.wire.heal()

    def lies(self) -> Mapping[str, Callable[[], AbstractContextManager[None]]]:
        gone = {"a table is gone": partial(self._without, "people", "")}
        if self.way != "snapshot":
            return gone  # what changed last is looked at again, and what a look finds is so
        few = "id LIKE '%0' OR id LIKE '%1' OR id LIKE '%2'"
        return gone | {
            "nobody is there": partial(self._without, "people", "1 = 0"),
            "no group is there": partial(self._without, "teams", "1 = 0"),
            "no member is there": partial(self._without, "team_members", "1 = 0"),
            "most are not there": partial(self._without, "people", few),
        }

    @contextmanager
    def _without(self, table: str, kept: str) -> Generator[None]:
        """Let a table be filled anew meanwhile, as nightly imports do: in part, or not at all."""
        self.hands.do(f"ALTER TABLE {table} RENAME TO whole")
        if kept:
            self.hands.do(f"CREATE TABLE {table} AS SELECT * FROM whole WHERE {kept}")
        try:
            yield
        finally:
            if kept:
                self.hands.do(f"DROP TABLE {table}")
            self.hands.do(f"ALTER TABLE whole RENAME TO {table}")
