"""The hands of others in a database: plain statements by the drivers, past all that is ours."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import psycopg
import pymysql
import pytest
from pymysql.constants import CLIENT

from tests.worlds.databases import MariaDb, Postgres

Dialect = Literal["sqlite", "postgresql", "mariadb"]
DIALECTS: tuple[Dialect, ...] = ("sqlite", "postgresql", "mariadb")
PASSWORD = "hr-password"


@dataclass(kw_only=True)
class Hands:
    """A database of its own, and a connection to it in which each statement is a transaction."""

    dialect: Dialect
    connection: Any
    url: str
    settings: dict[str, Any]
    """How the connector gets there."""
    port: int = 0
    name: str = ""

    def do(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Carry out a statement, with `?` for values; return what it answers."""
        if self.dialect != "sqlite":
            statement = statement.replace("%", "%%").replace("?", "%s") if values else statement
        cursor = self.connection.cursor()
        try:
            cursor.execute(statement, values or (() if self.dialect == "sqlite" else None))
            return list(cursor.fetchall()) if cursor.description else []
        finally:
            cursor.close()

    def script(self, *statements: str) -> None:
        for statement in statements:
            self.do(statement)

    def many(self, statement: str, rows: Sequence[Sequence[object]]) -> None:
        """Carry out a statement for each row, in one transaction."""
        if self.dialect != "sqlite":
            statement = statement.replace("?", "%s")
        cursor = self.connection.cursor()
        cursor.execute("BEGIN")
        cursor.executemany(statement, rows)
        cursor.execute("COMMIT")
        cursor.close()

    def close(self) -> None:
        """Close the connection, which may have died with its server."""
        with contextlib.suppress(pymysql.Error):
            self.connection.close()

    def another(self) -> Any:
        """Return another connection, on which transactions are begun and ended by hand."""
        match self.dialect:
            case "sqlite":
                return sqlite3.connect(self.name, isolation_level=None, check_same_thread=False)
            case "postgresql":
                return psycopg.connect(
                    host="127.0.0.1", port=self.port, user="hr", password=PASSWORD,
                    dbname="hr", autocommit=True, options=f"-csearch_path={self.name},public",
                )  # fmt: skip
            case "mariadb":
                return pymysql.connect(
                    host="127.0.0.1", port=self.port, user="hr", password=PASSWORD,
                    database=self.name, autocommit=True, charset="utf8mb4",
                    client_flag=CLIENT.FOUND_ROWS,
                )  # fmt: skip


def hands(dialect: Dialect, folder: Path, request: pytest.FixtureRequest) -> Hands:
    """Make an empty database of a kind; skip the test where there is no such server."""
    if dialect == "sqlite":
        file = folder / "people.db"
        connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=OFF")
        made = Hands(
            dialect=dialect,
            connection=connection,
            url=f"sqlite:///{file}",
            settings={"url": f"sqlite:///{file}"},
            name=str(file),
        )
    else:
        fixture = "postgres" if dialect == "postgresql" else "mariadb"
        server = cast("Postgres | MariaDb", request.getfixturevalue(fixture))
        name = server.database()
        made = Hands(
            dialect=dialect,
            connection=None,
            url=server.url(name),
            settings={"url": server.url(name), "password": PASSWORD},
            port=server.port,
            name=name,
        )
        made.connection = made.another()
    request.addfinalizer(made.close)
    return made
