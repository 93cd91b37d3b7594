"""A schema becomes rules that mean what it says."""

from __future__ import annotations

import copy
from typing import Any

import msgspec
import pytest

from provisor.expressions.parser import parse
from provisor.graph.schema.document import canonical, read_schema, schema_of, write_schema
from provisor.graph.schema.rules import to_rules, without_deletes
from provisor.graph.templates import templates
from provisor.graph.wire.coding import plain
from provisor.model.expressions import Attribute, Constant
from provisor.model.rules import (
    AttributeDefinition,
    AttributeType,
    Clause,
    FlowBehavior,
    Flows,
    FlowType,
    MappingName,
    ObjectMapping,
)
from tests.unit.graph.schemas import USERS, Json, check, schema, users, with_clause, with_mapping

NAME = MappingName("User to User")


def only(document: Json) -> ObjectMapping:
    """Return the one mapping of a schema without errors."""
    rules, problems = check(document)
    assert rules, problems
    (mapping,) = rules.values()
    return mapping


def test_a_mapping_says_what_flows_where() -> None:
    mapping = only(schema())

    assert (mapping.name, mapping.rule_id, mapping.priority) == (NAME, "r1", 1)
    assert (mapping.source_kind, mapping.target_kind) == ("User", "User")
    name, display, active = mapping.attributes
    assert (name.target.name, name.source, name.matching_priority) == (
        "userName",
        Attribute("userPrincipalName"),
        1,
    )
    assert display.source == Attribute("displayName")
    assert active.source == parse("Not([IsSoftDeleted])")
    assert active.depends_on_soft_deleted
    assert active.target.type is AttributeType.BOOLEAN


def test_what_is_left_out_is_what_graph_says_it_is() -> None:
    mapping = only(schema())

    assert mapping.is_enabled
    assert mapping.flows is Flows.ALL
    assert mapping.scope == mapping.input_filter == mapping.category_filter == ()
    assert all(m.flow_type is FlowType.ALWAYS for m in mapping.attributes)
    assert all(m.flow_behavior is FlowBehavior.FLOW_WHEN_CHANGED for m in mapping.attributes)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"type": "Attribute", "name": "department"}, "[department]"),
        ({"type": "attribute", "name": "department"}, "[department]"),
        ({"type": "Constant", "name": "yes"}, '"yes"'),
        ({"expression": "[department]", "type": "Constant", "name": "other"}, "[department]"),
        (
            {"expression": 'Append([department], "x")', "type": "Function"},
            'Append([department], "x")',
        ),
        (
            {
                "type": "Function",
                "name": "Append",
                "parameters": [
                    {"key": "source", "value": {"name": "department"}},
                    {"key": "suffix", "value": {"type": "Constant", "name": "x"}},
                ],
            },
            'Append([department], "x")',
        ),
    ],
)
def test_a_source_may_be_written_in_any_of_its_forms(source: Json, expected: str) -> None:
    mapping = only(with_mapping(targetAttributeName="nickName", source=source))
    assert mapping.attributes[3].source == parse(expected)


def test_a_mapping_without_source_is_a_default() -> None:
    mapping = only(with_mapping(targetAttributeName="nickName", source=None, defaultValue="x"))
    assert (mapping.attributes[3].source, mapping.attributes[3].default_value) == (None, "x")


def test_both_switches_let_nulls_flow() -> None:
    source = {"name": "department"}
    on = with_mapping(targetAttributeName="nickName", source=source, flowNullValues=True)
    off = with_mapping(targetAttributeName="nickName", source=source)

    assert only(on).attributes[3].flows_null
    assert not only(off).attributes[3].flows_null


