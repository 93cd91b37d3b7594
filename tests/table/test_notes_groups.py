"""What the notes of the table say of groups: as a rule no application can disable one."""

from __future__ import annotations

import pytest

from provisor.model.decisions import AttributeChange
from provisor.model.entries import Absence, Anchor, Reference
from provisor.model.rules import Clause, ClauseGroup, Flows
from tests.table.firm import Firm, Line, deletes, members, updates
from tests.table.rules import GROUPS, group, teams

BOTH = pytest.mark.parametrize("lists", [False, True], ids=["searched", "listed"])
LASTING = (ClauseGroup("lasting", (Clause("purpose", "IS NULL"),)),)


def team_of_two(*, lists: bool = False, flows: Flows = Flows.ALL) -> Firm:
    """Ada has t1, Bob has t2, and both are in group t3."""
    firm = Firm(groups=teams(scope=LASTING, flows=flows), lists=lists)
    firm.assign("ada", "bob", teams=["crew"])
    firm.hire("ada")
    firm.hire("bob")
    firm.team("crew", "ada", "bob")
    firm.run()
    return firm


def group_anchor(firm: Firm) -> str:
    standing = firm.standing("crew", GROUPS)
    assert standing is not None
    assert standing.link is not None
    return standing.link.target


@BOTH
def test_row_01_a_group_is_created_empty_and_filled_afterwards(lists: bool) -> None:
    firm = team_of_two(lists=lists)

    crew = group_anchor(firm)
    assert [type(w).__name__ for w in firm.writes] == ["Create", "Create", "Create", "Update"]
    assert firm.writes[-1] == members(crew, added=["t1", "t2"])
    assert firm.lines("crew", GROUPS) == [Line(1, "create", "success")]


@BOTH
@pytest.mark.parametrize("how", ["unassigned", "filtered"])
def test_row_18_a_group_that_leaves_scope_is_deleted_and_its_members_stay(
    lists: bool, how: str
) -> None:
    firm = team_of_two(lists=lists)
    crew = group_anchor(firm)
    if how == "filtered":
        firm.team("crew", "ada", "bob", purpose="passing")
    else:
        firm.assign("ada", "bob")

    firm.run()

    assert firm.writes == [deletes(crew, "Group")]
    assert firm.lines("crew", GROUPS) == [Line(18, "delete", "success")]
    assert firm.link("crew", GROUPS) == "none"
    assert firm.link("ada") == "managed"
    assert firm.link("bob") == "managed"


def test_row_18_members_who_were_in_scope_by_the_group_alone_follow_their_own_row() -> None:
    firm = team_of_two()
    firm.assign(teams=["crew"])
    firm.run()
    assert firm.link("ada") == "managed", "direct members of an assigned group are assigned"
    firm.team("crew", "bob")

    firm.run()

    assert firm.lines("ada") == [Line(15, "disable", "success")]
    assert firm.says(group_anchor(firm))["members"] == (Reference("User", Anchor("t2")),)


@BOTH
@pytest.mark.parametrize("how", ["softDeleted", "absent"])
def test_row_21_a_group_that_is_soft_deleted_is_deleted(lists: bool, how: str) -> None:
    firm = team_of_two(lists=lists)
    crew = group_anchor(firm)
    if how == "absent":
        firm.source.remove(group("crew"), Absence.ABSENT)
    else:
        firm.team("crew", "ada", "bob", IsSoftDeleted=True)

    firm.run()

    assert firm.writes == [deletes(crew, "Group")]
    assert firm.lines("crew", GROUPS) == [Line(21, "delete", "success")]
    assert firm.link("crew", GROUPS) == "none"


@BOTH
def test_row_24_a_group_that_is_deleted_is_deleted(lists: bool) -> None:
    firm = team_of_two(lists=lists)
    crew = group_anchor(firm)
    firm.disband("crew")

    firm.run()

    assert firm.writes == [deletes(crew, "Group")]
    assert firm.lines("crew", GROUPS) == [Line(24, "delete", "success")]
    assert firm.standing("crew", GROUPS) is None


def test_row_19_a_group_stays_where_deleting_is_off() -> None:
    firm = team_of_two(flows=Flows.ADD | Flows.UPDATE)
    firm.team("crew", "ada", "bob", purpose="passing")

    firm.run()

    assert firm.writes == []
    assert firm.lines("crew", GROUPS) == [Line(19, "other", "skipped", "DeleteFlowDisabled")]
    assert firm.link("crew", GROUPS) == "released"


def test_a_group_that_was_created_anew_gets_its_members_again() -> None:
    firm = team_of_two()
    firm.team("crew", "ada", "bob", purpose="passing")
    firm.run()
    firm.team("crew", "ada", "bob")

    firm.run()

    crew = group_anchor(firm)
    assert firm.writes[-1] == members(crew, added=["t1", "t2"])


def test_a_reconcile_finds_nothing_strange_in_members_that_we_wrote() -> None:
    firm = team_of_two(lists=True)

    firm.run(reconciles=True)

    assert firm.writes == []
    assert "Drift" not in [r.code for r in firm.records("crew", GROUPS)]


def test_a_reconcile_names_what_others_changed_and_takes_it_back() -> None:
    firm = team_of_two(lists=True)
    firm.account("t1", userName="ada@x.org", displayName="Countess", title="unmapped")

    firm.run(reconciles=True)

    drift = next(r for r in firm.records("ada") if r.code == "Drift")
    assert drift.changes == (AttributeChange("displayName", "ada", "Countess"),)
    assert firm.writes == [updates("t1", displayName=("Countess", "ada"))]
