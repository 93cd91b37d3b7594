"""The drill: the store is lost, and an older one put in its place. What happened since is found."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from pathlib import Path

import psycopg
import pytest

from tests.cli.workspace import Workspace
from tests.worlds.scim2 import Scim2

Restore = Callable[[Path], None]
Site = tuple[Workspace, Restore]


@pytest.fixture(params=["sqlite", "postgresql"])
def site(
    request: pytest.FixtureRequest, tmp_path: Path, scim2: Scim2
) -> Generator[tuple[Workspace, Restore]]:
    """Return a workspace with five people in the target, and what puts a backup in place."""
    if request.param == "sqlite":
        made = Workspace(tmp_path, scim2)
        begin(made)
        yield made, lambda backup: into_the_file(made, backup)
        return
    there: str = request.getfixturevalue("pg_store")
    made = Workspace(tmp_path, scim2, {"PROVISOR_STORE": there})
    begin(made)
    with psycopg.connect(there, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA restored")
        yield made, lambda backup: into_a_server(made, backup)
        connection.execute("DROP SCHEMA restored CASCADE")


def begin(workspace: Workspace) -> None:
    workspace.hire("ada", "bob", "cyd", "dan", "eve")
    assert workspace.provisor("init").code == 0
    workspace.apply()
    assert workspace.run().code == 0


def into_the_file(workspace: Workspace, backup: Path) -> None:
    for name in ("provisor.db-wal", "provisor.db-shm"):
        (workspace.folder / name).unlink(missing_ok=True)
    backup.replace(workspace.folder / "provisor.db")


def into_a_server(workspace: Workspace, backup: Path) -> None:
    place = f"{workspace.environment['PROVISOR_STORE']}?options=-csearch_path%3Drestored"
    copied = workspace.provisor("store", "copy", str(backup), place)
    assert copied.code == 0, copied.err
    workspace.environment["PROVISOR_STORE"] = place


def staff(workspace: Workspace) -> set[str]:
    """Return who is in the group, by the ids in the files."""
    (group,) = workspace.server.says("Group")
    names = {user["id"]: id for id, user in workspace.users().items()}
    return {names[str(member["value"])] for member in group.get("members", [])}


def test_a_cycle_after_a_restore_finds_what_happened_since_the_backup(site: Site) -> None:
    workspace, restore = site
    backup = workspace.folder / "backup.db"
    assert workspace.provisor("backup", str(backup)).code == 0
    workspace.hire("fay", "gus")
    workspace.edit("ada", displayName="Ada Lovelace")
    workspace.dismiss("bob")
    assert workspace.run().code == 0
    workspace.dismiss("gus")
    assert workspace.run().code == 0
    assert workspace.active() == {"ada", "cyd", "dan", "eve", "fay"}
    there = {id: user["id"] for id, user in workspace.users().items()}

    restore(backup)
    workspace.hire("hal")
    workspace.edit("dan", jobTitle="Head")
    workspace.dismiss("cyd")
    ended = workspace.run()

    assert ended.code == 0, ended.out
    assert workspace.active() == {*workspace.people} == {"ada", "dan", "eve", "fay", "hal"}
    users = workspace.users()
    assert {id: user["id"] for id, user in users.items() if id != "hal"} == there
    assert users["ada"]["displayName"] == "Ada Lovelace"
    assert users["dan"]["title"] == "Head"
    assert "0 changes, nothing sent" in workspace.run().out


def test_a_restored_store_believes_nothing_that_it_remembers_of_the_target(site: Site) -> None:
    """Ada has the name of then again, and her place among the staff: by what the backup remembers
    she had both all along."""
    workspace, restore = site
    backup = workspace.folder / "backup.db"
    workspace.write("members.csv", "group,member\ng1,ada\ng1,eve\n")
    assert workspace.run().code == 0
    assert workspace.provisor("backup", str(backup)).code == 0
    workspace.edit("ada", displayName="Ada Lovelace")
    workspace.dismiss("bob")
    workspace.write("members.csv", "group,member\ng1,eve\n")
    assert workspace.run().code == 0
    assert staff(workspace) == {"eve"}

    restore(backup)
    workspace.hire("bob")
    workspace.write("members.csv", "group,member\ng1,ada\ng1,eve\n")
    workspace.edit("ada", displayName="Ada Example")
    assert workspace.run().code == 0

    assert workspace.users()["ada"]["displayName"] == "Ada Example"
    assert staff(workspace) == {"ada", "eve"}
    assert workspace.active() == {*workspace.people}
    assert "0 changes, nothing sent" in workspace.run().out


def test_a_restored_store_still_weighs_departures(site: Site) -> None:
    """The file that is read after a restore has lost most people: nobody is disabled for it."""
    workspace, restore = site
    backup = workspace.folder / "backup.db"
    assert workspace.provisor("backup", str(backup)).code == 0
    everybody = workspace.active()

    restore(backup)
    workspace.dismiss("bob", "cyd", "dan", "eve")
    workspace.run()

    assert workspace.active() == everybody


def test_a_plan_after_a_restore_says_so_and_what_the_next_cycle_does(site: Site) -> None:
    """By what the backup remembers source and target agree."""
    workspace, restore = site
    backup = workspace.folder / "backup.db"
    workspace.write("members.csv", "group,member\ng1,ada\ng1,eve\n")
    assert workspace.run().code == 0
    assert workspace.provisor("backup", str(backup)).code == 0
    workspace.edit("ada", displayName="Ada Lovelace")
    workspace.write("members.csv", "group,member\ng1,eve\n")
    assert workspace.run().code == 0

    restore(backup)
    workspace.edit("ada", displayName="Ada Example")
    workspace.write("members.csv", "group,member\ng1,ada\ng1,eve\n")
    told = workspace.provisor("plan", "people")
    plan = json.loads(workspace.provisor("plan", "people", "--json").out)

    assert "this store was restored or copied" in told.out
    assert plan["isStoreRestored"]
    assert {(step["object"]["id"], step["isReferences"]) for step in plan["steps"]} == {
        ("ada", False),
        ("g1", True),
    }
    assert workspace.users()["ada"]["displayName"] == "Ada Lovelace", "a plan writes nothing"
    assert workspace.run().code == 0
    assert workspace.users()["ada"]["displayName"] == "Ada Example"
    assert staff(workspace) == {"ada", "eve"}
    after = workspace.provisor("plan", "people")
    assert "restored" not in after.out
    assert "no changes" in after.out
