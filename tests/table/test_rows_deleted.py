"""Rows 24 to 27, 30 and 36: the source has deleted somebody, or the target has already."""

from __future__ import annotations

import pytest

from provisor.errors import Rejected, Unanswered
from provisor.model.entries import Absence
from provisor.model.rules import Flows, Policy
from tests.table.firm import Firm, Line, creates, deletes
from tests.table.rules import USERS, people, user

BOTH = pytest.mark.parametrize("lists", [False, True], ids=["searched", "listed"])
NO_DELETES = people(flows=Flows.ADD | Flows.UPDATE)


def employed(*, lists: bool = False, policy: Policy | None = None) -> Firm:
    """Ada has account t1."""
    firm = Firm(policy=policy, lists=lists)
    firm.hire("ada")
    firm.run()
    return firm


def fall_out_of_use(firm: Firm, state: str) -> None:
    if state == "disabled":
        firm.hire("ada", accountEnabled=False)
    if state == "released":
        firm.transfer("ada")
    firm.run()
    assert firm.link("ada") == state


@BOTH
@pytest.mark.parametrize("state", ["managed", "disabled"])
def test_row_24_who_is_deleted_in_the_source_is_deleted(lists: bool, state: str) -> None:
    firm = employed(lists=lists)
    fall_out_of_use(firm, state)
    firm.dismiss("ada")

    firm.run()

    assert firm.calls == ["delete"]
    assert firm.writes == [deletes("t1")]
    assert firm.lines("ada") == [Line(24, "delete", "success")]
    assert firm.standing("ada") is None, "of whom nothing remains nothing is remembered"


def test_row_24_an_account_that_is_gone_already_counts_as_deleted() -> None:
    firm = employed()
    firm.erase("t1")
    firm.dismiss("ada")

    firm.run()

    assert firm.lines("ada") == [Line(24, "delete", "success")]
    assert firm.standing("ada") is None


def test_row_24_who_is_missing_from_snapshots_for_thirty_days_counts_as_deleted() -> None:
    firm = employed()
    firm.source.remove(user("ada"), Absence.ABSENT)
    firm.run()
    assert firm.lines("ada") == [Line(20, "disable", "success")]
    firm.wait(hours=30 * 24 - 1)
    firm.run()
    assert firm.lines("ada") == []
    firm.wait(hours=1)

    firm.run()

    assert firm.writes == [deletes("t1")]
    assert firm.lines("ada") == [Line(24, "delete", "success")]


def test_row_24_who_is_missing_is_never_deleted_where_deleteAfter_says_never() -> None:  # noqa: N802
    firm = employed(policy=Policy(delete_after=None))
    firm.source.remove(user("ada"), Absence.ABSENT)
    firm.run()
    firm.wait(hours=10_000)

    firm.run()

    assert firm.calls == []
    assert firm.link("ada") == "disabled"


@BOTH
@pytest.mark.parametrize("state", ["managed", "disabled"])
def test_row_25_nobody_is_deleted_while_deleting_is_off(lists: bool, state: str) -> None:
    firm = employed(lists=lists)
    fall_out_of_use(firm, state)
    firm.rules[USERS] = NO_DELETES
    firm.run()
    firm.dismiss("ada")

    firm.run()

    assert firm.calls == []
    assert firm.lines("ada") == [Line(25, "other", "skipped", "DeleteFlowDisabled")]
    assert firm.standing("ada") is None
    assert firm.says("t1")["userName"] == "ada@x.org"


@BOTH
def test_row_26_who_was_released_before_is_not_deleted(lists: bool) -> None:
    firm = employed(lists=lists)
    fall_out_of_use(firm, "released")
    firm.dismiss("ada")

    firm.run()

    assert firm.calls == []
    assert firm.lines("ada") == [Line(26, "other", "skipped", "NotEffectivelyEntitled")]
    assert firm.standing("ada") is None


def test_row_26_with_deleteReleased_who_was_released_before_is_deleted() -> None:  # noqa: N802
    firm = employed(policy=Policy(deletes_released=True))
    fall_out_of_use(firm, "released")
    firm.dismiss("ada")

    firm.run()

    assert firm.writes == [deletes("t1")]
    assert firm.lines("ada") == [Line(24, "delete", "success")]
    assert firm.standing("ada") is None


@BOTH
def test_row_27_who_never_was_linked_is_forgotten_without_a_word(lists: bool) -> None:
    """The ledger keeps every decision; what is shown outside leaves this one out."""
    firm = Firm(lists=lists)
    firm.hire("ada", department="HR")
    firm.run()
    firm.dismiss("ada")

    firm.run()

    assert firm.calls == []
    assert firm.lines("ada") == [Line(27, "other", "skipped", "NotEffectivelyEntitled")]
    assert firm.standing("ada") is None


@pytest.mark.parametrize("row", [15, 20])
def test_row_30_an_account_that_is_gone_already_cannot_be_disabled(row: int) -> None:
    firm = employed()
    firm.erase("t1")
    firm.hire("ada", **({"department": "HR"} if row == 15 else {"accountEnabled": False}))

    firm.run()

    assert firm.calls == ["fetch"]
    assert firm.lines("ada") == [Line(30, "delete", "skipped", "AlreadyGone")]
    assert firm.link("ada") == "none"


def test_row_30_who_returns_after_that_is_created_anew() -> None:
    firm = employed()
    firm.erase("t1")
    firm.hire("ada", accountEnabled=False)
    firm.run()
    firm.hire("ada", accountEnabled=True)

    firm.run()

    assert firm.writes == [creates("ada")]
    assert firm.lines("ada") == [Line(1, "create", "success")]


def test_row_36_a_create_that_was_refused_is_dropped_with_its_object() -> None:
    """To the ledger that is row 27: what the escrow was about is gone with the object."""
    firm = Firm()
    firm.target.failures.append(Rejected("no such domain", code="InvalidDomain"))
    firm.hire("ada")
    firm.run()
    assert firm.escrow("ada") == "InvalidDomain"
    firm.dismiss("ada")

    firm.run()

    assert firm.calls == []
    assert firm.lines("ada") == [Line(27, "other", "skipped", "NotEffectivelyEntitled")]
    assert firm.standing("ada") is None


def test_row_36_a_create_that_was_never_answered_is_looked_for_and_taken_back() -> None:
    firm = Firm()
    firm.target.losses.append(Unanswered("no answer"))
    firm.hire("ada")
    firm.run()
    found = firm.standing("ada")
    assert found is not None
    assert found.link is not None
    assert found.link.is_created_by_us, "it was found by what it was created with"
    firm.dismiss("ada")

    firm.run()

    assert firm.writes == [deletes("t1")]
    assert firm.directory.entries == {}
