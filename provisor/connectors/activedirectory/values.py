"""Values as Active Directory keeps them, and what they mean ([MS-ADTS])."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from provisor.connectors.ldapwire.values import NotAValue, guid
from provisor.model.entries import Anchor

FILETIME_EPOCH: Final = datetime(1601, 1, 1, tzinfo=UTC)
NEVER: Final = frozenset({0, 2**63 - 1})
"""Both say that there is no such moment ([MS-ADA1] accountExpires)."""
FILETIMES: Final = frozenset(
    {
        *("accountexpires", "badpasswordtime", "creationtime", "lastlogoff", "lastlogon"),
        *("lastlogontimestamp", "lockouttime", "pwdlastset"),
        *("msds-userpasswordexpirytimecomputed", "msds-lastsuccessfulinteractivelogontime"),
        *("msds-lastfailedinteractivelogontime", "ms-mcs-admpwdexpirationtime"),
    }
)
"""Large integers that are moments: hundreds of nanoseconds since 1601. In small letters."""
LONGS: Final = (-(2**63), 2**63 - 1)
_EXTENDED: Final = re.compile(
    r"<GUID=([0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})>;(?:<SID=[^>]*>;)?(.*)",
    re.DOTALL,
)


ACCOUNT_DISABLED: Final = 0x2
PASSWORD_NOT_REQUIRED: Final = 0x20
NORMAL_ACCOUNT: Final = 0x200
"""What userAccountControl says of an account; it holds more bits than these."""


def long(value: bytes) -> int:
    """Return a large integer, which has a sign and 64 bits. Raises NotAValue."""
    try:
        number = int(value)
    except ValueError as odd:
        raise NotAValue("it is no whole number") from odd
    if not LONGS[0] <= number <= LONGS[1]:
        raise NotAValue("it is no large integer: it has more than 64 bits")
    return number


def moment(value: bytes) -> datetime | None:
    """Return what a FILETIME says, whole microseconds of it; None for never. Raises NotAValue."""
    ticks = long(value)
    if ticks in NEVER:
        return None
    if ticks < 0:
        raise NotAValue("it is no moment: it is negative")
    try:
        return FILETIME_EPOCH + timedelta(microseconds=ticks // 10)
    except OverflowError:
        return None  # beyond the year 9999: nobody will see it


def filetime(when: datetime) -> int:
    """Return a moment as a FILETIME."""
    return (when.astimezone(UTC) - FILETIME_EPOCH) // timedelta(microseconds=1) * 10


def is_disabled(control: int) -> bool:
    return bool(control & ACCOUNT_DISABLED)


def switched(control: int, *, is_enabled: bool) -> int:
    """Return userAccountControl with an account enabled or disabled, and all other bits kept."""
    unsigned = control & 0xFFFFFFFF
    if is_enabled:
        unsigned &= ~ACCOUNT_DISABLED
    else:
        unsigned |= ACCOUNT_DISABLED
    return unsigned - 2**32 if unsigned >= 2**31 else unsigned


def anchor_of(value: bytes) -> Anchor:
    """Return an objectGUID as it is kept: text, small letters. Raises NotAValue."""
    return Anchor(str(guid(value)))


def octets_of(anchor: Anchor) -> bytes | None:
    """Return an objectGUID as a filter compares it; None for what can be none."""
    try:
        found = UUID(anchor)
    except ValueError:
        return None
    return found.bytes_le if str(found) == anchor else None


def sid(value: bytes) -> str:
    """Return a security identifier as people write it ([MS-DTYP] 2.4.2). Raises NotAValue."""
    if len(value) < 8 or len(value) != 8 + 4 * value[1]:
        raise NotAValue("it is no security identifier")
    authority = int.from_bytes(value[2:8], "big")
    parts = [int.from_bytes(value[at : at + 4], "little") for at in range(8, len(value), 4)]
    return "-".join(map(str, ("S", value[0], authority, *parts)))


def within(domain: bytes, rid: int) -> bytes:
    """Return the security identifier that has this last part in a domain."""
    return bytes([domain[0], domain[1] + 1]) + domain[2:] + rid.to_bytes(4, "little")


@dataclass(frozen=True, slots=True)
class Named:
    """A name that came with the GUID of what it names."""

    anchor: Anchor | None
    """None where the server gave no GUID."""
    dn: str


def named(value: str) -> Named:
    """Take an extended name apart: `<GUID=…>;<SID=…>;CN=…` ([MS-ADTS] 3.1.1.3.4.1.5)."""
    found = _EXTENDED.fullmatch(value)
    if found is None:
        return Named(None, value)
    return Named(Anchor(found[1].lower()), found[2])
