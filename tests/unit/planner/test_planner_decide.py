"""The verdict on one object, where the table's tests do not reach: what was found, what is chosen,
what is left out, and when the target must be asked at all."""

from __future__ import annotations

import dataclasses

import pytest

from provisor.model.decisions import (
    Action,
    AttributeChange,
    Create,
    Decision,
    Escrow,
    Export,
    Image,
    Keep,
    Link,
    LinkState,
    Refuse,
    Situation,
    Stage,
    Standing,
    StandingKey,
    Update,
)
from provisor.model.entries import Absence, Anchor, Entry, MatchQuery, Reference, Value
from provisor.model.frozen import replace
from provisor.model.rules import ObjectMapping, Policy, TargetReads
from provisor.planner.decide import (
    ANSWER_AWAITED_MAX,
    Given,
    Sighting,
    announce,
    decide,
    is_trusted,
    needs_look,
    staged,
)
from provisor.planner.mapping import NeedsUnique
from tests.table.rules import ADA, NOW, SALES, USERS, attribute, people, standing, terms

MANAGED = LinkState.MANAGED
SAID = {"userName": "ada@x.org", "displayName": "ada", "active": True}
AWAITED = (MatchQuery("User", "userName", "ada@x.org"),)
HR = {**ADA, "department": "HR"}
PICTURED = Link(Anchor("t1"), Image(SAID), MANAGED)


def account(anchor: str = "t1", **said: Value) -> Entry:
    return Entry("User", Anchor(anchor), {**SAID, **said}, "v1")


def ours(*found: Entry) -> Sighting:
    return Sighting(found, is_ours=True)


def decided(
    one: Standing,
    sighting: Sighting | None = None,
    *,
    mapping: ObjectMapping | None = None,
    policy: Policy | None = None,
) -> Decision:
    return decide(terms(mapping or people(), policy), one, Given(sighting or Sighting()))


def written(decision: Decision) -> object:
    assert isinstance(decision.resolution, Export), decision
    return decision.resolution.write


# what the target showed


def test_with_relinkMissing_what_has_vanished_is_created_again() -> None:  # noqa: N802
    gone = ours()

    relinked = decided(standing(state=MANAGED), gone, policy=Policy(relinks_missing=True))

    assert isinstance(written(relinked), Create)
    assert (relinked.row, relinked.situation) == (1, Situation.MISSING)
    assert decided(standing(state=MANAGED), gone).row == 12


def test_an_update_is_made_for_the_version_that_was_seen() -> None:
    write = written(decided(standing(state=MANAGED), ours(account(displayName="?"))))

    change = AttributeChange("displayName", "?", "ada")
    assert write == Update("User", Anchor("t1"), (change,), "v1")


def test_what_an_unanswered_create_has_made_is_ours() -> None:
    one = replace(standing(), attempt=AWAITED)

    decision = decided(one, ours(account()))

    assert isinstance(decision.resolution, Keep)
    assert decision.resolution.link is not None
    assert decision.resolution.link.is_created_by_us
    assert (decision.row, decision.situation) == (4, Situation.CONFIRMED)


def test_what_was_there_before_is_linked_and_not_taken_for_our_make() -> None:
    decision = decided(standing(), Sighting((account(),)))

    assert isinstance(decision.resolution, Keep)
    assert decision.resolution.link is not None
    assert not decision.resolution.link.is_created_by_us
    assert decision.situation is Situation.FOUND


def test_the_refusal_of_an_ambiguous_match_names_what_was_found() -> None:
    found = Sighting((account("t1"), account("t2")), matched_by=AWAITED[0])

    decision = decided(standing(), found)

    assert isinstance(decision.resolution, Refuse)
    assert "userName 'ada@x.org': 't1', 't2'" in decision.resolution.reason


def test_of_an_account_that_is_taken_the_other_is_named() -> None:
    other = StandingKey(USERS, Anchor("bob"))

    decision = decided(standing(), Sighting((account(),), taken_by=other))

    assert decision.row == 7
    assert isinstance(decision.resolution, Refuse)
    assert "'bob'" in decision.resolution.reason


# creates


def test_a_create_answers_to_its_stamp_its_matching_values_and_what_was_chosen() -> None:
    mapping = people(
        attribute("externalId", "[id]"),
        attribute("nickName", 'SelectUniqueValue("ada", "ada1")'),
    )
    one = standing({**ADA, "id": "4711"})
    manager = Reference("User", Anchor("t9"))

    given = Given(chosen={"nickName": "ada1"}, resolved={"manager": manager}, stamp="externalId")
    write = written(decide(terms(mapping), one, given))

    assert isinstance(write, Create)
    assert write.attributes == {
        **SAID,
        "externalId": "4711",
        "nickName": "ada1",
        "manager": manager,
    }
    assert [q.attribute for q in write.answers_to] == ["externalId", "userName", "nickName"]
    with pytest.raises(NeedsUnique):
        decide(terms(mapping), one, Given())


