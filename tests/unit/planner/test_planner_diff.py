"""What must change for the target to say what it should: each flow, each type, each mutability."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from provisor.expressions.context import Candidates
from provisor.model.decisions import AttributeChange, ReferencesChange
from provisor.model.entries import Anchor, Attributes, Reference, Value
from provisor.model.rules import (
    AttributeDefinition,
    AttributeMapping,
    AttributeType,
    FlowBehavior,
    FlowType,
    Mutability,
)
from provisor.planner.diff import apply, diff, redact, same
from provisor.planner.mapping import Mapped, NeedsUnique
from tests.table.rules import attribute

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
EAST = NOON.astimezone(timezone(timedelta(hours=3)))
T1, T2 = Reference("User", Anchor("t1")), Reference("User", Anchor("t2"))


def after(mapping: AttributeMapping, value: Value | None, before: Value | None) -> Value | None:
    """Return what attribute `a` says after an update, where the rules want `value`."""
    observed: Attributes = {} if before is None else {"a": before}
    changes = diff([mapping], Mapped({"a": value}), observed, {})
    return apply(changes, observed).get("a")


def changed(mapping: AttributeMapping, value: Value | None, before: Value | None) -> bool:
    observed: Attributes = {} if before is None else {"a": before}
    return bool(diff([mapping], Mapped({"a": value}), observed, {}))


# flow types


@pytest.mark.parametrize(
    ("flow", "wanted", "before", "expected"),
    [
        (FlowType.ALWAYS, "new", "old", "new"),
        (FlowType.ALWAYS, "new", None, "new"),
        (FlowType.ALWAYS, None, "old", "old"),
        (FlowType.ALWAYS, "", "old", ""),
        (FlowType.OBJECT_ADD_ONLY, "new", "old", "old"),
        (FlowType.OBJECT_ADD_ONLY, "new", None, None),
        (FlowType.VALUE_ADD_ONLY, "new", "old", "old"),
        (FlowType.VALUE_ADD_ONLY, "new", None, "new"),
        (FlowType.VALUE_ADD_ONLY, "new", "", ""),
        (FlowType.ATTRIBUTE_ADD_ONLY, "new", "old", "old"),
        (FlowType.ATTRIBUTE_ADD_ONLY, "new", None, "new"),
        (FlowType.MULTI_VALUE_ADD_ONLY, ("b",), ("a",), ("a", "b")),
        (FlowType.MULTI_VALUE_ADD_ONLY, ("a",), ("a", "b"), ("a", "b")),
        (FlowType.MULTI_VALUE_ADD_ONLY, ("A", "c"), ("a", "b"), ("a", "b", "c")),
        (FlowType.MULTI_VALUE_ADD_ONLY, ("a",), None, ("a",)),
        (FlowType.ALWAYS, ("b",), ("a",), ("b",)),
    ],
)
def test_what_each_flow_type_makes_of_an_update(
    flow: FlowType, wanted: Value | None, before: Value | None, expected: Value | None
) -> None:
    mapping = attribute("a", "[a]", flow_type=flow, is_multivalued=isinstance(wanted, tuple))

    assert after(mapping, wanted, before) == expected


@pytest.mark.parametrize("flow", list(FlowType))
@pytest.mark.parametrize("mutability", [Mutability.READ_ONLY, Mutability.IMMUTABLE])
def test_what_cannot_be_changed_is_not_tried(flow: FlowType, mutability: Mutability) -> None:
    mapping = attribute("a", "[a]", flow_type=flow, mutability=mutability)

    assert not changed(mapping, "new", "old")
    assert not changed(mapping, "new", None)


def test_what_cannot_be_read_back_is_compared_with_what_was_sent() -> None:
    mapping = attribute("a", "[a]", mutability=Mutability.WRITE_ONLY)

    assert changed(mapping, "new", "sent before")
    assert not changed(mapping, "sent before", "sent before")


# flow behaviours


@pytest.mark.parametrize("flow", list(FlowType))
def test_what_flows_always_is_no_reason_to_write(flow: FlowType) -> None:
    mapping = attribute("a", "[a]", flow_behavior=FlowBehavior.FLOW_ALWAYS, flow_type=flow)

    assert diff([mapping], Mapped({"a": "same"}), {"a": "same"}, {}) == ()


def test_what_flows_always_travels_along() -> None:
    always = attribute("a", "[a]", flow_behavior=FlowBehavior.FLOW_ALWAYS)
    other = attribute("b", "[b]")

    changes = diff([always, other], Mapped({"a": "same", "b": "new"}), {"a": "same"}, {})

    assert changes == (AttributeChange("b", None, "new"), AttributeChange("a", "same", "same"))


def test_what_flows_when_changed_does_not_travel_along() -> None:
    mappings = [attribute("a", "[a]"), attribute("b", "[b]")]

    changes = diff(mappings, Mapped({"a": "same", "b": "new"}), {"a": "same"}, {})

    assert changes == (AttributeChange("b", None, "new"),)


@pytest.mark.parametrize("value", [False, 0, ""])
def test_no_and_zero_and_empty_text_travel_along_like_other_values(value: Value) -> None:
    always = attribute("a", "[a]", flow_behavior=FlowBehavior.FLOW_ALWAYS)

    changes = diff(
        [always, attribute("b", "[b]")], Mapped({"a": value, "b": "1"}), {"a": value}, {}
    )

    assert [c.name for c in changes] == ["b", "a"]


@pytest.mark.parametrize("flow", [FlowType.ALWAYS, FlowType.VALUE_ADD_ONLY])
def test_nothing_does_not_travel_along(flow: FlowType) -> None:
    always = attribute("a", "[a]", flow_behavior=FlowBehavior.FLOW_ALWAYS, flow_type=flow)

    changes = diff([always, attribute("b", "[b]")], Mapped({"a": None, "b": "1"}), {}, {})

    assert [c.name for c in changes] == ["b"]


# nothing, and how it flows


@pytest.mark.parametrize(
    ("of_the_target", "of_the_mapping", "matching", "multivalued", "clears"),
    [
        (True, True, 0, False, True),
        (True, False, 0, False, False),
        (False, True, 0, False, False),
        (True, True, 1, False, False),
        (True, True, 0, True, False),
    ],
)
def test_nothing_clears_a_value_only_where_both_switches_are_on(
    of_the_target: bool, of_the_mapping: bool, matching: int, multivalued: bool, clears: bool
) -> None:
    mapping = AttributeMapping(
        target=AttributeDefinition(name="a", flows_null=of_the_target, is_multivalued=multivalued),
        source=attribute("a", "[a]").source,
        flows_null=of_the_mapping,
        matching_priority=matching,
    )

    assert changed(mapping, None, "old") is clears


def test_clearing_is_a_change_to_nothing() -> None:
    mapping = attribute("a", "[a]", flows_null=True)

    assert diff([mapping], Mapped({"a": None}), {"a": "old"}, {}) == (
        AttributeChange("a", "old", None),
    )
    assert diff([mapping], Mapped({"a": None}), {}, {}) == ()


def test_what_is_dropped_is_left_alone() -> None:
    mapping = attribute("a", "[a]", flows_null=True)

    assert diff([mapping], Mapped({}), {"a": "old"}, {}) == ()


@pytest.mark.parametrize(("before", "expected"), [("theirs", "theirs"), (None, "ours"), ("", "")])
def test_a_mapping_without_source_fills_what_is_empty(
    before: Value | None, expected: Value
) -> None:
    assert after(attribute("a", None, default_value="ours"), None, before) == expected


def test_a_default_for_creation_does_not_flow_on_update() -> None:
    assert not changed(attribute("a", "[a]", default_value="ours"), None, None)


# sameness


@pytest.mark.parametrize(
    ("kind", "is_exact", "one", "other", "are_same"),
    [
        (AttributeType.STRING, False, "Ada", "ADA", True),
        (AttributeType.STRING, True, "Ada", "ADA", False),
        (AttributeType.STRING, False, "STRASSE", "straße", True),
        (AttributeType.STRING, False, " ada", "ada", False),
        (AttributeType.STRING, False, "", None, False),
        (AttributeType.STRING, False, (), None, True),
        (AttributeType.STRING, False, True, "True", True),
        (AttributeType.STRING, False, 7, "7", True),
        (AttributeType.BOOLEAN, False, True, "true", True),
        (AttributeType.BOOLEAN, False, True, "True", True),
        (AttributeType.BOOLEAN, False, True, "False", False),
        (AttributeType.BOOLEAN, False, False, None, False),
        (AttributeType.INTEGER, False, 7, "7", True),
        (AttributeType.INTEGER, False, 7, "07", True),
        (AttributeType.INTEGER, False, 7, "8", False),
        (AttributeType.INTEGER, False, 7, "seven", False),
        (AttributeType.DATE_TIME, False, NOON, EAST, True),
        (AttributeType.DATE_TIME, False, NOON, "2026-01-01T12:00:00Z", True),
        (AttributeType.DATE_TIME, False, NOON, NOON + timedelta(seconds=1), False),
        (AttributeType.BINARY, False, b"\x00", "AA==", True),
        (AttributeType.BINARY, False, b"\x00", b"\x01", False),
        (AttributeType.REFERENCE, False, T1, T1, True),
        (AttributeType.REFERENCE, False, T1, T2, False),
        (AttributeType.STRING, False, ("a", "b"), ("B", "A"), True),
        (AttributeType.STRING, False, ("a", "b"), ("a",), False),
        (AttributeType.STRING, True, ("a", "b"), ("B", "A"), False),
        (AttributeType.STRING, False, ("a",), "a", True),
        (AttributeType.STRING, False, ("a", "a"), ("a",), True),
    ],
)
def test_values_are_compared_as_the_target_compares(
    kind: AttributeType, is_exact: bool, one: Value | None, other: Value | None, are_same: bool
) -> None:
    definition = AttributeDefinition(name="a", type=kind, is_case_exact=is_exact)

    assert same(definition, one, other) is are_same
    assert same(definition, other, one) is are_same


def test_a_difference_of_case_is_written_where_case_counts() -> None:
    assert not changed(attribute("a", "[a]"), "Ada", "ADA")
    assert changed(attribute("a", "[a]", is_case_exact=True), "Ada", "ADA")


# values that are to be unique


def test_an_object_that_has_a_unique_value_keeps_it() -> None:
    mapped = Mapped({}, {"a": Candidates(("ada", "ada1"))})

    assert diff([attribute("a", "[a]")], mapped, {"a": "ada7"}, {}) == ()


def test_a_unique_value_that_is_missing_must_be_chosen() -> None:
    mapping, mapped = attribute("a", "[a]"), Mapped({}, {"a": Candidates(("ada", "ada1"))})

    with pytest.raises(NeedsUnique):
        diff([mapping], mapped, {}, {})
    assert diff([mapping], mapped, {}, {"a": "ada1"}) == (AttributeChange("a", None, "ada1"),)


# what changes are made of


def test_attributes_that_nothing_maps_stay_as_they_are() -> None:
    assert (
        diff([attribute("a", "[a]")], Mapped({"a": "1", "b": "2"}), {"a": "1", "b": "0"}, {}) == ()
    )


def test_changes_come_in_the_order_of_the_mappings() -> None:
    mappings = [attribute(name, f"[{name}]") for name in "cab"]

    changes = diff(mappings, Mapped({"a": "1", "b": "2", "c": "3"}), {}, {})

    assert [c.name for c in changes] == ["c", "a", "b"]


def test_changes_of_references_add_and_remove_and_leave_the_others() -> None:
    others = Reference("User", Anchor("others"))
    change = ReferencesChange("members", frozenset({T2}), frozenset({T1}))

    said = apply([change], {"members": (T1, others)})

    assert set(said["members"]) == {T2, others}  # pyright: ignore[reportArgumentType]
    assert (
        apply([ReferencesChange("members", frozenset(), frozenset({T1}))], {"members": (T1,)}) == {}
    )


def test_what_is_secret_is_not_shown_and_that_it_changed_is() -> None:
    changes = (AttributeChange("password", None, "s3cret"), AttributeChange("a", "1", "2"))

    assert redact(changes, {"password"}.__contains__) == (
        AttributeChange("password", None, "[Redact]"),
        AttributeChange("a", "1", "2"),
    )
