"""What becomes of who is not wanted: every presence, every link, every flow has its row."""

from __future__ import annotations

import dataclasses
import itertools
from typing import TypeAlias

import pytest

from provisor.model.decisions import Action, LinkState, Standing
from provisor.model.entries import Absence, MatchQuery
from provisor.model.frozen import replace
from provisor.model.rules import Flows, Policy
from provisor.planner.leave import Leave, departure, leave
from provisor.planner.scope import facts
from tests.table.rules import ADA, SALES, people, standing, terms

NONE, MANAGED, DISABLED = None, LinkState.MANAGED, LinkState.DISABLED
LEAVING, RELEASED, CLAIMED = LinkState.LEAVING, LinkState.RELEASED, LinkState.CLAIMED
AT_WORK = (MANAGED, LEAVING, CLAIMED)
HERE, GONE, OFF = "out of scope", "deleted", "disabled"
Case: TypeAlias = tuple[str, LinkState | None, Flows, bool, bool, bool]
"""Presence, link, flows, soft delete, SkipOutOfScopeDeletions, deleteReleased."""
STANDS: list[tuple[str, LinkState | None]] = list(
    itertools.product((HERE, OFF, GONE), (NONE, *AT_WORK, DISABLED, RELEASED))
)
EVERY = pytest.mark.parametrize(("presence", "state"), STANDS)


def cases(presence: str, state: LinkState | None) -> list[Case]:
    """Return every way in which such an object may be configured to leave."""
    flows = (Flows.ALL, Flows.UPDATE, Flows.DELETE, Flows.NONE)
    both = (True, False)
    return list(itertools.product((presence,), (state,), flows, both, both, both))


def object_in(presence: str, state: LinkState | None) -> Standing:
    match presence:
        case "deleted":
            return standing(absence=Absence.DELETED, state=state)
        case "disabled":
            return standing({**ADA, "accountEnabled": False}, state=state)
        case _:
            return standing({**ADA, "department": "HR"}, state=state)


def left(case: Case) -> Leave:
    presence, state, flows, disables, skips, reaches = case
    policy = Policy(skips_out_of_scope_deletions=skips, deletes_released=reaches)
    given = terms(people(flows=flows, disables=disables), policy)
    one = object_in(presence, state)
    return leave(given, one, facts(given.mapping, policy, one))


def expected_row(case: Case) -> int:
    """Say the table once more, in other words."""
    presence, state, flows, disables, skips, reaches = case
    is_open = state in AT_WORK or (state is RELEASED and reaches)
    updates, deletes = Flows.UPDATE in flows, Flows.DELETE in flows
    if presence == GONE:
        if state is None:
            return 27
        if state is RELEASED and not reaches:
            return 26
        return 24 if deletes else 25
    if presence == OFF:
        if not is_open:
            return {None: 14, RELEASED: 28, DISABLED: 23}[state]
        if disables:
            return 20 if updates else 22
        return 21 if deletes else 22
    if state is None:
        return 13
    if state not in AT_WORK:
        return 34
    if skips:
        return 16
    if disables:
        return 15 if updates else 17
    return 18 if deletes else 19


@EVERY
def test_every_case_has_its_row(presence: str, state: LinkState | None) -> None:
    for case in cases(presence, state):
        assert left(case).row == expected_row(case), case


@EVERY
def test_rows_that_send_something_name_what_and_all_others_why_not(
    presence: str, state: LinkState | None
) -> None:
    actions = {
        **dict.fromkeys((15, 20), Action.DISABLE),
        **dict.fromkeys((18, 21, 24), Action.DELETE),
    }
    for case in cases(presence, state):
        found = left(case)

        assert found.action is actions.get(found.row, Action.OTHER), case
        assert bool(found.code) is not found.is_departure, case


STATES: dict[int, LinkState | None] = {
    **dict.fromkeys((13, 14, 18, 21, 24, 25, 26, 27)),
    **dict.fromkeys((15, 16, 17, 19, 28, 34), RELEASED),
    **dict.fromkeys((20, 22, 23), DISABLED),
}


@EVERY
def test_the_row_says_how_the_link_stands_afterwards(
    presence: str, state: LinkState | None
) -> None:
    for case in cases(presence, state):
        found = left(case)

        assert found.after is STATES[found.row], case


@pytest.mark.parametrize("state", [MANAGED, DISABLED])
@pytest.mark.parametrize("how", ["unassigned", "filtered"])
def test_who_is_disabled_and_has_lost_scope_ends_released(state: LinkState, how: str) -> None:
    policy = Policy(sync_all=False)
    given = terms(people(), policy)
    off = {**ADA, "accountEnabled": False, "department": "HR" if how == "filtered" else "Sales"}
    one = standing(off, state=state, is_assigned=how == "filtered")

    found = leave(given, one, facts(given.mapping, policy, one))

    assert found.row == (20 if state is MANAGED else 35)
    assert found.after is RELEASED


# what counts as a departure


@pytest.mark.parametrize("state", AT_WORK)
def test_who_is_wanted_does_not_depart(state: LinkState) -> None:
    assert departure(terms(people()), standing(state=state)) is None


@pytest.mark.parametrize(("presence", "row"), [(HERE, 15), (OFF, 20), (GONE, 24)])
def test_who_is_at_work_and_not_wanted_departs(presence: str, row: int) -> None:
    found = departure(terms(people()), object_in(presence, MANAGED))

    assert found is not None
    assert found.row == row


@pytest.mark.parametrize("presence", [HERE, OFF, GONE])
def test_who_never_was_in_the_target_does_not_depart(presence: str) -> None:
    assert departure(terms(people()), object_in(presence, None)) is None


def test_an_edit_to_somebody_disabled_already_is_no_departure() -> None:
    assert departure(terms(people()), object_in(OFF, DISABLED)) is None


@pytest.mark.parametrize(("presence", "row"), [(HERE, 15), (OFF, 20), (GONE, 24)])
def test_an_unanswered_create_is_taken_for_done(presence: str, row: int) -> None:
    attempt = (MatchQuery("User", "userName", "ada@x.org"),)
    one = replace(object_in(presence, None), attempt=attempt)

    found = departure(terms(people()), one)

    assert found is not None
    assert found.row == row


def test_who_is_left_out_of_the_mapping_does_not_depart() -> None:
    mapping = dataclasses.replace(people(), input_filter=SALES)
    away = standing({**ADA, "department": "HR"}, state=MANAGED)

    assert departure(terms(mapping), away) is None


def test_a_claim_whose_person_was_never_read_departs_only_if_it_is_gone() -> None:
    one = replace(standing(state=CLAIMED), source=None)

    assert departure(terms(people(scope=())), one) is None
    gone = departure(terms(people()), replace(one, absence=Absence.DELETED))
    assert gone is not None
    assert gone.row == 24
