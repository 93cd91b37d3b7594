"""The acceptance scenarios, by their numbers, as far as the engine itself can show them.

How often 13 (a revoked token) is tried is told by the tests of the job's status, 14 by those of
the thresholds.
"""

from __future__ import annotations

from contextlib import suppress

import pytest

from provisor.errors import Denied, Rejected
from provisor.model.cycles import CycleKind, CycleResult, QuarantineReason
from provisor.model.decisions import Create, Delete, Update
from provisor.model.entries import Anchor, Reference
from provisor.model.jobs import ResetScope, ScheduleState, StatusCode
from provisor.model.rules import DepartureLimits, Flows, Guards, Policy, Thresholds
from tests.table.firm import Firm, Line, creates, deletes, updates
from tests.table.rules import USERS, attribute, people, user

MANY = 60
BOTH = pytest.mark.parametrize("lists", [False, True], ids=["searched", "listed"])


class Killed(BaseException):
    """The process is gone. Nothing may catch it."""


def names(count: int) -> list[str]:
    return [f"p{n:02}" for n in range(count)]


def created(firm: Firm) -> list[str]:
    return [str(w.attributes["displayName"]) for w in firm.writes if isinstance(w, Create)]


@BOTH
def test_scenario_01_an_empty_target_is_filled_once(lists: bool) -> None:
    firm = Firm(lists=lists)
    for who in names(MANY):
        firm.hire(who)

    first = firm.run()
    assert sorted(created(firm)) == names(MANY)
    assert first.counts.exported == MANY

    second = firm.run()
    assert firm.calls == []
    assert second.counts.exported == 0


@BOTH
def test_scenario_02_half_of_them_are_there_already(lists: bool) -> None:
    firm = Firm(lists=lists)
    for n, who in enumerate(names(MANY)):
        firm.hire(who)
        if n % 2:
            firm.account(f"x{n}", userName=f"{who}@x.org", displayName=who if n % 4 == 1 else "?")

    firm.run()

    assert len(created(firm)) == MANY // 2
    assert len([w for w in firm.writes if isinstance(w, Update)]) == MANY // 4


@BOTH
def test_scenario_03_one_ambiguous_match_is_the_trouble_of_one(lists: bool) -> None:
    firm = Firm(lists=lists)
    for who in names(5):
        firm.hire(who)
    firm.account("x1", userName="p03@x.org")
    firm.account("x2", userName="P03@x.org")

    cycle = firm.run()

    assert firm.escrow("p03") == "DuplicateTargetEntries"
    assert sorted(created(firm)) == ["p00", "p01", "p02", "p04"]
    assert cycle.result is CycleResult.ENTRY_LEVEL_ERRORS
    assert cycle.counts.escrowed == 1


def test_scenario_04_unassigned_and_assigned_again() -> None:
    firm = Firm()
    firm.assign("ada")
    firm.hire("ada")
    firm.run()

    firm.assign()
    firm.run()
    assert firm.says("t1")["active"] is False
    assert firm.link("ada") == "released"

    firm.assign("ada")
    firm.run()
    assert firm.says("t1")["active"] is True
    assert firm.link("ada") == "managed"


def test_scenario_05_soft_deleted_restored_and_deleted() -> None:
    firm = Firm()
    firm.hire("ada")
    firm.run()

    firm.hire("ada", IsSoftDeleted=True)
    firm.run()
    assert firm.says("t1")["active"] is False

    firm.hire("ada", IsSoftDeleted=None)
    firm.run()
    assert firm.says("t1")["active"] is True

    firm.dismiss("ada")
    firm.run()
    assert firm.writes == [deletes("t1")]


def test_scenario_06_who_was_unassigned_first_is_not_deleted_later() -> None:
    firm = Firm()
    firm.assign("ada")
    firm.hire("ada")
    firm.run()
    firm.assign()
    firm.run()
    firm.dismiss("ada")

    firm.run()

    assert firm.calls == []
    assert firm.says("t1")["active"] is False


def test_scenario_07_without_updates_nobody_is_disabled() -> None:
    firm = Firm(people(flows=Flows.ADD | Flows.DELETE))
    firm.hire("ada")
    firm.run()
    firm.hire("ada", accountEnabled=False)

    firm.run()

    assert firm.calls == []


def test_scenario_08_with_SkipOutOfScopeDeletions_nobody_is_disabled() -> None:  # noqa: N802
    firm = Firm(policy=Policy(skips_out_of_scope_deletions=True))
    firm.assign("ada")
    firm.hire("ada")
    firm.run()
    firm.assign()

    firm.run()

    assert firm.calls == []


@pytest.mark.parametrize(
    ("flows", "writes"), [(Flows.ALL, [deletes("t1")]), (Flows.ADD | Flows.UPDATE, [])]
)
def test_scenario_09_without_IsSoftDeleted_unassigning_deletes_or_nothing(  # noqa: N802
    flows: Flows, writes: list[Delete]
) -> None:
    firm = Firm(people(flows=flows, disables=False))
    firm.assign("ada")
    firm.hire("ada")
    firm.run()
    firm.assign()

    firm.run()

    assert firm.writes == writes


