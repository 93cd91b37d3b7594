"""From an empty folder to a quiet cycle, by typing commands."""

from __future__ import annotations

import json
import stat
from pathlib import Path

from tests.cli.workspace import Workspace
from tests.worlds.scim2 import Scim2


def test_every_command_is_a_process_of_its_own(workspace: Workspace) -> None:
    for arguments in (("init",), ("apply", "provisor.yaml"), ("plan", "people"), ("run", "people")):
        ended = workspace.process(*arguments)
        assert ended.code == 0, ended.err

    assert len(workspace.active()) == 5
    assert workspace.process("staus").code == 2


def test_init_apply_plan_run_status(workspace: Workspace) -> None:
    assert workspace.provisor("init").code == 0

    applied = workspace.provisor("apply", "provisor.yaml")
    assert applied.code == 0
    assert applied.out.endswith("configuration stored; nothing sent; next: provisor plan people\n")

    planned = workspace.provisor("plan", "people", "--json").json
    assert planned["counts"] == {"create": 6}
    assert not workspace.server.writes()

    ran = workspace.run()
    assert ran.code == 0, ran.err
    assert "people: Succeeded, initial cycle" in ran.out
    assert "6 created" in ran.out
    assert not ran.err, "progress is for terminals"
    assert workspace.active() == {"ada", "bob", "cyd", "dan", "eve"}

    writes = len(workspace.server.writes())
    again = workspace.run()
    assert "0 changes, nothing sent" in again.out
    assert len(workspace.server.writes()) == writes

    status = workspace.status()
    assert status["id"].startswith("scim.6f1c2f7e5a534d5c9d4a0e8a1f6f9f10.")
    assert status["schedule"] == {"expiration": None, "interval": "PT5M", "state": "Active"}
    assert status["status"]["code"] == "Active"
    assert status["status"]["lastExecution"]["countExported"] == 0
    assert status["status"]["lastSuccessfulExecutionWithExports"]["countExported"] == 6
    counts = status["status"]["synchronizedEntryCountByType"]
    assert {pair["key"]: pair["value"] for pair in counts} == {
        "User to User": 5,
        "Group to Group": 1,
    }


