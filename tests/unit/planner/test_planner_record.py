"""What the ledger says of a decision: how it ended, what it changed, and nothing secret."""

from __future__ import annotations

from datetime import timedelta

import pytest

from provisor.model.decisions import (
    Action,
    AttributeChange,
    Decision,
    Delete,
    Escrowed,
    Export,
    Heard,
    Image,
    Keep,
    Link,
    LinkState,
    Record,
    Refuse,
    Resolution,
    Settled,
    Situation,
    Stage,
    Update,
    Verdict,
)
from provisor.model.entries import Anchor, Attributes, Entry, Reference
from provisor.model.rules import Mutability
from provisor.planner.record import LEFT_OUT, change_id, drift_record, name_of, record_of
from provisor.planner.scope import facts
from provisor.planner.terms import Terms
from tests.table.rules import NOW, attribute, people, standing, terms

LINK = Link(Anchor("t1"), Image({"displayName": "ada"}))
SECRET = attribute("password", "[secret]", mutability=Mutability.WRITE_ONLY)
TERMS = terms(people(SECRET))
ONE = standing(state=LinkState.MANAGED)
UPDATE = Update(
    "User",
    Anchor("t1"),
    (AttributeChange("displayName", "ada", "Ada"), AttributeChange("password", None, "s3cret")),
)


def recorded(
    resolution: Resolution, outcome: Settled | Escrowed | None, rules: Terms = TERMS
) -> Record:
    decision = Decision(
        key=ONE.key,
        row=9,
        situation=Situation.CONFIRMED,
        resolution=resolution,
        facts=facts(rules.mapping, rules.policy, ONE),
        action=Action.UPDATE,
        code="Decided",
    )
    ended = NOW + timedelta(milliseconds=1500)
    return record_of(rules, ONE, decision, outcome, cycle="c", began=NOW, ended=ended)


@pytest.mark.parametrize(
    ("resolution", "outcome", "verdict", "is_exported", "is_export_due"),
    [
        (Export(UPDATE, {}), Settled(LINK), Verdict.SUCCESS, True, True),
        (Export(UPDATE, {}), Escrowed(code="X", reason="y"), Verdict.FAILURE, False, True),
        (Export(Delete("User", Anchor("t1")), {}), Settled(None), Verdict.SUCCESS, True, True),
        (Keep(LINK), Settled(LINK), Verdict.SKIPPED, False, False),
        (Keep(None), Settled(None), Verdict.SKIPPED, False, False),
        (Refuse("X", "y"), Escrowed(code="X", reason="y"), Verdict.FAILURE, False, False),
        (Stage(Action.DISABLE), None, Verdict.WARNING, False, False),
    ],
)
def test_how_a_decision_ended(
    resolution: Resolution,
    outcome: Settled | Escrowed | None,
    verdict: Verdict,
    is_exported: bool,
    is_export_due: bool,
) -> None:
    record = recorded(resolution, outcome)

    assert record.verdict is verdict
    assert record.is_exported is is_exported
    assert record.is_export_due is is_export_due
    assert record.duration_ms == 1500


def test_a_failure_is_told_by_its_own_code() -> None:
    record = recorded(Export(UPDATE, {}), Escrowed(code="Conflict", reason="in use"))

    assert (record.code, record.reason) == ("Conflict", "in use")
    assert recorded(Keep(LINK), Settled(LINK)).code == "Decided"


def test_what_is_secret_is_not_recorded() -> None:
    record = recorded(Export(UPDATE, {}), Settled(LINK))

    assert record.changes == (
        AttributeChange("displayName", "ada", "Ada"),
        AttributeChange("password", None, "[Redact]"),
    )


HEARD = Heard("adding 'cn=Ada'", "constraintViolation (19)", '{"displayName":"Ada"}', "no Ada here")


def test_how_the_target_was_asked_and_answered_is_kept_of_whatever_came_of_it() -> None:
    for outcome in (Settled(LINK, HEARD), Escrowed(code="X", reason="y", heard=HEARD)):
        assert recorded(Export(UPDATE, {}), outcome).heard == HEARD
    assert recorded(Stage(Action.DISABLE), None).heard is None


def test_what_may_hold_a_value_that_a_mapping_redacts_is_not_kept() -> None:
    redacting = terms(people(attribute("displayName", "Redact([displayName])")))

    kept = recorded(
        Export(UPDATE, {}), Escrowed(code="X", reason="y", heard=HEARD), redacting
    ).heard

    assert kept == Heard(f"adding {LEFT_OUT}", HEARD.outcome, LEFT_OUT, LEFT_OUT)
    assert recorded(
        Export(UPDATE, {}), Settled(LINK, Heard("POST /Users", "201")), redacting
    ).heard == Heard(f"POST {LEFT_OUT}", "201")


def test_a_change_has_the_same_id_when_it_is_told_again_and_another_in_each_cycle() -> None:
    assert change_id("c", ONE, "") == change_id("c", ONE, "")
    ids = {change_id("c", ONE, ""), change_id("d", ONE, ""), change_id("c", ONE, "references")}
    assert len(ids) == 3


@pytest.mark.parametrize(
    ("attributes", "name"),
    [
        ({"displayName": "Ada", "mail": "ada@x.org"}, "Ada"),
        ({"displayName": "", "userPrincipalName": "ada@x.org"}, "ada@x.org"),
        ({"mail": "ada@x.org"}, "ada@x.org"),
        ({"number": 7}, ""),
    ],
)
def test_an_object_is_called_what_people_call_it(attributes: Attributes, name: str) -> None:
    assert name_of(attributes) == name


# drift


def drifted(before: Attributes, now: Attributes) -> tuple[object, ...]:
    link = Link(Anchor("t1"), Image(before))
    entry = Entry("User", Anchor("t1"), now)
    record = drift_record(TERMS, ONE.key, link, entry, cycle="c", at=NOW)
    return record.changes if record else ()


def test_what_others_changed_of_ours_is_drift() -> None:
    assert drifted({"displayName": "ada", "active": True}, {"displayName": "Countess"}) == (
        AttributeChange("displayName", "ada", "Countess"),
        AttributeChange("active", True, None),
    )


@pytest.mark.parametrize(
    "now",
    [
        {"displayName": "ada"},
        {"displayName": "ADA"},
        {"displayName": "ada", "title": "unmapped"},
        {"displayName": "ada", "manager": Reference("User", Anchor("t2"))},
    ],
    ids=["same", "case", "unmapped", "reference"],
)
def test_what_is_not_ours_or_says_the_same_is_no_drift(now: Attributes) -> None:
    assert drifted({"displayName": "ada", "password": "s3cret"}, now) == ()
