"""Configuration as code: applied, merged, renamed, pruned; secrets kept apart."""

from __future__ import annotations

import json
import sqlite3

import pytest

from provisor.app.checks import template_schema
from tests.cli.workspace import Workspace


def change(workspace: Workspace, before: str, after: str) -> None:
    file = workspace.folder / "provisor.yaml"
    text = file.read_text()
    assert before in text
    workspace.configure(text.replace(before, after))


def test_applying_twice_changes_nothing(workspace: Workspace) -> None:
    workspace.apply()
    before = workspace.status()

    again = workspace.provisor("apply", "provisor.yaml")

    assert "the file and what is in force say the same" in again.out
    assert workspace.status() == before


def test_a_dry_run_shows_and_stores_nothing(workspace: Workspace) -> None:
    shown = workspace.provisor("apply", "provisor.yaml", "--dry-run")

    assert shown.code == 0
    assert "+ jobs.people" in shown.out
    assert workspace.provisor("status", "people").code == 2


def test_a_change_in_the_file_flows_and_is_warned_about_before(running: Workspace) -> None:
    change(running, "PT5M", "PT10M")

    warned = running.provisor("status", "people")
    applied = running.provisor("apply", "provisor.yaml")

    assert "provisor.yaml was changed since it was applied" in warned.err
    assert "~ jobs.people.schedule: PT5M → PT10M" in applied.out
    assert running.status()["schedule"]["interval"] == "PT10M"
    assert not running.provisor("status", "people").err


def test_a_comment_is_no_change(running: Workspace) -> None:
    change(running, "jobs:", "# ours\njobs:")

    assert not running.provisor("status", "people").err


def change_in_force(workspace: Workspace) -> None:
    """Change the schedule as the API would: in the store, past the file."""
    connection = sqlite3.connect(workspace.folder / "provisor.db")
    with connection:
        (definition,) = connection.execute("SELECT definition FROM job").fetchone()
        edited = str(definition).replace("PT300S", "PT1200S").replace("PT5M", "PT20M")
        assert edited != definition, definition
        connection.execute("UPDATE job SET definition = ?", (edited,))
    connection.close()


def test_what_was_changed_on_both_sides_is_refused_and_shown(running: Workspace) -> None:
    change_in_force(running)
    assert running.status()["schedule"]["interval"] == "PT20M"
    kept = running.provisor("apply", "provisor.yaml")
    assert "jobs.people.schedule: changed since the last apply, and kept" in kept.out
    assert running.status()["schedule"]["interval"] == "PT20M"

    change(running, "PT5M", "PT10M")
    refused = running.provisor("apply", "provisor.yaml")

    assert refused.code == 2
    assert "applied last PT5M, the file PT10M, in force PT20M" in refused.err
    assert running.status()["schedule"]["interval"] == "PT20M"
    assert running.provisor("apply", "provisor.yaml", "--overwrite").code == 0
    assert running.status()["schedule"]["interval"] == "PT10M"


def test_everything_that_is_wrong_is_told_and_nothing_is_stored(workspace: Workspace) -> None:
    change(workspace, "schedule: PT5M", "shedule: PT5M\n    syncAll: 3")

    refused = workspace.provisor("apply", "provisor.yaml")

    assert refused.code == 2
    assert (
        "provisor.yaml:10: jobs.people.shedule: there is no such key; did you mean" in refused.err
    )
    assert "provisor.yaml:11: jobs.people.syncAll: is to be true or false" in refused.err
    assert not refused.out


def test_a_renamed_job_keeps_its_links(running: Workspace) -> None:
    before = len(running.server.writes())
    id = running.status()["id"]
    change(running, "  people:\n", "  staff:\n    renamedFrom: people\n")

    running.apply()
    ran = running.provisor("run", "staff")

    assert "0 changes" in ran.out
    assert len(running.server.writes()) == before
    assert running.provisor("status", "staff", "--json").json["id"] == id
    assert running.provisor("status", "people").code == 2


def test_a_job_that_left_the_file_stays_until_it_is_pruned(running: Workspace) -> None:
    text = (running.folder / "provisor.yaml").read_text()
    running.configure(text.partition("jobs:")[0])

    told = running.provisor("apply", "provisor.yaml")
    assert "jobs.people: no longer in the file, and still in force" in told.out
    assert running.provisor("status", "people").code == 0

    pruned = running.provisor("apply", "provisor.yaml", "--prune")

    assert pruned.code == 0
    assert running.provisor("status", "people").code == 2
    assert len(running.active()) == 5, "accounts stay as they are"


def test_the_store_of_another_tenant_is_refused(running: Workspace) -> None:
    change(running, "6f1c2f7e", "7f1c2f7e")

    refused = running.provisor("apply", "provisor.yaml")

    assert refused.code == 2
    assert "tenant.id: this store belongs to 6f1c2f7e" in refused.err


def test_a_file_without_tenant_is_given_one_that_stays(workspace: Workspace) -> None:
    change(workspace, "tenant: {id: 6f1c2f7e-5a53-4d5c-9d4a-0e8a1f6f9f10}\n", "")

    first = workspace.provisor("apply", "provisor.yaml")
    id = workspace.status()["id"]
    second = workspace.provisor("apply", "provisor.yaml")

    assert "names no tenant; one was made up" in first.err
    assert second.code == 0
    assert workspace.status()["id"] == id


