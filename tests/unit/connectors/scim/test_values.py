"""Values come in many spellings, and leave in one (spec: expression 8.5; scim-target Q5, Q15)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisor.connectors.scim.values import anchor_of, element_of, is_same, raw_of, value_of
from provisor.model.entries import Anchor, Reference, Value
from provisor.model.rules import AttributeDefinition, AttributeType

T = AttributeType
NOON = datetime(2024, 2, 29, 12, tzinfo=UTC)


def definition(type: AttributeType, *, many: bool = False) -> AttributeDefinition:
    return AttributeDefinition(name="x", type=type, is_multivalued=many, refers_to=("Group",))


@pytest.mark.parametrize(
    ("type", "raw", "value"),
    [
        (T.STRING, "x", "x"),
        (T.STRING, "", ""),
        (T.STRING, 7, "7"),
        (T.STRING, 7.0, "7"),
        (T.STRING, True, "True"),
        (T.STRING, None, None),
        (T.STRING, [], None),
        (T.STRING, {"value": "x", "type": "work"}, "x"),
        (T.STRING, {"other": "x"}, None),
        (T.STRING, [{"value": "a"}, {"value": "b", "primary": True}], "b"),
        (T.STRING, ["a", "b"], "a"),
        (T.BOOLEAN, True, True),
        (T.BOOLEAN, "True", True),
        (T.BOOLEAN, "false", False),
        (T.BOOLEAN, "perhaps", "perhaps"),
        (T.INTEGER, 7, 7),
        (T.INTEGER, "7", 7),
        (T.INTEGER, "many", "many"),
        (T.DATE_TIME, "2024-02-29T12:00:00Z", NOON),
        (T.DATE_TIME, "2024-02-29T13:00:00+01:00", NOON),
        (T.DATE_TIME, "2024-02-29T12:00:00.0000000Z", NOON),
        (T.DATE_TIME, "2024-02-29T12:00:00", NOON),
        (T.DATE_TIME, "yesterday", "yesterday"),
        (T.BINARY, "AP8=", b"\x00\xff"),
        (T.BINARY, "no base64!", "no base64!"),
        (T.REFERENCE, "7", Reference("Group", Anchor("7"))),
        (T.REFERENCE, 7, Reference("Group", Anchor("7"))),
        (T.REFERENCE, {"value": "7"}, Reference("Group", Anchor("7"))),
        (T.REFERENCE, [{"value": "7"}], Reference("Group", Anchor("7"))),
        (T.REFERENCE, {"$ref": "https://x/Users/7"}, Reference("Group", Anchor("7"))),
        (T.REFERENCE, "", None),
        (T.REFERENCE, {}, None),
        (T.REFERENCE, [], None),
    ],
)
def test_a_value_is_read_in_its_type(type: AttributeType, raw: Any, value: Value | None) -> None:
    read = value_of(raw, definition(type), "User")
    assert read == value
    assert read.__class__ is value.__class__


def test_several_values_are_read_as_several() -> None:
    many = definition(T.STRING, many=True)
    assert value_of(["a", None, "b"], many, "") == ("a", "b")
    assert value_of("a", many, "") == ("a",)
    assert value_of([{"value": "a"}, {"value": "b"}], many, "") == ("a", "b")
    assert value_of([], many, "") is None


def test_a_reference_without_kind_points_at_its_own() -> None:
    reference = AttributeDefinition(name="x", type=T.REFERENCE)
    assert value_of("7", reference, "User") == Reference("User", Anchor("7"))
    assert anchor_of(True) is None


@pytest.mark.parametrize(
    ("type", "value", "raw"),
    [
        (T.STRING, "x", "x"),
        (T.STRING, "true", "true"),
        (T.BOOLEAN, "True", True),
        (T.BOOLEAN, False, False),
        (T.INTEGER, "7", 7),
        (T.DATE_TIME, NOON, "2024-02-29T12:00:00Z"),
        (T.DATE_TIME, NOON.astimezone(timezone(timedelta(hours=1))), "2024-02-29T12:00:00Z"),
        (T.DATE_TIME, "as it is", "as it is"),
        (T.BINARY, b"\x00\xff", "AP8="),
        (T.STRING, ("a", "b"), ["a", "b"]),
    ],
)
def test_a_value_is_written_as_json_has_it(type: AttributeType, value: Value, raw: Any) -> None:
    written = raw_of(value, definition(type))
    assert written == raw
    assert written.__class__ is raw.__class__


SCALARS = st.one_of(
    st.tuples(st.just(T.STRING), st.text()),
    st.tuples(st.just(T.BOOLEAN), st.booleans()),
    st.tuples(st.just(T.INTEGER), st.integers()),
    st.tuples(st.just(T.BINARY), st.binary()),
    st.tuples(st.just(T.DATE_TIME), st.datetimes(timezones=st.just(UTC))),
    st.tuples(
        st.just(T.REFERENCE), st.text(min_size=1).map(lambda t: Reference("Group", Anchor(t)))
    ),
)


@given(SCALARS)
def test_what_is_written_is_read(pair: tuple[AttributeType, Value]) -> None:
    type, value = pair
    assert value_of(raw_of(value, definition(type)), definition(type), "User") == value


def test_elements_are_objects() -> None:
    assert element_of("x") == {"value": "x"}
    assert element_of('{"value":"x","display":"X"}') == {"value": "x", "display": "X"}
    assert element_of("{no json") == {"value": "{no json"}


def test_values_compare_as_directories_do() -> None:
    assert is_same("Ada", "aDA", is_case_exact=False)
    assert not is_same("Ada", "aDA", is_case_exact=True)
    assert is_same(("a", "b"), ("B", "a"), is_case_exact=False)
    assert not is_same(None, "", is_case_exact=False)
