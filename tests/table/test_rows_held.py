"""Rows 29 and 31: departures that wait for an administrator, and mappings that are switched off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from provisor.model.cycles import QuarantineReason
from provisor.model.decisions import Delete, Update
from provisor.model.entries import Anchor, Reference
from provisor.model.rules import DepartureLimits, Guards, Policy
from tests.table.firm import Firm, Line, creates, updates
from tests.table.rules import GROUPS, USERS, people, teams

Leaving = Callable[[Firm, str], None]
THREE = ("ada", "bob", "cyd")
HELD = Line(29, "stagedDelete", "warning", "StagedDelete")


def guarded(count: int = 3) -> Policy:
    return Policy(guards=Guards(departures=DepartureLimits(count=count)))


def transfer(firm: Firm, who: str) -> None:
    firm.transfer(who)


def disable(firm: Firm, who: str) -> None:
    firm.hire(who, accountEnabled=False)


def dismiss(firm: Firm, who: str) -> None:
    firm.dismiss(who)


def staffed(*, disables: bool = True, policy: Policy | None = None, lists: bool = False) -> Firm:
    """Ada, Bob, Cyd and Dan have accounts; three departures at once are too many."""
    firm = Firm(people(disables=disables), policy=policy or guarded(), lists=lists)
    for who in (*THREE, "dan"):
        firm.hire(who)
    firm.run()
    return firm


@pytest.mark.parametrize("lists", [False, True], ids=["searched", "listed"])
@pytest.mark.parametrize(
    ("leaves", "disables"),
    [(transfer, True), (transfer, False), (disable, True), (disable, False), (dismiss, True)],
    ids=["row 15", "row 18", "row 20", "row 21", "row 24"],
)
def test_row_29_too_many_departures_are_held_all_of_them(
    leaves: Leaving, disables: bool, lists: bool
) -> None:
    firm = staffed(disables=disables, lists=lists)
    for who in THREE:
        leaves(firm, who)
    firm.hire("eve")

    cycle = firm.run()

    assert firm.writes == [creates("eve")]
    for who in THREE:
        assert firm.lines(who) == [HELD]
        assert firm.link(who) == "managed", "what is held is governed as before"
        standing = firm.standing(who)
        assert standing is not None
        assert standing.staged is not None
    assert cycle.halt is not None
    assert cycle.halt.reason is QuarantineReason.TOO_MANY_DELETES
    assert cycle.counts.staged == 3


def test_row_29_one_departure_fewer_is_carried_out() -> None:
    firm = staffed()
    firm.transfer("ada")
    firm.transfer("bob")

    cycle = firm.run()

    assert len(firm.writes) == 2
    assert cycle.halt is None


def test_row_29_what_was_approved_is_carried_out_once() -> None:
    firm = staffed()
    for who in THREE:
        firm.transfer(who)
    firm.run()
    assert firm.approve()

    firm.run()

    assert firm.writes == [updates(t, active=(True, False)) for t in ("t1", "t2", "t3")]
    assert [firm.lines(who) for who in THREE] == [[Line(15, "disable", "success")]] * 3
    assert not firm.approve(), "nothing is left to approve"


def test_row_29_an_approval_does_not_reach_departures_that_came_later() -> None:
    firm = staffed()
    for who in THREE:
        firm.transfer(who)
    firm.run()
    assert firm.approve()
    for who in ("eve", "fay", "gus"):
        firm.hire(who)
    firm.run()
    for who in ("eve", "fay", "gus"):
        firm.transfer(who)

    firm.run()

    assert firm.writes == []
    assert [firm.lines(who) for who in ("eve", "fay", "gus")] == [[HELD]] * 3


def test_row_29_whoever_is_wanted_again_is_held_no_more() -> None:
    firm = staffed()
    for who in THREE:
        firm.transfer(who)
    firm.run()
    firm.hire("ada", department="Sales")

    firm.run()

    standing = firm.standing("ada")
    assert standing is not None
    assert standing.staged is None
    assert firm.lines("ada") == [Line(10, "other", "skipped", "RedundantExport")]
    assert firm.says("t1")["active"] is True


def test_row_29_who_is_held_stays_pointed_at_although_nobody_names_him_any_more() -> None:
    """A view that shows fewer people shows groups and subordinates without them, too."""
    firm = staffed()
    firm.hire("eve", manager=Reference("user", Anchor("ada")))
    firm.team("crew", "ada", "bob", "eve")
    firm.run()
    eve, crew = firm.says("t5"), firm.says("t6")
    for who in THREE:
        firm.dismiss(who)
    firm.hire("eve", manager=None)
    firm.team("crew", "eve")

    firm.run()

    assert firm.lines("ada") == [HELD]
    assert (firm.says("t5"), firm.says("t6")) == (eve, crew)
    assert firm.approve()
    firm.start()
    firm.run()
    assert "manager" not in firm.says("t5")
    assert firm.says("t6")["members"] == (Reference("User", Anchor("t5")),)


def test_row_29_time_alone_releases_nothing() -> None:
    firm = staffed()
    for who in THREE:
        firm.transfer(who)
    firm.run()
    for _ in range(5):
        firm.wait(hours=24)
        firm.run()

        assert firm.writes == []


def test_row_29_departures_spread_over_cycles_add_up() -> None:
    firm = staffed()
    firm.transfer("ada")
    firm.run()
    firm.transfer("bob")
    firm.run()
    firm.transfer("cyd")

    firm.run()

    assert firm.writes == []
    assert firm.lines("cyd") == [HELD]


def test_row_29_holds_the_released_who_are_not_let_go_any_more() -> None:
    """They were left at work when they left scope: with deleteReleased a disable reaches them."""
    policy = replace(guarded(), skips_out_of_scope_deletions=True, deletes_released=True)
    firm = staffed(policy=policy)
    for who in THREE:
        firm.transfer(who)
    firm.run()
    for who in THREE:
        firm.hire(who, accountEnabled=False)

    firm.run()

    assert firm.writes == []
    assert [firm.lines(who) for who in THREE] == [[HELD]] * 3


@pytest.mark.parametrize("lists", [False, True], ids=["searched", "listed"])
@pytest.mark.parametrize("leaves", [transfer, disable, dismiss])
def test_row_31_a_mapping_that_is_switched_off_leaves_everything_alone(
    leaves: Leaving, lists: bool
) -> None:
    firm = staffed(lists=lists)
    firm.rules[USERS] = people(is_enabled=False)
    leaves(firm, "ada")
    firm.hire("eve")
    firm.hire("bob", name="Robert")

    firm.run()

    assert not [w for w in firm.writes if isinstance(w, Update | Delete)]
    assert firm.writes == []
    assert firm.lines("ada") == []
    assert firm.link("ada") == "managed"


@pytest.mark.parametrize("leaves", [transfer, disable, dismiss])
def test_row_31_what_happened_meanwhile_is_made_up_for(leaves: Leaving) -> None:
    firm = staffed()
    firm.rules[USERS] = people(is_enabled=False)
    leaves(firm, "ada")
    firm.hire("eve")
    firm.run()
    firm.rules[USERS] = people()

    firm.run()
    firm.run()

    accounts = firm.directory.entries.values()
    at_work = {e.attributes["displayName"] for e in accounts if e.attributes["active"]}
    assert at_work == {"bob", "cyd", "dan", "eve"}


def test_row_31_other_mappings_go_on() -> None:
    firm = staffed()
    firm.rules[USERS] = people(is_enabled=False)
    firm.rules[GROUPS] = teams()
    firm.team("sales")

    firm.run()

    assert firm.lines("sales", GROUPS) == [Line(1, "create", "success")]
