"""What an object should point at: all that it can, never more than it wrote itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import pytest

from provisor.model.decisions import AttributeChange, ReferencesChange, Span, Standing, TargetChange
from provisor.model.entries import Anchor, EntryKey, Reference, Value
from provisor.model.frozen import replace
from provisor.model.rules import AttributeMapping, Flows, FlowType, Mutability
from provisor.planner.references import (
    are_carried,
    plan_references,
    pointed_at,
    referred_keys,
    resolved_for_create,
    single_references,
    without_refused,
    without_removals,
)
from tests.table.rules import attribute, entry, mapping_of, reference, standing, terms

MEMBERS = reference("members", "[members]", to_many=True)
MANAGER = reference("manager", "[manager]")


def here(*names: str) -> tuple[Reference, ...]:
    return tuple(Reference("user", Anchor(n)) for n in names)


def there(*names: str) -> frozenset[Reference]:
    return frozenset(Reference("User", Anchor(f"t-{n}")) for n in names)


def resolve(one: Reference) -> Reference | None:
    """Everybody is linked but strangers."""
    return None if one.anchor == "stranger" else Reference("User", Anchor(f"t-{one.anchor}"))


def pointing(referred: Mapping[str, Span] | None = None, **attributes: Value) -> Standing:
    return replace(standing(attributes), referred=dict(referred or {}))


def planned(
    mapping: AttributeMapping, one: Standing, *, flows: Flows = Flows.ALL
) -> tuple[TargetChange, ...]:
    return plan_references(terms(mapping_of([mapping], flows=flows)), one, resolve)


def wrote(*names: str) -> Span:
    return Span(there(*names), there(*names))


def test_members_are_added_and_removed_and_the_others_stay() -> None:
    one = pointing({"members": wrote("bob", "cyd")}, members=here("ada", "bob"))

    assert planned(MEMBERS, one) == (ReferencesChange("members", there("ada"), there("cyd")),)


def test_what_is_so_already_is_not_sent() -> None:
    one = pointing({"members": wrote("ada")}, members=here("ada"))

    assert planned(MEMBERS, one) == ()


def test_who_was_put_there_by_others_is_not_removed() -> None:
    assert planned(MEMBERS, pointing(members=())) == ()


def test_what_is_uncertain_is_sent_again() -> None:
    """It may have been added, or removed: both are sent, and do no harm if they are so already."""
    doubtful = Span(certain=frozenset(), possible=there("ada", "bob"))
    one = pointing({"members": doubtful}, members=here("ada"))

    assert planned(MEMBERS, one) == (ReferencesChange("members", there("ada"), there("bob")),)


def test_who_has_no_link_is_left_out_without_an_error() -> None:
    one = pointing(members=here("ada", "stranger"))

    assert planned(MEMBERS, one) == (ReferencesChange("members", there("ada"), frozenset()),)


def test_a_member_whose_link_is_gone_is_removed() -> None:
    one = pointing({"members": wrote("stranger")}, members=here("stranger"))

    assert planned(MEMBERS, one) == (ReferencesChange("members", frozenset(), there("stranger")),)


def test_members_may_be_added_only() -> None:
    mapping = dataclasses.replace(MEMBERS, flow_type=FlowType.MULTI_VALUE_ADD_ONLY)
    one = pointing({"members": wrote("cyd")}, members=here("ada"))

    assert planned(mapping, one) == (ReferencesChange("members", there("ada"), frozenset()),)


def test_a_manager_is_replaced() -> None:
    one = pointing({"manager": wrote("bob")}, manager=here("ada")[0])

    (bob,), (ada,) = there("bob"), there("ada")
    assert planned(MANAGER, one) == (AttributeChange("manager", bob, ada),)


def test_a_manager_that_we_wrote_is_cleared_when_the_source_has_none() -> None:
    (bob,) = there("bob")

    assert planned(MANAGER, pointing({"manager": wrote("bob")})) == (
        AttributeChange("manager", bob, None),
    )
    assert planned(MANAGER, pointing()) == ()


def test_of_several_managers_one_is_written_and_always_the_same() -> None:
    one = pointing(manager=here("zoe", "ada"))

    (ada,) = there("ada")
    assert planned(MANAGER, one) == (AttributeChange("manager", None, ada),)


@pytest.mark.parametrize(
    "mapping",
    [
        reference("manager", "[manager]", mutability=Mutability.READ_ONLY),
        reference("manager", "[manager]", mutability=Mutability.IMMUTABLE),
        reference("manager", "[manager]", flow_type=FlowType.OBJECT_ADD_ONLY),
    ],
)
def test_what_cannot_be_changed_is_not_tried(mapping: AttributeMapping) -> None:
    assert planned(mapping, pointing(manager=here("ada")[0])) == ()


def test_without_updates_nothing_is_pointed_at() -> None:
    one = pointing(manager=here("ada")[0])

    assert planned(MANAGER, one, flows=Flows.ADD | Flows.DELETE) == ()


def test_only_kinds_that_the_target_allows_are_pointed_at() -> None:
    mapping = reference("members", "[members]", to_many=True, refers_to=("Group",))

    assert planned(mapping, pointing(members=here("ada"))) == ()


def test_an_object_that_was_never_seen_points_at_nobody() -> None:
    assert planned(MANAGER, replace(pointing(), source=None)) == ()


# in a create


@pytest.mark.parametrize(
    ("mapping", "expected"),
    [
        (MANAGER, {"manager": Reference("User", Anchor("t-ada"))}),
        (MEMBERS, {}),
        (reference("manager", "[manager]", mutability=Mutability.READ_ONLY), {}),
        (
            reference("manager", "[manager]", mutability=Mutability.IMMUTABLE),
            {"manager": Reference("User", Anchor("t-ada"))},
        ),
    ],
)
def test_single_references_travel_in_a_create(
    mapping: AttributeMapping, expected: Mapping[str, Value]
) -> None:
    source = entry(manager=here("ada")[0], members=here("bob"))

    wanted = single_references(terms(mapping_of([mapping])), source)

    assert resolved_for_create(wanted, resolve) == expected


def test_who_is_not_linked_yet_does_not_travel() -> None:
    source = entry(manager=here("stranger")[0])

    wanted = single_references(terms(mapping_of([MANAGER])), source)

    assert wanted
    assert resolved_for_create(wanted, resolve) == {}


@pytest.mark.parametrize(
    ("source", "carried", "is_all"),
    [
        ({}, {}, True),
        ({"manager": here("ada")[0]}, {"manager": Reference("User", Anchor("t-ada"))}, True),
        ({"manager": here("stranger")[0]}, {}, False),
        ({"members": here("bob")}, {}, False),
    ],
)
def test_nothing_is_left_to_be_done_once_all_that_is_pointed_at_has_travelled(
    source: Mapping[str, Value], carried: Mapping[str, Value], is_all: bool
) -> None:
    mapped = terms(mapping_of([MANAGER, MEMBERS]))

    assert are_carried(mapped, entry(**source), carried) is is_all


# who is meant


def test_an_object_refers_to_all_that_stands_in_it_and_points_at_what_is_mapped() -> None:
    source = entry(manager=here("ada")[0], members=here("bob", "cyd"), name="x")

    everybody = {EntryKey("user", Anchor(n)) for n in ("ada", "bob", "cyd")}
    assert referred_keys(source.attributes) == everybody
    mapped = terms(mapping_of([MANAGER, attribute("displayName", "[name]")]))
    assert pointed_at(mapped, source) == {EntryKey("user", Anchor("ada"))}


# what is left of a change


def test_removals_that_wait_are_left_out() -> None:
    single = AttributeChange("manager", None, next(iter(there("ada"))))
    both = ReferencesChange("members", there("ada"), there("bob"))
    removal = ReferencesChange("owners", frozenset(), there("bob"))

    assert without_removals([single, both, removal]) == (
        single,
        ReferencesChange("members", there("ada"), frozenset()),
    )


def test_what_the_target_refused_one_by_one_was_not_done() -> None:
    (ada,) = there("ada")
    members = ReferencesChange("members", there("ada", "bob"), there("cyd"))
    manager, other = AttributeChange("manager", None, ada), AttributeChange("a", None, None)

    done = without_refused([members, manager, other], there("ada", "cyd"))

    assert done == (ReferencesChange("members", there("bob"), frozenset()), other)
