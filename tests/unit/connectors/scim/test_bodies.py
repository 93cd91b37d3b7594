"""A body that is written from a template is the one that is put together piece by piece."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisor.connectors.http.body import Json, decode
from provisor.connectors.scim import resources
from provisor.connectors.scim.bodies import BodiesOf
from provisor.connectors.scim.quirks import ManagerFormat, PatchStyle, Quirks
from provisor.connectors.scim.resources import Shape, Spelling, shape_of
from provisor.model.entries import Anchor, Attributes, Reference, Value
from provisor.model.rules import AttributeDefinition, AttributeType
from tests.unit.connectors.scim.stage import GROUP, MANAGER, USER, WORK

MORE = (
    AttributeDefinition(name='emails[type eq "home"].value'),
    AttributeDefinition(name='emails[type eq "home"].display'),
    AttributeDefinition(name='phoneNumbers[type eq "work"].type'),
    AttributeDefinition(name='roles[primary eq "True"].value'),
    AttributeDefinition(name="entitlements"),
    AttributeDefinition(name="ims.value"),
    AttributeDefinition(name="x509Certificates.primary"),
    AttributeDefinition(name="level", type=AttributeType.INTEGER),
    AttributeDefinition(name="since", type=AttributeType.DATE_TIME),
)
SHAPE = shape_of("User", (*USER, *MORE))
TEXTS = ("ada", "", '{"value": "x"}', 'a"\\b\n\0', "Ünï ☃ 😀", "\uf8ff0\uf8ff", "True", "7", "work")
SPELLINGS = [
    Spelling(style, Quirks(manager_format=format, drop_paths=dropped), "https://a.example/v2")
    for style, format, dropped in product(PatchStyle, ManagerFormat, [(), ("nickName",)])
]


def values(definition: AttributeDefinition) -> st.SearchStrategy[Value]:
    if definition.type is AttributeType.REFERENCE:
        return st.sampled_from(TEXTS).map(lambda text: Reference("User", Anchor(f"x{text}")))
    if definition.type is AttributeType.BOOLEAN:
        return st.one_of(st.booleans(), st.sampled_from(TEXTS))
    if definition.is_multivalued:
        return st.lists(st.sampled_from(TEXTS), min_size=1).map(tuple)
    return st.one_of(st.sampled_from(TEXTS), st.text(max_size=5), st.booleans(), st.integers(0, 9))


ATTRIBUTES = st.fixed_dictionaries(
    {}, optional={one.name: values(one) for one in (*USER, *MORE) if one.name}
)


def written(bodies: BodiesOf, shape: Shape, attributes: Attributes, spelling: Spelling) -> Json:
    content = bodies.create(shape, attributes, spelling).content
    return decode(content) if isinstance(content, bytes) else content


@given(st.lists(ATTRIBUTES, min_size=1, max_size=4), st.sampled_from(SPELLINGS))
def test_whatever_is_said_is_written_as_without_a_template(
    objects: list[Attributes], spelling: Spelling
) -> None:
    bodies = BodiesOf()
    for said in (*objects, *objects):
        assert written(bodies, SHAPE, said, spelling) == resources.body_of(SHAPE, said, spelling)


def test_what_a_kind_cannot_be_without_is_never_dropped() -> None:
    quirks = Quirks(drop_paths=("displayName", "userName"))
    spelling = Spelling(PatchStyle.RFC, quirks, "https://a.example/v2")
    person = resources.body_of(SHAPE, {"userName": "ada", "displayName": "Ada"}, spelling)
    assert (person["userName"], "displayName" in person) == ("ada", False)
    group = resources.body_of(shape_of("Group", GROUP), {"displayName": "Crew"}, spelling)
    assert group["displayName"] == "Crew"


ADA = {"userName": "ada", WORK: "ada@a.example", "active": True, "password": "secret"}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_plain_objects_are_written_from_a_template(spelling: Spelling) -> None:
    bodies = BodiesOf()
    for name, manager in (("ada", "1"), ('b"en', "2/3 é")):
        said = {**ADA, "userName": name, MANAGER: Reference("User", Anchor(manager))}
        body = bodies.create(SHAPE, said, spelling)
        assert body.secrets == ("secret",)
        carries_addresses = spelling.quirks.manager_format is ManagerFormat.LIST
        assert isinstance(body.content, bytes) is not carries_addresses
        whole = decode(body.content) if isinstance(body.content, bytes) else body.content
        assert whole == resources.body_of(SHAPE, said, spelling)


def test_another_spelling_or_shape_has_templates_of_its_own() -> None:
    bodies = BodiesOf()
    for spelling in (SPELLINGS[0], replace(SPELLINGS[0], style=PatchStyle.ENTRA_LEGACY)):
        for shape in (SHAPE, replace(SHAPE, schema="urn:other")):
            expected = resources.body_of(shape, ADA, spelling)
            assert written(bodies, shape, ADA, spelling) == expected
