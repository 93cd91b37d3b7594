"""What an administrator says about a domain; parsed once, with all problems at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from provisor.connectors.ldapwire import filters, names
from provisor.connectors.ldapwire.endpoint import Credentials, Endpoint, External, Simple
from provisor.connectors.ldapwire.form import Form, Invalid
from provisor.connectors.ldapwire.messages import Scope
from provisor.connectors.ldapwire.where import endpoint_of

KEYS: Final = (
    *("url", "bindDn", "password", "sasl", "base", "startTls", "allowInsecure", "caFile"),
    *("certificateFile", "keyFile", "timeouts", "users", "groups", "attributes", "multiValued"),
    *("changes", "fullReadEvery", "pageSize", "expiredIsDisabled", "primaryGroups"),
    *("disabled", "initialPassword", "mustChangePassword"),
)
KIND_KEYS: Final = ("base", "scope", "filter")
SCOPES: Final[Mapping[str, Scope]] = {"subtree": Scope.SUBTREE, "one": Scope.ONE}
DAY_S: Final = 86_400.0
USER, GROUP = "User", "Group"
IS_USER: Final = "(&(objectClass=user)(!(objectClass=computer)))"
"""Service accounts that the domain itself manages descend from computers too."""
IS_GROUP: Final = "(objectClass=group)"


class Changes(StrEnum):
    """How a source tells what changed."""

    AUTO = "auto"
    DIR_SYNC = "dirsync"
    """The control DirSync, whose cookie every domain controller of the domain understands."""
    USN = "usn"
    """By uSNChanged, a number that means something to one domain controller only."""
    SNAPSHOT = "snapshot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Where objects of one kind are."""

    name: str
    base: str
    scope: Scope = Scope.SUBTREE
    filter: str = ""

    @property
    def of_class(self) -> str:
        return IS_USER if self.name == USER else IS_GROUP

    @property
    def whole_filter(self) -> str:
        return filters.both(self.of_class, self.filter)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdSettings:
    """Valid by construction: use `parse`."""

    endpoint: Endpoint
    credentials: Credentials
    base: str
    users: Kind
    groups: Kind | None
    attributes: Mapping[str, str | None] = field(default_factory=dict[str, str | None])
    """Names inside by attribute of the directory; None leaves it out."""
    multivalued: frozenset[str] = frozenset()
    changes: Changes = Changes.AUTO
    full_read_every_s: float = DAY_S
    page_size: int = 1000
    expired_is_disabled: bool = True
    primary_groups: bool = True
    """Who has a group as primary group is a member of it, though `member` does not say so."""
    disabled_container: str = ""
    """As target: where the disabled are moved to; empty: they stay where they are."""
    initial_password: str = field(default="", repr=False)
    """As target: what new accounts are given; empty: each gets one that nobody knows."""
    must_change_password: bool = True
    """As target: a new account's password is to be changed when it first signs in."""

    @property
    def kinds(self) -> tuple[Kind, ...]:
        return (self.users, self.groups) if self.groups else (self.users,)

    def kind(self, name: str) -> Kind | None:
        return next((kind for kind in self.kinds if kind.name == name), None)

    @property
    def account(self) -> str:
        """Who we are to the directory. Never a secret."""
        match self.credentials:
            case Simple(name):
                return name.casefold()
            case External(authorization):
                return f"external:{authorization}"
            case _:
                return ""

    @property
    def secrets(self) -> tuple[str, ...]:
        held = (self.credentials.password,) if isinstance(self.credentials, Simple) else ()
        return (*held, self.initial_password) if self.initial_password else held


def parse(raw: Mapping[str, object], folder: Path) -> AdSettings | Invalid:
    """Return settings in which every path is relative to `folder`, or all that is wrong."""
    form = Form(raw, KEYS, [])
    base = form.dn("base")
    if "base" not in form:
        form.refuse("base", "is missing: name the domain or a part, such as DC=corp,DC=example")
    settings = AdSettings(
        endpoint=endpoint_of(form, folder),
        credentials=_credentials(form),
        base=base,
        users=_kind(form, "users", USER, base),
        groups=None if form.is_off("groups") else _kind(form, "groups", GROUP, base),
        attributes=form.names("attributes"),
        multivalued=frozenset(form.texts("multiValued")),
        changes=Changes(form.choice("changes", "auto", *Changes)),
        full_read_every_s=form.seconds("fullReadEvery", DAY_S, 60, 30 * DAY_S),
        page_size=form.number("pageSize", 1000, 1, 1000),
        expired_is_disabled=form.flag("expiredIsDisabled", default=True),
        primary_groups=form.flag("primaryGroups", default=True),
        disabled_container=_disabled(form),
        initial_password=form.text("initialPassword"),
        must_change_password=form.flag("mustChangePassword", default=True),
    )
    _check_whole(form, settings)
    return Invalid(tuple(form.problems)) if form.problems else settings


def _kind(form: Form, key: str, name: str, base: str) -> Kind:
    own = form.below(key, *KIND_KEYS)
    if own is None:
        return Kind(name=name, base=base)
    return Kind(
        name=name,
        base=own.dn("base", base),
        scope=SCOPES[own.choice("scope", "subtree", *SCOPES)],
        filter=own.filter("filter"),
    )


def _disabled(form: Form) -> str:
    own = form.below("disabled", "container")
    if own is None:
        return ""
    if "container" not in own:
        own.refuse("container", "is missing: where are the disabled moved to?")
    return own.dn("container")


def _credentials(form: Form) -> Credentials:
    """Accept a distinguished name, a user principal name, or `DOMAIN\\user`, with a password; or a
    certificate."""
    name, password = form.text("bindDn"), form.text("password")
    sasl = form.below("sasl", "mechanism", "authorization")
    if sasl is not None:
        if name or password:
            form.refuse("sasl", "goes without bindDn and password: the certificate says who we are")
        if "certificateFile" not in form:
            form.refuse("certificateFile", "is missing: EXTERNAL means by certificate")
        sasl.choice("mechanism", "EXTERNAL", "EXTERNAL")
        return External(sasl.text("authorization"))
    if not name:
        form.refuse("bindDn", "is missing: name the account, such as reader@corp.example.com")
    if not password:
        form.refuse("password", "is missing: without one a server binds nobody, and says yes")
    return Simple(name or "nobody", password or "none")


def _check_whole(form: Form, settings: AdSettings) -> None:
    """Refuse what is wrong only when settings are seen together."""
    for kind in settings.kinds:
        if settings.base and not names.is_below(kind.base, settings.base):
            where = f"{kind.name.lower()}s.base"
            form.refuse(where, f"is to lie below base, '{settings.base}': one job, one domain")
    container = settings.disabled_container
    if container and not names.is_below(container, domain_of(settings.base)):
        form.refuse("disabled.container", "is to lie in the same domain as base")
    taken: dict[str, str] = {}
    for attribute, name in settings.attributes.items():
        if name is not None and taken.setdefault(name, attribute) != attribute:
            form.refuse(f"attributes.{attribute}", f"{name} is what {taken[name]} is called")


def domain_of(base: str) -> str:
    """Return the part of a base that names its domain: it has `DC=` throughout."""
    parts = [one for one in names.normal(base).split(",") if one.startswith("dc=")]
    return ",".join(parts) or names.normal(base)
