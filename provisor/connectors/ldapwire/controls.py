"""Controls: what goes with a request or an answer, beside what it says.

Paged results RFC 2696, content synchronisation RFC 4533, ManageDsaIT RFC 3296, assertion RFC 4528;
those of Active Directory as [MS-ADTS] 3.1.1.3.4.1 has them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from provisor.connectors.ldapwire import ber, filters

PAGED_RESULTS: Final = "1.2.840.113556.1.4.319"
MANAGE_DSA_IT: Final = "2.16.840.1.113730.3.4.2"
SYNC_REQUEST: Final = "1.3.6.1.4.1.4203.1.9.1.1"
SYNC_STATE: Final = "1.3.6.1.4.1.4203.1.9.1.2"
SYNC_DONE: Final = "1.3.6.1.4.1.4203.1.9.1.3"
SYNC_INFO: Final = "1.3.6.1.4.1.4203.1.9.1.4"
DIR_SYNC: Final = "1.2.840.113556.1.4.841"
SHOW_DELETED: Final = "1.2.840.113556.1.4.417"
SHOW_RECYCLED: Final = "1.2.840.113556.1.4.2064"
SHOW_DEACTIVATED_LINK: Final = "1.2.840.113556.1.4.2065"
EXTENDED_DN: Final = "1.2.840.113556.1.4.529"
DOMAIN_SCOPE: Final = "1.2.840.113556.1.4.1339"
PERMISSIVE_MODIFY: Final = "1.2.840.113556.1.4.1413"
TREE_DELETE: Final = "1.2.840.113556.1.4.805"
ASSERTION: Final = "1.3.6.1.1.12"
POST_READ: Final = "1.3.6.1.1.13.2"


USUAL: Final = {oid.encode(): oid for oid in (SYNC_STATE, SYNC_DONE, PAGED_RESULTS, DIR_SYNC)}
"""What goes with very many answers."""


@dataclass(frozen=True, slots=True)
class Control:
    """One control, of a request or of an answer."""

    oid: str
    value: bytes | None = None
    is_critical: bool = False

    def encoded(self) -> bytes:
        parts = [ber.octets(self.oid)]
        if self.is_critical:
            parts.append(ber.boolean(True))
        if self.value is not None:
            parts.append(ber.octets(self.value))
        return ber.sequence(*parts)


def find(controls: Iterable[Control], oid: str) -> bytes | None:
    """Return the value of the control that has this identifier (empty if it has none); None if
    there is no such control."""
    for control in controls:
        if control.oid == oid:
            return control.value or b""
    return None


def read_controls(reader: ber.Reader) -> tuple[Control, ...]:
    found: list[Control] = []
    while not reader.is_at_end:
        inner = reader.enter(ber.SEQUENCE)
        name = inner.octets()
        oid = USUAL.get(name) or ber.text(name)
        is_critical = inner.boolean() if inner.tag == ber.BOOLEAN else False
        value = inner.octets() if inner.tag == ber.OCTETS else None
        found.append(Control(oid, value, is_critical))
    return tuple(found)


# synchronisation

UUID_OCTETS: Final = 16
NO_UUID: Final = bytes(UUID_OCTETS)


def state_told(state: int, uuid: bytes) -> bytes:
    """Return what goes with an entry that is told for something, where no cookie does."""
    value = ber.sequence(ber.integer(state, ber.ENUMERATED), ber.octets(uuid))
    return Control(SYNC_STATE, value).encoded()


USUAL_STATES: Final = {state_told(state, NO_UUID)[:-UUID_OCTETS]: state for state in range(4)}
"""What goes with very many entries, but for the UUID that it ends with: states by how they are
told."""

# pages


def paged(size: int, cookie: bytes = b"") -> Control:
    """Ask for the next `size` entries; critical, since a page that is all is not a page."""
    value = ber.sequence(ber.integer(size), ber.octets(cookie))
    return Control(PAGED_RESULTS, value, is_critical=True)


def page_cookie(controls: Iterable[Control]) -> bytes | None:
    """Return the cookie that the next page is asked with, empty after the last one; None if the
    server has said nothing of pages."""
    value = find(controls, PAGED_RESULTS)
    if value is None:
        return None
    inner = ber.Reader(value).enter(ber.SEQUENCE)
    inner.integer()
    return inner.octets()


# Active Directory


def dir_sync(flags: int, cookie: bytes = b"", attribute_octets_max: int = 2**20) -> Control:
    """Ask for changes after a cookie ([MS-ADTS] 3.1.1.3.4.1.3)."""
    value = ber.sequence(ber.integer(flags), ber.integer(attribute_octets_max), ber.octets(cookie))
    return Control(DIR_SYNC, value, is_critical=True)


def dir_sync_answer(controls: Iterable[Control]) -> tuple[bool, bytes] | None:
    """Return whether there is more, and the new cookie; None if the server has said neither."""
    value = find(controls, DIR_SYNC)
    if value is None:
        return None
    inner = ber.Reader(value).enter(ber.SEQUENCE)
    more = inner.integer()
    inner.integer()
    return more != 0, inner.octets()


def show_deleted() -> Control:
    return Control(SHOW_DELETED, None, is_critical=True)


def extended_dn(option: int = 1) -> Control:
    """Ask for names with GUID and SID in front; 1 gives them as text."""
    return Control(EXTENDED_DN, ber.sequence(ber.integer(option)), is_critical=True)


def manage_dsa_it() -> Control:
    """Show referral objects as what they are, instead of following what they say."""
    return Control(MANAGE_DSA_IT, None, is_critical=False)


# writing


def permissive_modify() -> Control:
    """Let what is there already be added, and what is not there be removed, without complaint."""
    return Control(PERMISSIVE_MODIFY, None, is_critical=True)


def assertion(attribute: str, value: bytes | str) -> Control:
    """Do it only if an attribute has this value."""
    asked = filters.encode(filters.equals(attribute, value))
    return Control(ASSERTION, asked, is_critical=True)


def post_read(*attributes: str) -> Control:
    """Tell these attributes as they are afterwards (RFC 4527)."""
    return Control(POST_READ, ber.sequence(*map(ber.octets, attributes)))


def post_read_answer(answered: Iterable[Control]) -> bytes | None:
    """Return the entry that an answer shows, encoded; None if it shows none."""
    return find(answered, POST_READ)
