"""What a target says of itself shapes what is sent; what it does not say is no error."""

from __future__ import annotations

from typing import Any

import pytest

from provisor.connectors.http.body import JsonObject
from provisor.connectors.scim.discovery import (
    Abilities,
    Discovered,
    abilities_of,
    definitions_of,
    resource_types_of,
    schemas_of,
)
from provisor.connectors.scim.paths import ENTERPRISE_USER
from provisor.connectors.scim.resources import shape_of
from provisor.model.rules import AttributeType, Mutability
from tests.fakes.scim.appearance import discovery
from tests.fakes.scim.switches import Switches
from tests.unit.connectors.scim.stage import GROUP, USER, opened


def test_nothing_said_is_the_standard() -> None:
    nothing: list[Any] = [None, {}, [], "x", {"patch": None, "filter": {}}]
    for content in nothing:
        assert abilities_of(content) == Abilities()
        assert schemas_of(content) == resource_types_of(content) == ()


def test_abilities_are_believed_in_whatever_spelling() -> None:
    assert abilities_of(
        {
            "Patch": {"supported": "false"},
            "filter": {"supported": False, "maxResults": "50"},
            "etag": {"supported": True},
            "pagination": {"cursor": True, "index": False},
        }
    ) == Abilities(
        has_patch=False,
        has_filter=False,
        has_versions=True,
        results_max=50,
        has_cursors=True,
        offers_cursors=True,
    )


def test_cursors_are_used_where_they_are_preferred_only() -> None:
    def uses(**said: Any) -> bool:
        return abilities_of({"pagination": {"cursor": True, **said}}).has_cursors

    assert not uses()
    assert not uses(index=True)
    assert uses(index=True, defaultPaginationMethod="cursor")
    assert uses(index=False)


def test_schemas_become_target_attributes() -> None:
    said = discovery(Switches())
    found = Discovered(
        resource_types=resource_types_of(said["/ResourceTypes"]),
        schemas=schemas_of(said["/Schemas"]),
    )

    users = {d.name: d for d in found.definitions(shape_of("User", ()))}
    groups = {d.name: d for d in found.definitions(shape_of("Group", ()))}

    assert users["userName"].is_required
    assert users["active"].type is AttributeType.BOOLEAN
    assert users["password"].mutability is Mutability.WRITE_ONLY
    assert {
        "name.givenName",
        'emails[type eq "work"].value',
        'emails[type eq "home"].value',
    } <= set(users)
    manager = users[f"{ENTERPRISE_USER}:manager"]
    assert (manager.type, manager.refers_to) == (AttributeType.REFERENCE, ("User",))
    assert not manager.is_multivalued
    assert groups["members"].is_multivalued
    assert groups["members"].refers_to == ("User", "Group")


def test_a_page_is_no_object_of_the_directory() -> None:
    (url,) = definitions_of(
        {"name": "profileUrl", "type": "reference", "referenceTypes": ["external"]}
    )
    assert url.type is AttributeType.STRING


def test_a_kind_lives_where_the_target_says() -> None:
    types = resource_types_of(
        {
            "Resources": [
                {"name": "Device", "endpoint": "/Machines", "schema": "urn:x:Device"},
                {"name": "Broken"},
                None,
            ]
        }
    )
    shape = Discovered(resource_types=types).shaped(shape_of("Device", ()))
    assert (shape.endpoint, shape.schema) == ("Machines", "urn:x:Device")


@pytest.mark.parametrize(
    ("told", "endpoint"),
    [
        ("/Users", "Users"),
        ("Users/", "Users"),
        ("/scim/v2/Users", "Users"),
        ("https://inside.example/scim/v2/Users", "Users"),
        ("/v2/Users", "Users"),
        ("/scim/v2/Accounts", "Accounts"),
        ("https://inside.example/api/Accounts", "Users"),
        ("/users", "users"),
        ("", "Users"),
        ("http://[", "Users"),
    ],
)
def test_an_endpoint_told_from_the_root_is_meant_from_the_base(told: str, endpoint: str) -> None:
    """RFC 7643 says relative to the base, and django-scim2 names it from the root."""
    said: JsonObject = {"name": "User", "endpoint": told, "schema": ""}
    types = resource_types_of({"Resources": [said]}, "https://app.example/scim/v2")
    shape = Discovered(resource_types=types).shaped(shape_of("User", USER))
    assert shape.address() == f"/{endpoint}"
    assert shape.schema == "urn:ietf:params:scim:schemas:core:2.0:User"
    group: JsonObject = {"name": "Group", "endpoint": "/scim/v2/teams", "schema": "urn:x:Team"}
    types = resource_types_of({"Resources": [group]}, "https://app.example/scim/v2")
    assert Discovered(resource_types=types).shaped(shape_of("Group", GROUP)).is_group


def test_a_kind_named_by_its_schema_lives_with_its_like() -> None:
    for kind in ("User", "urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE_USER):
        shape = shape_of(kind, USER)
        assert shape.endpoint == "Users"
        assert shape.schema == "urn:ietf:params:scim:schemas:core:2.0:User"
    assert shape_of("urn:ietf:params:scim:schemas:core:2.0:Group", GROUP).is_group


async def test_what_is_learned_shows_in_the_capabilities() -> None:
    async with opened({"has_versions": True, "filter_max": 20}) as stage:
        assert not stage.target.capabilities.has_versions
        await stage.target.probe()
        await stage.target.probe()

        capabilities = stage.target.capabilities
        assert capabilities.has_versions
        assert capabilities.page_size == 20
        assert capabilities.members_max == 100
        assert capabilities.stamp == "externalId"
        assert sum(logged.path == "/Schemas" for logged in stage.fake.log) == 1


async def test_a_target_that_says_nothing_of_itself_is_probed_all_the_same() -> None:
    async with opened({"has_discovery": False}) as stage:
        await stage.target.probe()
        assert stage.target.capabilities.page_size == 100