def test_a_new_workspace_is_private_and_made_only_once(tmp_path: Path, scim2: Scim2) -> None:
    workspace = Workspace(tmp_path, scim2)
    (tmp_path / "provisor.yaml").unlink()

    first = workspace.provisor("init")
    file = (tmp_path / "provisor.yaml").read_text()
    key = (tmp_path / "provisor.key").read_bytes()
    second = workspace.provisor("init")

    assert (first.code, second.code) == (0, 0)
    assert (tmp_path / "provisor.yaml").read_text() == file
    assert (tmp_path / "provisor.key").read_bytes() == key
    for name in ("provisor.key", "provisor.db"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_the_workspace_may_be_elsewhere(workspace: Workspace, tmp_path: Path) -> None:
    workspace.apply()
    elsewhere = Workspace.__new__(Workspace)
    elsewhere.folder, elsewhere.environment = tmp_path.parent, workspace.environment

    for arguments in (
        ("--workspace", str(tmp_path), "status", "people"),
        ("status", "people", "--workspace", str(tmp_path)),
    ):
        assert elsewhere.provisor(*arguments).code == 0
    assert elsewhere.provisor("status", "people", PROVISOR_WORKSPACE=str(tmp_path)).code == 0
    nowhere = elsewhere.provisor("status")
    assert nowhere.code == 2
    assert "`provisor init` makes one" in nowhere.err


def test_exactly_what_changed_flows(running: Workspace) -> None:
    running.edit("ada", displayName="Ada Lovelace")
    running.edit("bob", accountEnabled="false")
    running.dismiss("cyd")
    running.hire("fay")
    before = len(running.server.writes())

    planned = running.provisor("plan", "people", "--json").json
    ran = running.run()

    assert {(s["object"]["id"], s["action"]) for s in planned["steps"]} == {
        ("ada", "update"),
        ("bob", "disable"),
        ("cyd", "disable"),
        ("fay", "create"),
    }
    assert ran.code == 0, ran.err
    assert len(running.server.writes()) - before == 4
    assert running.active() == {"ada", "dan", "eve", "fay"}
    assert running.users()["ada"]["displayName"] == "Ada Lovelace"


def test_a_file_that_is_cut_short_removes_nobody_and_says_why(running: Workspace) -> None:
    whole = (running.folder / "people.csv").read_text()
    running.write("people.csv", whole[: len(whole) // 2])

    ran = running.run()

    assert ran.code == 5
    assert "SourceReadIncomplete: people.csv, line" in ran.out
    assert len(running.active()) == 5
    running.write("people.csv", whole)
    assert running.run().code == 0


def test_a_row_that_cannot_be_read_is_an_error_of_its_own(running: Workspace) -> None:
    file = running.folder / "people.csv"
    running.write("people.csv", file.read_text() + "gus,too,few\n")

    ran = running.run()
    escrows = running.provisor("escrows", "people", "--json").json

    assert ran.code == 3
    reasons = [one["reason"] for group in escrows["value"] for one in group["objects"]]
    assert any("people.csv, line 7" in reason for reason in reasons)
    assert len(running.active()) == 5


def test_an_object_that_the_target_refuses_waits_in_escrow(running: Workspace) -> None:
    from tests.worlds.faults import Fault

    running.server.misbehave(Fault(what="refuse", method="POST", path="/Users", status=400))
    running.hire("gus")

    ran = running.run()

    assert ran.code == 3
    assert "1 object failed" in ran.out
    told = running.provisor("escrows", "people")
    assert "gus Gus Example" in told.out
    (group,) = running.provisor("escrows", "people", "--json").json["value"]
    assert group["count"] == 1
    failed = running.provisor("logs", "people", "--status", "failure", "--json").json["value"]
    assert {entry["sourceIdentity"]["id"] for entry in failed} == {"gus"}
    assert running.provisor("status", "people").code == 0


def test_a_target_that_is_switched_off_ends_the_cycle(running: Workspace) -> None:
    running.hire("gus")

    with running.server.switched_off():
        ran = running.run()
        planned = running.provisor("plan", "people")

    assert ran.code == 5
    assert "TargetUnreachable" in ran.out
    assert "this cycle would fail: TargetUnreachable" in planned.out
    assert running.run().code == 0
    assert "gus" in running.active()


def test_a_wrong_token_says_what_to_do_and_never_the_token(running: Workspace) -> None:
    running.environment["APP_TOKEN"] = "not-the-right-one"

    ran = running.run()

    assert ran.code == 5
    assert "InvalidCredentials" in ran.out
    assert "not-the-right-one" not in ran.out + ran.err
    status = running.status()["status"]
    assert status["code"] == "Quarantine"
    assert status["quarantine"]["reason"] == "EncounteredQuarantineException"


def test_a_reference_that_leads_nowhere_says_which(running: Workspace) -> None:
    del running.environment["APP_TOKEN"]

    ran = running.run()

    assert ran.code == 2
    assert "target.token: the environment variable APP_TOKEN is not set" in ran.err


def test_no_secret_is_in_the_store(workspace: Workspace) -> None:
    text = (workspace.folder / "provisor.yaml").read_text()
    workspace.configure(text.replace("env:APP_TOKEN", workspace.server.token))

    workspace.apply()

    assert workspace.run().code == 0
    stored = b"".join(
        path.read_bytes()
        for path in workspace.folder.iterdir()
        if path.name.startswith("provisor.db")
    )
    assert workspace.server.token.encode() not in stored


def test_json_of_all_jobs_is_a_list(running: Workspace) -> None:
    told = running.provisor("status", "--json").json

    assert [json.dumps(job) for job in told["value"]]
    assert "people" in running.provisor("status").out
