"""A saved plan is carried out exactly; staged departures pass when they were approved, once."""

from __future__ import annotations

import json
import stat
import urllib.request

from tests.cli.workspace import Workspace

CROWD = [f"p{number:02}" for number in range(30)]


def crowded(workspace: Workspace) -> Workspace:
    """Thirty more people, all in the target."""
    workspace.hire(*CROWD)
    assert workspace.run().code == 0
    return workspace


def test_a_saved_plan_is_carried_out_and_nothing_that_is_not_in_it(running: Workspace) -> None:
    running.edit("ada", displayName="Ada Lovelace")
    saved = running.provisor("plan", "people", "--out", "plan.json")
    assert saved.code == 0
    assert stat.S_IMODE((running.folder / "plan.json").stat().st_mode) == 0o600
    assert len(running.server.writes()) == 6
    running.edit("bob", displayName="Bobby")

    ran = running.provisor("run", "people", "--plan", "plan.json")

    assert ran.code == 0, ran.err
    users = running.users()
    assert users["ada"]["displayName"] == "Ada Lovelace"
    assert users["bob"]["displayName"] == "Bob Example", "it was not in the plan"
    assert running.run().code == 0
    assert running.users()["bob"]["displayName"] == "Bobby"


def test_a_step_whose_precondition_is_gone_is_left_out_loudly(running: Workspace) -> None:
    running.edit("ada", displayName="Ada Lovelace")
    running.provisor("plan", "people", "--out", "plan.json")
    running.edit("ada", displayName="Ada King")

    running.provisor("run", "people", "--plan", "plan.json")

    assert running.users()["ada"]["displayName"] == "Ada Example"
    told = running.provisor("logs", "people", "--code", "PlanOutdated")
    assert "make a new plan" in told.out


def test_a_plan_that_was_edited_is_refused(running: Workspace) -> None:
    running.edit("ada", displayName="Ada Lovelace")
    running.provisor("plan", "people", "--out", "plan.json")
    document = json.loads((running.folder / "plan.json").read_text())
    document["steps"][0]["anchor"] = "bob"
    running.write("plan.json", json.dumps(document))

    refused = running.provisor("run", "people", "--plan", "plan.json")

    assert refused.code == 2
    assert "was edited" in refused.err
    running.write("plan.json", "{}")
    assert running.provisor("run", "people", "--plan", "plan.json").code == 2
    assert running.provisor("run", "people", "--plan", "none.json").code == 2


def approve(workspace: Workspace) -> str:
    """Return the hash that the status names, having approved it."""
    told = workspace.provisor("status", "people").out
    line = next(line for line in told.splitlines() if "provisor approve people" in line)
    hash = line.split()[-1]
    approved = workspace.provisor("approve", "people", hash)
    assert approved.code == 0, approved.err
    return hash


def test_a_file_that_shrank_is_believed_only_when_that_very_read_is_approved(
    running: Workspace,
) -> None:
    crowded(running)
    running.dismiss(*CROWD[:15])

    held = running.run()
    assert held.code == 5
    assert "SourceShrank" in held.out
    assert len(running.active()) == 35
    approve(running)

    staged = running.run()
    assert staged.code == 4, "that they are gone does not let them pass the guard"
    assert len(running.active()) == 35
    approve(running)

    assert running.run().code == 0
    assert len(running.active()) == 20


def test_others_in_the_place_of_most_are_created_only_when_that_very_read_is_approved(
    running: Workspace,
) -> None:
    crowded(running)
    before = running.users()
    for id in CROWD:
        person = running.people.pop(id)
        running.people[f"new-{id}"] = {**person, "id": f"new-{id}", "userName": f"new.{id}@x.org"}
    running.export()

    held = running.run()
    assert held.code == 5
    assert "SourceReplaced" in held.out
    assert running.run().code == 5, "time lets nobody pass"
    assert running.users() == before
    approve(running)

    staged = running.run()
    assert staged.code == 4, "that they are gone does not let them pass the guard"
    assert len(running.users()) == len(before) + len(CROWD)


def test_disabled_people_over_the_limit_are_staged_and_let_pass_once(running: Workspace) -> None:
    crowded(running)
    for id in CROWD[:15]:
        running.people[id]["accountEnabled"] = "false"
    running.edit("ada", displayName="Ada Lovelace")

    staged = running.run()

    assert staged.code == 4
    assert "waiting for your approval: 15 departures" in staged.out
    assert len(running.active()) == 35
    assert running.users()["ada"]["displayName"] == "Ada Lovelace", "the rest goes on"
    assert running.status()["status"]["quarantine"]["reason"] == "TooManyDeletes"
    assert running.provisor("plan", "people", "--json").json["counts"] == {"stagedDelete": 15}

    hash = approve(running)

    assert running.run().code == 0
    assert len(running.active()) == 20
    assert running.provisor("approve", "people", hash).code == 2, "it was used"
    assert running.status()["status"]["code"] == "Active"


