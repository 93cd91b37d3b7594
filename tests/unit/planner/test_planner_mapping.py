"""How a source object becomes the target object it should be: values, defaults, what must be."""

from __future__ import annotations

import pytest

from provisor.expressions.errors import ExpressionError
from provisor.model.entries import Attributes, Entry, Value
from provisor.model.rules import AttributeMapping, AttributeType, FlowType, Mutability
from provisor.planner.mapping import (
    Excluded,
    NeedsUnique,
    Unmappable,
    creation,
    default,
    map_source,
)
from tests.table.rules import ACTIVE, attribute, entry, mapping_of, reference, terms

REQUIRED = attribute("sn", "[surname]", is_required=True)


def made(*mappings: AttributeMapping, source: Entry) -> Attributes:
    """Return what an object is created with."""
    given = terms(mapping_of(mappings))
    return creation(given, map_source(given, source, is_soft_deleted=False), {})


@pytest.mark.parametrize(
    ("mapping", "expected"),
    [
        (attribute("a", "[name]"), {"a": "Ada"}),
        (attribute("a", '"Paris"'), {"a": "Paris"}),
        (attribute("a", "ToUpper([name])"), {"a": "ADA"}),
        (attribute("a", "[nothing]"), {}),
        (attribute("a", "[empty]"), {"a": ""}),
        (attribute("a", None), {}),
        (attribute("a", '"7"', type=AttributeType.INTEGER), {"a": 7}),
        (attribute("a", '"True"', type=AttributeType.BOOLEAN), {"a": True}),
        (attribute("a", "[name]", is_multivalued=True), {"a": ("Ada",)}),
        (attribute("a", "[name]", flow_type=FlowType.OBJECT_ADD_ONLY), {"a": "Ada"}),
        (attribute("a", "[name]", flow_type=FlowType.MULTI_VALUE_ADD_ONLY), {"a": "Ada"}),
        (attribute("a", "[name]", flow_type=FlowType.VALUE_ADD_ONLY), {"a": "Ada"}),
        (attribute("a", "[name]", mutability=Mutability.IMMUTABLE), {"a": "Ada"}),
        (attribute("a", "[name]", mutability=Mutability.WRITE_ONLY), {"a": "Ada"}),
        (attribute("a", "[name]", mutability=Mutability.READ_ONLY), {}),
        (attribute("a", None, default_value="x", mutability=Mutability.READ_ONLY), {}),
        (reference("a", "[boss]"), {}),
    ],
)
def test_what_an_object_is_created_with(mapping: AttributeMapping, expected: Attributes) -> None:
    assert made(mapping, source=entry(name="Ada", empty="")) == expected


@pytest.mark.parametrize(
    ("mapping", "expected"),
    [
        (attribute("a", "[nothing]", default_value="mine"), {"a": "mine"}),
        (attribute("a", "[nothing]", own_default="its own"), {"a": "its own"}),
        (attribute("a", "[nothing]", default_value="mine", own_default="its own"), {"a": "mine"}),
        (attribute("a", None, default_value="mine"), {"a": "mine"}),
        (attribute("a", "[name]", default_value="mine"), {"a": "Ada"}),
        (attribute("a", "[empty]", default_value="mine"), {"a": ""}),
        (attribute("a", "[nothing]", default_value="7", type=AttributeType.INTEGER), {"a": 7}),
        (attribute("a", "IgnoreAttributeFlow", default_value="mine"), {}),
    ],
)
def test_a_default_stands_where_creation_has_no_value(
    mapping: AttributeMapping, expected: Attributes
) -> None:
    """The mapping's own before the attribute's; what is dropped on purpose gets none."""
    assert made(mapping, source=entry(name="Ada", empty="")) == expected


def test_without_any_default_there_is_none() -> None:
    assert default(attribute("a", "[b]")) is None


def test_what_the_target_requires_must_have_a_value() -> None:
    with pytest.raises(Unmappable) as caught:
        made(REQUIRED, source=entry())

    assert caught.value.code == "MandatoryFieldsMissing"
    assert "sn" in str(caught.value)


def test_what_has_a_default_is_not_missed() -> None:
    mapping = attribute("sn", "[surname]", is_required=True, default_value="unknown")

    assert made(mapping, source=entry()) == {"sn": "unknown"}


def test_what_the_target_fills_in_itself_is_not_missed() -> None:
    mapping = attribute("sn", "[surname]", is_required=True, mutability=Mutability.READ_ONLY)

    assert made(mapping, source=entry()) == {}


def test_several_values_do_not_fit_where_one_may_stand() -> None:
    with pytest.raises(ExpressionError) as caught:
        made(attribute("a", "[mails]"), source=entry(mails=("x", "y")))

    assert caught.value.code == "SchemaPropertyCanOnlyAcceptValue"


def test_an_object_may_say_that_it_is_left_alone() -> None:
    with pytest.raises(Excluded):
        made(attribute("a", 'IIF([name]="Ada", IgnoreObjectFlow, "b")'), source=entry(name="Ada"))


def test_an_attribute_that_is_dropped_takes_no_part() -> None:
    given = terms(mapping_of([attribute("a", "IgnoreAttributeFlow"), attribute("b", "[name]")]))

    mapped = map_source(given, entry(name="Ada"), is_soft_deleted=False)

    assert dict(mapped.values) == {"b": "Ada"}


@pytest.mark.parametrize(("is_soft_deleted", "expected"), [(False, True), (True, False)])
def test_soft_deletion_is_worked_out_anew_and_not_read(
    is_soft_deleted: bool, expected: Value
) -> None:
    given = terms(mapping_of([ACTIVE]))

    mapped = map_source(
        given, entry(IsSoftDeleted=not is_soft_deleted), is_soft_deleted=is_soft_deleted
    )

    assert mapped.values["active"] is expected


def test_a_departure_works_out_only_what_depends_on_it() -> None:
    broken = attribute("a", 'Mid([name], "x", "y")')
    given = terms(mapping_of([broken, ACTIVE]))

    mapped = map_source(given, entry(name="Ada"), is_soft_deleted=True)

    assert dict(mapped.values) == {"active": False}


def test_a_unique_value_is_chosen_by_who_can_ask() -> None:
    given = terms(mapping_of([attribute("a", 'SelectUniqueValue("ada", "ada1")')]))
    mapped = map_source(given, entry(), is_soft_deleted=False)

    with pytest.raises(NeedsUnique) as caught:
        creation(given, mapped, {})

    assert caught.value.target == "a"
    assert list(caught.value.candidates.values) == ["ada", "ada1"]
    assert creation(given, mapped, {"a": "ada1"}) == {"a": "ada1"}