def test_scenario_10_a_manager_who_comes_after_his_report_is_pointed_at_in_the_same_cycle() -> None:
    firm = Firm()
    firm.hire("ada", manager=Reference("user", Anchor("zoe")))
    firm.hire("zoe")

    firm.run()

    (manager,) = [a for a, e in firm.directory.entries.items() if "manager" not in e.attributes]
    (report,) = [e for e in firm.directory.entries.values() if "manager" in e.attributes]
    assert report.attributes["manager"] == Reference("User", manager)
    assert len(firm.writes) == 2, "whoever is created after his manager needs no second request"


def test_scenario_10_two_who_manage_one_another_both_point() -> None:
    firm = Firm()
    firm.hire("ada", manager=Reference("user", Anchor("zoe")))
    firm.hire("zoe", manager=Reference("user", Anchor("ada")))

    firm.run()

    said = {a: e.attributes["manager"] for a, e in firm.directory.entries.items()}
    assert said == {"t1": Reference("User", Anchor("t2")), "t2": Reference("User", Anchor("t1"))}
    assert len(firm.writes) == 3


def test_scenario_11_a_manager_who_enters_scope_later_is_pointed_at_then() -> None:
    firm = Firm()
    firm.hire("ada", manager=Reference("user", Anchor("zoe")))
    firm.hire("zoe", department="HR")
    first = firm.run()
    firm.run()
    assert "manager" not in firm.says("t1")
    assert first.result is CycleResult.SUCCEEDED, "that somebody is out of scope is no error"
    firm.hire("zoe", department="Sales")

    firm.run()

    assert firm.says("t1")["manager"] == Reference("User", Anchor("t2"))


def test_scenario_12_too_many_departures_wait_for_an_administrator() -> None:
    guards = Guards(departures=DepartureLimits(count=10))
    firm = Firm(people(disables=False), policy=Policy(guards=guards))
    for who in names(20):
        firm.hire(who)
    firm.start()
    firm.run()
    for who in names(12):
        firm.transfer(who)

    held = firm.run()
    assert firm.writes == []
    assert held.counts.staged == 12
    assert firm.status.code is StatusCode.QUARANTINE
    assert firm.status.quarantine is not None
    assert firm.status.quarantine.reason is QuarantineReason.TOO_MANY_DELETES

    assert firm.approve()
    firm.run()
    assert len([w for w in firm.writes if isinstance(w, Delete)]) == 12
    assert firm.status.code is StatusCode.ACTIVE


def test_scenario_13_a_revoked_token_quarantines_at_once_and_a_new_one_lifts_it_at_once() -> None:
    firm = Firm()
    firm.hire("ada")
    firm.start()
    firm.run()
    firm.target.refuses_all = Denied("the token was refused")

    failed = firm.run()
    assert failed.result is CycleResult.FAILED
    assert firm.status.quarantine is not None
    assert firm.status.quarantine.reason is QuarantineReason.EXCEPTION

    firm.target.refuses_all = None
    firm.run()
    assert firm.status.code is StatusCode.ACTIVE
    assert firm.status.quarantine is None


def test_scenario_13_after_28_days_the_job_is_paused_and_its_escrows_are_discarded() -> None:
    firm = Firm()
    firm.target.failures.append(Rejected("no", code="InvalidDomain"))
    firm.hire("ada")
    firm.start()
    firm.run()
    firm.target.refuses_all = Denied("the token was refused")
    firm.run()
    assert firm.escrow("ada") == "InvalidDomain"
    firm.wait(hours=28 * 24)

    firm.run()

    assert firm.status.code is StatusCode.PAUSED
    assert firm.status.schedule_state is ScheduleState.DISABLED
    assert firm.escrow("ada") == ""


def test_scenario_15_a_first_cycle_that_fails_too_often_prunes_its_escrows_and_pauses() -> None:
    firm = Firm(policy=Policy(thresholds=Thresholds(failures_min=5, base=10, total=12)))
    for who in names(MANY):
        firm.hire(who)
    firm.target.failures += [Rejected("no", code="InvalidDomain") for _ in names(30)]
    firm.start()

    cycle = firm.run()

    assert len(created(firm)) == MANY - 30, "it went on to its end"
    assert cycle.are_escrows_pruned
    assert cycle.halt is None
    assert firm.status.code is StatusCode.PAUSED
    assert firm.status.are_escrows_pruned
    assert firm.status.schedule_state is ScheduleState.DISABLED


