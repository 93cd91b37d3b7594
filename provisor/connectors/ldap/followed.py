"""What a server follows up without telling anybody.

OpenLDAP's overlay `refint` renames or removes in the background who is pointed at, and leaves
modifyTimestamp, entryCSN and whoever synchronises as they were. Read in the moment before that, a
group has somebody as a member who only has the name of the one before. So whatever points at
somebody who changed lately is read again now and then, and once more when the server has had its
time: with many renames at once, in large groups, it takes minutes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec
import xxhash

from provisor.connectors.ldap.shape import MANAGER, MEMBERS
from provisor.model.entries import Change, Entry, Reference, Seen

EVERY_S: Final = 30.0
DONE_AFTER_S: Final = 300.0
"""A server has followed up by then."""
CHANGED_MAX: Final = 20_000
AGAIN_MAX: Final = 2_000
"""By kind. Where more is to be read again, the rest is read with everything, once in a while."""
_OCTETS: Final = 8


class Followed(msgspec.Struct, frozen=True, array_like=True):
    """Who changed lately, and what points at them. Moments are seconds since 1970, by our clock."""

    changed: Mapping[int, bytes] = {}
    """Digests of the anchors of who changed, one after the other, by the minute it was told in."""
    again: Mapping[str, Mapping[str, float]] = {}
    """What is to be read once more, by kind and anchor, and when it was read first."""
    read_at: float = 0.0
    """When it was read once more, last."""

    def due(self, now: datetime) -> Mapping[str, Mapping[str, float]]:
        """Return what is to be read now. A cycle asks every second what is new."""
        is_early = self.read_at <= now.timestamp() < self.read_at + EVERY_S
        return {} if is_early else self.again

    def after(
        self,
        told: Iterable[Reference],
        changes: Sequence[Change],
        *,
        now: datetime,
        has_read_again: bool,
    ) -> Followed | None:
        """Return what is to be followed after a read; None where nothing is.

        `told`: who has changed, as the server said; `changes`: all that the read shows;
        `has_read_again`: what was due is among that.
        """
        at = now.timestamp()
        before = {
            minute: packed
            for minute, packed in self.changed.items()
            if at - DONE_AFTER_S < (minute + 1) * 60 <= at + 60
        }
        fresh = {_digest(one) for one in told}
        earlier = {d for packed in before.values() for d in _unpacked(packed)} - fresh
        kept = {
            kind: {a: first for a, first in anchors.items() if at < first + DONE_AFTER_S}
            if has_read_again
            else dict(anchors)
            for kind, anchors in self.again.items()
        }
        for entry in (change.entry for change in changes if isinstance(change, Seen)):
            pointed = {_digest(one) for one in _pointed(entry)}
            known = self.again.get(entry.kind, {})
            if pointed & fresh or (pointed & earlier and entry.anchor not in known):
                held = kept.setdefault(entry.kind, {})
                if entry.anchor in held or len(held) < AGAIN_MAX:
                    held[entry.anchor] = at
        packed = b"".join(fresh | set(_unpacked(before.get(_minute(at), b""))))
        changed = {**before, _minute(at): packed} if packed else before
        if sum(map(len, changed.values())) > CHANGED_MAX * _OCTETS:
            changed = {}
        again = {kind: anchors for kind, anchors in kept.items() if anchors}
        if not changed and not again:
            return None
        return Followed(changed, again, at if has_read_again else self.read_at)


def _pointed(entry: Entry) -> Iterable[Reference]:
    members = entry.attributes.get(MEMBERS)
    if isinstance(members, tuple):
        yield from (one for one in members if isinstance(one, Reference))
    manager = entry.attributes.get(MANAGER)
    if isinstance(manager, Reference):
        yield manager


def _minute(at: float) -> int:
    return int(at // 60)


def _unpacked(packed: bytes) -> Iterable[bytes]:
    return (packed[first : first + _OCTETS] for first in range(0, len(packed), _OCTETS))


def _digest(one: Reference) -> bytes:
    return xxhash.xxh3_64_digest(f"{one.kind}\0{one.anchor}".encode())
