"""Rows 9 to 12, 32 and 33: somebody is wanted in the target and linked to an account there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from provisor.model.rules import Flows, Policy, TargetReads
from tests.table.firm import Firm, Line, creates, updates
from tests.table.rules import USERS, people

BOTH = pytest.mark.parametrize("lists", [False, True], ids=["trusted", "listed"])
NO_UPDATES = people(flows=Flows.ADD | Flows.DELETE)


def employed(*, lists: bool = False, policy: Policy | None = None) -> Firm:
    """Ada has account t1."""
    firm = Firm(policy=policy, lists=lists)
    firm.hire("ada")
    firm.run()
    return firm


@BOTH
def test_row_09_a_change_is_one_request(lists: bool) -> None:
    firm = employed(lists=lists)
    firm.hire("ada", name="Ada")
    firm.hire("ada", name="Ada King")

    firm.run()

    assert firm.calls == ["update"]
    assert firm.writes == [updates("t1", displayName=("ada", "Ada King"))]
    assert firm.lines("ada") == [Line(9, "update", "success")]
    assert firm.link("ada") == "managed"


def test_row_09_a_target_that_others_edit_is_read_before_it_is_written() -> None:
    firm = employed(policy=Policy(target_reads=TargetReads.ALWAYS))
    firm.account("t1", userName="ada@x.org", displayName="Countess")
    firm.hire("ada", name="Ada King")

    firm.run()

    assert firm.calls == ["fetch", "update"]
    assert firm.writes == [updates("t1", displayName=("Countess", "Ada King"))]
    assert firm.lines("ada") == [Line(9, "update", "success")]


@BOTH
def test_row_10_a_change_that_nothing_maps_asks_the_target_nothing(lists: bool) -> None:
    firm = employed(lists=lists)
    firm.hire("ada", phone="1843")

    firm.run()

    assert firm.calls == []
    assert firm.lines("ada") == [Line(10, "other", "skipped", "RedundantExport")]
    assert firm.link("ada") == "managed"


@BOTH
def test_row_11_who_was_disabled_and_is_back_is_enabled_with_all_that_changed(lists: bool) -> None:
    firm = employed(lists=lists)
    firm.hire("ada", accountEnabled=False)
    firm.run()
    firm.hire("ada", accountEnabled=True, name="Ada King")

    firm.run()

    assert firm.calls == ["fetch", "update"]
    assert firm.writes == [
        updates("t1", displayName=("ada", "Ada King"), active=(False, True)),
    ]
    assert firm.lines("ada") == [Line(11, "update", "success")]
    assert firm.link("ada") == "managed"


@BOTH
def test_row_11_who_was_released_and_is_back_is_enabled_with_all_that_changed(lists: bool) -> None:
    firm = employed(lists=lists)
    firm.transfer("ada")
    firm.run()
    assert firm.link("ada") == "released"
    firm.hire("ada", department="Sales", name="Ada King")

    firm.run()

    assert firm.calls == ["fetch", "update"]
    assert firm.writes == [
        updates("t1", displayName=("ada", "Ada King"), active=(False, True)),
    ]
    assert firm.lines("ada") == [Line(11, "update", "success")]
    assert firm.link("ada") == "managed"


def test_row_11_who_is_back_to_an_account_as_it_should_be_is_only_managed_again() -> None:
    firm = employed()
    firm.hire("ada", accountEnabled=False)
    firm.run()
    firm.account("t1", userName="ada@x.org", displayName="ada")
    firm.hire("ada", accountEnabled=True)

    firm.run()

    assert firm.calls == ["fetch"]
    assert firm.lines("ada") == [Line(10, "other", "skipped", "RedundantExport")]
    assert firm.link("ada") == "managed"


def test_row_12_an_account_that_has_vanished_is_not_created_again() -> None:
    firm = employed()
    firm.erase("t1")
    firm.hire("ada", name="Ada King")

    firm.run()

    assert firm.calls == ["update", "fetch"]
    assert firm.writes == []
    assert firm.lines("ada") == [Line(12, "other", "failure", "InvalidAnchor")]
    assert firm.link("ada") == "managed"
    assert firm.escrow("ada") == "InvalidAnchor"


def test_row_12_a_listing_finds_out_by_itself_that_an_account_has_vanished() -> None:
    firm = employed(lists=True)
    firm.erase("t1")

    firm.run()

    assert firm.calls == ["fetch"]
    assert firm.lines("ada") == [Line(12, "other", "failure", "InvalidAnchor")]
    assert firm.link("ada") == "managed"


@pytest.mark.parametrize("state", ["disabled", "released"])
def test_row_12_holds_for_who_returns_to_an_account_that_has_vanished(state: str) -> None:
    firm = employed()
    firm.hire("ada", **({"accountEnabled": False} if state == "disabled" else {"department": "HR"}))
    firm.run()
    firm.erase("t1")
    firm.hire("ada", accountEnabled=True, department="Sales")

    firm.run()

    assert firm.calls == ["fetch"]
    assert firm.lines("ada") == [Line(12, "other", "failure", "InvalidAnchor")]
    assert firm.link("ada") == state


def test_row_12_with_relinkMissing_a_vanished_account_is_created_again() -> None:  # noqa: N802
    firm = employed(policy=Policy(relinks_missing=True))
    firm.erase("t1")
    firm.hire("ada", name="Ada King")

    firm.run()

    assert firm.calls == ["update", "fetch", "find", "create"]
    assert firm.writes == [creates("ada", displayName="Ada King")]
    assert firm.lines("ada") == [Line(1, "create", "success")]
    assert firm.link("ada") == "managed"
    assert firm.escrow("ada") == ""


def test_row_12_with_relinkMissing_an_account_that_matches_takes_its_place() -> None:  # noqa: N802
    firm = employed(policy=Policy(relinks_missing=True))
    firm.erase("t1")
    firm.account("t9", userName="ada@x.org", displayName="ada")
    firm.hire("ada", name="Ada King")

    firm.run()

    assert firm.writes == [updates("t9", displayName=("ada", "Ada King"))]
    assert firm.lines("ada") == [Line(3, "update", "success")]
    standing = firm.standing("ada")
    assert standing is not None
    assert standing.link is not None
    assert standing.link.target == "t9"


@BOTH
def test_row_32_a_governed_account_stays_as_it_is_while_updates_are_off(lists: bool) -> None:
    firm = employed(lists=lists)
    firm.rules[USERS] = NO_UPDATES
    firm.run()
    firm.hire("ada", name="Ada King")

    firm.run()

    assert firm.calls == []
    assert firm.lines("ada") == [Line(32, "other", "skipped", "UpdateFlowDisabled")]
    assert firm.link("ada") == "managed"


@BOTH
@pytest.mark.parametrize("state", ["disabled", "released"])
def test_row_33_nobody_is_enabled_while_updates_are_off(lists: bool, state: str) -> None:
    firm = employed(lists=lists)
    firm.hire("ada", **({"accountEnabled": False} if state == "disabled" else {"department": "HR"}))
    firm.run()
    assert firm.link("ada") == state
    firm.rules[USERS] = NO_UPDATES
    firm.hire("ada", accountEnabled=True, department="Sales")

    firm.run()

    assert firm.calls == ["fetch"]
    assert firm.lines("ada") == [Line(33, "other", "skipped", "UpdateFlowDisabled")]
    assert firm.link("ada") == "managed"
    assert firm.says("t1")["active"] is False


def test_row_33_once_updates_are_on_again_what_is_back_is_enabled() -> None:
    firm = employed()
    firm.hire("ada", accountEnabled=False)
    firm.run()
    allowed, firm.rules[USERS] = firm.rules[USERS], NO_UPDATES
    firm.hire("ada", accountEnabled=True)
    firm.run()
    firm.rules[USERS] = replace(allowed, hash="people, updated again")

    firm.run()

    assert firm.writes == [updates("t1", active=(False, True))]
    assert firm.lines("ada") == [Line(9, "update", "success")]
