"""Is a source object wanted? Three gates: assignment, scoping filter, activity."""

from __future__ import annotations

import dataclasses

import pytest

from provisor.model.decisions import Standing
from provisor.model.entries import Absence, Attributes
from provisor.model.frozen import replace
from provisor.model.rules import AttributeType, Clause, ClauseGroup, Filter, Policy
from provisor.planner.scope import (
    Presence,
    clause_results,
    evaluate_filter,
    facts,
    holds,
    is_excluded,
    presence,
)
from tests.table.rules import ADA, SALES, mapping_of, people, standing

CHOSEN = Policy(sync_all=False)
PARIS = Clause("city", "EQUALS", ("Paris",))
ROME = Clause("city", "EQUALS", ("Rome",))
TALL = Clause("floor", "EQUALS", ("9",))


@pytest.mark.parametrize(
    ("attributes", "absence", "expected"),
    [
        ({}, None, Presence.ACTIVE),
        ({"accountEnabled": True}, None, Presence.ACTIVE),
        ({"accountEnabled": False}, None, Presence.DISABLED),
        ({"accountEnabled": "False"}, None, Presence.ACTIVE),
        ({"IsSoftDeleted": True}, None, Presence.SOFT_DELETED),
        ({"IsSoftDeleted": True, "accountEnabled": False}, None, Presence.SOFT_DELETED),
        ({"IsSoftDeleted": False}, None, Presence.ACTIVE),
        ({}, Absence.ABSENT, Presence.SOFT_DELETED),
        ({}, Absence.DELETED, Presence.HARD_DELETED),
        ({"accountEnabled": False}, Absence.DELETED, Presence.HARD_DELETED),
        ({}, Absence.LEFT, Presence.ACTIVE),
        ({"accountEnabled": False}, Absence.LEFT, Presence.DISABLED),
    ],
)
def test_how_much_there_is_of_an_object(
    attributes: Attributes, absence: Absence | None, expected: Presence
) -> None:
    assert presence(standing(attributes, absence=absence)) is expected


def test_an_object_that_was_never_seen_and_is_claimed_counts_as_active() -> None:
    assert presence(replace(standing(), source=None)) is Presence.ACTIVE


@pytest.mark.parametrize(
    ("policy", "one", "is_wanted"),
    [
        (Policy(), standing(), True),
        (Policy(), standing(is_assigned=False), True),  # everybody is assigned
        (CHOSEN, standing(), True),
        (CHOSEN, standing(is_assigned=False), False),
        (CHOSEN, standing({**ADA, "department": "HR"}), False),
        (Policy(), standing({**ADA, "department": "HR"}), False),
        (Policy(), standing({**ADA, "accountEnabled": False}), False),
        (Policy(), standing(absence=Absence.LEFT), False),
        (Policy(), standing(absence=Absence.ABSENT), False),
        (Policy(), standing(absence=Absence.DELETED), False),
    ],
)
def test_all_three_gates_must_let_an_object_pass(
    policy: Policy, one: Standing, is_wanted: bool
) -> None:
    assert facts(people(), policy, one).is_effectively_entitled is is_wanted


def test_whoever_is_disabled_is_entitled_and_not_effectively() -> None:
    known = facts(people(), Policy(), standing({**ADA, "accountEnabled": False}))

    assert known.is_entitled
    assert not known.is_active
    assert not known.is_effectively_entitled


def test_whoever_has_left_the_view_passes_no_filter() -> None:
    known = facts(people(scope=()), Policy(), standing(absence=Absence.LEFT))

    assert not known.passes_filter


@pytest.mark.parametrize(
    ("conditions", "holds", "clause"),
    [
        ((), True, ""),
        ((ClauseGroup("a", (PARIS,)),), True, "city EQUALS 'Paris'"),
        ((ClauseGroup("a", (ROME,)),), False, "city EQUALS 'Rome'"),
        ((ClauseGroup("a", (PARIS, TALL)),), False, "floor EQUALS '9'"),
        ((ClauseGroup("a", (ROME,)), ClauseGroup("b", (PARIS,))), True, "city EQUALS 'Paris'"),
        ((ClauseGroup("a", (ROME,)), ClauseGroup("b", (TALL,))), False, "city EQUALS 'Rome'"),
        ((ClauseGroup("a", ()),), True, ""),
    ],
)
def test_clauses_are_joined_by_and_groups_by_or_and_the_deciding_clause_is_named(
    conditions: Filter, holds: bool, clause: str
) -> None:
    assert evaluate_filter(conditions, {"city": "Paris"}) == (holds, clause)


def test_a_filter_on_what_has_no_value_does_not_hold() -> None:
    assert evaluate_filter(SALES, {}) == (False, "department EQUALS 'Sales'")
    absent = (ClauseGroup("a", (Clause("city", "NOT EQUALS", ("Paris",)),)),)
    assert evaluate_filter(absent, {})[0] is False


@pytest.mark.parametrize("which", ["input_filter", "category_filter"])
def test_what_another_filter_leaves_out_is_no_business_of_the_mapping(which: str) -> None:
    mapping = dataclasses.replace(mapping_of(()), **{which: SALES})

    assert is_excluded(mapping, standing({**ADA, "department": "HR"}))
    assert not is_excluded(mapping, standing())
    assert not is_excluded(mapping, replace(standing(), source=None))


def test_every_clause_is_told_with_its_group() -> None:
    mapping = people(scope=(ClauseGroup("high", (PARIS, TALL)), ClauseGroup("", (ROME,))))

    assert list(clause_results(mapping, {"city": "Paris"})) == [
        ("high.city EQUALS 'Paris'", True, "city"),
        ("high.floor EQUALS '9'", False, "floor"),
        ("city EQUALS 'Rome'", False, "city"),
    ]


def test_bits_are_tested_in_numbers_that_a_file_delivers_as_text() -> None:
    flags = Clause("userAccountControl", "&", ("2",), AttributeType.INTEGER)

    assert holds(flags, {"userAccountControl": "514"})
    assert not holds(flags, {"userAccountControl": "512"})
    assert not holds(flags, {"userAccountControl": "none"})
