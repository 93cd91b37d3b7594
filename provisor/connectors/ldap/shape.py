"""What an entry of the directory means: attributes under canonical names, and who is pointed at."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from types import MappingProxyType
from typing import Final, cast

from provisor.connectors.ldap.anchors import anchor_reader
from provisor.connectors.ldap.settings import MEMBER_OF, Disabling, Kind, LdapSettings
from provisor.connectors.ldapwire import names, values
from provisor.connectors.ldapwire.entries import Found, Held, Layout, listed, picker
from provisor.connectors.ldapwire.objects import NoObject
from provisor.connectors.ldapwire.schema import Schema
from provisor.model.entries import Anchor, Scalar, Value
from provisor.model.rules import ACCOUNT_ENABLED, AttributeType

OBJECT_ID: Final = "objectId"
CHANGED: Final = "modifyTimestamp"
STAMP: Final = "entryCSN"
OURS: Final = frozenset({CHANGED.lower(), STAMP.lower()})
ENTRY_DN: Final = "entryDN"
"""What an entry is called, whatever attribute of it says so: every server tells it."""
MANAGER: Final = "manager"
MEMBERS: Final = "members"
MAIL, OTHER_MAILS = "mail", "otherMails"

USER_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "entryDN": "onPremisesDistinguishedName",
        "uid": "userPrincipalName",
        "sn": "surname",
        "title": "jobTitle",
        "departmentNumber": "department",
        "o": "companyName",
        "employeeNumber": "employeeId",
        "l": "city",
        "st": "state",
        "street": "streetAddress",
        "c": "country",
    }
)
GROUP_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {"entryDN": "onPremisesDistinguishedName", "cn": "displayName"}
)
"""What attributes are called inside, unless `attributes` says otherwise (spec: settled 31)."""

USUAL: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "User": (
            *("uid", "cn", "sn", "givenName", "displayName", "initials", "mail", "title"),
            *("departmentNumber", "ou", "o", "employeeNumber", "employeeType", "manager", "l"),
            *("st", "street", "postalCode", "c", "telephoneNumber", "mobile", "preferredLanguage"),
            *("facsimileTelephoneNumber", "physicalDeliveryOfficeName", "roomNumber"),
            *("description", "uidNumber", "gidNumber", "objectClass"),
        ),
        "Group": ("cn", "displayName", "description", "mail", "gidNumber", "ou", "objectClass"),
    }
)
"""What is read although no mapping names it, so that one that comes to has something to map."""

SINGLE: Final = frozenset(
    {
        *("userPrincipalName", "displayName", "givenName", "surname", "mail", "mailNickname"),
        *("jobTitle", "department", "companyName", "division", "costCenter", "employeeId"),
        *("employeeType", "city", "state", "streetAddress", "postalCode", "country", "mobile"),
        *("telephoneNumber", "facsimileTelephoneNumber", "physicalDeliveryOfficeName"),
        *("preferredLanguage", "usageLocation", "cn", "description", ACCOUNT_ENABLED),
    }
)
"""What has one value in every canonical schema, however many the directory lets it have."""
MANY: Final = frozenset({OTHER_MAILS, "proxyAddresses", "objectClass"})

NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]*(?:;[A-Za-z0-9-]+)*")
SYNTAXES: Final[Mapping[str, AttributeType]] = MappingProxyType(
    {
        "1.3.6.1.4.1.1466.115.121.1.7": AttributeType.BOOLEAN,
        "1.3.6.1.4.1.1466.115.121.1.27": AttributeType.INTEGER,
        "1.3.6.1.4.1.1466.115.121.1.24": AttributeType.DATE_TIME,
        "1.3.6.1.4.1.1466.115.121.1.5": AttributeType.BINARY,
        "1.3.6.1.4.1.1466.115.121.1.8": AttributeType.BINARY,
        "1.3.6.1.4.1.1466.115.121.1.28": AttributeType.BINARY,
        "1.3.6.1.4.1.1466.115.121.1.40": AttributeType.BINARY,
    }
)
DN_SYNTAXES: Final = frozenset({"1.3.6.1.4.1.1466.115.121.1.12", "1.3.6.1.4.1.1466.115.121.1.34"})
NO_ANCHOR: Final = Anchor("")


@dataclass(slots=True)
class Raw:
    """An entry whose references are still names."""

    dn: str
    anchor: Anchor
    attributes: dict[str, Value]
    manager: str = ""
    members: Sequence[str] = ()
    """Names."""
    member_uids: Sequence[str] = ()
    member_of: Sequence[str] = ()
    """Names of groups that it says it is in, where members are told so."""


class _Role(Enum):
    """What is done with an attribute."""

    VALUE = auto()
    SKIP = auto()
    ANCHOR = auto()
    MANAGER = auto()
    MEMBER = auto()
    MEMBER_UID = auto()
    MEMBER_OF = auto()


@dataclass(frozen=True, slots=True)
class _Plan:
    role: _Role
    name: str = ""
    is_single: bool = False
    is_many: bool = False
    read: Callable[[bytes], Scalar] | None = None
    """None: it is a text."""


@dataclass(frozen=True, slots=True)
class _Program:
    """How entries of one layout are read: texts that are one value all at once, and without asking
    what is to be done with each what nearly all have."""

    texts: tuple[str, ...]
    """What they are called inside."""
    pick: Callable[[Sequence[Held]], tuple[bytes, ...]]
    anchor: int | None
    """Where it is; None where that is not certain."""
    others: tuple[tuple[int, str, _Plan], ...]
    """The rest: where it is, its name and what is done with it."""


@dataclass(slots=True)
class Shape:
    """How entries of one kind are read."""

    kind: Kind
    settings: LdapSettings
    schema: Schema
    wanted: frozenset[str]
    """Canonical names that mappings and filters read."""
    _plans: dict[str, _Plan] = field(default_factory=dict[str, "_Plan"])
    _programs: dict[Layout, _Program] = field(default_factory=dict["Layout", "_Program"])
    _dn_name: str | None = None
    """What the name of an entry is called inside, once that was asked; empty: left out."""
    is_group: bool = field(init=False)
    _tells_disabled: bool = field(init=False)
    _anchor: Callable[[bytes], Anchor] = field(init=False)

    def __post_init__(self) -> None:
        groups = self.settings.groups
        self.is_group = groups is not None and self.kind.name == groups.name
        self._tells_disabled = not self.is_group and self.settings.disabling.is_known
        self._anchor = anchor_reader(self.kind.anchor)

    def canonical(self, attribute: str) -> str | None:
        """Return what an attribute is called inside, None if it is left out.

        A default gives way where the administrator has given its name to another attribute.
        """
        chosen = self.settings.attributes
        for given, name in chosen.items():
            if given.lower() == attribute.lower():
                return name
        defaults = GROUP_NAMES if self.is_group else USER_NAMES
        for given, name in defaults.items():
            if given.lower() == attribute.lower():
                return attribute if name in chosen.values() else name
        return attribute

    @property
    def manager_attribute(self) -> str:
        """Return the attribute that names a person's manager; empty if none is read."""
        return next((one for one in self.requested() if self.canonical(one) == MANAGER), "")

    def requested(self) -> tuple[str, ...]:
        """Return the attributes to ask for, each once."""
        settings = self.settings
        back = {name: attribute for attribute, name in settings.attributes.items() if name}
        defaults = {v: k for k, v in (GROUP_NAMES if self.is_group else USER_NAMES).items()}
        asked = [self.kind.anchor, *USUAL.get(self.kind.name, ()), *settings.attributes]
        asked += [back.get(name) or defaults.get(name) or name for name in sorted(self.wanted)]
        if self.is_group:
            asked += [one for one in self.kind.members if one.lower() != MEMBER_OF]
        else:
            asked.append(settings.disabling.attribute)
        if settings.groups is not None and MEMBER_OF in map(str.lower, settings.groups.members):
            asked.append("memberOf")
        found: dict[str, str] = {}
        for one in asked:
            if NAME.fullmatch(one) and one.lower() != ENTRY_DN.lower():
                found.setdefault(one.lower(), one)
        return tuple(found.values())

    def read(self, found: Found) -> Raw | NoObject:
        """Return what an entry says."""
        layout = found.layout
        if layout is None:
            return self._read(Raw(found.dn, NO_ANCHOR, {}), found, self._planned_of(found))
        program = self._programs.get(layout) or self._program(layout)
        held, raw = found.held, Raw(found.dn, NO_ANCHOR, {})
        try:
            texts = map(bytes.decode, program.pick(held))
            raw.attributes = dict(zip(program.texts, texts, strict=True))
            if program.anchor is not None:
                raw.anchor = self._anchor(cast("bytes", held[program.anchor]))
        except (UnicodeDecodeError, values.NotAValue):  # not what they should be, whatever they say
            return self._read(Raw(found.dn, NO_ANCHOR, {}), found, self._planned_of(found))
        return self._read(raw, found, [(n, p, held[at]) for at, n, p in program.others])

    def _planned_of(self, found: Found) -> Iterator[tuple[str, _Plan, Held]]:
        for name, held in found.attributes.items():
            one = held[0] if len(held) == 1 else held
            yield name, self._plans.get(name) or self._plan(name), one

    def _program(self, layout: Layout) -> _Program:
        planned = [self._plans.get(name) or self._plan(name) for name in layout.names]
        called = Counter(plan.name for plan in planned if plan.role is _Role.VALUE)
        texts: list[tuple[int, str]] = []
        others: list[tuple[int, str, _Plan]] = []
        anchors = [at for at, plan in enumerate(planned) if plan.role is _Role.ANCHOR]
        anchor = anchors[0] if len(anchors) == 1 and layout.has_one[anchors[0]] else None
        for at, (name, has_one, plan) in enumerate(
            zip(layout.names, layout.has_one, planned, strict=True)
        ):
            is_text = plan.role is _Role.VALUE and plan.read is None and not plan.is_many
            # Of two attributes with one name inside the last one stands, which is told by order.
            if is_text and has_one and called[plan.name] == 1:
                texts.append((at, plan.name))
            elif plan.role is not _Role.SKIP and at != anchor:
                others.append((at, name, plan))
        called_inside = tuple(name for _, name in texts)
        pick = picker([at for at, _ in texts])
        program = self._programs[layout] = _Program(called_inside, pick, anchor, tuple(others))
        return program

    def _read(
        self, raw: Raw, found: Found, planned: Iterable[tuple[str, _Plan, Held]]
    ) -> Raw | NoObject:
        for name, plan, held in planned:
            if not held and not isinstance(held, bytes):
                continue
            problem = ""
            if plan.role is _Role.VALUE:
                try:
                    self._take(raw, name, plan, held)
                except values.NotAValue as odd:
                    problem = str(odd)
            elif plan.role is not _Role.SKIP:
                problem = self._point(raw, plan.role, listed(held))
            if problem:
                return NoObject(found.dn, f"{name}: {problem}", raw.anchor or None)
        if not raw.anchor:
            message = f"it has no {self.kind.anchor}; name an attribute as anchor that all have"
            return NoObject(found.dn, message)
        out = raw.attributes
        out[OBJECT_ID] = raw.anchor
        if self._dn_name is None:
            self._dn_name = self.canonical(ENTRY_DN) or ""
        if self._dn_name:
            out[self._dn_name] = found.dn
        if self._tells_disabled:
            out[ACCOUNT_ENABLED] = not is_disabled(found, self.settings.disabling)
        return raw

    def _take(self, raw: Raw, name: str, plan: _Plan, held: Held) -> None:
        """Take in the values of an attribute. Raises NotAValue."""
        out = raw.attributes
        try:
            if isinstance(held, bytes):
                value = plan.read(held) if plan.read else held.decode()
                out[plan.name] = (value,) if plan.is_many else value
            elif plan.is_single:
                first = self._first(raw.dn, name, held)
                out[plan.name] = plan.read(first) if plan.read else first.decode()
                if plan.name == MAIL:
                    rest = [one.decode() for one in held if one != first]
                    out.setdefault(OTHER_MAILS, tuple(rest))
            else:
                out[plan.name] = tuple(map(plan.read or bytes.decode, held))
        except UnicodeDecodeError:  # no text, whatever its name: octets then
            kept: tuple[Scalar, ...] = tuple(listed(held))
            out[plan.name] = kept[0] if len(kept) == 1 else kept

    def _point(self, raw: Raw, role: _Role, held: list[bytes]) -> str:
        """Take in values that name objects; return what is wrong, if anything."""
        try:
            match role:
                case _Role.ANCHOR:
                    raw.anchor = self._anchor(held[0])
                case _Role.MANAGER:
                    raw.manager = held[0].decode()
                case _Role.MEMBER:
                    # A unique member may carry a number behind its name (RFC 4517, 3.3.21).
                    told = (_without_number(one.decode()) for one in held if one)
                    raw.members = [*raw.members, *told]
                case _Role.MEMBER_UID:
                    raw.member_uids = [*raw.member_uids, *map(bytes.decode, held)]
                case _Role.MEMBER_OF:
                    raw.member_of = [*raw.member_of, *map(bytes.decode, held)]
                case _:
                    pass
        except (UnicodeDecodeError, values.NotAValue) as odd:
            return str(odd)
        return ""

    def _first(self, dn: str, name: str, held: list[bytes]) -> bytes:
        """Return the value that stands for several: the one in the object's name, or the first."""
        try:
            for part in names.first(dn):
                if part.type.lower() == name.lower():
                    own = part.value.encode()
                    return next((one for one in held if one == own), own)
        except names.NotAName:
            pass
        return held[0]

    def _plan(self, name: str) -> _Plan:
        plan = self._plans[name] = self._planned(name)
        return plan

    def _planned(self, name: str) -> _Plan:
        low = name.lower().removesuffix(";binary")
        if low == self.kind.anchor.lower():
            return _Plan(_Role.ANCHOR)
        if self.is_group and low in map(str.lower, self.kind.members):
            return _Plan(_Role.MEMBER_UID if low == "memberuid" else _Role.MEMBER)
        if low == MEMBER_OF:
            return _Plan(_Role.MEMBER_OF)
        inside = self.canonical(name.removesuffix(";binary"))
        if low in OURS and inside not in self.wanted:
            return _Plan(_Role.SKIP)  # read for ourselves: an object is not another for being saved
        if inside is None or low == "userpassword":
            return _Plan(_Role.SKIP)
        if inside == MANAGER and not self.is_group:
            return _Plan(_Role.MANAGER)
        is_many = inside in self.settings.multivalued or inside in MANY
        kind = self.schema.attribute(name)
        return _Plan(
            _Role.VALUE,
            inside,
            is_single=not is_many and (inside in SINGLE or (kind is not None and kind.is_single)),
            is_many=is_many,
            read=reader_of(type_of(self.schema, name, inside)),
        )


