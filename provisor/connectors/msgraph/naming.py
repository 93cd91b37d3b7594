"""What properties of Graph are called inside, and how entries are read out of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from provisor.connectors.http.body import Json, JsonObject, items, text_of
from provisor.connectors.msgraph.settings import GraphSettings
from provisor.model.entries import Anchor, Entry, Reference, Scalar, Value
from provisor.model.rules import ACCOUNT_ENABLED, AttributeDefinition, AttributeType

USER: Final = "User"
GROUP: Final = "Group"
OBJECT_ID: Final = "objectId"
MANAGER: Final = "manager"
MEMBERS: Final = "members"
EXPANDED: Final = f"&$expand={MANAGER}($select=id)"
"""Asks for managers beside what is selected of users."""
TYPES: Final[Mapping[str, str]] = {
    "#microsoft.graph.user": USER,
    "#microsoft.graph.group": GROUP,
}
"""Devices, contacts and service principals may be members too; they are nobody's accounts."""
SAME: Final = (
    *("userPrincipalName", "displayName", "givenName", "surname", "mail", "mailNickname"),
    *("otherMails", "proxyAddresses", "userType", "jobTitle", "department", "companyName"),
    *("employeeId", "employeeType", "employeeHireDate", "employeeLeaveDateTime"),
    *("streetAddress", "city", "state", "postalCode", "country", "usageLocation"),
    *("preferredLanguage", "onPremisesDistinguishedName", "onPremisesDomainName"),
    *("onPremisesImmutableId", "onPremisesSamAccountName", "onPremisesSecurityIdentifier"),
    *("onPremisesUserPrincipalName", ACCOUNT_ENABLED),
)
USER_NAMES: Final[Mapping[str, str]] = {
    "id": OBJECT_ID,
    **{name: name for name in SAME},
    "mobilePhone": "mobile",
    "businessPhones": "telephoneNumber",
    "faxNumber": "facsimileTelephoneNumber",
    "officeLocation": "physicalDeliveryOfficeName",
}
GROUP_NAMES: Final[Mapping[str, str]] = {
    "id": OBJECT_ID,
    **{
        name: name
        for name in (
            *("displayName", "description", "mail", "mailNickname", "mailEnabled"),
            *("securityEnabled", "groupTypes", "onPremisesSamAccountName"),
            "onPremisesSecurityIdentifier",
        )
    },
}
MANY: Final = frozenset({"otherMails", "proxyAddresses", "groupTypes"})


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of object: where it lives, and what its properties are called inside."""

    kind: str
    endpoint: str
    names: Mapping[str, str]
    pointing: str
    """The property that points at others: of a user one, of a group many."""

    @property
    def select(self) -> str:
        """The properties that are asked for and tracked."""
        return ",".join(self.names)


def shapes_of(settings: GraphSettings) -> Mapping[str, Shape]:
    """Return the kinds that are read, users first."""
    names: dict[str, str | None] = {**USER_NAMES, **settings.attributes}
    chosen = {own: inside for own, inside in names.items() if inside is not None}
    found = {USER: Shape(USER, "users", chosen, MANAGER)}
    if settings.reads_groups:
        found[GROUP] = Shape(GROUP, "groups", GROUP_NAMES, MEMBERS)
    return found


def entry_of(shape: Shape, said: JsonObject, pointed: Mapping[str, str]) -> Entry:
    """Return an object; `pointed` are the ids that it points at, with their kinds."""
    anchor = Anchor(text_of(said.get("id")))
    attributes: dict[str, Value] = {}
    for own, inside in shape.names.items():
        value = _value(said.get(own), is_many=inside in MANY)
        if value is not None:
            attributes[inside] = value
    references = [Reference(kind, Anchor(id)) for id, kind in sorted(pointed.items())]
    if references:
        attributes[shape.pointing] = tuple(references) if shape.kind == GROUP else references[0]
    return Entry(shape.kind, anchor, attributes)


def _value(raw: Json, *, is_many: bool) -> Value | None:
    if isinstance(raw, list):
        values = tuple(one for one in map(_scalar, raw) if one is not None)
        if is_many:
            return values or None
        return values[0] if values else None
    return _scalar(raw)


def _scalar(raw: Json) -> Scalar | None:
    if isinstance(raw, float):
        return str(raw)
    return raw if isinstance(raw, str | int) else None


def pointed_of(raw: Json) -> dict[str, str]:
    """Return the ids and kinds of the accounts that a list names."""
    found: dict[str, str] = {}
    for one in items(raw):
        kind = TYPES.get(text_of(one.get("@odata.type")).lower())
        if kind is not None and (id := text_of(one.get("id"))):
            found[id] = kind
    return found


def definitions_of(shape: Shape) -> tuple[AttributeDefinition, ...]:
    """Return what mappings may name of a kind."""
    found = [
        AttributeDefinition(
            name=inside,
            type=AttributeType.BOOLEAN if inside.endswith("nabled") else AttributeType.STRING,
            is_anchor=own == "id",
            is_case_exact=own == "id",
            is_required=own == "id",
            is_multivalued=inside in MANY,
        )
        for own, inside in shape.names.items()
    ]
    is_group = shape.kind == GROUP
    found.append(
        AttributeDefinition(
            name=shape.pointing,
            type=AttributeType.REFERENCE,
            is_multivalued=is_group,
            refers_to=(USER, GROUP) if is_group else (USER,),
        )
    )
    return tuple(found)
