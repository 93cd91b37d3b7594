"""Databases as targets: PostgreSQL and MariaDB behind a wire that can be cut, and SQLite."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from provisor.connectors.sql.settings import Invalid, parse
from provisor.connectors.sql.target import SqlTarget
from provisor.model.entries import Anchor, Value
from provisor.model.rules import AttributeDefinition, AttributeType
from provisor.ports import Target
from provisor.testing.world import Dice, Model, Trouble, World
from tests.worlds.hands import Dialect, Hands
from tests.worlds.tcp import Wire

D = AttributeDefinition
SAMPLES: Mapping[str, tuple[Value, Value]] = {
    "display_name": ("Ada", "Ada Łukasińska-O'Neil"),
    "title": ("Countess", ""),
    "active": (True, False),
    "rank": (1, 2),
    "since": (
        datetime(2024, 2, 29, 12, 30, tzinfo=UTC),
        datetime(2025, 1, 1, 0, 0, 0, 250000, tzinfo=UTC),
    ),
    "badge": (b"\x00\xff", b"other"),
    "tags": (("red", "green"), ("green", "blue")),
}
TYPES = {
    "active": AttributeType.BOOLEAN,
    "rank": AttributeType.INTEGER,
    "since": AttributeType.DATE_TIME,
    "badge": AttributeType.BINARY,
}
MODEL = Model(
    definitions={
        "User": (
            D(name="user_name"),
            D(name="external_id", is_case_exact=True),
            *(
                D(name=n, type=TYPES.get(n, AttributeType.STRING), is_multivalued=n == "tags")
                for n in SAMPLES
            ),
            D(name="manager_id", type=AttributeType.REFERENCE, refers_to=("User",)),
        ),
        "Group": (
            D(name="display_name"),
            D(name="external_id", is_case_exact=True),
            D(name="members", type=AttributeType.REFERENCE, is_multivalued=True),
        ),
    },
    user_name="user_name",
    group_name="display_name",
    title="display_name",
    manager="manager_id",
    samples=SAMPLES,
)
KEY: Mapping[Dialect, str] = {
    "sqlite": "INTEGER PRIMARY KEY AUTOINCREMENT",
    "postgresql": "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    "mariadb": "BIGINT AUTO_INCREMENT PRIMARY KEY",
}
NAME: Mapping[Dialect, str] = {
    "sqlite": "TEXT COLLATE NOCASE",
    "postgresql": "CITEXT",
    "mariadb": "VARCHAR(200)",
}
MOMENT: Mapping[Dialect, str] = {
    "sqlite": "DATETIME",
    "postgresql": "TIMESTAMPTZ",
    "mariadb": "DATETIME(6)",
}
COMMIT: Mapping[Dialect, bytes] = {"postgresql": b"COMMIT", "mariadb": b"\x03COMMIT"}
"""What a commit looks like on the wire."""
BINARY: Mapping[Dialect, str] = {"sqlite": "BLOB", "postgresql": "BYTEA", "mariadb": "BLOB"}


def tables(dialect: Dialect) -> tuple[str, ...]:
    return (
        f"""CREATE TABLE accounts (id {KEY[dialect]}, user_name {NAME[dialect]} NOT NULL UNIQUE,
            external_id VARCHAR(100), display_name VARCHAR(200), title VARCHAR(200),
            active BOOLEAN, "rank" INTEGER, since {MOMENT[dialect]}, badge {BINARY[dialect]},
            manager_id BIGINT REFERENCES accounts (id),
            given_name VARCHAR(100), family_name VARCHAR(100), mail VARCHAR(100),
            job_title VARCHAR(100), department VARCHAR(100))""".replace(
            '"rank"', "`rank`" if dialect == "mariadb" else '"rank"'
        ),
        "CREATE TABLE tags (account_id BIGINT, tag VARCHAR(50))",
        f"""CREATE TABLE teams (id {KEY[dialect]}, display_name VARCHAR(200),
            external_id VARCHAR(100))""",
        """CREATE TABLE team_members (team_id BIGINT REFERENCES teams (id),
           account_id BIGINT REFERENCES accounts (id), PRIMARY KEY (team_id, account_id))""",
    )


SETTINGS: Mapping[str, Any] = {
    "users": {
        "table": "accounts",
        "values": {"tags": {"table": "tags", "parent": "account_id", "value": "tag"}},
    },
    "groups": {
        "table": "teams",
        "members": {"table": "team_members", "group": "team_id", "member": "account_id"},
    },
}


def target(made: Hands, definitions: Any = None, **chosen: Any) -> SqlTarget:
    parsed = parse({**made.settings, **SETTINGS, **chosen}, Path())
    assert not isinstance(parsed, Invalid), parsed
    return SqlTarget(parsed, MODEL.definitions if definitions is None else definitions, Dice())


@dataclass(kw_only=True)
class SqlWorld:
    hands: Hands
    target: Target
    wire: Wire | None
    model: Model = field(default_factory=lambda: MODEL)
    tells_totals: bool = True

    @property
    def troubles(self) -> frozenset[Trouble]:
        able = (Trouble.LOSES_CREATES, Trouble.IS_OFF)
        return frozenset(able if self.wire is not None else ())

    async def members(self, group: Anchor) -> set[Anchor]:
        asked = "SELECT account_id FROM team_members WHERE team_id = ?"
        return {Anchor(str(row[0])) for row in self.hands.do(asked, int(group))}

    async def writes(self) -> int | None:
        return None

    async def befall(self, trouble: Trouble) -> None:
        assert self.wire is not None
        if trouble is Trouble.IS_OFF:
            self.wire.close()
        else:
            self.wire.swallow_answer_to(COMMIT[self.hands.dialect])


def recipe(made: Hands) -> Callable[[], AbstractAsyncContextManager[World]]:
    """Return what opens a world of a database of its own."""

    @asynccontextmanager
    async def open_world() -> AsyncGenerator[World]:
        made.script(*tables(made.dialect))
        wire = Wire(made.port) if made.port else None
        chosen: dict[str, Any] = {"timeouts": {"connect": 5, "read": 20}}
        if wire is not None:
            chosen["url"] = made.url.replace(f":{made.port}/", f":{wire.port}/")
        opened = target(made, **chosen)
        await opened.probe()
        try:
            yield SqlWorld(hands=made, target=opened, wire=wire)
        finally:
            await opened.close()
            if wire is not None:
                wire.close()

    return open_world
