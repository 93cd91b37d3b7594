"""Target attributes that are mapped, and what they are in the directory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from provisor.connectors.ldap.settings import Disabling, Kind
from provisor.connectors.ldap.shape import NAME, is_disabled
from provisor.connectors.ldapwire import names, values
from provisor.connectors.ldapwire.messages import Found, Scope
from provisor.errors import Rejected
from provisor.model.entries import Reference, Scalar, Value
from provisor.model.rules import (
    ACCOUNT_ENABLED,
    AttributeDefinition,
    AttributeType,
    Mutability,
    Refers,
)

PARENT: Final = "parentDistinguishedName"
"""The container of an object: mapped, it places and moves it."""
WHOLE_NAME: Final = "distinguishedName"
"""The whole name of an object: mapped, it names, renames and moves it."""
PASSWORD: Final = "userPassword"  # noqa: S105 - the attribute
COMPUTED: Final = frozenset({PARENT, WHOLE_NAME, ACCOUNT_ENABLED})
MEMBERS: Final = "members"


@dataclass(frozen=True, slots=True)
class Mapped:
    """The mapped attributes of one kind."""

    kind: Kind
    disabling: Disabling
    definitions: Mapping[str, AttributeDefinition]
    password: str = PASSWORD
    """The attribute that a password is given by; it is never read."""

    def definition(self, name: str) -> AttributeDefinition:
        return self.definitions.get(name) or AttributeDefinition(name=name)

    @property
    def places(self) -> tuple[tuple[str, Scope], ...]:
        """Return where such objects are looked for: each base, and how far below it."""
        base, apart = (self.kind.base, self.kind.scope), self.disabling.container
        if self.kind.name != "User" or not apart or self._is_within(apart, *base):
            return (base,)
        return (base, (apart, Scope.SUBTREE))

    def is_found_in(self, container: str) -> bool:
        """Tell whether what lies in a container is looked for."""
        return any(self._is_within(container, *place) for place in self.places)

    @staticmethod
    def _is_within(container: str, base: str, scope: Scope) -> bool:
        if scope is Scope.SUBTREE:
            return names.is_below(container, base)
        return names.normal(container) == names.normal(base)

    @property
    def refers(self) -> tuple[str, ...]:
        """Return the attributes that point at one object."""
        return tuple(name for name, d in self.definitions.items() if refers(d) is Refers.TO_ONE)

    def is_computed(self, name: str) -> bool:
        """Tell whether an attribute is none of the entry's own."""
        return name in COMPUTED

    def requested(self) -> tuple[str, ...]:
        """Return the attributes to ask for, each once."""
        asked = [self.kind.anchor, self.kind.naming]
        for name, definition in self.definitions.items():
            if not self.is_computed(name) and self._is_read(definition):
                asked.append(name)
        if self.disabling.attribute:
            asked.append(self.disabling.attribute)
        return tuple({one.lower(): one for one in asked if NAME.fullmatch(one)}.values())

    def _is_read(self, definition: AttributeDefinition) -> bool:
        if definition.mutability is Mutability.WRITE_ONLY or definition.name == self.password:
            return False
        return refers(definition) is not Refers.TO_MANY

    def read(self, found: Found) -> tuple[dict[str, Value], dict[str, str]]:
        """Return what an entry says, and the names that it points at, by attribute."""
        said: dict[str, Value] = {}
        pointed: dict[str, str] = {}
        for name, definition in self.definitions.items():
            if name == WHOLE_NAME:
                said[name] = found.dn
            elif name == PARENT:
                said[name] = names.parent(found.dn)
            elif self.is_computed(name):
                if (enabled := self.is_enabled(found)) is not None:
                    said[name] = enabled
            elif self._is_read(definition) and (held := found.values(name)):
                if refers(definition) is Refers.TO_ONE:
                    pointed[name] = held[0].decode(errors="replace")
                else:
                    value = self.value(definition, held)
                    if value is not None:
                        said[name] = value
        return said, pointed

    def is_enabled(self, found: Found) -> bool | None:
        """Tell whether an account may be used; None where it does not say."""
        return not is_disabled(found, self.disabling)

    def value(self, definition: AttributeDefinition, held: list[bytes]) -> Value | None:
        """Return what the values of an attribute mean; None if they mean that there is none."""
        told = [_scalar(definition.type, one) for one in held]
        return tuple(told) if definition.is_multivalued or len(told) > 1 else told[0]

    def octets(
        self, name: str, value: Value | None, dns: Mapping[Reference, str]
    ) -> tuple[bytes, ...]:
        """Return the values of an attribute as they are sent: see `octets`. Raises Rejected."""
        return octets(name, value, dns)


def refers(definition: AttributeDefinition) -> Refers:
    if definition.type is not AttributeType.REFERENCE:
        return Refers.TO_NONE
    return Refers.TO_MANY if definition.is_multivalued else Refers.TO_ONE


def _scalar(type: AttributeType, value: bytes) -> Scalar:
    """Return what a value means; what cannot be understood is shown as it is."""
    try:
        match type:
            case AttributeType.BOOLEAN:
                return values.boolean(value)
            case AttributeType.INTEGER:
                return int(value)
            case AttributeType.DATE_TIME:
                return values.time(value)
            case AttributeType.BINARY:
                return value
            case _:
                return value.decode()
    except (values.NotAValue, ValueError):
        return value.decode(errors="replace")


def octets(name: str, value: Value | None, dns: Mapping[Reference, str]) -> tuple[bytes, ...]:
    """Return the values of an attribute as they are sent; none where there is nothing to say.

    `dns` holds the names of those who are pointed at. Raises Rejected.
    """
    if value is None or value == "":
        return ()  # a directory keeps no empty text
    given = value if isinstance(value, tuple) else (value,)
    return tuple(_octets(name, one, dns) for one in given if one != "")


def _octets(name: str, value: Scalar, dns: Mapping[Reference, str]) -> bytes:
    match value:
        case bool():
            return b"TRUE" if value else b"FALSE"
        case int():
            return str(value).encode()
        case bytes():
            return value
        case datetime():
            return values.time_text(value).encode()
        case Reference():
            if value not in dns:
                message = f"{name} points at {value.kind} {value.anchor}, which is not there"
                raise Rejected(message, code="UnableToResolveReferenceAttributeValue")
            return dns[value].encode()
        case str():
            return value.encode()