def test_ids_survive_the_loss_of_the_store(workspace: Workspace) -> None:
    workspace.apply()
    id = workspace.status()["id"]
    for file in workspace.folder.glob("provisor.db*"):
        file.unlink()

    workspace.apply()

    assert workspace.status()["id"] == id


@pytest.mark.parametrize("is_literal", [True, False])
def test_a_schedule_starts_a_new_job_once_it_can_run(
    workspace: Workspace, is_literal: bool
) -> None:
    if is_literal:
        change(workspace, "    schedule: PT5M\n", "")
        expected = ("Paused", "Disabled")
    else:
        change(workspace, '"env:APP_TOKEN"', '""')
        expected = ("NotConfigured", "Disabled")

    workspace.apply()

    status = workspace.status()
    assert (status["status"]["code"], status["schedule"]["state"]) == expected


def test_apply_never_unpauses_a_job(running: Workspace) -> None:
    assert running.provisor("pause", "people").code == 0
    change(running, "PT5M", "PT10M")

    running.apply()

    assert running.status()["status"]["code"] == "Paused"
    assert running.run().code == 0, "run works in any state"
    assert running.status()["status"]["code"] == "Paused"


def test_a_secret_may_be_put_into_the_vault(workspace: Workspace) -> None:
    change(workspace, ', token: "env:APP_TOKEN"', "")
    workspace.apply()
    assert workspace.status()["status"]["code"] == "NotConfigured"

    stored = workspace.provisor(
        "secrets", "set", "people", "target.token", text=f"{workspace.server.token}\n"
    )

    assert stored.code == 0, stored.err
    assert "vault" in workspace.provisor("secrets", "list").out
    assert workspace.status()["status"]["code"] == "Paused"
    assert workspace.run().code == 0
    rotated = workspace.provisor("key", "rotate")
    assert "1 secret encrypted anew" in rotated.out
    assert workspace.run().code == 0


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("target.baseAddress", "is no secret of this connector"),
        ("token", "begin with source. or target."),
    ],
)
def test_only_secrets_are_secrets(running: Workspace, path: str, message: str) -> None:
    refused = running.provisor("secrets", "set", "people", path, text="x")

    assert refused.code == 2
    assert message in refused.err


def schema_with_title(title: str) -> str:
    """Return the template's schema, in which everybody has this title."""
    schema = json.loads(template_schema("scim"))
    for mapping in schema["synchronizationRules"][0]["objectMappings"]:
        for attribute in mapping["attributeMappings"]:
            if attribute["targetAttributeName"] == "title":
                attribute["source"] = {
                    "type": "Constant",
                    "name": title,
                    "expression": f'"{title}"',
                }
    return json.dumps(schema)


def test_an_edited_schema_takes_effect_with_the_next_cycle(running: Workspace) -> None:
    running.write("own.json", schema_with_title("Colleague"))
    change(running, "    schedule: PT5M", "    schema: own.json\n    schedule: PT5M")

    applied = running.provisor("apply", "provisor.yaml")

    assert applied.code == 0, applied.err
    assert "(a schema of" in applied.out
    assert running.provisor("plan", "people", "--detailed-exitcode").code == 7
    assert running.run().code == 0
    assert {user["title"] for user in running.users().values()} == {"Colleague"}
    running.write("own.json", schema_with_title("Friend"))
    assert "was changed since it was applied" in running.provisor("status").err
    running.write("own.json", "{")
    refused = running.provisor("apply", "provisor.yaml")
    assert refused.code == 2
    assert "own.json: This is no JSON document" in refused.err


def test_a_backup_is_a_store(running: Workspace) -> None:
    copy = running.folder / "copy"
    copy.mkdir()
    backup = copy / "provisor.db"

    assert running.provisor("backup", str(backup)).code == 0
    assert running.provisor("backup", str(backup)).code == 2
    for name in ("provisor.yaml", "provisor.key", "people.csv", "groups.csv", "members.csv"):
        (copy / name).write_bytes((running.folder / name).read_bytes())
    (copy / "provisor.key").chmod(0o600)

    told = running.provisor("--workspace", str(copy), "status", "people", "--json")

    assert told.json == running.status()


def test_a_restored_backup_looks_before_it_writes(running: Workspace) -> None:
    backup = running.folder / "backup.db"
    assert running.provisor("backup", str(backup)).code == 0
    running.hire("fay", "gus")
    running.edit("ada", displayName="Ada Lovelace")
    assert running.run().code == 0
    for name in ("provisor.db-wal", "provisor.db-shm"):
        (running.folder / name).unlink(missing_ok=True)
    backup.replace(running.folder / "provisor.db")
    before = len(running.server.writes())

    ended = running.provisor("reconcile", "people")

    assert ended.code == 0, ended.out
    assert len(running.server.writes()) == before, "everything was there already"
    assert running.active() == {*running.people}
    assert "0 changes" in running.run().out


def test_without_any_store_everybody_is_matched_anew(running: Workspace) -> None:
    for file in running.folder.glob("provisor.db*"):
        file.unlink()
    before = len(running.server.writes())

    running.apply()

    assert running.run().code == 0
    assert len(running.server.writes()) == before
    assert len(running.users()) == 5
