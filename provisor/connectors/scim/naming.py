"""What SCIM attributes are called inside: the default mapping backwards (spec: settled 31)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from provisor.connectors.scim import paths
from provisor.connectors.scim.paths import ENTERPRISE_USER
from provisor.connectors.scim.resources import Mapped, Shape, shape_of
from provisor.connectors.scim.settings import Reading
from provisor.model.rules import ACCOUNT_ENABLED, AttributeDefinition, AttributeType

USER: Final = "User"
GROUP: Final = "Group"
OBJECT_ID: Final = "objectId"
MANAGER: Final = "manager"
MEMBERS: Final = "members"

USER_NAMES: Final[Mapping[str, str]] = {
    "id": OBJECT_ID,
    "userName": "userPrincipalName",
    "externalId": "externalId",
    "active": ACCOUNT_ENABLED,
    "displayName": "displayName",
    "name.givenName": "givenName",
    "name.familyName": "surname",
    "title": "jobTitle",
    "userType": "userType",
    "preferredLanguage": "preferredLanguage",
    "emails": "mail",
    'phoneNumbers[type eq "work"].value': "telephoneNumber",
    'phoneNumbers[type eq "mobile"].value': "mobile",
    'phoneNumbers[type eq "fax"].value': "facsimileTelephoneNumber",
    'addresses[type eq "work"].streetAddress': "streetAddress",
    'addresses[type eq "work"].locality': "city",
    'addresses[type eq "work"].region': "state",
    'addresses[type eq "work"].postalCode': "postalCode",
    'addresses[type eq "work"].country': "country",
    f"{ENTERPRISE_USER}:employeeNumber": "employeeId",
    f"{ENTERPRISE_USER}:costCenter": "costCenter",
    f"{ENTERPRISE_USER}:organization": "companyName",
    f"{ENTERPRISE_USER}:division": "division",
    f"{ENTERPRISE_USER}:department": "department",
    f"{ENTERPRISE_USER}:manager": MANAGER,
}
GROUP_NAMES: Final[Mapping[str, str]] = {
    "id": OBJECT_ID,
    "externalId": "externalId",
    "displayName": "displayName",
    "members": MEMBERS,
}
EMAILS: Final = ('emails[type eq "work"].value', "emails")
"""Where `mail` is looked for: the one for work, else the primary one, else the first."""


def shapes_of(reading: Reading) -> Mapping[str, Shape]:
    """Return the kinds that are read, users first: groups point at them."""
    kinds = (USER, GROUP) if reading.reads_groups else (USER,)
    return {kind: _shape(kind, reading) for kind in kinds}


def names_of(kind: str, reading: Reading) -> tuple[tuple[str, str], ...]:
    """Return what is read of a kind: SCIM paths, and what they are called inside."""
    chosen: dict[str, str | None] = dict(USER_NAMES if kind == USER else GROUP_NAMES)
    for path, name in reading.attributes.items():
        known = next((one for one in chosen if one.lower() == path.lower()), path)
        chosen[known] = name
    return tuple((path, name) for path, name in chosen.items() if name is not None)


def offered(
    kind: str, reading: Reading, said: Iterable[AttributeDefinition]
) -> tuple[AttributeDefinition, ...]:
    """Return what there is of a kind, by the names inside, in the types that a service says."""
    known = {one.name.lower(): one for one in said}
    found: dict[str, AttributeDefinition] = {}
    for path, name in names_of(kind, reading):
        own = definition_of(kind, name, is_many=name in reading.multivalued)
        theirs = known.get(path.lower())
        if theirs is not None and own.type is AttributeType.STRING and not own.is_anchor:
            own = replace(own, type=theirs.type, is_case_exact=theirs.is_case_exact)
            if own.type is AttributeType.REFERENCE:
                own = replace(own, refers_to=(USER,))
        found.setdefault(name, own)
    return tuple(found.values())


def _shape(kind: str, reading: Reading) -> Shape:
    mapped: list[Mapped] = []
    for path, name in names_of(kind, reading):
        definition = definition_of(kind, name, is_many=name in reading.multivalued)
        spelled = EMAILS if path == "emails" and not definition.is_multivalued else (path,)
        mapped += [Mapped(definition, paths.parse(one)) for one in reversed(spelled)]
    return replace(shape_of(kind, ()), seen=_without_members(mapped))


def _without_members(mapped: Iterable[Mapped]) -> tuple[Mapped, ...]:
    """Members are read apart: each of them says itself what kind it is."""
    return tuple(one for one in mapped if one.definition.name != MEMBERS)


def definition_of(kind: str, name: str, *, is_many: bool = False) -> AttributeDefinition:
    """Return what a source says of one of its attributes."""
    if name == MANAGER:
        return AttributeDefinition(name=name, type=AttributeType.REFERENCE, refers_to=(USER,))
    if name == MEMBERS and kind == GROUP:
        return AttributeDefinition(
            name=name, type=AttributeType.REFERENCE, is_multivalued=True, refers_to=(USER, GROUP)
        )
    if name == ACCOUNT_ENABLED:
        return AttributeDefinition(name=name, type=AttributeType.BOOLEAN)
    return AttributeDefinition(
        name=name,
        is_anchor=name == OBJECT_ID,
        is_case_exact=name == OBJECT_ID,
        is_required=name == OBJECT_ID,
        is_multivalued=is_many,
    )