def test_force_deletes_lets_what_is_staged_pass(running: Workspace) -> None:
    crowded(running)
    for id in CROWD[:15]:
        running.people[id]["accountEnabled"] = "false"
    running.export()
    assert running.run().code == 4

    restarted = running.provisor("restart", "people", "--scope", "ForceDeletes")

    assert "15 staged departures" in restarted.out
    assert running.run().code == 0
    assert len(running.active()) == 20


def test_departures_of_an_approved_plan_pass_with_it(running: Workspace) -> None:
    crowded(running)
    for id in CROWD[:15]:
        running.people[id]["accountEnabled"] = "false"
    running.export()
    running.provisor("plan", "people", "--out", "plan.json")
    hash = json.loads((running.folder / "plan.json").read_text())["hash"]

    held = running.provisor("run", "people", "--plan", "plan.json")
    assert held.code == 4
    assert "not approved and stay staged" in held.err
    assert len(running.active()) == 35

    assert running.provisor("approve", "people", hash).code == 0
    ran = running.provisor("run", "people", "--plan", "plan.json")

    assert ran.code == 0, ran.out
    assert len(running.active()) == 20


def test_a_hash_that_nobody_knows_is_refused(running: Workspace) -> None:
    refused = running.provisor("approve", "people", "0123456789abcdef")

    assert refused.code == 2
    assert "nothing of this hash waits for an approval" in refused.err
    assert running.provisor("approve", "people", "01").code == 2


def test_one_object_is_explained_and_provisioned_now(running: Workspace) -> None:
    running.edit("ada", displayName="Ada Lovelace")
    running.edit("bob", displayName="Bobby")
    target = running.users()["ada"]["id"]

    explained = running.provisor("explain", "people", "ada@example.com")
    (told,) = running.provisor("explain", "people", target, "--json").json
    provisioned = running.provisor("provision", "people", "User:ada")

    assert "displayName: Ada Example → Ada Lovelace" in explained.out
    assert told["match"]["linkedTo"] == target
    assert told["decision"]["action"] == "update"
    assert "update done" in provisioned.out
    users = running.users()
    assert users["ada"]["displayName"] == "Ada Lovelace"
    assert users["bob"]["displayName"] == "Bob Example"
    assert running.provisor("provision", "people", "nobody").code == 2


def test_a_restart_says_what_it_forgets_and_asks_where_it_matters(running: Workspace) -> None:
    told = running.provisor("restart", "people", "--scope", "Full")
    assert told.code == 2
    assert "which account belongs to whom" in told.out
    assert running.provisor("restart", "people", "--scope", "Fool").code == 2

    before = len(running.server.writes())
    for scope in ("Watermark", "Escrows,QuarantineState", "Full"):
        restarted = running.provisor("restart", "people", "--scope", scope, "--yes")
        assert restarted.code == 0, restarted.err
        assert running.run().code == 0
    assert len(running.server.writes()) == before
    assert len(running.active()) == 5


def rename(workspace: Workspace, id: str, name: str) -> None:
    """Change somebody in the target, as another administrator would."""
    url = f"{workspace.server.url}/Users/{workspace.users()[id]['id']}"
    operation = {"op": "replace", "path": "displayName", "value": name}
    body = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [operation],
    }
    headers = {
        "Authorization": f"Bearer {workspace.server.token}",
        "Content-Type": "application/scim+json",
    }
    request = urllib.request.Request(
        url, json.dumps(body).encode(), headers=headers, method="PATCH"
    )
    with urllib.request.urlopen(request) as answer:
        assert answer.status in (200, 204)


def test_a_reconcile_puts_right_what_others_changed(running: Workspace) -> None:
    rename(running, "ada", "Somebody else")

    assert running.run().code == 0
    assert running.users()["ada"]["displayName"] == "Somebody else"
    reconciled = running.provisor("reconcile", "people")

    assert reconciled.code == 0
    assert running.users()["ada"]["displayName"] == "Ada Example"


def test_a_deleted_job_leaves_the_accounts(running: Workspace) -> None:
    assert running.provisor("delete", "people").code == 2

    deleted = running.provisor("delete", "people", "--yes")

    assert "governs 6 objects" in deleted.out
    assert running.provisor("status", "people").code == 2
    assert len(running.active()) == 5
