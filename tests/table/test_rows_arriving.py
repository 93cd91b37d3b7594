"""Rows 1 to 8: somebody is wanted in the target and not linked to anything there yet.

Each row shows what was asked of the target, what the ledger says, and the link afterwards; whether
the target is searched or listed makes no difference to any of them.
"""

from __future__ import annotations

import pytest

from provisor.model.rules import Flows
from tests.table.firm import Firm, Line, asked, creates, updates
from tests.table.rules import people

pytestmark = pytest.mark.parametrize("lists", [False, True], ids=["searched", "listed"])


def test_row_01_whom_the_target_does_not_have_is_created(lists: bool) -> None:
    firm = Firm(lists=lists)
    firm.hire("ada")

    firm.run()

    assert firm.calls == asked(lists, "find", "create")
    assert firm.writes == [creates("ada")]
    assert firm.lines("ada") == [Line(1, "create", "success")]
    assert firm.link("ada") == "managed"


def test_row_02_nobody_is_created_while_creating_is_off(lists: bool) -> None:
    firm = Firm(people(flows=Flows.UPDATE | Flows.DELETE), lists=lists)
    firm.hire("ada")

    firm.run()

    assert firm.calls == asked(lists, "find")
    assert firm.lines("ada") == [Line(2, "other", "skipped", "AddFlowDisabled")]
    assert firm.link("ada") == "none"


def test_row_03_an_account_that_matches_is_taken_over_and_brought_in_line(lists: bool) -> None:
    firm = Firm(lists=lists)
    firm.account("t9", userName="ADA@x.org", displayName="Countess", active=False)
    firm.hire("ada")

    firm.run()

    assert firm.calls == asked(lists, "find", "update")
    change = updates("t9", displayName=("Countess", "ada"), active=(False, True))
    assert firm.writes == [change]
    assert firm.lines("ada") == [Line(3, "update", "success")]
    assert firm.link("ada") == "managed"


def test_row_04_an_account_that_matches_and_says_the_same_is_only_linked(lists: bool) -> None:
    firm = Firm(lists=lists)
    firm.account("t9", userName="ada@x.org", displayName="ada")
    firm.hire("ada")

    firm.run()

    assert firm.calls == asked(lists, "find")
    assert firm.lines("ada") == [Line(4, "other", "skipped", "RedundantExport")]
    assert firm.link("ada") == "managed"


def test_row_05_an_account_that_matches_is_only_linked_while_updates_are_off(lists: bool) -> None:
    firm = Firm(people(flows=Flows.ADD | Flows.DELETE), lists=lists)
    firm.account("t9", userName="ada@x.org", displayName="Countess")
    firm.hire("ada")

    firm.run()

    assert firm.calls == asked(lists, "find")
    assert firm.lines("ada") == [Line(5, "other", "skipped", "UpdateFlowDisabled")]
    assert firm.link("ada") == "managed"


def test_row_06_nobody_is_linked_where_several_accounts_match(lists: bool) -> None:
    firm = Firm(lists=lists)
    firm.account("t8", userName="ada@x.org", displayName="ada")
    firm.account("t9", userName="Ada@X.org", displayName="ada")
    firm.hire("ada")

    firm.run()

    assert firm.calls == asked(lists, "find")
    assert firm.lines("ada") == [Line(6, "create", "failure", "DuplicateTargetEntries")]
    assert firm.link("ada") == "none"
    assert firm.escrow("ada") == "DuplicateTargetEntries"


def test_row_07_an_account_that_somebody_else_has_is_not_taken(lists: bool) -> None:
    firm = Firm(lists=lists)
    firm.hire("bob", mail="shared@x.org")
    firm.run()
    firm.hire("ada", mail="Shared@x.org")

    firm.run()

    assert firm.calls == ["find"]  # a listing is no index for one alone
    assert firm.lines("ada") == [Line(7, "other", "failure", "DuplicateSourceEntries")]
    assert firm.link("ada") == "none"
    assert firm.escrow("ada") == "DuplicateSourceEntries"
    assert "'bob'" in firm.records("ada")[0].reason
    assert "'ada'" in firm.records("ada")[0].reason
    assert firm.link("bob") == "managed"


def test_row_08_whoever_has_no_value_to_be_found_by_is_skipped(lists: bool) -> None:
    firm = Firm(lists=lists)
    firm.hire("ada", mail=None)

    firm.run()

    assert firm.calls == []
    assert firm.lines("ada") == [Line(8, "other", "skipped", "ImportSkipped")]
    assert firm.link("ada") == "none"
    assert firm.escrow("ada") == "", "what is skipped is not tried again by itself"
