"""What `status`, `logs`, `explain` and `plan` tell, held against the target's own access log."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from provisor.demo.organisation import Organisation
from tests.endtoend.company import EVERYBODY, Company
from tests.endtoend.site import JOB, Site, shown
from tests.endtoend.targets import Hard
from tests.fakes.scim.switches import Fault

MakeSite = Callable[..., Site]


@pytest.fixture
def arrived(before_hard: MakeSite) -> Site:
    """Return a site before our server, whose log tells what each request did; all arrived."""
    site = before_hard()
    site.run()
    return site


def written(site: Site, mark: int) -> set[tuple[str, str]]:
    """Return the objects that the target says it has written since a mark: endpoint and id."""
    return {
        (asked.path.strip("/").partition("/")[0], asked.effect.partition(" ")[2])
        for asked in site.since(mark)
        if asked.effect
    }


def cycle_of(site: Site) -> dict[str, Any]:
    return site.status()["lastExecution"]


def references(company: Company) -> set[tuple[str, str, str]]:
    """Return every manager and every membership that the files tell."""
    managers = {("manager", p.id, p.manager) for p in company.people.values() if p.manager}
    members = {("member", g.id, m) for g in company.groups.values() for m in g.members}
    return managers | members


def differences(before: Organisation, now: Organisation) -> set[str]:
    """Return the ids of all who joined, left or changed."""
    people, groups = {*before.people, *now.people}, {*before.groups, *now.groups}
    found = {id for id in people if before.people.get(id) != now.people.get(id)}
    return found | {id for id in groups if before.groups.get(id) != now.groups.get(id)}


def agrees(site: Site, mark: int) -> dict[str, Any]:
    """Hold the latest cycle, its log and the links against what the target has done."""
    status, done = site.status(), written(site, mark)
    last = status["lastExecution"]
    assert last["countExported"] == len(done)
    linked = {entry["key"]: entry["value"] for entry in status["synchronizedEntryCountByType"]}
    assert linked == {
        "User to User": len(site.target.says("User")),
        "Group to Group": len(site.target.says("Group")),
    }
    entries = site.logs("--cycle", last["activityIdentifier"], "--status", "success")
    logged = {
        (f"{entry['targetIdentity']['identityType']}s", entry["targetIdentity"]["id"])
        for entry in entries
    }
    assert logged == done
    for action, effect in (("create", "created"), ("disable", "changed")):
        acted = {e["targetIdentity"]["id"] for e in entries if e["provisioningAction"] == action}
        told = {a.effect.partition(" ")[2] for a in site.since(mark) if a.effect.startswith(effect)}
        assert acted <= told
        assert acted == told or action != "create"
    began, ended = (datetime.fromisoformat(last[name]) for name in ("timeBegan", "timeEnded"))
    assert began <= ended
    return status


def test_the_first_cycle_counts_what_it_read_and_what_the_target_has_created(
    before_hard: MakeSite,
) -> None:
    site = before_hard()
    assert site.status()["lastExecution"] is None

    site.run()

    status, company = agrees(site, 0), site.company
    last, objects = status["lastExecution"], len(company.people) + len(company.groups)
    enabled = sum(person.is_enabled for person in company.people.values())
    assert last["countImported"] == last["countImportedDeltas"] == objects
    assert last["countImportedReferenceDeltas"] == len(references(company))
    assert last["countExported"] == last["countExports"] == enabled + len(company.groups)
    assert last["countEscrowed"] == last["countEscrowedRaw"] == 0
    assert (last["state"], last["error"]) == ("Succeeded", None)
    assert status["lastSuccessfulExecution"] == last
    assert status["lastSuccessfulExecutionWithExports"] == last
    assert status["steadyStateFirstAchievedTime"] == status["steadyStateLastAchievedTime"]
    assert status["code"] == "Active"
    assert (status["progress"], status["quarantine"]) == ([], None)


def test_a_quiet_cycle_counts_nothing_and_keeps_the_last_one_with_exports(arrived: Site) -> None:
    first = arrived.status()

    arrived.run()

    status = arrived.status()
    last = status["lastExecution"]
    numbers = {name: value for name, value in last.items() if name.startswith("count")}
    assert set(numbers.values()) == {0}, numbers
    assert status["lastSuccessfulExecution"] == last
    assert status["lastSuccessfulExecutionWithExports"] == first["lastExecution"]
    assert status["steadyStateFirstAchievedTime"] == first["steadyStateFirstAchievedTime"]
    assert status["steadyStateLastAchievedTime"] > first["steadyStateLastAchievedTime"]


def test_every_later_cycle_counts_what_differs_and_what_the_target_has_written(
    arrived: Site,
) -> None:
    company = arrived.company
    for day in range(4):
        before, mark = company.now, arrived.mark
        pointed = references(company)
        company.edit(*company.some(3), job_title=f"Tag {day}")
        company.edit(*company.some(1), manager=company.some(1)[0])
        company.dismiss(*company.some(1))
        company.hire(2)
        company.rename(EVERYBODY, f"Alle, Tag {day}")

        arrived.run()

        last = agrees(arrived, mark)["lastExecution"]
        differing = differences(before, company.now)
        assert last["countImported"] == last["countImportedDeltas"] == len(differing)
        left = before.people.keys() - company.people.keys()
        changed = {r for r in pointed ^ references(company) if r[1] not in left}
        assert last["countImportedReferenceDeltas"] == len(changed)
        assert last["countExports"] == last["countExported"]
    arrived.is_as_the_files_say()


def test_what_the_target_refuses_is_counted_as_decided_and_not_as_done(
    arrived: Site, hard: Hard
) -> None:
    company, mark = arrived.company, arrived.mark
    steady = arrived.status()
    changed = company.some(5)
    company.edit(*changed, job_title="Wird geändert")
    users = arrived.users()
    refused = [users[id]["id"] for id in changed[:2]]

    with hard.behaving(*(Fault(what="refuse", path=f"/Users/{id}", status=400) for id in refused)):
        arrived.run(3)

    status = agrees(arrived, mark)
    last = status["lastExecution"]
    assert (last["countExports"], last["countExported"]) == (5, 3)
    assert last["countEscrowed"] == last["countEscrowedRaw"] == 2
    assert last["state"] == "EntryLevelErrors"
    assert status["lastSuccessfulExecution"] == steady["lastSuccessfulExecution"]
    failures = arrived.logs("--status", "failure", "--cycle", last["activityIdentifier"])
    assert {entry["sourceIdentity"]["id"] for entry in failures} == set(changed[:2])
    told = json.loads(arrived.ends(0, "escrows", JOB, "--json").out)
    assert set(changed[:2]) <= set(json.dumps(told).replace('"', " ").split())


def test_a_failed_cycle_counts_as_failed_and_touches_no_success(arrived: Site, hard: Hard) -> None:
    before = arrived.status()
    arrived.company.edit(*arrived.company.some(1), job_title="Später")

    with hard.switched_off():
        arrived.run(5)

    status = arrived.status()
    assert status["lastExecution"]["state"] == "Failed"
    assert status["lastExecution"]["error"]["code"]
    assert status["lastExecution"]["countExported"] == 0
    assert status["countSuccessiveCompleteFailures"] == 1
    assert status["troubleshootingUrl"]
    for name in (
        "lastSuccessfulExecution",
        "lastSuccessfulExecutionWithExports",
        "steadyStateFirstAchievedTime",
        "steadyStateLastAchievedTime",
    ):
        assert status[name] == before[name]


def test_explain_and_provision_tell_of_one_person_and_touch_nobody_else(arrived: Site) -> None:
    company = arrived.company
    one, other = company.some(2)
    company.edit(one, other, job_title="Befördert")
    users, mark = arrived.users(), arrived.mark
    last = arrived.status()["lastExecution"]

    (told,) = arrived.ends(0, "explain", JOB, one, "--json").json

    assert told["match"]["linkedTo"] == users[one]["id"]
    assert told["decision"]["action"] == "update"
    assert arrived.sent(mark) == []
    (done,) = arrived.ends(0, "provision", JOB, one, "--json").json
    assert (done["action"], done["status"]) == ("update", "success")
    assert [asked.id for asked in arrived.sent(mark)] == [users[one]["id"]]
    assert arrived.users()[one]["title"] == "Befördert"
    assert arrived.users()[other]["title"] != "Befördert"
    assert arrived.status()["lastExecution"] == last, "it is no execution"
    again = arrived.mark
    (idle,) = arrived.ends(0, "provision", JOB, one, "--json").json
    assert idle["status"] == "skipped"
    assert arrived.sent(again) == []
    arrived.run()
    arrived.is_as_the_files_say()


def test_a_plan_names_what_is_written_and_its_run_writes_what_it_names(arrived: Site) -> None:
    company, mark = arrived.company, arrived.mark
    company.edit(*company.some(3), job_title="Nach Plan")
    company.dismiss(*company.some(2))
    company.hire(2)
    steps = arrived.plan()
    assert arrived.sent(mark) == [], "planning sends nothing"
    late = company.some(1)
    company.edit(*late, department="Zu spät")

    arrived.ends(0, "run", JOB, "--plan", "plan.json")

    done = written(arrived, mark)
    kinds = {"User to User": arrived.users(), "Group to Group": arrived.groups()}
    planned = {
        (f"{step['objectMapping'].partition(' ')[0]}s", kinds[step["objectMapping"]][id]["id"])
        for step in steps
        if (id := step["object"]["id"])
    }
    assert done == planned
    assert "Zu spät" not in {shown(user)["department"] for user in arrived.target.says("User")}
    arrived.run()
    arrived.is_as_the_files_say()
    arrived.is_quiet()


def test_too_many_departures_wait_for_an_approval_which_lets_exactly_them_pass_once(
    arrived: Site,
) -> None:
    company = arrived.company
    before = arrived.active()
    off = company.some(15)
    company.edit(*off, is_enabled=False)
    company.edit(*company.some(2), job_title="Bleibt")

    ended = arrived.run(4)

    status = arrived.status()
    assert status["code"] == "Quarantine"
    assert status["quarantine"]["reason"] == "TooManyDeletes"
    assert status["quarantine"]["seriesCount"] == 1
    assert status["countSuccessiveCompleteFailures"] == 0
    assert "15 departures" in ended.out
    assert arrived.active() == before
    staged = arrived.logs("--code", "StagedDelete")
    assert {entry["sourceIdentity"]["id"] for entry in staged} == set(off)
    arrived.run(4)
    assert arrived.active() == before, "time releases nothing"

    hash, mark = arrived.approve(), arrived.mark
    (late,) = company.some(1)
    company.edit(late, is_enabled=False)
    arrived.run()
    assert not arrived.active() & set(off)
    assert len(written(arrived, mark)) >= 15
    assert arrived.provisor("approve", JOB, hash).code == 2, "it was used"
    arrived.run()
    arrived.is_as_the_files_say()
