"""How a domain controller tells what changed: by DirSync, or by uSNChanged.

Either names objects of a whole partition, by GUID. What is told of them otherwise is only what
changed of them, so that each is looked at whole before anything is concluded.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Final

from provisor.connectors.activedirectory import values
from provisor.connectors.activedirectory.domain import (
    CONTAINER_CLASSES,
    INCOMPLETE,
    Domain,
    Looked,
)
from provisor.connectors.activedirectory.settings import Changes
from provisor.connectors.ldapwire import controls, filters, reading
from provisor.connectors.ldapwire.messages import Found, Search
from provisor.connectors.ldapwire.results import Code, read_failure
from provisor.errors import Unreachable, WatermarkExpired
from provisor.model.entries import Anchor

OBJECT_SECURITY: Final = 0x1
"""Show what the account may read, instead of asking for the right to replicate."""
INCREMENTAL_VALUES: Final = 0x80000000
"""Tell of a membership only who came and who went, instead of everybody."""
HIDDEN: Final = "deleted objects are not shown to the account"
ROUNDS_MAX: Final = 1_000_000
OF_INTEREST: Final = filters.any_of(
    filters.equals("objectClass", one)
    for one in ("user", "group", "organizationalUnit", "container", "builtinDomain")
)
assert len(CONTAINER_CLASSES) == 3, "whatever is a container is asked for"
ONE_OBJECT: Final = "(objectClass=domainDNS)"
"""Lets pass what a partition has once: whoever wants the cookie alone is not told the rest."""
MOVES: Final = ("name", "parentGUID", "isDeleted", "objectClass")
"""What is told of an object that was renamed, moved, deleted or brought back."""


@dataclass(frozen=True, slots=True)
class Told:
    """An object that is told to have changed."""

    anchor: Anchor
    dn: str
    is_deleted: bool
    looked: Looked | None = None
    """What it is, where that was told too."""


@dataclass(frozen=True, slots=True)
class Way:
    """How changes can be told to this account."""

    how: Changes
    flags: int = 0
    why: str = ""
    """Why no better way is open."""


async def way_of(domain: Domain) -> Way:
    """Find out how this server tells changes to us, within what is configured.

    Raises Unreachable where a way is configured that is not open; Denied.
    """
    chosen = domain.settings.changes
    if chosen is Changes.SNAPSHOT:
        return Way(chosen)
    if chosen is not Changes.USN:
        flags, why = await _dir_sync_flags(domain)
        if flags == 0:
            return Way(Changes.DIR_SYNC)  # who may replicate sees whoever was deleted
        if flags is not None and await domain.shows_deleted():
            return Way(Changes.DIR_SYNC, flags, why)
        if flags is not None:
            return Way(Changes.SNAPSHOT, why=HIDDEN)
        if chosen is Changes.DIR_SYNC:
            raise Unreachable(f"{domain.where} does not answer DirSync: {why}", code=INCOMPLETE)
    if await domain.shows_deleted():
        return Way(Changes.USN)
    return Way(Changes.SNAPSHOT, why=HIDDEN)


async def _dir_sync_flags(domain: Domain) -> tuple[int | None, str]:
    """Return the flags that DirSync is to be asked with, None if it cannot be, and why."""
    if not domain.root.has_control(controls.DIR_SYNC):
        return None, "the server does not announce it"
    why = ""
    for flags in (0, OBJECT_SECURITY):
        search = Search(
            base=domain.partition,
            filter=ONE_OBJECT,
            attributes=("objectGUID",),
            controls=(controls.dir_sync(flags),),
        )
        _, result = await reading.look(domain.connection, search)
        if result.is_success:
            return flags, why
        why = f"replicating is refused ({result.name})"
    return None, why


async def cookie_of(domain: Domain, way: Way) -> bytes:
    """Return DirSync's cookie of now. Raises Unreachable, Denied."""
    last = b""
    async for _, cookie in _rounds(domain, way, b"", ONE_OBJECT, ("objectGUID",)):
        last = cookie
    return last


async def told_since(domain: Domain, way: Way, since: bytes) -> tuple[dict[Anchor, Told], bytes]:
    """Return what DirSync tells since a cookie, and the new one.

    Only objects of which a requested attribute has changed are told, so all that is read of
    anybody is requested. Raises WatermarkExpired, Unreachable, Denied.
    """
    asked: dict[str, None] = dict.fromkeys(MOVES)
    for kind in domain.settings.kinds:
        asked.update(dict.fromkeys(domain.shape(kind).requested()))
    told: dict[Anchor, Told] = {}
    last = since
    async for found, cookie in _rounds(domain, way, since, OF_INTEREST, tuple(asked)):
        last = cookie
        for one in found:
            held = _guid(one)
            if held is None:
                message = f"{domain.where} tells a change without saying of whom (objectGUID)"
                raise Unreachable(message, code=INCOMPLETE)
            # An object may be told several times, and the last time tells where it is.
            told[held] = Told(held, values.named(one.dn).dn, one.values("isDeleted") == [b"TRUE"])
    return told, last


def _guid(found: Found) -> Anchor | None:
    held = found.values("objectGUID")
    return values.anchor_of(held[0]) if held else values.named(found.dn).anchor


async def _rounds(
    domain: Domain, way: Way, cookie: bytes, filter: str, attributes: tuple[str, ...]
) -> AsyncGenerator[tuple[list[Found], bytes]]:
    """Yield what each round shows, with its cookie, until the server says that there is no more."""
    for _ in range(ROUNDS_MAX):
        search = Search(
            base=domain.partition,
            filter=filter,
            attributes=attributes,
            controls=(controls.dir_sync(_signed(way.flags | INCREMENTAL_VALUES), cookie),),
        )
        found, result = await reading.look(domain.connection, search)
        what = f"DirSync of '{domain.partition}' at {domain.where}"
        if not result.is_success:
            if cookie and result.code in EXPIRED:
                raise WatermarkExpired(f"{what}: the cookie is not accepted: {result}")
            raise read_failure(result, what)
        answer = controls.dir_sync_answer(result.controls)
        if answer is None or not answer[1]:
            raise Unreachable(f"{what}: no cookie came, so it may not be all", code=INCOMPLETE)
        more, following = answer
        yield found, following
        if not more:
            return
        if following == cookie and not found:
            raise Unreachable(f"{what}: it does not come to an end", code=INCOMPLETE)
        cookie = following
    raise Unreachable(f"DirSync at {domain.where} does not come to an end", code=INCOMPLETE)


EXPIRED: Final = frozenset(
    {Code.PROTOCOL_ERROR, Code.UNWILLING_TO_PERFORM, Code.UNAVAILABLE_CRITICAL_EXTENSION}
)
"""How servers refuse a cookie that they do not understand."""


def _signed(flags: int) -> int:
    return flags - 2**32 if flags >= 2**31 else flags


async def changed_since(domain: Domain, usn: int) -> dict[Anchor, Told]:
    """Return what has a higher uSNChanged, deleted or not. Raises Unreachable, Denied.

    All of the partition is asked: who moves out of a base is not to be seen below it.
    """
    asked = filters.both(filters.at_least("uSNChanged", str(usn + 1)), OF_INTEREST)
    found = await domain.looked(domain.partition, asked)
    return {one.anchor: Told(one.anchor, one.dn, one.is_deleted, one) for one in found}


def looked(found: Mapping[Anchor, Told]) -> list[Looked]:
    return [one.looked for one in found.values() if one.looked is not None]
