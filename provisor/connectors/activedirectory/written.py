"""What a domain keeps of attributes that are written: bits, large integers, and names with rules.

The rules are those of [MS-ADA1], [MS-ADA3] and [MS-SAMR] 3.1.1.6; what breaks one is refused before
it is sent, with a word that says which.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from provisor.connectors.activedirectory import values
from provisor.connectors.activedirectory.settings import AdSettings
from provisor.connectors.activedirectory.shape import CONTROL, EXPIRES, SID, SINGLE
from provisor.connectors.ldap.mapped import Mapped
from provisor.connectors.ldap.settings import Disabling, LdapSettings, Referrals
from provisor.connectors.ldap.settings import Kind as Written
from provisor.connectors.ldapwire import filters
from provisor.connectors.ldapwire.messages import Change, Found, Modification
from provisor.errors import Rejected
from provisor.model.entries import Reference, Scalar, Value
from provisor.model.rules import AttributeDefinition

PASSWORD: Final = "unicodePwd"  # noqa: S105 - the attribute
LAST_SET: Final = "pwdLastSet"
LAST_SIGNED_IN: Final = "lastLogonTimestamp"
ACCOUNT, PRINCIPAL, COMMON = "sAMAccountName", "userPrincipalName", "cn"
CLASSES: Final[Mapping[str, tuple[str, ...]]] = {"User": ("user",), "Group": ("group",)}
LENGTHS_MAX: Final[Mapping[tuple[str, str], int]] = {
    ("User", ACCOUNT.lower()): 20,
    ("Group", ACCOUNT.lower()): 256,
    ("User", COMMON): 64,
    ("Group", COMMON): 64,
    ("User", PRINCIPAL.lower()): 1024,
}
NOT_IN_ACCOUNTS: Final = frozenset('"/\\[]:;|=,+*?<>')
NEVER_EXPIRES: Final = b"0"


def as_directory(settings: AdSettings) -> LdapSettings:
    """Return a domain as a directory that is written to."""
    users, groups = settings.users, settings.groups
    return LdapSettings(
        endpoint=settings.endpoint,
        credentials=settings.credentials,
        base=settings.base,
        users=_written(users.name, users.base, users.filter, users=True),
        groups=_written(groups.name, groups.base, groups.filter) if groups else None,
        disabling=Disabling(container=settings.disabled_container),
        page_size=settings.page_size,
        # Every search below a domain is told where other partitions are; they are none of ours.
        referrals=Referrals.IGNORE,
    )


def _written(name: str, base: str, filter: str, *, users: bool = False) -> Written:
    return Written(
        name=name,
        base=base,
        filter=filters.both("(!(objectClass=computer))", filter) if users else filter,
        classes=CLASSES[name],
        made_of=CLASSES[name],
        anchor="objectGUID",
        naming=COMMON,
        members=() if users else ("member",),
    )


@dataclass(frozen=True, slots=True)
class AdMapped(Mapped):
    """The mapped attributes of one kind, as a domain keeps them."""

    def requested(self) -> tuple[str, ...]:
        ours = (CONTROL, LAST_SET, LAST_SIGNED_IN) if self.kind.name == "User" else ()
        asked = {one.lower(): one for one in (*Mapped.requested(self), *ours)}
        return tuple(asked.values())

    def is_enabled(self, found: Found) -> bool | None:
        """Tell what userAccountControl says alone: what has expired is none of a target's doing."""
        held = found.values(CONTROL)
        return not values.is_disabled(values.long(held[0])) if held else None

    def value(self, definition: AttributeDefinition, held: list[bytes]) -> Value | None:
        low = definition.name.lower()
        if low in values.FILETIMES:
            return values.moment(held[0])
        if low == SID.lower():
            return values.sid(held[0])
        return Mapped.value(self, definition, held)

    def octets(
        self, name: str, value: Value | None, dns: Mapping[Reference, str]
    ) -> tuple[bytes, ...]:
        if name.lower() in values.FILETIMES:
            return _moments(name, value)
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, str):
                self._check(name, one)
        if name in SINGLE and isinstance(value, tuple) and len(value) > 1:
            message = f"{name} has one value in a domain, and {len(value)} are given"
            raise Rejected(message, code="SchemaPropertyCanOnlyAcceptValue")
        return Mapped.octets(self, name, value, dns)

    def check(self, said: Mapping[str, Value | None]) -> None:
        """Raise Rejected where the name of an object breaks a rule."""
        for name, value in said.items():
            if isinstance(value, str) and name.lower() == COMMON:
                self._check(name, value)

    def _check(self, name: str, value: str) -> None:
        low = name.lower()
        most = LENGTHS_MAX.get((self.kind.name, low))
        if most is not None and len(value) > most:
            _refuse(f"{name} has at most {most} characters, and '{value}' has {len(value)}")
        if low == ACCOUNT.lower() and value:
            odd = sorted({c for c in value if c in NOT_IN_ACCOUNTS or ord(c) < ord(" ")})
            if odd:
                _refuse(f"{name} may not hold {' '.join(odd)}, as '{value}' does")
            if value.endswith(".") or not value.strip(". "):
                _refuse(f"{name} may not end with a dot, nor be blank: '{value}'")
        if low == PRINCIPAL.lower() and value and not _is_principal(value):
            _refuse(f"{name} is to be name@suffix, and '{value}' is not")


def _is_principal(value: str) -> bool:
    name, at, suffix = value.rpartition("@")
    return bool(name and at and suffix) and not any(c.isspace() for c in suffix)


def _refuse(message: str) -> None:
    raise Rejected(f"{message}; rewrite it by an expression", code="UnprocessableEntity")


def _moments(name: str, value: Value | None) -> tuple[bytes, ...]:
    one: Scalar | None = value[0] if isinstance(value, tuple) else value
    if one is None or one == "":
        # Accounts always say when they expire; no other of these moments is anybody's to clear.
        return (NEVER_EXPIRES,) if name.lower() == EXPIRES.lower() else ()
    if isinstance(one, datetime):
        return (str(values.filetime(one)).encode(),)
    if isinstance(one, int) and not isinstance(one, bool):
        return (str(one).encode(),)
    if isinstance(one, str):
        try:
            moment = datetime.fromisoformat(one)
        except ValueError:
            moment = None
        if moment is not None and moment.tzinfo is not None:
            return (str(values.filetime(moment)).encode(),)
    raise Rejected(
        f"{name} is a moment with its zone (2027-01-31T00:00:00Z), and '{one}' is none",
        code="UnprocessableEntity",
    )


def switched(control: int, *, is_enabled: bool) -> list[Modification]:
    """Return what switches an account on or off: the old value goes, the new one comes, so that it
    fails where somebody else has changed a bit meanwhile."""
    wanted = values.switched(control, is_enabled=is_enabled)
    if wanted == control:
        return []
    return [
        Modification(Change.DELETE, CONTROL, (str(control).encode(),)),
        Modification(Change.ADD, CONTROL, (str(wanted).encode(),)),
    ]


def quoted(password: str) -> bytes:
    """Return a password as unicodePwd takes it ([MS-ADTS] 3.1.1.3.1.5)."""
    return f'"{password}"'.encode("utf-16-le")


def same_text(one: Value | None, other: Value) -> bool:
    """Tell whether texts are equal but for case. A domain finds José who looks for Jose.

    What is no text, or is not among what was read, is left to the domain.
    """
    told = one if isinstance(one, tuple) else (one,)
    texts = [t for t in told if isinstance(t, str)]
    if not isinstance(other, str) or not texts:
        return True
    return any(t.casefold() == other.casefold() for t in texts)
