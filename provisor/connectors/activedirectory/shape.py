"""What an entry of the domain means: attributes under canonical names, and who is pointed at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from types import MappingProxyType
from typing import Final, TypeAlias

from provisor.connectors.activedirectory import values
from provisor.connectors.activedirectory.settings import GROUP, AdSettings, Kind
from provisor.connectors.activedirectory.values import Named
from provisor.connectors.ldapwire import values as plain
from provisor.connectors.ldapwire.entries import Held, Layout, listed, picker
from provisor.connectors.ldapwire.messages import Found
from provisor.connectors.ldapwire.objects import NoObject
from provisor.connectors.ldapwire.schema import Schema
from provisor.connectors.ldapwire.values import NotAValue
from provisor.model.entries import Anchor, Scalar, Value
from provisor.model.rules import ACCOUNT_ENABLED, AttributeType

OBJECT_ID, OBJECT_GUID = "objectId", "objectGUID"
MANAGER, MEMBER, MEMBERS = "manager", "member", "members"
DISTINGUISHED_NAME: Final = "distinguishedName"
CONTROL, EXPIRES, PRIMARY_GROUP = "userAccountControl", "accountExpires", "primaryGroupID"
SID, CREATED, CHANGED = "objectSid", "uSNCreated", "uSNChanged"
OURS: Final = (OBJECT_GUID, DISTINGUISHED_NAME, SID, CREATED, CHANGED)
"""Read of every object, for ourselves."""
OURS_OF_USERS: Final = (CONTROL, EXPIRES, PRIMARY_GROUP)

USER_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        DISTINGUISHED_NAME: "onPremisesDistinguishedName",
        SID: "onPremisesSecurityIdentifier",
        "sAMAccountName": "onPremisesSamAccountName",
        "sn": "surname",
        "title": "jobTitle",
        "company": "companyName",
        "employeeID": "employeeId",
        "l": "city",
        "st": "state",
        "c": "country",
    }
)
GROUP_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        DISTINGUISHED_NAME: "onPremisesDistinguishedName",
        SID: "onPremisesSecurityIdentifier",
        "sAMAccountName": "onPremisesSamAccountName",
        "cn": "displayName",
        # Few groups have one; who wants it says so in `attributes`.
        "displayName": "groupDisplayName",
    }
)
"""What attributes are called inside, unless `attributes` says otherwise (spec: settled 31)."""

USUAL: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "User": (
            *("userPrincipalName", "sAMAccountName", "cn", "givenName", "sn", "displayName"),
            *("initials", "mail", "mailNickname", "proxyAddresses", "title", "department"),
            *("company", "division", "employeeID", "employeeNumber", "employeeType", "manager"),
            *("l", "st", "streetAddress", "postalCode", "c", "co", "telephoneNumber", "mobile"),
            *("physicalDeliveryOfficeName", "preferredLanguage", "description", "whenCreated"),
        ),
        "Group": (
            *("cn", "displayName", "sAMAccountName", "description", "mail", "groupType"),
            *("mailNickname", "proxyAddresses", "managedBy"),
        ),
    }
)
SINGLE: Final = frozenset({"description", "displayName", "postOfficeBox", "telephoneNumber"})
"""Attributes that may have several values by their definition, and never do."""
MANY: Final = frozenset({"proxyAddresses", "objectClass", "otherMails"})
NEVER_READ: Final = frozenset(
    {
        "unicodepwd",
        "userpassword",
        "ntpwdhistory",
        "lmpwdhistory",
        "dbcspwd",
        "supplementalcredentials",
    }
)

SYNTAX: Final = "1.3.6.1.4.1.1466.115.121.1."
LARGE_INTEGER, DESCRIPTOR = "1.2.840.113556.1.4.906", "1.2.840.113556.1.4.907"
TYPES: Final[Mapping[str, AttributeType]] = MappingProxyType(
    {
        f"{SYNTAX}7": AttributeType.BOOLEAN,
        f"{SYNTAX}27": AttributeType.INTEGER,
        LARGE_INTEGER: AttributeType.INTEGER,
        f"{SYNTAX}24": AttributeType.DATE_TIME,
        f"{SYNTAX}53": AttributeType.DATE_TIME,
        f"{SYNTAX}5": AttributeType.BINARY,
        f"{SYNTAX}40": AttributeType.BINARY,
        DESCRIPTOR: AttributeType.BINARY,
    }
)
Reader: TypeAlias = Callable[[bytes], Scalar | None]
"""Raises NotAValue; None: there is no value after all."""


@dataclass(slots=True)
class Raw:
    """An entry whose references are not yet of a kind."""

    dn: str
    anchor: Anchor
    attributes: dict[str, Value]
    manager: Named | None = None
    members: list[Named] = field(default_factory=list[Named])
    primary_group: int = 0
    """Of a person: the last part of the security identifier of the group."""
    rid: int = 0
    """Of a group: the last part of its own."""
    created: int = 0
    """Its uSNCreated."""
    changed: int = 0


class _Role(Enum):
    """What is done with an attribute."""

    VALUE = auto()
    SKIP = auto()
    MANAGER = auto()
    MEMBER = auto()


@dataclass(frozen=True, slots=True)
class _Plan:
    role: _Role
    name: str = ""
    is_single: bool = False
    is_many: bool = False
    read: Reader = plain.text


@dataclass(frozen=True, slots=True)
class _Program:
    """How entries of one layout are read: texts that are one value all at once."""

    texts: tuple[str, ...]
    """What they are called inside."""
    pick: Callable[[Sequence[Held]], tuple[bytes, ...]]
    others: tuple[tuple[int, str], ...]
    """The rest, but for what is left out: where it is, and its name."""


@dataclass(slots=True)
class Shape:
    """How entries of one kind are read."""

    kind: Kind
    settings: AdSettings
    schema: Schema
    wanted: frozenset[str]
    """Canonical names that mappings and filters read."""
    _plans: dict[str, _Plan] = field(default_factory=dict[str, "_Plan"])
    _programs: dict[Layout, _Program] = field(default_factory=dict["Layout", "_Program"])

    @property
    def is_group(self) -> bool:
        return self.kind.name == GROUP

    def canonical(self, attribute: str) -> str | None:
        """Return what an attribute is called inside, None if it is left out.

        A default gives way where the administrator has given its name to another attribute.
        """
        low, chosen = attribute.lower(), self.settings.attributes
        for given, name in chosen.items():
            if given.lower() == low:
                return name
        for given, name in (GROUP_NAMES if self.is_group else USER_NAMES).items():
            if given.lower() == low:
                return attribute if name in chosen.values() else name
        return attribute

    def requested(self) -> tuple[str, ...]:
        """Return the attributes to ask for, each once."""
        back = {name: attribute for attribute, name in self.settings.attributes.items() if name}
        defaults = {v: k for k, v in (GROUP_NAMES if self.is_group else USER_NAMES).items()}
        asked = [*OURS, *USUAL[self.kind.name], *self.settings.attributes]
        asked += [back.get(name) or defaults.get(name) or name for name in sorted(self.wanted)]
        asked += [MEMBER] if self.is_group else OURS_OF_USERS
        found: dict[str, str] = {}
        for one in asked:
            # What the directory does not know it would not tell; some servers refuse to be asked.
            if self.schema.attribute(one) is not None or not self.schema.attributes:
                found.setdefault(one.lower(), one)
        return tuple(found.values())

    def read(self, found: Found, now: datetime) -> Raw | NoObject:
        """Return what an entry says that was asked for with extended names."""
        dn = values.named(found.dn).dn
        raw = Raw(dn, Anchor(""), {})
        try:
            held = found.values(OBJECT_GUID)
            if not held:
                return NoObject(dn, "it shows no objectGUID; let the account read it")
            raw.anchor = values.anchor_of(held[0])
            for name, said in self._with_texts(raw, found):
                if said:
                    self._take(raw, name, said)
            self._take_ours(raw, found, now)
        except NotAValue as odd:
            return NoObject(dn, str(odd), raw.anchor or None)
        raw.attributes[OBJECT_ID] = str(raw.anchor)
        return raw

    def _with_texts(self, raw: Raw, found: Found) -> Iterable[tuple[str, list[bytes]]]:
        """Take in what are texts of one value, all at once; return all that is left to be taken."""
        layout = found.layout
        if layout is None:
            return found.attributes.items()
        program = self._programs.get(layout) or self._program(layout)
        try:
            texts = map(bytes.decode, program.pick(found.held))
            raw.attributes = dict(zip(program.texts, texts, strict=True))
        except UnicodeDecodeError:  # octets, whatever the attribute is called
            raw.attributes = {}
            return found.attributes.items()
        return [(name, listed(found.held[at])) for at, name in program.others]

    def _program(self, layout: Layout) -> _Program:
        planned = [self._plan(name) for name in layout.names]
        called = Counter(plan.name for plan in planned if plan.role is _Role.VALUE)
        texts: list[tuple[int, str]] = []
        others: list[tuple[int, str]] = []
        for at, plan in enumerate(planned):
            is_text = plan.role is _Role.VALUE and plan.read is _text_or_octets
            # Of two attributes with one name inside the last one stands, which is told by order.
            is_alone = layout.has_one[at] and not plan.is_many and called[plan.name] == 1
            if is_text and is_alone:
                texts.append((at, plan.name))
            elif plan.role is not _Role.SKIP:
                others.append((at, layout.names[at]))
        pick = picker([at for at, _ in texts])
        program = self._programs[layout] = _Program(
            tuple(name for _, name in texts), pick, tuple(others)
        )
        return program

    def _plan(self, name: str) -> _Plan:
        plan = self._plans.get(name)
        if plan is None:
            plan = self._plans[name] = self._planned(name)
        return plan

    def _take(self, raw: Raw, name: str, held: list[bytes]) -> None:
        plan = self._plan(name)
        try:
            match plan.role:
                case _Role.MANAGER:
                    raw.manager = values.named(plain.text(held[0]))
                case _Role.MEMBER:
                    raw.members += [values.named(plain.text(one)) for one in held]
                case _Role.SKIP:
                    return
                case _Role.VALUE:
                    read = [value for one in held if (value := plan.read(one)) is not None]
                    if read:
                        is_one = plan.is_single or (len(read) == 1 and not plan.is_many)
                        raw.attributes[plan.name] = read[0] if is_one else tuple(read)
        except NotAValue as odd:
            raise NotAValue(f"{name}: {odd}") from odd

    def _take_ours(self, raw: Raw, found: Found, now: datetime) -> None:
        raw.created, raw.changed = _number(found, CREATED), _number(found, CHANGED)
        if self.is_group:
            held = found.values(SID)
            raw.rid = int(values.sid(held[0]).rpartition("-")[2]) if held else 0
            return
        raw.primary_group = _number(found, PRIMARY_GROUP)
        control = found.values(CONTROL)
        if control:
            is_enabled = not values.is_disabled(values.long(control[0]))
            if self.settings.expired_is_disabled and (expires := found.values(EXPIRES)):
                until = values.moment(expires[0])
                is_enabled = is_enabled and (until is None or until > now)
            raw.attributes[ACCOUNT_ENABLED] = is_enabled

    def _planned(self, name: str) -> _Plan:
        low = name.lower()
        inside = self.canonical(name)
        if inside is None or low in NEVER_READ or low == OBJECT_GUID.lower():
            return _Plan(_Role.SKIP)
        if self.is_group and low == MEMBER:
            return _Plan(_Role.MEMBER)
        if not self.is_group and inside == MANAGER:
            return _Plan(_Role.MANAGER)
        ours = {one.lower() for one in (CREATED, CHANGED, *OURS_OF_USERS)}
        if low in ours and inside not in self.wanted and inside == name:
            return _Plan(_Role.SKIP)  # an object is not another for having been saved
        is_many = inside in self.settings.multivalued or inside in MANY
        kind = self.schema.attribute(name)
        is_single = inside in SINGLE or (kind is not None and kind.is_single)
        return _Plan(
            _Role.VALUE,
            inside,
            is_single=is_single and not is_many,
            is_many=is_many,
            read=reader_of(self.schema, name),
        )


def _number(found: Found, attribute: str) -> int:
    held = found.values(attribute)
    return values.long(held[0]) if held else 0


def type_of(schema: Schema, attribute: str) -> AttributeType:
    """Return what the values of an attribute are."""
    if attribute.lower() in values.FILETIMES:
        return AttributeType.DATE_TIME
    if attribute.lower() == SID.lower():
        return AttributeType.STRING
    kind = schema.attribute(attribute)
    return TYPES.get(kind.syntax, AttributeType.STRING) if kind else AttributeType.STRING


def reader_of(schema: Schema, attribute: str) -> Reader:
    """Return what makes a value of the octets of an attribute."""
    low = attribute.lower()
    if low in values.FILETIMES:
        return values.moment
    if low == SID.lower():
        return values.sid
    kind = schema.attribute(attribute)
    if kind is not None and kind.syntax == f"{SYNTAX}12":
        return lambda value: values.named(plain.text(value)).dn
    match type_of(schema, attribute):
        case AttributeType.BOOLEAN:
            return plain.boolean
        case AttributeType.INTEGER:
            return values.long
        case AttributeType.DATE_TIME:
            return plain.time
        case AttributeType.BINARY:
            return bytes
        case _:
            return _text_or_octets


def _text_or_octets(value: bytes) -> Scalar:
    """Return a text; octets where there is none, whatever the attribute is called."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value
