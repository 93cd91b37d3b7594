"""The store is brought up to date by a newer Provisor while this one is at work: it ends, and says
why. An older store that others may work on is brought up to date when somebody asks for it."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from provisor.store.postgresql.migrations import OLDEST, VERSION
from tests.cli.workspace import PATIENCE_S, Workspace, wait_until
from tests.contracts.store.versions.dumped import bring
from tests.worlds import pgstores
from tests.worlds.databases import Postgres
from tests.worlds.scim2 import Scim2


@pytest.fixture
def workspace(tmp_path: Path, scim2: Scim2, pg_store: str) -> Generator[Workspace]:
    """Give a workspace on a server, whose job is due every second."""
    made = Workspace(tmp_path, scim2, {"PROVISOR_STORE": pg_store, "PROVISOR_LEASE_S": "2.5"})
    made.hire("ada")
    assert made.provisor("init").code == 0
    made.apply()
    with pgstores.opened(pg_store) as store:  # nobody may configure less than a minute
        (job,) = asyncio.run(store.jobs())
        asyncio.run(store.put_job(replace(job, schedule=timedelta(seconds=1))))
    yield made
    needed(pg_store, OLDEST)


def needed(address: str, version: int) -> None:
    """Say what a newer version says when the tables have become others."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("UPDATE meta SET value = %s WHERE name = 'needs'", (str(version),))
        connection.execute("SET provisor.tables = 1000")
        connection.execute("UPDATE job SET epoch = epoch + 1")


@pytest.mark.parametrize(
    "command", [("worker",), ("serve", "--port", "0"), ("run", "people", "--watch")]
)
def test_who_is_at_work_ends_and_says_why(
    workspace: Workspace, pg_store: str, command: tuple[str, ...]
) -> None:
    with workspace.begin(*command) as process:
        try:
            wait_until(lambda: workspace.active() == {"ada"})
            needed(pg_store, VERSION + 1)
            workspace.hire("bob")

            _, err = process.communicate(timeout=PATIENCE_S)
        finally:
            process.kill()

    assert process.returncode == 2
    assert "upgrade this" in err.lower()
    assert "StoreTooNew" in err
    assert workspace.active() == {"ada"}
    assert "written by a newer Provisor" in workspace.provisor("status", "people").err


def test_a_store_that_others_may_work_on_waits_to_be_asked(
    tmp_path: Path, scim2: Scim2, postgres: Postgres
) -> None:
    with postgres.root() as root:
        root.execute("CREATE DATABASE earlier OWNER hr")
    address = f"postgresql://hr:hr-password@127.0.0.1:{postgres.port}/earlier"
    bring("2", address)
    workspace = Workspace(tmp_path, scim2, {"PROVISOR_STORE": address})

    refused = workspace.provisor("status", "people")
    asked = workspace.provisor("store", "migrate")
    again = workspace.provisor("store", "migrate")

    assert refused.code == 2
    assert "`provisor store migrate` (StoreTooOld)" in refused.err
    assert (asked.code, again.code) == (0, 0)
    assert f"is of version {VERSION} now; it was of version 2" in asked.out
    assert "is up to date" in again.out


def test_a_file_is_brought_up_to_date_by_whoever_opens_it(tmp_path: Path, scim2: Scim2) -> None:
    workspace = Workspace(tmp_path, scim2)
    nothing = workspace.provisor("store", "migrate")
    assert workspace.provisor("init").code == 0

    asked = workspace.provisor("store", "migrate")

    assert nothing.code == 2
    assert "there is no store at" in nothing.err
    assert "is up to date" in asked.out
