"""Content synchronisation (RFC 4533): what is asked, and what is answered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, TypeAlias
from uuid import UUID

from provisor.connectors.ldapwire import ber
from provisor.connectors.ldapwire.controls import (
    SYNC_DONE,
    SYNC_REQUEST,
    SYNC_STATE,
    USUAL_STATES,
    UUID_OCTETS,
    Control,
    find,
)
from provisor.connectors.ldapwire.entries import Found

REFRESH_ONLY, REFRESH_AND_PERSIST = 1, 3


class State(IntEnum):
    """What an entry is told for."""

    PRESENT = 0
    """It is there, unchanged; nothing but its UUID is told."""
    ADD = 1
    MODIFY = 2
    DELETE = 3
    """It is no longer within base, filter and view."""


@dataclass(frozen=True, slots=True)
class EntryState:
    state: State
    uuid: UUID
    cookie: bytes | None


@dataclass(frozen=True, slots=True)
class SyncDone:
    cookie: bytes | None
    refresh_deletes: bool
    """Deletions were told one by one; otherwise who was not named is not there any more."""


@dataclass(frozen=True, slots=True)
class NewCookie:
    cookie: bytes


@dataclass(frozen=True, slots=True)
class PhaseEnded:
    """A delete phase or a present phase came to its end."""

    is_present_phase: bool
    cookie: bytes | None
    refresh_done: bool
    """Nothing but changes as they happen follows."""


@dataclass(frozen=True, slots=True)
class IdSet:
    """Many objects at once: all of them deleted, or all of them present."""

    uuids: tuple[UUID, ...]
    are_deleted: bool
    cookie: bytes | None


SyncInfo: TypeAlias = NewCookie | PhaseEnded | IdSet

_NEW_COOKIE, _REFRESH_DELETE, _REFRESH_PRESENT, _ID_SET = 0x80, 0xA1, 0xA2, 0xA3


CHANGED: Final = frozenset(
    told for told, state in USUAL_STATES.items() if state in (State.ADD, State.MODIFY)
)


def sync_request(mode: int, cookie: bytes | None, *, reload_hint: bool = False) -> Control:
    parts = [ber.integer(mode, ber.ENUMERATED)]
    if cookie is not None:
        parts.append(ber.octets(cookie))
    if reload_hint:
        parts.append(ber.boolean(True))
    return Control(SYNC_REQUEST, ber.sequence(*parts), is_critical=True)


def is_plain_change(found: Found) -> bool:
    """Tell whether an entry is told for being new, or another, and no cookie with it: of a hundred
    thousand nearly all are."""
    return found.told[:-UUID_OCTETS] in CHANGED


def entry_state(controls: Iterable[Control]) -> EntryState | None:
    """Return what an entry is told for; None if it does not say. Raises Malformed."""
    value = find(controls, SYNC_STATE)
    if value is None:
        return None
    inner = ber.Reader(value).enter(ber.SEQUENCE)
    number, name = inner.enumerated(), inner.octets()
    cookie = inner.octets() if inner.tag == ber.OCTETS else None
    try:
        return EntryState(State(number), _uuid(name), cookie)
    except ValueError as odd:
        raise ber.Malformed(f"an entry has the unknown state {number}") from odd


def sync_done(controls: Iterable[Control]) -> SyncDone | None:
    """Return how a refresh ended; None if that is not said. Raises Malformed."""
    value = find(controls, SYNC_DONE)
    if value is None:
        return None
    inner = ber.Reader(value).enter(ber.SEQUENCE)
    cookie = inner.octets() if inner.tag == ber.OCTETS else None
    return SyncDone(cookie, inner.boolean() if inner.tag == ber.BOOLEAN else False)


def sync_info(value: bytes) -> SyncInfo:
    """Return what an intermediate message of a synchronisation says. Raises Malformed."""
    reader = ber.Reader(value)
    match reader.tag:
        case 0x80:
            return NewCookie(reader.octets(_NEW_COOKIE))
        case 0xA1 | 0xA2:
            is_present = reader.tag == _REFRESH_PRESENT
            inner = reader.enter(_REFRESH_DELETE, _REFRESH_PRESENT)
            cookie = inner.octets() if inner.tag == ber.OCTETS else None
            done = inner.boolean() if inner.tag == ber.BOOLEAN else True
            return PhaseEnded(is_present, cookie, done)
        case _:
            inner = reader.enter(_ID_SET)
            cookie = inner.octets() if inner.tag == ber.OCTETS else None
            are_deleted = inner.boolean() if inner.tag == ber.BOOLEAN else False
            named = inner.enter(ber.SET)
            uuids: list[UUID] = []
            while not named.is_at_end:
                uuids.append(_uuid(named.octets()))
            return IdSet(tuple(uuids), are_deleted, cookie)


def _uuid(octets: bytes) -> UUID:
    if len(octets) != 16:
        raise ber.Malformed("a UUID has not 16 octets")
    return UUID(bytes=octets)