def test_what_cannot_be_mapped_is_refused_with_its_code() -> None:
    required = people(attribute("sn", "[surname]", is_required=True))

    decision = decided(standing(), mapping=required)

    assert (decision.row, decision.situation) == (0, Situation.UNMAPPABLE)
    assert decision.code == "MandatoryFieldsMissing"
    assert isinstance(decision.resolution, Refuse)


def test_an_expression_that_fails_is_refused_with_its_code() -> None:
    broken = people(attribute("sn", 'Mid([name], "x", "y")'))

    assert decided(standing(), mapping=broken).code == "ExpressionEvaluationError"


@pytest.mark.parametrize("state", [None, *LinkState])
def test_who_is_left_out_stays_as_he_is(state: LinkState | None) -> None:
    excluding = dataclasses.replace(people(), input_filter=SALES)
    one = standing(HR, state=state)

    decision = decided(one, mapping=excluding)

    assert decision.resolution == Keep(one.link)
    assert decision.code == "EntrySynchronizationSkipped"
    assert not needs_look(terms(excluding), one)


def test_an_expression_may_leave_an_object_as_it_is() -> None:
    ignoring = people(attribute("sn", 'IIF([name]="ada", IgnoreObjectFlow, "x")'))
    one = standing(state=MANAGED)

    decision = decided(one, ours(account(displayName="?")), mapping=ignoring)

    assert decision.resolution == Keep(one.link)
    assert decision.code == "IgnoreObjectFlow"


# departures


def test_a_disable_fills_in_no_defaults() -> None:
    mapping = people(attribute("title", None, default_value="Employee"))

    write = written(decided(standing(HR, state=MANAGED), ours(account()), mapping=mapping))

    assert write == Update("User", Anchor("t1"), (AttributeChange("active", True, False),), "v1")


def test_an_unanswered_create_whose_object_is_found_leaves_like_any_other() -> None:
    one = replace(standing(HR), attempt=AWAITED)

    decision = decided(one, ours(account()))

    assert (decision.row, decision.action) == (15, Action.DISABLE)


def test_an_unanswered_create_is_waited_for_before_it_is_given_up() -> None:
    one = replace(standing(HR), attempt=AWAITED)
    tried = Escrow(
        code="Timeout", reason="", first_failed_at=NOW, attempts=ANSWER_AWAITED_MAX, retry_at=NOW
    )

    assert decided(one).code == "Timeout"
    given_up = decided(replace(one, escrow=tried))
    assert given_up.resolution == Keep(None)


def test_what_an_unanswered_create_seems_to_have_made_may_be_anothers() -> None:
    one = replace(standing(HR), attempt=AWAITED)
    other = Sighting((account(),), taken_by=StandingKey(USERS, Anchor("bob")))

    assert decided(one, other).resolution == Keep(None)


def test_a_departure_that_is_held_says_what_it_would_do() -> None:
    one = standing(HR, state=MANAGED)

    held = staged(announce(terms(people()), one))

    assert held.resolution == Stage(Action.DISABLE)
    assert (held.row, held.action, held.code) == (29, Action.STAGED_DELETE, "StagedDelete")


# when the target is asked


@pytest.mark.parametrize(
    ("one", "asks"),
    [
        (standing(), True),
        (standing(state=MANAGED), True),
        (standing(HR), False),
        (replace(standing(HR), attempt=AWAITED), True),
        (standing(HR, state=MANAGED), True),
        (standing(HR, state=LinkState.RELEASED), False),
        (standing(absence=Absence.DELETED, state=MANAGED), False),
        (standing({**ADA, "accountEnabled": False}, state=LinkState.DISABLED), False),
    ],
)
def test_the_target_is_asked_only_where_its_answer_counts(one: Standing, asks: bool) -> None:
    assert needs_look(terms(people()), one) is asks


@pytest.mark.parametrize(
    ("link", "source", "reads", "trusts"),
    [
        (PICTURED, ADA, TargetReads.IN_DOUBT, True),
        (PICTURED, ADA, TargetReads.ALWAYS, False),
        (PICTURED, HR, TargetReads.IN_DOUBT, False),
        (replace(PICTURED, image=None), ADA, TargetReads.IN_DOUBT, False),
        (replace(PICTURED, state=LinkState.DISABLED), ADA, TargetReads.IN_DOUBT, False),
        (replace(PICTURED, state=LinkState.CLAIMED), ADA, TargetReads.IN_DOUBT, False),
        (None, ADA, TargetReads.IN_DOUBT, False),
    ],
)
def test_what_is_remembered_is_trusted_of_who_stays(
    link: Link | None, source: dict[str, Value], reads: TargetReads, trusts: bool
) -> None:
    one = replace(standing(source), link=link)

    assert is_trusted(terms(people(), Policy(target_reads=reads)), one) is trusts
