"""Whatever a target does to us, once it is well again everybody is there once, as the files say."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.endtoend.site import JOB, Site, is_active
from tests.endtoend.targets import Hard
from tests.fakes.scim.switches import Fault, Misdeed

MakeSite = Callable[..., Site]


def recovers(site: Site) -> None:
    """The trouble is over: the next cycle leaves nothing to do."""
    site.ends(0, "restart", JOB)
    site.run()
    site.is_as_the_files_say()
    site.is_quiet()


def nobody_was_created_twice(site: Site) -> None:
    created = [asked for asked in site.target.log() if asked.method == "POST" and asked.is_done]
    held = len(site.target.says("User")) + len(site.target.says("Group"))
    assert len(created) == held


@pytest.mark.parametrize("retry_after", ["1", "", "date"])
def test_a_target_that_throttles_is_waited_for(
    before_hard: MakeSite, hard: Hard, retry_after: str
) -> None:
    site = before_hard(30)
    throttle = Fault(what="throttle", method="POST", times=3, retry_after=retry_after)

    with hard.behaving(throttle):
        site.run()

    assert 429 in {asked.status for asked in site.target.log()}
    site.is_as_the_files_say()
    nobody_was_created_twice(site)
    site.is_quiet()


def test_a_target_with_a_rate_limit_is_asked_within_it(before_hard: MakeSite, hard: Hard) -> None:
    site = before_hard(40)

    with hard.behaving(rate=20, retry_after="1"):
        site.run()

    refused = [asked for asked in site.target.log() if asked.status == 429]
    assert len(refused) < len(site.target.log()) / 2, "it learned the limit"
    site.is_as_the_files_say()
    nobody_was_created_twice(site)
    site.is_quiet()


@pytest.mark.parametrize("misdeed", ["lose", "stall", "fail_after"])
def test_what_was_created_without_an_answer_is_found_and_not_created_again(
    before_hard: MakeSite, hard: Hard, misdeed: Misdeed
) -> None:
    site = before_hard()
    faults = [
        Fault(what=misdeed, method="POST", path="/Users", times=4),
        Fault(what=misdeed, method="POST", path="/Groups", times=2),
    ]

    with hard.behaving(*faults):
        assert site.provisor("run", JOB).code in (0, 3)
    site.run()

    nobody_was_created_twice(site)
    site.is_as_the_files_say()
    site.is_quiet()


@pytest.mark.parametrize("misdeed", ["lose", "stall", "fail_after"])
def test_changes_without_an_answer_are_carried_out_once_they_can_be(
    before_hard: MakeSite, hard: Hard, misdeed: Misdeed
) -> None:
    site = before_hard()
    site.run()
    site.company.edit(*site.company.some(6), job_title="Geändert {id}")
    site.company.dismiss(*site.company.some(2))

    with hard.behaving(Fault(what=misdeed, method="PATCH", times=5)):
        assert site.provisor("run", JOB).code in (0, 3)
    site.run()

    site.is_as_the_files_say()
    site.is_quiet()


def test_people_whom_the_target_refuses_are_escrowed_by_name_and_the_others_arrive(
    before_hard: MakeSite, hard: Hard
) -> None:
    site = before_hard()
    refused = site.company.some(3)
    names = [site.company.people[id].user_name for id in refused]

    with hard.behaving(*(Fault(what="refuse", method="POST", body=name) for name in names)):
        site.run(3)

        enabled = {id for id, person in site.company.people.items() if person.is_enabled}
        assert site.active() == enabled - set(refused)
        told = site.ends(0, "escrows", JOB).out
        assert all(id in told for id in refused)
        assert "InternalServerError" in told
        status = site.status()["lastExecution"]
        assert status["countEscrowed"] == len(refused)
        assert status["state"] == "EntryLevelErrors"
    site.run()

    site.is_as_the_files_say()
    nobody_was_created_twice(site)
    assert site.status()["lastExecution"]["countEscrowed"] == 0
    site.is_quiet()


def test_people_who_are_refused_for_good_arrive_when_they_are_let(
    before_hard: MakeSite, hard: Hard
) -> None:
    site = before_hard()
    (refused,) = site.company.some(1)
    name = site.company.people[refused].user_name
    with hard.behaving(Fault(what="refuse", method="POST", body=name, status=400)):
        site.run(3)
        mark = site.mark
        site.run()
        assert site.sent(mark) == [], "it is not asked in vain: its time has not come"
        assert site.status()["lastExecution"]["countEscrowed"] == 1

    site.ends(0, "restart", JOB, "--scope", "Escrows,Watermark")
    site.run()

    site.is_as_the_files_say()
    site.is_quiet()


@pytest.mark.parametrize(
    "switches",
    [
        {"no_total": True},
        {"total_as_text": True},
        {"repeats_last": True},
        {"ignores_start": True},
        {"counts_page": True},
        {"page_max": 7},
        {"no_resources": True},
        {"null_element": True},
        {"bare_resource": True},
        {"has_cursors": True},
        {"has_filter": False},
        {"filters_rfc_only": True},
        {"booleans_as_text": True},
        {"numeric_ids": True, "integers_as_text": True},
        {"swaps_case": True},
        {"no_type": True},
        {"manager_as": "string"},
        {"manager_as": "list"},
        {"answers_in_part": True},
        {"patch_status": 204},
        {"patch_status": 202},
        {"post_without_body": True},
        {"post_without_location": True},
        {"post_without_id": True},
        {"wants_plain_json": True},
        {"content_type": "application/json", "has_bom": True},
        {"has_patch": False},
        {"has_patch": False, "announces_patch": True},
        {"has_discovery": False},
        {"has_versions": True, "needs_version": True},
        {"has_versions": True, "precondition_fails": 3},
        {"checks_members": True},
        {"members_max": 20},
        {"operations_max": 1},
        {"latency_s": 0.02},
        {"html_errors": True},
        {"dialect": "lenient"},
    ],
    ids=str,
)
def test_a_peculiar_target_ends_as_the_files_say(
    before_hard: MakeSite, hard: Hard, switches: dict[str, object]
) -> None:
    site = before_hard(30)
    with hard.behaving(**switches):
        site.run()
        company = site.company
        company.edit(*company.some(2), job_title="Dirigentin {id}")
        company.dismiss(*company.some(1))
        site.run()

        site.is_as_the_files_say()
        nobody_was_created_twice(site)
        mark = site.mark
        site.run()
        assert site.sent(mark) == []


def test_peculiar_lists_hide_nobody_from_a_reconcile(before_hard: MakeSite, hard: Hard) -> None:
    site = before_hard(130)
    site.run()
    before = site.picture()
    for switches in (
        {"no_total": True},
        {"repeats_last": True},
        {"ignores_start": True},
        {"counts_page": True},
        {"page_max": 9},
        {"hides_inactive": True},
    ):
        with hard.behaving(**switches):
            mark = site.mark
            site.ends(0, "reconcile", JOB)
            assert site.sent(mark) == [], switches
            assert site.picture() == before


def test_a_target_that_ignores_filters_links_nobody_wrong(
    before_hard: MakeSite, hard: Hard
) -> None:
    site = before_hard()
    hard.put("User", userName="admin@example.com", active=True, schemas=[])

    with hard.behaving(ignores_filter=True):
        ended = site.run(5)

    assert "ServiceIncompatible" in ended.out
    assert site.sent(0) == []
    (admin,) = site.target.says("User")
    assert admin["userName"] == "admin@example.com"
    assert is_active(admin)


def test_a_target_that_begins_to_ignore_filters_gets_no_duplicates(
    before_hard: MakeSite, hard: Hard
) -> None:
    site = before_hard()
    site.run()
    site.company.hire(8)

    with hard.behaving(ignores_filter=True):
        ended = site.run(5)
        assert "ServiceIncompatible" in ended.out

    recovers(site)
    nobody_was_created_twice(site)


def test_a_target_that_is_switched_off_fails_the_cycle_and_the_third_is_a_quarantine(
    before_hard: MakeSite, hard: Hard
) -> None:
    site = before_hard()
    site.run()
    before = site.picture()
    site.company.edit(*site.company.some(3), department="Nachtdienst")
    with hard.switched_off():
        for _ in range(2):
            site.run(5)
            assert site.status()["code"] != "Quarantine"
        site.run(5)
        status = site.status()
        assert status["code"] == "Quarantine"
        assert status["quarantine"]["reason"] == "EncounteredQuarantineException"
        assert status["countSuccessiveCompleteFailures"] == 3
    assert site.picture() == before

    site.run()

    status = site.status()
    assert (status["code"], status["quarantine"]) == ("Active", None)
    assert status["countSuccessiveCompleteFailures"] == 0
    site.is_as_the_files_say()
    site.is_quiet()


def test_a_target_that_goes_away_in_the_middle_is_caught_up_with(
    before_hard: MakeSite, hard: Hard
) -> None:
    site = before_hard()
    with hard.behaving(latency_s=0.05), site.process("run", JOB) as running:
        while len(site.sent(0)) < 10 and running.poll() is None:
            pass
        with hard.switched_off():
            out, _ = running.communicate(timeout=120)
    assert running.returncode == 5, out
    assert 0 < len(site.target.says("User")) < len(site.company.people)

    site.run()

    site.is_as_the_files_say()
    nobody_was_created_twice(site)
    site.is_quiet()


def test_hidden_holders_of_a_name_are_neither_taken_nor_doubled(
    before_hard: MakeSite, hard: Hard
) -> None:
    """The target refuses a create, for somebody nobody may see has the name."""
    site = before_hard()
    (blocked,) = site.company.some(1)
    name = site.company.people[blocked].user_name
    hard.put("User", userName=name, active=False, schemas=[])

    with hard.behaving(hides_inactive=True):
        site.run(3)
        assert "Conflict" in site.ends(0, "escrows", JOB).out
        assert [u["userName"] for u in site.target.says("User")].count(name) == 1

    recovers(site)
    assert is_active(site.users()[blocked]), "once he is seen he is matched"


def test_an_attribute_that_the_target_drops_is_reported_and_not_sent_for_ever(
    before_hard: MakeSite, hard: Hard
) -> None:
    site = before_hard()
    with hard.behaving(drops=("title",)):
        site.run()
        assert all("title" not in user for user in site.target.says("User"))
        mark = site.mark
        site.run()
        assert site.sent(mark) == []
        site.ends(0, "reconcile", JOB)
        site.run()
        again = site.mark
        site.run()
        assert site.sent(again) == [], "no loop"
    told = site.ends(0, "logs", JOB, "--details", "--limit", "1000").out
    assert "title" in told


@pytest.mark.parametrize("dialect", ["strict", "lenient"])
def test_removing_one_member_never_removes_all(
    before_hard: MakeSite, hard: Hard, dialect: str
) -> None:
    """Some servers take a list of members to remove for all of them."""
    site = before_hard()
    with hard.behaving(array_removes_all=True, dialect=dialect):
        site.run()
        site.company.dismiss(*site.company.some(2))
        site.run()

        site.is_as_the_files_say()
        site.is_quiet()


def test_what_cannot_be_seen_at_once_after_it_was_created_is_not_created_again(
    before_hard: MakeSite, hard: Hard
) -> None:
    site = before_hard(30)

    with hard.behaving(invisible_reads=1):
        site.run()

    site.is_as_the_files_say()
    nobody_was_created_twice(site)


def test_a_slow_target_is_waited_for(before_hard: MakeSite, hard: Hard) -> None:
    site = before_hard(30)

    with hard.behaving(latency_s=0.3):
        site.run()

    site.is_as_the_files_say()
    site.is_quiet()


def test_a_token_that_is_refused_quarantines_at_once(before_hard: MakeSite, hard: Hard) -> None:
    site = before_hard(30)
    site.run()
    with hard.behaving(token="another"):
        site.run(5)
        assert site.status()["code"] == "Quarantine"

    recovers(site)
