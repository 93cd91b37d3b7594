"""The templates that come with Provisor are ready to run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import chain

import pytest
from msgspec.structs import replace

from provisor.expressions import Context, FixedChance, attributes_of, compile_mappings
from provisor.expressions.context import Candidates
from provisor.graph.schema.document import canonical, read_schema, write_schema
from provisor.graph.schema.rules import to_rules
from provisor.graph.templates import template, templates, to_template
from provisor.graph.wire.schemas import AttributeDefinition, AttributeMapping
from provisor.graph.wire.templates import SynchronizationTemplate
from provisor.model.entries import Attributes
from provisor.model.rules import MappingName, ObjectMapping, Refers

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
USERS, GROUPS = MappingName("User to User"), MappingName("Group to Group")


def expressions(one: SynchronizationTemplate, kind: str) -> dict[str, str]:
    """Return what fills each mapped attribute of a kind of object, as text."""
    rules = one.schema.synchronization_rules
    mappings = chain.from_iterable(rule.object_mappings for rule in rules)
    (mapping,) = (m for m in mappings if m.target_object_name == kind)
    return {
        text(m): (m.source.expression or "") if m.source else "" for m in mapping.attribute_mappings
    }


def text(mapping: AttributeMapping) -> str:
    return mapping.target_attribute_name or ""


@pytest.mark.parametrize("id", templates())
def test_a_template_has_no_problems(id: str) -> None:
    one = template(id)
    assert one is not None

    rules, problems = to_rules(one.schema)

    assert problems == ()
    assert list(rules) == [USERS, GROUPS]


def test_the_default_mapping_of_users_is_the_settled_one() -> None:
    assert expressions(templates()["scim"], "User") == {
        "userName": "[userPrincipalName]",
        "externalId": "[objectId]",
        "name.givenName": "[givenName]",
        "name.familyName": "[surname]",
        "name.formatted": 'Join(" ", [givenName], [surname])',
        "displayName": "[displayName]",
        'emails[type eq "work"].value': "[mail]",
        f"{ENTERPRISE}:department": "[department]",
        f"{ENTERPRISE}:manager": "[manager]",
        "title": "[jobTitle]",
        "active": 'Switch([IsSoftDeleted], , "False", "True", "True", "False")',
    }


def test_the_default_mapping_of_groups_is_the_settled_one() -> None:
    assert expressions(templates()["scim"], "Group") == {
        "displayName": "[displayName]",
        "externalId": "[objectId]",
        "members": "[members]",
    }


def test_users_match_by_user_name_and_groups_by_display_name() -> None:
    rules, _ = to_rules(templates()["scim"].schema)

    assert matching(rules[USERS]) == ["userName"]
    assert matching(rules[GROUPS]) == ["displayName"]


def matching(mapping: ObjectMapping) -> list[str]:
    return [m.target.name for m in mapping.attributes if m.matching_priority]


def test_users_can_be_disabled_and_references_are_known() -> None:
    rules, _ = to_rules(templates()["scim"].schema)

    assert rules[USERS].supports_soft_delete
    assert not rules[GROUPS].supports_soft_delete
    refers = {
        m.target.name: m.refers for m in (*rules[USERS].attributes, *rules[GROUPS].attributes)
    }
    assert refers[f"{ENTERPRISE}:manager"] is Refers.TO_ONE
    assert refers["members"] is Refers.TO_MANY


def test_the_two_templates_are_alike_but_for_their_id() -> None:
    scim, custom = templates()["scim"], templates()["customappsso"]

    alike = replace(custom, id=scim.id, factory_tag=scim.factory_tag, schema=scim.schema)
    assert alike == scim
    assert replace(custom.schema, id=scim.schema.id) == scim.schema
    assert custom.schema.id == "customappsso.00000000000000000000000000000000"


def test_templates_are_found_in_any_case() -> None:
    assert template("CustomAppSSO") is templates()["customappsso"]
    assert template("nothing") is None


@pytest.mark.parametrize("id", templates())
def test_a_template_comes_back_as_it_was_put(id: str) -> None:
    schema = templates()[id].schema

    again, problems = read_schema(write_schema(schema))

    assert problems == ()
    assert again is not None
    assert canonical(again) == schema


def test_a_template_that_extends_nothing_there_is_refused() -> None:
    document = {"id": "mine", "provisor": {"extends": "nothing"}}
    with pytest.raises(ValueError, match="leads nowhere"):
        to_template(document, {"mine": document})


READS = frozenset(
    {
        *("userPrincipalName", "objectId", "givenName", "surname", "displayName", "mail"),
        *("department", "jobTitle", "manager", "IsSoftDeleted", "members"),
    }
)
"""What every source of the usual columns delivers: a template that read more would fail there."""


@pytest.mark.parametrize("id", templates())
def test_a_template_reads_what_every_source_delivers(id: str) -> None:
    rules, _ = to_rules(templates()[id].schema)

    for mapping in rules.values():
        read = [attributes_of(m.source) for m in mapping.attributes if m.source is not None]
        assert frozenset[str]().union(*read) <= READS
        required = {
            d.name for d in _definitions(id, mapping) if d.required and d.default_value is None
        }
        assert required <= {m.target.name for m in mapping.attributes}


def _definitions(id: str, mapping: ObjectMapping) -> Sequence[AttributeDefinition]:
    target = templates()[id].schema.directories[-1]
    (kind,) = (one for one in target.objects if one.name == mapping.target_kind)
    return kind.attributes


ADA: Attributes = {
    "objectId": "1",
    "userPrincipalName": "ada.lovelace@contoso.com",
    "givenName": "Ada",
    "surname": "Lovelace",
    "mail": "ada@contoso.com",
    "jobTitle": "Analyst",
    "department": "Research",
    "IsSoftDeleted": False,
}


@pytest.mark.parametrize(
    ("id", "expected"),
    [
        (
            "ldap",
            {"uid": "ada.lovelace", "cn": "Ada Lovelace", "sn": "Lovelace", "title": "Analyst"},
        ),
        (
            "activedirectory",
            {
                "userPrincipalName": "ada.lovelace@contoso.com",
                "sAMAccountName": "ada.lovelace",
                "cn": "Ada Lovelace (ada.lovelace)",
                "accountEnabled": "True",
            },
        ),
        ("sql", {"user_name": "ada.lovelace@contoso.com", "external_id": "1", "active": "True"}),
        (
            "msgraph",
            {
                "userPrincipalName": "ada.lovelace@contoso.com",
                "mailNickname": "ada.lovelace",
                "displayName": "Ada Lovelace",
                "accountEnabled": "True",
            },
        ),
        ("API2AD", {"sAMAccountName": "ada.lovelace"}),
    ],
)
def test_what_a_template_makes_of_a_person(id: str, expected: dict[str, str]) -> None:
    rules, _ = to_rules(templates()[id].schema)
    sources = [(m.target.name, m.source) for m in rules[USERS].attributes if m.source is not None]
    context = Context(datetime(2025, 1, 1, tzinfo=UTC), "contoso.com", FixedChance())

    made = compile_mappings(sources)(ADA, context)

    best = {n: next(iter(v.values)) if isinstance(v, Candidates) else v for n, v in made.items()}
    assert {name: best[name] for name in expected} == expected