def test_filters_are_read_and_operators_spelled_one_way() -> None:
    document = with_clause(
        sourceOperandName="department",
        operatorName="not_equals",
        targetOperand={"values": ["Sales"]},
    )
    users(document)["scope"]["inputFilterGroups"] = [
        {"clauses": [{"sourceOperandName": "level", "operatorName": "IS NOT NULL"}]}
    ]

    mapping = only(document)

    assert mapping.scope[0].name == "some"
    assert mapping.scope[0].clauses == (Clause("department", "NOT EQUALS", ("Sales",)),)
    level = Clause("level", "IS NOT NULL", type=AttributeType.INTEGER)
    assert mapping.input_filter[0].clauses == (level,)


def test_rules_run_by_priority_and_mappings_that_share_a_name_get_their_own() -> None:
    document = schema()
    first, second, third = (copy.deepcopy(document["synchronizationRules"][0]) for _ in range(3))
    first.update(id="late", priority=3)
    second.update(id="early", priority=1)
    second["objectMappings"][0]["name"] = "Staff"
    third.update(id="middle", priority=2, name="Guests")
    third["objectMappings"][0]["name"] = "Staff"
    document["synchronizationRules"] = [first, second, third]

    rules, _ = check(document)

    assert {name: rule.rule_id for name, rule in rules.items()} == {
        "User to User": "early",
        "User to User (Staff)": "middle",
        "User to User (USERS)": "late",
    }
    assert [rule.rule_id for rule in rules.values()] == ["early", "middle", "late"]


def test_flow_types_come_in_every_documented_form() -> None:
    for written in ("Add,Update", "Add, Update", ["Add", "Update"], 3):
        document = schema()
        users(document)["flowTypes"] = written
        assert only(document).flows == Flows.ADD | Flows.UPDATE


def test_deletes_can_be_switched_off() -> None:
    rules, _ = check(schema())

    changed = without_deletes(rules)[NAME]

    assert changed.flows == Flows.ADD | Flows.UPDATE
    assert changed.hash != rules[NAME].hash


class TestHash:
    """What a mapping means decides its hash; how it is written does not."""

    def test_order_and_spelling_do_not_matter(self) -> None:
        other = schema()
        mapping = users(other)
        mapping["attributeMappings"].reverse()
        mapping["attributeMappings"][0]["source"] = {"expression": "Not( [IsSoftDeleted] )"}
        mapping["attributeMappings"][0] = dict(reversed(mapping["attributeMappings"][0].items()))
        mapping["metadata"] = [{"key": "IsCustomerDefined", "value": "true"}]
        mapping["name"] = "Renamed"

        assert only(other).hash == only(schema()).hash

    @pytest.mark.parametrize(
        "change",
        [
            {"flowTypes": "Add"},
            {"enabled": False},
            {
                "scope": {
                    "groups": [
                        {"clauses": [{"sourceOperandName": "level", "operatorName": "IS NULL"}]}
                    ]
                }
            },
            {"attributeMappings": USERS["attributeMappings"][:2]},
        ],
    )
    def test_every_change_of_meaning_does(self, change: Json) -> None:
        other = schema()
        users(other).update(change)
        assert only(other).hash != only(schema()).hash

    def test_so_does_what_the_target_says_of_a_mapped_attribute(self) -> None:
        other = schema()
        other["directories"][1]["objects"][0]["attributes"][2]["caseExact"] = True
        assert only(other).hash != only(schema()).hash


