"""Rows 13 to 23, 28, 34 and 35: somebody is still in the source, and not wanted in the target."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from provisor.model.entries import Absence
from provisor.model.rules import Flows, Policy
from tests.table.firm import Firm, Line, deletes, updates
from tests.table.rules import USERS, people, user

BOTH = pytest.mark.parametrize("lists", [False, True], ids=["searched", "listed"])
Leaving = Callable[[Firm], None]


def unassigned(firm: Firm) -> None:
    firm.assign()


def filtered(firm: Firm) -> None:
    firm.transfer("ada")


def out_of_view(firm: Firm) -> None:
    firm.source.remove(user("ada"), Absence.LEFT)


def disabled(firm: Firm) -> None:
    firm.hire("ada", accountEnabled=False)


def soft_deleted(firm: Firm) -> None:
    firm.hire("ada", IsSoftDeleted=True)


def missing(firm: Firm) -> None:
    firm.source.remove(user("ada"), Absence.ABSENT)


OUT_OF_SCOPE = pytest.mark.parametrize("leaves", [unassigned, filtered, out_of_view])
OUT_OF_USE = pytest.mark.parametrize("leaves", [disabled, soft_deleted, missing])


def employed(*, lists: bool = False, policy: Policy | None = None, disables: bool = True) -> Firm:
    """Ada has account t1."""
    firm = Firm(people(disables=disables), policy=policy, lists=lists)
    firm.assign("ada")
    firm.hire("ada")
    firm.run()
    assert firm.link("ada") == "managed"
    return firm


def forbid(firm: Firm, flow: Flows, *, disables: bool = True) -> None:
    """Switch one flow off; what was linked under other rules is carried through once more."""
    firm.rules[USERS] = people(flows=Flows.ALL & ~flow, disables=disables)
    firm.run()


# never linked


@BOTH
@pytest.mark.parametrize("leaves", [unassigned, filtered])
def test_row_13_who_never_was_in_scope_is_not_looked_for(lists: bool, leaves: Leaving) -> None:
    firm = Firm(lists=lists)
    firm.account("t9", userName="ada@x.org", displayName="Countess")
    firm.hire("ada")
    leaves(firm)

    firm.run()

    assert firm.calls == []
    assert firm.lines("ada") == [Line(13, "other", "skipped", "NotEffectivelyEntitled")]
    assert firm.link("ada") == "none"


@BOTH
@pytest.mark.parametrize("leaves", [disabled, soft_deleted])
def test_row_14_who_is_disabled_already_is_not_created(lists: bool, leaves: Leaving) -> None:
    firm = Firm(lists=lists)
    firm.account("t9", userName="ada@x.org", displayName="Countess")
    firm.hire("ada")
    leaves(firm)

    firm.run()

    assert firm.calls == []
    assert firm.lines("ada") == [Line(14, "other", "skipped", "NotEffectivelyEntitled")]
    assert not firm.records("ada")[0].facts.is_active
    assert firm.link("ada") == "none"


# unassigned, or out of the filter


@BOTH
@OUT_OF_SCOPE
def test_row_15_who_leaves_scope_is_disabled_and_released(lists: bool, leaves: Leaving) -> None:
    firm = employed(lists=lists)
    leaves(firm)

    firm.run()

    assert firm.calls == ["fetch", "update"]
    assert firm.writes == [updates("t1", active=(True, False))]
    assert firm.lines("ada") == [Line(15, "disable", "success")]
    assert firm.link("ada") == "released"


def test_row_15_a_disable_sends_nothing_but_what_depends_on_it() -> None:
    firm = employed()
    firm.hire("ada", name="deleted-4711-ada", mail="deleted-4711@x.org", department="HR")

    firm.run()

    assert firm.writes == [updates("t1", active=(True, False))]
    assert firm.says("t1")["userName"] == "ada@x.org"


def test_row_15_an_account_that_is_disabled_already_is_only_released() -> None:
    firm = employed()
    firm.account("t1", userName="ada@x.org", displayName="ada", active=False)
    firm.transfer("ada")

    firm.run()

    assert firm.calls == ["fetch"]
    assert firm.lines("ada") == [Line(15, "disable", "skipped", "RedundantExport")]
    assert firm.link("ada") == "released"


@BOTH
@OUT_OF_SCOPE
@pytest.mark.parametrize("disables", [True, False])
def test_row_16_with_SkipOutOfScopeDeletions_who_leaves_scope_is_let_go(  # noqa: N802
    lists: bool, leaves: Leaving, disables: bool
) -> None:
    policy = Policy(skips_out_of_scope_deletions=True)
    firm = employed(lists=lists, policy=policy, disables=disables)
    leaves(firm)

    firm.run()

    assert firm.calls == []
    assert firm.lines("ada") == [Line(16, "other", "skipped", "OutOfScopeDeletionSkipped")]
    assert firm.link("ada") == "released"
    assert firm.says("t1")["active"] is True


@BOTH
@OUT_OF_SCOPE
def test_row_17_nobody_is_disabled_while_updates_are_off(lists: bool, leaves: Leaving) -> None:
    firm = employed(lists=lists)
    forbid(firm, Flows.UPDATE)
    leaves(firm)

    firm.run()

    assert firm.calls == []
    assert firm.lines("ada") == [Line(17, "other", "skipped", "UpdateFlowDisabled")]
    assert firm.link("ada") == "released"


@BOTH
@OUT_OF_SCOPE
def test_row_18_a_target_without_disabling_gets_a_delete(lists: bool, leaves: Leaving) -> None:
    firm = employed(lists=lists, disables=False)
    leaves(firm)

    firm.run()

    assert firm.calls == ["delete"]
    assert firm.writes == [deletes("t1")]
    assert firm.lines("ada") == [Line(18, "delete", "success")]
    assert firm.link("ada") == "none"


@BOTH
@OUT_OF_SCOPE
def test_row_19_nobody_is_deleted_while_deleting_is_off(lists: bool, leaves: Leaving) -> None:
    firm = employed(lists=lists, disables=False)
    forbid(firm, Flows.DELETE, disables=False)
    leaves(firm)

    firm.run()

    assert firm.calls == []
    assert firm.lines("ada") == [Line(19, "other", "skipped", "DeleteFlowDisabled")]
    assert firm.link("ada") == "released"


# disabled, soft-deleted, or missing from what the source shows


@BOTH
@OUT_OF_USE
@pytest.mark.parametrize("skips", [False, True])
def test_row_20_who_is_disabled_in_the_source_is_disabled_and_stays_ours(
    lists: bool, leaves: Leaving, skips: bool
) -> None:
    """SkipOutOfScopeDeletions changes nothing: nobody has left scope."""
    firm = employed(lists=lists, policy=Policy(skips_out_of_scope_deletions=skips))
    leaves(firm)

    firm.run()

    assert firm.calls == ["fetch", "update"]
    assert firm.writes == [updates("t1", active=(True, False))]
    assert firm.lines("ada") == [Line(20, "disable", "success")]
    assert firm.link("ada") == "disabled"


@pytest.mark.parametrize("scope", [unassigned, filtered])
def test_row_20_who_is_disabled_and_unassigned_at_once_is_disabled_and_released(
    scope: Leaving,
) -> None:
    firm = employed()
    disabled(firm)
    scope(firm)

    firm.run()

    assert firm.writes == [updates("t1", active=(True, False))]
    assert firm.lines("ada") == [Line(20, "disable", "success")]
    assert firm.link("ada") == "released"


@BOTH
@OUT_OF_USE
def test_row_21_a_target_without_disabling_gets_a_delete(lists: bool, leaves: Leaving) -> None:
    firm = employed(lists=lists, disables=False)
    leaves(firm)

    firm.run()

    assert firm.calls == ["delete"]
    assert firm.writes == [deletes("t1")]
    assert firm.lines("ada") == [Line(21, "delete", "success")]
    assert firm.link("ada") == "none"


@BOTH
@OUT_OF_USE
@pytest.mark.parametrize(
    ("flow", "disables", "code"),
    [(Flows.UPDATE, True, "UpdateFlowDisabled"), (Flows.DELETE, False, "DeleteFlowDisabled")],
)
def test_row_22_without_a_usable_flow_nothing_is_sent(
    lists: bool, leaves: Leaving, flow: Flows, disables: bool, code: str
) -> None:
    firm = employed(lists=lists, disables=disables)
    forbid(firm, flow, disables=disables)
    leaves(firm)

    firm.run()

    assert firm.calls == []
    assert firm.lines("ada") == [Line(22, "other", "skipped", code)]
    assert firm.link("ada") == "disabled"


@BOTH
def test_row_23_who_is_disabled_already_is_asked_about_no_more(lists: bool) -> None:
    firm = employed(lists=lists)
    disabled(firm)
    firm.run()
    soft_deleted(firm)

    firm.run()

    assert firm.calls == []
    assert firm.lines("ada") == [Line(23, "other", "skipped", "RedundantExport")]
    assert firm.link("ada") == "disabled"


def enabled_by_others(firm: Firm, anchor: str) -> None:
    firm.account(anchor, **{**firm.says(anchor), "active": True})


@OUT_OF_USE
@pytest.mark.parametrize("was_seen", [True, False])
def test_row_20_who_is_enabled_by_others_is_disabled_again_by_a_reconcile(
    leaves: Leaving, was_seen: bool
) -> None:
    firm = employed(lists=True)
    leaves(firm)
    firm.run()
    if was_seen:
        firm.run()
        assert (firm.writes, firm.lines("ada")) == ([], [])
    enabled_by_others(firm, "t1")

    firm.run()

    assert firm.writes == [updates("t1", active=(True, False))]
    assert firm.lines("ada")[-1] == Line(20, "disable", "success")
    firm.run()
    assert (firm.writes, firm.lines("ada")) == ([], [])
    assert firm.link("ada") == "disabled"


def test_row_20_many_who_are_enabled_by_others_are_weighed_like_all_who_leave() -> None:
    firm, crowd = Firm(people(), lists=True), [f"crowd{n}" for n in range(30)]
    for who in crowd:
        firm.hire(who)
    firm.run()
    for who in crowd:
        firm.hire(who, accountEnabled=False)
    firm.run()
    assert firm.approve(), "the guard has held them"
    firm.run()
    firm.wait(hours=48)
    links = [standing.link for who in crowd if (standing := firm.standing(who)) is not None]
    targets = [link.target for link in links if link is not None]
    for target in targets:
        enabled_by_others(firm, target)

    firm.run()

    assert firm.writes == []
    assert firm.approve(), "the guard holds them again"
    firm.run()
    assert len(firm.writes) == len(crowd)
    assert not any(firm.says(target)["active"] for target in targets)


@BOTH
@OUT_OF_USE
def test_row_28_who_was_released_is_sent_nothing_when_disabled_later(
    lists: bool, leaves: Leaving
) -> None:
    firm = employed(lists=lists)
    filtered(firm)
    firm.run()
    leaves(firm)

    firm.run()

    assert firm.calls == []
    assert firm.lines("ada") == [Line(28, "other", "skipped", "NotEffectivelyEntitled")]
    assert firm.link("ada") == "released"


@pytest.mark.parametrize(
    ("disables", "line", "calls"),
    [
        (True, Line(20, "disable", "success"), ["fetch", "update"]),
        (False, Line(21, "delete", "success"), ["delete"]),
    ],
)
def test_row_28_with_deleteReleased_who_was_released_leaves_like_others(  # noqa: N802
    disables: bool, line: Line, calls: list[str]
) -> None:
    policy = Policy(skips_out_of_scope_deletions=True, deletes_released=True)
    firm = employed(policy=policy, disables=disables)
    filtered(firm)
    firm.run()
    assert firm.link("ada") == "released"
    disabled(firm)

    firm.run()

    assert firm.calls == calls
    assert firm.lines("ada") == [line]


@BOTH
def test_row_34_who_was_released_is_left_alone(lists: bool) -> None:
    firm = employed(lists=lists)
    filtered(firm)
    firm.run()
    firm.hire("ada", name="Ada King")

    firm.run()

    assert firm.calls == []
    assert firm.lines("ada") == [Line(34, "other", "skipped", "NotEffectivelyEntitled")]
    assert firm.link("ada") == "released"


@BOTH
@pytest.mark.parametrize("leaves", [unassigned, filtered])
def test_row_35_who_loses_scope_while_disabled_is_released(lists: bool, leaves: Leaving) -> None:
    firm = employed(lists=lists)
    disabled(firm)
    firm.run()
    leaves(firm)

    firm.run()

    assert firm.calls == []
    assert firm.lines("ada") == [Line(35, "other", "skipped", "NotEffectivelyEntitled")]
    assert firm.link("ada") == "released"
