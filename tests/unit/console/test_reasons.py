"""Why somebody has no account is told in a sentence, with the way from there."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec import structs

from provisor.console.pages.audit import about_parts, is_noise, trail
from provisor.console.reasons import heading, reasons
from provisor.console.shapes import (
    Clause,
    DecisionTold,
    EscrowTold,
    Explanation,
    MatchTold,
    Named,
    ScopeTold,
)
from provisor.graph.wire.logs import ModifiedProperty

NOW = datetime(2026, 1, 1, tzinfo=UTC)
IN_SCOPE = ScopeTold(is_active=True, is_assigned=True, passes_filter=True)
NOTHING = DecisionTold(action="other", row=14, situation="ignored")
ADA = Explanation(
    object_mapping="User to User",
    whose=Named(id="ada"),
    is_in_source=True,
    source={"department": "Sales", "accountEnabled": False},
    scope=IN_SCOPE,
    match=MatchTold(linked_to=None, link_state=None, attributes=("userName", "mail")),
    values=(),
    decision=NOTHING,
    problem="",
    references=(),
    escrow=None,
    references_escrow=None,
)


def told(one: Explanation, *, is_held: bool = False) -> list[str]:
    return [each.text for each in reasons(one, is_held=is_held)]


def decided(situation: str, match: MatchTold) -> Explanation:
    return structs.replace(ADA, match=match, decision=structs.replace(NOTHING, situation=situation))


def test_a_clause_that_leaves_somebody_out_is_told_with_the_value_that_it_met() -> None:
    clauses = (
        Clause(clause="department EQUALS 'HR'", holds=False, attribute="department"),
        Clause(clause="city EQUALS 'Rome'", holds=False, attribute="city"),
        Clause(clause="mail IS NOT NULL", holds=True, attribute="mail"),
    )
    scope = structs.replace(IN_SCOPE, passes_filter=False, clauses=clauses)
    one = structs.replace(ADA, scope=scope)
    assert heading(one, is_held=False) == "It gets no account"
    assert told(one) == [
        "The scoping filter asks for department EQUALS 'HR': its department is Sales.",
        "The scoping filter asks for city EQUALS 'Rome': city: it has none.",
    ]


def test_who_is_not_active_not_assigned_or_gone_is_told_so() -> None:
    scope = structs.replace(IN_SCOPE, is_active=False, is_assigned=False)
    assert told(structs.replace(ADA, scope=scope)) == [
        "The source says that it is not active: its accountEnabled is False.",
        "Nobody assigned it to the application, and only who is assigned gets one.",
    ]
    assert told(structs.replace(ADA, is_in_source=False)) == ["The source no longer has it."]


def test_what_matching_stumbles_over_is_named() -> None:
    (keyless,) = told(decided("keyless", ADA.match))
    assert "userName, mail" in keyless
    several = structs.replace(ADA.match, found=("7", "9"))
    assert "7, 9" in told(decided("ambiguous", several))[0]
    taken = structs.replace(ADA.match, found=("7",), taken_by="bob")
    (one,) = reasons(decided("foundAlreadyLinked", taken), is_held=False)
    assert one.text == "The account 7 belongs to bob."
    assert one.way is not None
    assert one.way.below == "/explain?object=bob"


def test_who_waits_is_not_said_to_be_next() -> None:
    create = structs.replace(NOTHING, action="create", situation="absent")
    one = structs.replace(ADA, decision=create)
    assert heading(one, is_held=False) == "The next cycle would do: create"
    escrow = EscrowTold(
        code="EntryConflict", reason="taken", attempts=1, first_failed_at=NOW, retry_at=NOW
    )
    waits = structs.replace(one, escrow=escrow)
    assert heading(waits, is_held=False) == "It failed, and waits for another attempt"
    leaves = structs.replace(one, decision=structs.replace(NOTHING, action="disable"))
    assert heading(leaves, is_held=True).startswith("It is to leave, and is held")
    (held,) = reasons(leaves, is_held=True)
    assert held.way is not None
    assert held.way.below == "/staged"
    assert heading(structs.replace(ADA, problem="?"), is_held=False) == "No decision can be made"


MAIL = 'attributeMappings[emails[type eq "work"].value]'
STEM = f"synchronizationRules[R].objectMappings[Provision users].{MAIL}"


def test_what_was_changed_is_told_without_the_way_to_it() -> None:
    assert trail(f"{STEM}.source.expression") == (
        'Provision users › emails[type eq "work"].value › expression'
    )
    assert trail("schedule") == "schedule"
    expression = ModifiedProperty(display_name=f"{STEM}.source.expression")
    assert is_noise(f"{STEM}.source.name", [expression])
    assert not is_noise(f"{STEM}.source.name", [])
    assert not is_noise(f"{STEM}.defaultValue", [expression])


def test_an_id_behind_a_name_is_told_apart_from_it() -> None:
    id = "scim.3f7565a3fde64e4dbda81bb70aba3612.bddec1de-094d-5d64-8492-dfabfd170745"
    assert about_parts(f"my people {id}") == ("my people", id)
    assert about_parts(f"people jobs('{id}')/schema") == ("people", f"jobs('{id}')/schema")
    assert about_parts("a key") == ("a key", "")
