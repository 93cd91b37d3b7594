"""What an administrator says about an LDAP directory; parsed once, with all problems at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from provisor.connectors.ldapwire import filters, names
from provisor.connectors.ldapwire.endpoint import (
    Anonymous,
    Credentials,
    Endpoint,
    External,
    Plain,
    Security,
    Simple,
)
from provisor.connectors.ldapwire.form import Form, Invalid
from provisor.connectors.ldapwire.messages import Scope
from provisor.connectors.ldapwire.where import endpoint_of, is_here

KEYS: Final = (
    *("url", "bindDn", "password", "sasl", "base", "startTls", "allowInsecure", "caFile"),
    *("certificateFile", "keyFile", "timeouts", "users", "groups", "anchor", "attributes"),
    *("multiValued", "disabled", "changes", "overlap", "fullReadEvery", "pageSize"),
    *("referrals", "referralServers", "referentialIntegrity"),
)
KIND_KEYS: Final = ("base", "scope", "filter", "objectClasses", "anchor", "naming")
GROUP_KEYS: Final = (*KIND_KEYS, "members", "expandNested", "placeholder")
USER_CLASSES: Final = ("inetOrgPerson",)
GROUP_CLASSES: Final = ("groupOfNames", "groupOfUniqueNames", "posixGroup")
MEMBERS: Final = ("member", "uniqueMember", "memberUid")
MEMBER_OF: Final = "memberof"
ENTRY_UUID: Final = "entryUUID"
SCOPES: Final[Mapping[str, Scope]] = {
    "subtree": Scope.SUBTREE,
    "one": Scope.ONE,
    "base": Scope.BASE,
}
DAY_S: Final = 86_400.0


class Changes(StrEnum):
    """How a source tells what changed."""

    AUTO = "auto"
    SYNC = "sync"
    """Content synchronisation (RFC 4533)."""
    TIMESTAMPS = "timestamps"
    SNAPSHOT = "snapshot"


class Referrals(StrEnum):
    """What is done where the server says that another one holds a part of the tree."""

    REFUSE = "refuse"
    """The read is not complete."""
    IGNORE = "ignore"
    """That part is none of ours: the administrator says so."""
    FOLLOW = "follow"
    """It is read there, from servers that are named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disabling:
    """How an account says that it is disabled."""

    attribute: str = ""
    disabled: str = ""
    """The value that disables; empty: any does, whatever it is."""
    enabled: str = ""
    """The value that enables; empty: having none does."""
    container: str = ""
    """Who lies below it is disabled."""

    @property
    def is_known(self) -> bool:
        return bool(self.attribute or self.container)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Where objects of one kind are, and what they are made of."""

    name: str
    base: str
    scope: Scope = Scope.SUBTREE
    filter: str = ""
    classes: tuple[str, ...] = ()
    """Who has one of them is such an object."""
    made_of: tuple[str, ...] = ()
    """The classes of new objects: all that are named, else the commonest, since no server lets an
    object be several kinds of group at once."""
    anchor: str = ENTRY_UUID
    naming: str = ""
    """The attribute that new objects are named by."""
    members: tuple[str, ...] = ()
    """Where members are told; for groups."""
    expands_nested: bool = False
    placeholder: str = ""
    """The name put into a group that would else have no member, where its class wants one."""

    @property
    def whole_filter(self) -> str:
        classes = [filters.equals("objectClass", one) for one in self.classes]
        return filters.both(filters.any_of(classes) if classes else "", self.filter)


@dataclass(frozen=True, slots=True, kw_only=True)
class LdapSettings:
    """Valid by construction: use `parse`."""

    endpoint: Endpoint
    credentials: Credentials
    base: str
    users: Kind
    groups: Kind | None
    attributes: Mapping[str, str | None] = field(default_factory=dict[str, str | None])
    """Names inside by LDAP attribute, as the administrator wrote them; None leaves it out."""
    multivalued: frozenset[str] = frozenset()
    disabling: Disabling = field(default_factory=Disabling)
    changes: Changes = Changes.AUTO
    overlap_s: float = 300.0
    full_read_every_s: float = DAY_S
    page_size: int = 1000
    referrals: Referrals = Referrals.REFUSE
    referral_servers: frozenset[str] = frozenset()
    keeps_references: bool = False
    """The server itself renames and removes who is pointed at."""

    @property
    def kinds(self) -> tuple[Kind, ...]:
        return (self.users, self.groups) if self.groups else (self.users,)

    @property
    def is_private(self) -> bool:
        """Tell whether nobody on the way can read what passes."""
        endpoint = self.endpoint
        return (
            endpoint.security is not Security.NONE or bool(endpoint.path) or is_here(endpoint.host)
        )

    @property
    def account(self) -> str:
        """Who we are to the directory. Never a secret."""
        match self.credentials:
            case Anonymous():
                return ""
            case Simple(dn):
                return names.normal(dn)
            case External(authorization):
                return f"external:{authorization}"
            case Plain(user, _, authorization):
                return f"plain:{user}:{authorization}"

    @property
    def secrets(self) -> tuple[str, ...]:
        match self.credentials:
            case Simple(_, password) | Plain(_, password):
                return (password,)
            case _:
                return ()


def parse(raw: Mapping[str, object], folder: Path) -> LdapSettings | Invalid:
    """Return settings in which every path is relative to `folder`, or all that is wrong."""
    form = Form(raw, KEYS, [])
    base = form.dn("base")
    if "base" not in form:
        form.refuse("base", "is missing: name where people are, such as dc=example,dc=com")
    users = _kind(form, "users", "User", base, USER_CLASSES, KIND_KEYS)
    groups = None
    if not form.is_off("groups"):
        groups = _kind(form, "groups", "Group", base, GROUP_CLASSES, GROUP_KEYS)
    servers = frozenset(one.lower() for one in form.texts("referralServers"))
    settings = LdapSettings(
        endpoint=endpoint_of(form, folder),
        credentials=_credentials(form),
        base=base,
        users=users,
        groups=groups,
        attributes=form.names("attributes"),
        multivalued=frozenset(form.texts("multiValued")),
        disabling=_disabling(form),
        changes=Changes(form.choice("changes", "auto", *Changes)),
        overlap_s=form.seconds("overlap", 300, 1, 7 * DAY_S),
        full_read_every_s=form.seconds("fullReadEvery", DAY_S, 60, 365 * DAY_S),
        page_size=form.number("pageSize", 1000, 1, 100_000),
        referrals=Referrals(form.choice("referrals", "refuse", *Referrals)),
        referral_servers=servers,
        keeps_references=form.flag("referentialIntegrity", default=False),
    )
    _check_whole(form, settings)
    return Invalid(tuple(form.problems)) if form.problems else settings


def _kind(
    form: Form,
    key: str,
    name: str,
    base: str,
    classes: tuple[str, ...],
    allowed: tuple[str, ...],
) -> Kind:
    anchor = form.attribute("anchor", ENTRY_UUID)
    is_group = name == "Group"
    own = form.below(key, *allowed)
    if own is None:
        own = Form({}, allowed, form.problems, f"{key}.")
    named = own.attributes("objectClasses", classes)
    return Kind(
        name=name,
        base=own.dn("base", base),
        scope=SCOPES[own.choice("scope", "subtree", *SCOPES)],
        filter=own.filter("filter"),
        classes=named,
        made_of=named if "objectClasses" in own else named[:1],
        anchor=own.attribute("anchor", anchor),
        naming=own.attribute("naming", "cn" if is_group else "uid"),
        members=own.attributes("members", MEMBERS) if is_group else (),
        expands_nested=own.flag("expandNested", default=False) if is_group else False,
        placeholder=own.dn("placeholder") if is_group else "",
    )


def _credentials(form: Form) -> Credentials:
    dn, password = form.dn("bindDn"), form.text("password")
    sasl = form.below("sasl", "mechanism", "user", "authorization")
    if sasl is None:
        if dn and not password:
            form.refuse("password", "is missing: without one a server binds nobody, and says yes")
        if password and not dn:
            form.refuse("bindDn", "is missing: whose password is it?")
        return Simple(dn, password) if dn and password else Anonymous()
    if dn:
        form.refuse("bindDn", "does not go with sasl, which says itself who binds")
    authorization = sasl.text("authorization")
    match sasl.choice("mechanism", "EXTERNAL", "EXTERNAL", "PLAIN"):
        case "PLAIN":
            user = sasl.text("user")
            if not user or not password:
                form.refuse("sasl.mechanism", "PLAIN needs sasl.user and password")
            return Plain(user, password, authorization)
        case _:
            if password:
                form.refuse("password", "does not go with EXTERNAL, which needs none")
            return External(authorization)


def _disabling(form: Form) -> Disabling:
    own = form.below("disabled", "attribute", "value", "enabledValue", "container")
    if own is None:
        return Disabling()
    found = Disabling(
        attribute=own.attribute("attribute"),
        disabled=own.text("value"),
        enabled=own.text("enabledValue"),
        container=own.dn("container"),
    )
    if not found.is_known:
        form.refuse(
            "disabled", "names neither attribute nor container: what tells who is disabled?"
        )
    if (found.disabled or found.enabled) and not found.attribute:
        form.refuse("disabled.attribute", "is missing: whose value is it?")
    return found


def _check_whole(form: Form, settings: LdapSettings) -> None:
    """Refuse what is wrong only when settings are seen together."""
    anchors = {kind.anchor.lower() for kind in settings.kinds}
    if settings.changes is Changes.SYNC and anchors != {ENTRY_UUID.lower()}:
        form.refuse("changes", "sync tells deletions by entryUUID: use it as anchor")
    if settings.referrals is Referrals.FOLLOW and settings.changes in (
        Changes.SYNC,
        Changes.TIMESTAMPS,
    ):
        form.refuse("changes", "is to be auto or snapshot: no two servers have one clock")
    by_member_of = settings.groups is not None and MEMBER_OF in map(
        str.lower, settings.groups.members
    )
    if by_member_of and settings.changes in (Changes.SYNC, Changes.TIMESTAMPS):
        form.refuse(
            "changes",
            "is to be auto or snapshot where members are told by memberOf: "
            "it changes without a trace",
        )
    if settings.referrals is Referrals.FOLLOW and not settings.referral_servers:
        form.refuse(
            "referralServers",
            "is missing: name the servers that may be given our credentials",
        )
    if settings.referral_servers and settings.referrals is not Referrals.FOLLOW:
        form.refuse("referralServers", "goes with referrals: follow only")
    taken: dict[str, str] = {}
    for attribute, name in settings.attributes.items():
        if name is not None and taken.setdefault(name, attribute) != attribute:
            form.refuse(f"attributes.{attribute}", f"{name} is what {taken[name]} is called")