def type_of(schema: Schema, attribute: str, inside: str = "") -> AttributeType:
    """Return what the values of an attribute are."""
    if inside == ACCOUNT_ENABLED:
        return AttributeType.BOOLEAN
    kind = schema.attribute(attribute)
    return SYNTAXES.get(kind.syntax, AttributeType.STRING) if kind else AttributeType.STRING


def reader_of(type: AttributeType) -> Callable[[bytes], Scalar] | None:
    match type:
        case AttributeType.BOOLEAN:
            return values.boolean
        case AttributeType.INTEGER:
            return _integer
        case AttributeType.DATE_TIME:
            return values.time
        case AttributeType.BINARY:
            return bytes
        case _:
            return None


def _integer(value: bytes) -> int:
    try:
        return int(value)
    except ValueError as odd:
        raise values.NotAValue("it is no whole number") from odd


def _without_number(name: str) -> str:
    head, found, tail = name.rpartition("#'")
    return head if found and tail.endswith("'B") else name


def is_disabled(found: Found, how: Disabling) -> bool:
    """Tell whether an account says that it is disabled, or lies where the disabled lie."""
    if how.container and names.is_below(found.dn, how.container, or_same=False):
        return True
    if not how.attribute:
        return False
    held = found.values(how.attribute)
    if how.disabled:
        return any(_same(one, how.disabled) for one in held)
    if how.enabled:
        return bool(held) and not any(_same(one, how.enabled) for one in held)
    return bool(held)


def _same(held: bytes, said: str) -> bool:
    return held.decode(errors="replace").casefold() == said.casefold()