@BOTH
@pytest.mark.parametrize("at", [1, 7, 20])
def test_scenario_16_a_killed_process_creates_nobody_twice(at: int, lists: bool) -> None:
    firm = Firm(lists=lists)
    for who in names(20):
        firm.hire(who)

    def die(nth: int) -> None:
        if nth == at:
            firm.target.losses.append(Killed())
        firm.target.meanwhile = lambda: die(nth + 1)

    firm.target.meanwhile = lambda: die(1)
    with suppress(Killed, BaseExceptionGroup):
        firm.run()
    assert len(firm.writes) == at

    firm.run()

    said = [str(e.attributes["displayName"]) for e in firm.directory.entries.values()]
    assert sorted(s for s in said if s.startswith("p")) == names(20)


def test_scenario_17_a_renamed_person_keeps_the_account_without_a_search() -> None:
    firm = Firm()
    firm.hire("ada")
    firm.run()
    firm.hire("ada", mail="ada.king@x.org")

    firm.run()

    assert firm.calls == ["update"]
    assert firm.writes == [updates("t1", userName=("ada@x.org", "ada.king@x.org"))]


def test_scenario_18_an_account_deleted_by_hand_is_told_as_it_is() -> None:
    firm = Firm()
    firm.hire("ada")
    firm.run()
    firm.erase("t1")
    firm.hire("ada", name="Ada King")

    firm.run()

    assert firm.escrow("ada") == "InvalidAnchor"
    assert firm.directory.entries == {}


def test_scenario_19_a_mapping_saved_during_a_cycle_holds_from_the_next_which_is_initial() -> None:
    firm = Firm()
    firm.hire("ada", title="Countess")
    firm.hire("bob", title="Baron")

    def save() -> None:
        firm.rules[USERS] = people(attribute("title", "[title]"), version="with titles")

    firm.target.meanwhile = save
    firm.run()
    assert firm.writes == [creates("ada"), creates("bob")]
    assert firm.run().kind is CycleKind.INITIAL

    assert firm.writes == [
        updates("t1", title=(None, "Countess")),
        updates("t2", title=(None, "Baron")),
    ]
    assert firm.run().kind is CycleKind.INCREMENTAL


def test_scenario_20_forgetting_escrows_leaves_the_watermark() -> None:
    firm = Firm()
    firm.target.failures.append(Rejected("no", code="InvalidDomain"))
    firm.hire("ada")
    firm.run()
    watermark = firm.state.watermark

    firm.restart(ResetScope.ESCROWS)

    assert firm.escrow("ada") == ""
    assert firm.state.watermark == watermark
    assert firm.run().kind is CycleKind.INCREMENTAL
    assert firm.calls == [], "what is forgotten is not tried again by itself"


def test_scenario_21_a_watermark_that_expired_means_a_full_read_and_nothing_else() -> None:
    firm = Firm()
    firm.hire("ada")
    firm.hire("bob")
    firm.run()
    firm.source.forget_changes()
    firm.hire("bob", name="Robert")

    cycle = firm.run()

    assert cycle.result is CycleResult.SUCCEEDED
    assert firm.writes == [updates("t2", displayName=("bob", "Robert"))]
    assert firm.link("ada") == "managed"


def test_scenario_22_a_default_holds_at_creation_only() -> None:
    firm = Firm(people(attribute("title", "[title]", default_value="Employee")))
    firm.hire("ada", title="Countess")
    firm.hire("bob")
    firm.run()
    assert firm.says("t2")["title"] == "Employee"
    firm.hire("ada", title=None)

    firm.run()

    assert firm.writes == []
    assert firm.says("t1")["title"] == "Countess"


def test_scenario_23_a_change_of_case_alone_is_no_change() -> None:
    firm = Firm()
    firm.hire("ada")
    firm.run()
    firm.hire("ada", name="ADA")

    firm.run()

    assert firm.calls == []
    assert firm.lines("ada") == [Line(10, "other", "skipped", "RedundantExport")]


def test_scenario_24_on_demand_disables_who_is_not_assigned_any_more() -> None:
    firm = Firm()
    firm.assign("ada")
    firm.hire("ada")
    firm.run()
    firm.assign()

    firm.on_demand("ada")

    assert firm.writes == [updates("t1", active=(True, False))]
    assert firm.lines("ada") == [Line(15, "disable", "success")]
    assert firm.link("ada") == "released"


def test_scenario_24_on_demand_creates_nobody_who_is_not_assigned() -> None:
    firm = Firm()
    firm.assign("bob")
    firm.hire("bob")
    firm.run()
    firm.hire("ada")

    firm.on_demand("ada")

    assert firm.calls == []
    assert firm.lines("ada") == [Line(13, "other", "skipped", "NotEffectivelyEntitled")]


def test_scenario_24_on_demand_creates_who_was_assigned_just_now() -> None:
    firm = Firm()
    firm.assign("bob")
    firm.hire("bob")
    firm.hire("ada")
    firm.run()
    assert user("ada") not in firm.policy.assigned
    firm.assign("ada", "bob")

    firm.on_demand("ada")

    assert firm.writes == [creates("ada")]
