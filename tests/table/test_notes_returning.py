"""What the notes of the table say of those who come back, and of those who come under a new id."""

from __future__ import annotations

import pytest

from provisor.model.decisions import Create, Update
from provisor.model.entries import Absence, Anchor, Reference
from tests.table.firm import Firm, Line, deletes, members, updates
from tests.table.rules import user

BOTH = pytest.mark.parametrize("lists", [False, True], ids=["searched", "listed"])
ENABLES = updates("t1", active=(False, True))


def member_of_a_group(*, lists: bool = False, has_changes: bool = True) -> Firm:
    """Ada has t1, Bob has t2; both are in group t3."""
    firm = Firm(lists=lists, has_changes=has_changes)
    firm.hire("ada")
    firm.hire("bob")
    firm.team("crew", "ada", "bob")
    firm.run()
    return firm


# reassigned, restored


@BOTH
def test_whoever_is_assigned_again_is_enabled_and_back_in_the_group(lists: bool) -> None:
    firm = member_of_a_group(lists=lists)
    firm.assign("bob", teams=["crew"])
    firm.team("crew", "bob")
    firm.run()
    assert members("t3", removed=["t1"]) in firm.writes
    firm.assign("ada", "bob", teams=["crew"])
    firm.team("crew", "ada", "bob")

    firm.run()

    assert firm.writes == [ENABLES, members("t3", added=["t1"])]
    assert firm.lines("ada") == [Line(11, "update", "success")]
    assert firm.link("ada") == "managed"


@BOTH
@pytest.mark.parametrize("how", ["softDeleted", "absent"])
def test_whoever_is_restored_is_enabled_and_never_left_the_group(lists: bool, how: str) -> None:
    """Nobody pointed elsewhere meanwhile: who is only disabled stays a member."""
    firm = member_of_a_group(lists=lists)
    if how == "absent":
        firm.source.remove(user("ada"), Absence.ABSENT)
    else:
        firm.hire("ada", IsSoftDeleted=True)
    firm.run()
    assert firm.writes == [updates("t1", active=(True, False))]
    firm.hire("ada", IsSoftDeleted=None)

    firm.run()

    assert firm.writes == [ENABLES]
    assert firm.lines("ada") == [Line(11, "update", "success")]
    said = firm.says("t3")["members"]
    assert said == (Reference("User", Anchor("t1")), Reference("User", Anchor("t2")))


def test_whoever_left_scope_is_taken_out_of_groups_and_put_back_on_return() -> None:
    firm = member_of_a_group()
    firm.transfer("ada")
    firm.run()
    assert members("t3", removed=["t1"]) in firm.writes
    firm.hire("ada", department="Sales")

    firm.run()

    assert firm.writes == [ENABLES, members("t3", added=["t1"])]


def test_references_to_who_is_deleted_are_taken_back_before_the_delete() -> None:
    firm = member_of_a_group()
    firm.dismiss("ada")

    firm.run()

    assert firm.writes == [members("t3", removed=["t1"]), deletes("t1")]


# a new id in the source


def rename_key(firm: Firm, absence: Absence) -> None:
    """Ada's directory was rebuilt: the same person, under another id."""
    firm.source.remove(user("ada"), absence)
    firm.hire("ada2", mail="ada@x.org", name="ada")


@pytest.mark.parametrize("absence", [Absence.DELETED, Absence.ABSENT])
def test_a_person_under_a_new_id_keeps_the_account(absence: Absence) -> None:
    firm = member_of_a_group()
    rename_key(firm, absence)

    firm.run()
    firm.run()

    assert firm.says("t1")["active"] is True
    assert firm.link("ada2") == "managed"
    assert firm.link("ada") == "none"
    assert [e.anchor for e in firm.directory.entries.values() if e.kind == "User"] == ["t1", "t2"]


def test_a_person_under_a_new_id_is_not_deleted_with_the_old_one() -> None:
    firm = member_of_a_group()
    rename_key(firm, Absence.DELETED)

    firm.run()

    assert not [w for w in firm.writes if isinstance(w, Create)]
    assert firm.lines("ada2") == [Line(4, "other", "skipped", "RedundantExport")]
    assert firm.lines("ada") == [Line(27, "other", "skipped", "NotEffectivelyEntitled")]
    assert not [w for w in firm.writes if isinstance(w, Update) and w.kind == "User"]


def test_an_account_is_not_ceded_while_its_own_person_is_there() -> None:
    firm = member_of_a_group()
    firm.transfer("ada")
    firm.hire("ada2", mail="ada@x.org", name="ada")

    firm.run()

    assert firm.lines("ada2") == [Line(7, "other", "failure", "DuplicateSourceEntries")]
    assert firm.link("ada") == "released"


def test_who_waits_for_a_name_has_it_in_the_cycle_in_which_its_holder_goes() -> None:
    """And not hours later, when what failed would be tried again."""
    firm = member_of_a_group()
    firm.hire("ada2", mail="ada@x.org", name="ada")
    firm.run()
    assert firm.lines("ada2") == [Line(7, "other", "failure", "DuplicateSourceEntries")]
    firm.dismiss("ada")

    firm.run()

    assert firm.link("ada2") == "managed"
    assert firm.link("ada") == "none"
    assert firm.says("t1")["active"] is True


# a snapshot


def test_a_snapshot_that_leaves_somebody_out_disables_him_and_no_more() -> None:
    firm = member_of_a_group(has_changes=False)
    firm.source.remove(user("ada"))

    firm.run()

    assert firm.writes == [updates("t1", active=(True, False))]
    assert firm.lines("ada") == [Line(20, "disable", "success")]
    assert firm.link("ada") == "disabled"
