"""What a real Active Directory enforces and Samba does not, as rules for the proxy before it.

No more than so many entries without pages, no more than so many values of an attribute at once
([MS-ADTS] 3.1.1.3.4.6: MaxPageSize, MaxValRange), no password over a connection that is not
encrypted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from provisor.connectors.ldapwire import ber, messages
from provisor.connectors.ldapwire.messages import Found
from tests.worlds.ldap_proxy import ADD, DONE, ENTRY, MODIFY, SEARCH, LdapProxy, Pdu, result

SIZE_LIMIT_EXCEEDED, UNWILLING = 4, 53
PAGED, DIR_SYNC = b"1.2.840.113556.1.4.319", b"1.2.840.113556.1.4.841"
PAGE_MAX, VALUES_MAX = 1000, 1500
NO_MORE = b"\x02\x01\x00\x02\x01"
"""How an answer of DirSync begins that is the last one."""
RANGE = re.compile(r"(.+);range=(\d+)-(\d+|\*)")


@dataclass(kw_only=True)
class Limits:
    """The limits of one proxy."""

    page_max: int
    values_max: int
    is_encrypted: bool = False
    cut: int = 0
    """How many entries had more values than are shown at once."""
    refused: int = 0
    """How many searches showed too much at once."""
    _unpaged: dict[int, int] = field(default_factory=dict[int, int])
    """Entries that searches without pages have shown, by message number."""

    def enforce(self, proxy: LdapProxy) -> None:
        proxy.requests = [self._request]
        proxy.answers = [self._answer]

    def _request(self, pdu: Pdu) -> bytes | None:
        if pdu.tag == SEARCH:
            is_paged = PAGED in pdu.controls or DIR_SYNC in pdu.controls
            self._unpaged.pop(pdu.number, None)
            if not is_paged:
                self._unpaged[pdu.number] = 0
        is_open = not self.is_encrypted
        if is_open and pdu.tag in (ADD, MODIFY) and b"unicodepwd" in pdu.body.lower():
            said = ber.tlv(pdu.tag + 1, result(UNWILLING, "not over this connection"))
            return ber.sequence(ber.integer(pdu.number), said)
        return None

    def _answer(self, pdu: Pdu) -> Sequence[bytes] | None:
        if pdu.tag == ENTRY:
            if pdu.number in self._unpaged:
                self._unpaged[pdu.number] += 1
                if self._unpaged[pdu.number] > self.page_max:
                    return ()
            return self._ranged(pdu)
        if pdu.tag == DONE and self._unpaged.get(pdu.number, 0) > self.page_max:
            self.refused += 1
            return (pdu.with_body(result(SIZE_LIMIT_EXCEEDED)),)
        return None

    def _ranged(self, pdu: Pdu) -> Sequence[bytes] | None:
        _, found = messages.read(pdu.raw, 0, len(pdu.raw))
        assert isinstance(found, Found)
        if not found.dn or found.dn.startswith("CN=Aggregate,"):
            return None  # what a server says of itself is computed, and shown whole
        shown = dict(self._shown(name, held) for name, held in found.attributes.items())
        if shown == found.attributes:
            return None
        self.cut += 1
        listed = (
            ber.sequence(ber.octets(name), ber.sequence(*map(ber.octets, held), tag=ber.SET))
            for name, held in shown.items()
        )
        return (pdu.with_body(ber.octets(found.dn) + ber.sequence(*listed)),)

    def _shown(self, name: str, held: list[bytes]) -> tuple[str, list[bytes]]:
        if len(held) <= self.values_max:
            return name, held
        parts = RANGE.fullmatch(name)
        base, first = (parts[1], int(parts[2])) if parts else (name, 0)
        last = first + self.values_max - 1
        return f"{base};range={first}-{last}", held[: self.values_max]


class InTwoRounds:
    """Tells nobody in the first round of DirSync, says that there is more, and tells all in the
    second, as a domain with many changes does."""

    def __init__(self) -> None:
        self.rounds: list[int] = []
        self._held: list[Pdu] = []

    def request(self, pdu: Pdu) -> None:
        has_cookie = not pdu.controls.endswith(b"\x04\x00")
        if DIR_SYNC in pdu.controls and has_cookie:
            self.rounds.append(pdu.number)

    def answer(self, pdu: Pdu) -> Sequence[bytes] | None:
        if pdu.number not in self.rounds:
            return None
        if self.rounds.index(pdu.number) == 0:
            if pdu.tag == ENTRY:
                self._held.append(pdu)
                return ()
            return (pdu.raw.replace(NO_MORE, b"\x02\x01\x01" + NO_MORE[3:], 1),)
        if pdu.tag != DONE:
            return None
        told = [replace(one, number=pdu.number).with_body(one.body) for one in self._held]
        return (*told, pdu.raw)