class TestWhatTheConnectorKnows:
    """The columns of a file may be mapped although the schema does not list them."""

    KNOWN = (
        AttributeDefinition(name="userPrincipalName"),
        AttributeDefinition(name="displayName"),
        AttributeDefinition(name="shoeSize", type=AttributeType.INTEGER),
    )

    def test_its_attributes_can_be_mapped(self) -> None:
        document = with_mapping(targetAttributeName="score", source={"name": "shoeSize"})
        read, _ = schema_of(document)
        assert read is not None

        rules, problems = to_rules(read, {"user": self.KNOWN})

        assert problems == ()
        assert rules[NAME].source_kind == "user"

    def test_what_it_does_not_deliver_is_warned_of(self) -> None:
        document = with_mapping(targetAttributeName="nickName", source={"name": "department"})
        users(document)["scope"] = {
            "groups": [{"clauses": [{"sourceOperandName": "level", "operatorName": "IS NULL"}]}]
        }
        read, _ = schema_of(document)
        assert read is not None

        rules, problems = to_rules(read, {"User": self.KNOWN})

        assert rules
        assert [(p.code, p.path.rpartition("objectMappings[0].")[2]) for p in problems] == [
            ("SourceAttributeNotRead", "attributeMappings[3].source"),
            ("SourceAttributeNotRead", "scope"),
        ]

    def test_so_is_a_kind_of_object_that_it_does_not_have(self) -> None:
        read, _ = schema_of(schema())
        assert read is not None

        _, problems = to_rules(read, {"Group": ()})

        assert [p.code for p in problems] == ["ObjectNotInSource"]


class TestRoundTrip:
    """Nothing that was put is lost; what was got can be put again."""

    def test_a_document_put_once_comes_back_the_same_for_ever(self) -> None:
        first, _ = schema_of(schema())
        assert first is not None
        stored = write_schema(canonical(first))

        again, problems = read_schema(stored)

        assert problems == ()
        assert again is not None
        assert write_schema(canonical(again)) == stored

    def test_metadata_and_properties_nobody_knows_are_kept(self) -> None:
        document = schema()
        document["directories"][0]["metadata"] = [{"key": "Odd", "value": "1"}]
        users(document)["metadata"] = [{"key": "NobodyKnows", "value": '"x"'}]
        users(document)["attributeMappings"][0]["futureFlag"] = {"a": [1]}
        document["@odata.context"] = "https://example.com/$metadata#x"

        read, problems = schema_of(document)
        assert read is not None
        written: Any = plain(canonical(read))

        assert [p.code for p in problems] == ["UnknownProperty"]
        mapping = written["synchronizationRules"][0]["objectMappings"][0]
        assert mapping["metadata"] == [{"key": "NobodyKnows", "value": '"x"'}]
        assert mapping["attributeMappings"][0]["futureFlag"] == {"a": [1]}
        assert written["directories"][0]["metadata"] == [{"key": "Odd", "value": "1"}]
        assert "@odata.context" not in written

    def test_sources_come_back_complete(self) -> None:
        read, _ = schema_of(
            with_mapping(
                targetAttributeName="nickName", source={"expression": "Mid([department],1,8)"}
            )
        )
        assert read is not None

        written: Any = plain(canonical(read))

        mapping = written["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"][3]
        assert mapping["source"]["expression"] == "Mid([department], 1, 8)"
        assert mapping["source"]["type"] == "Function"
        assert mapping["source"]["parameters"][1] == {
            "key": "start",
            "value": {"expression": '"1"', "name": "1", "parameters": [], "type": "Constant"},
        }

    def test_a_sparse_and_a_complete_template_are_the_same(self) -> None:
        schema = templates()["scim"].schema
        sparse: Any = msgspec.json.decode(write_schema(schema))
        for rule in sparse["synchronizationRules"]:
            for mapping in rule["objectMappings"][0]["attributeMappings"]:
                mapping["source"] = {"expression": mapping["source"]["expression"]}

        read, _ = schema_of(sparse)

        assert read is not None
        assert canonical(read) == schema


def test_a_constant_may_be_empty_text() -> None:
    source = {"type": "Constant", "name": ""}
    mapping = only(with_mapping(targetAttributeName="nickName", source=source))
    assert mapping.attributes[3].source == Constant("")


def test_the_filter_on_whole_objects_needs_no_definition() -> None:
    source = {"expression": 'IIF([department]="x", IgnoreObjectFlow, "")'}
    mapping = only(with_mapping(targetAttributeName="objectFilter", source=source))
    assert mapping.attributes[3].target.name == "objectFilter"
