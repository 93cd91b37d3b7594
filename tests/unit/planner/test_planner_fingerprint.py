"""Does what was planned still stand? Whatever a write depends on changes its hash."""

from __future__ import annotations

import dataclasses

import pytest

from provisor.model.decisions import (
    Action,
    AttributeChange,
    Export,
    Keep,
    LinkState,
    ReferencesChange,
    Situation,
    Standing,
    Update,
)
from provisor.model.entries import Absence, Anchor, Attributes, Reference
from provisor.model.frozen import replace
from provisor.model.plans import PlanStep
from provisor.planner.fingerprint import plan_hash, precondition, reference_precondition
from tests.table.rules import ADA, people, standing

RULES = people()
BEFORE = standing(state=LinkState.MANAGED)
T1, T2 = Reference("User", Anchor("t1")), Reference("User", Anchor("t2"))


def export(base: Attributes) -> Export:
    return Export(Update("User", Anchor("t1"), ()), base)


@pytest.mark.parametrize(
    "after",
    [
        standing({**ADA, "name": "Ada King"}, state=LinkState.MANAGED),
        standing({**ADA, "title": "Countess"}, state=LinkState.MANAGED),
        standing(absence=Absence.DELETED, state=LinkState.MANAGED),
        standing(is_assigned=False, state=LinkState.MANAGED),
        standing(),
    ],
    ids=["changed", "grown", "gone", "unassigned", "unlinked"],
)
def test_another_source_object_changes_the_precondition(after: Standing) -> None:
    said = export({"displayName": "ada"})

    assert precondition(RULES, BEFORE, said) != precondition(RULES, after, said)


def test_another_answer_of_the_target_changes_the_precondition() -> None:
    one, other = export({"displayName": "ada"}), export({"displayName": "Countess"})

    assert precondition(RULES, BEFORE, one) != precondition(RULES, BEFORE, other)


def test_other_rules_change_the_precondition() -> None:
    said, changed = export({}), dataclasses.replace(RULES, hash="changed")

    assert precondition(RULES, BEFORE, said) != precondition(changed, BEFORE, said)
    assert reference_precondition(RULES, BEFORE) != reference_precondition(changed, BEFORE)


def test_the_order_of_attributes_and_how_often_it_was_seen_change_nothing() -> None:
    turned = standing(
        {name: ADA[name] for name in sorted(ADA, reverse=True)}, state=LinkState.MANAGED
    )
    later = replace(turned, seen=9, generation=4)

    assert precondition(RULES, BEFORE, export({})) == precondition(RULES, later, export({}))
    assert reference_precondition(RULES, BEFORE) == reference_precondition(RULES, later)


def test_text_is_no_number() -> None:
    one, other = standing({"level": 7}), standing({"level": "7"})

    assert precondition(RULES, one, Keep(None)) != precondition(RULES, other, Keep(None))


def test_references_do_not_depend_on_the_account_that_may_be_made_by_the_same_plan() -> None:
    assert reference_precondition(RULES, BEFORE) == reference_precondition(RULES, standing())
    gone = standing(absence=Absence.LEFT)
    assert reference_precondition(RULES, BEFORE) != reference_precondition(RULES, gone)


# plans


STEP = PlanStep(
    key=BEFORE.key,
    is_reference_pass=False,
    row=9,
    situation=Situation.CONFIRMED,
    action=Action.UPDATE,
    code="",
    changes=(AttributeChange("displayName", "ada", "Ada"),),
    shown=(),
    precondition="p",
)


@pytest.mark.parametrize(
    "other",
    [
        dataclasses.replace(STEP, key=replace(STEP.key, anchor=Anchor("bob"))),
        dataclasses.replace(STEP, is_reference_pass=True),
        dataclasses.replace(STEP, action=Action.DISABLE),
        dataclasses.replace(STEP, changes=(AttributeChange("displayName", "ada", "Countess"),)),
        dataclasses.replace(
            STEP, changes=(ReferencesChange("members", frozenset({T1}), frozenset()),)
        ),
        dataclasses.replace(STEP, precondition="q"),
    ],
    ids=["object", "pass", "action", "value", "references", "precondition"],
)
def test_a_plan_is_named_by_all_that_it_writes(other: PlanStep) -> None:
    assert plan_hash("job", [STEP]) != plan_hash("job", [other])


def test_a_plan_is_named_by_its_job_and_its_steps() -> None:
    last = dataclasses.replace(STEP, precondition="q")

    names = {
        plan_hash("job", [STEP, last]),
        plan_hash("job", [STEP]),
        plan_hash("job", []),
        plan_hash("another job", [STEP, last]),
    }
    assert len(names) == 4


def test_the_order_in_which_tasks_came_to_plan_does_not_name_a_plan() -> None:
    last = dataclasses.replace(STEP, precondition="q")

    assert plan_hash("job", [STEP, last]) == plan_hash("job", [last, STEP])


def test_members_have_no_order() -> None:
    one = dataclasses.replace(
        STEP, changes=(ReferencesChange("m", frozenset([T1, T2]), frozenset()),)
    )
    other = dataclasses.replace(
        STEP, changes=(ReferencesChange("m", frozenset([T2, T1]), frozenset()),)
    )

    assert plan_hash("job", [one]) == plan_hash("job", [other])


def test_what_is_only_told_about_a_step_does_not_name_the_plan() -> None:
    told = dataclasses.replace(STEP, source_name="Ada", target_name="ada", shown=STEP.changes)

    assert plan_hash("job", [STEP]) == plan_hash("job", [told])
