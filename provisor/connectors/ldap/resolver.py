"""Whom a name means: names of the directory become references, and references names."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from provisor.connectors.ldap.anchors import anchor_of
from provisor.connectors.ldap.settings import Kind, LdapSettings
from provisor.connectors.ldapwire import filters, names, reading, values
from provisor.connectors.ldapwire.connection import Connection
from provisor.connectors.ldapwire.messages import Found, Scope, Search
from provisor.connectors.ldapwire.results import Code, read_failure
from provisor.model.entries import Reference

AT_A_TIME = 64
"""So many names are asked for before the first answer is waited for."""
IN_ONE_FILTER = 100
SWEEP_FROM = 2000
"""From so many unknown names on it is cheaper to read the names of all."""


class Resolver:
    """Remembers whom each name meant when it was asked. Good for one read."""

    def __init__(self, settings: LdapSettings, connection: Connection) -> None:
        self._settings = settings
        self._connection = connection
        self._spelled: dict[str, Reference | None] = {}
        """By the name as it was spelled."""
        self._known: dict[str, Reference | None] = {}
        """By the normal form of the name; None: there is nobody of that name."""
        self._fresh: list[str] = []
        """Names of which the normal form was not needed yet: servers spell a name in one way, so
        that it seldom is."""
        self._uids: dict[str, Reference | None] = {}

    def learn(self, dn: str, reference: Reference, uid: str = "") -> None:
        self._spelled[dn] = reference
        self._fresh.append(dn)
        if uid:
            self._uids[uid] = reference

    def has(self, dn: str) -> bool:
        return dn in self._spelled or self._normal(dn) in self._normals()

    def has_spelled(self, dn: str) -> bool:
        """Tell whether a name was learned in this very spelling."""
        return dn in self._spelled

    def has_uid(self, uid: str) -> bool:
        return uid in self._uids

    def of(self, dn: str) -> Reference | None:
        """Return whom a name means that has been learned, or resolved."""
        found = self._spelled.get(dn)
        if found is not None or dn in self._spelled:
            return found
        return self._normals().get(self._normal(dn))

    def of_uid(self, uid: str) -> Reference | None:
        return self._uids.get(uid)

    def _normal(self, dn: str) -> str:
        return names.normal(dn)

    def _normals(self) -> dict[str, Reference | None]:
        fresh, self._fresh = self._fresh, []
        for dn in fresh:
            self._known[names.normal(dn)] = self._spelled[dn]
        return self._known

    async def resolve(self, dns: Iterable[str]) -> None:
        """Find out whom these names mean. Raises Unreachable, Denied: nothing is guessed."""
        unknown = {self._normal(dn): dn for dn in dns if not self.has(dn)}
        if len(unknown) >= SWEEP_FROM:
            await self._sweep()
            unknown = {
                normal: dn for normal, dn in unknown.items() if normal not in self._normals()
            }
        waiting = [*unknown.items()]
        for first in range(0, len(waiting), AT_A_TIME):
            asked = waiting[first : first + AT_A_TIME]
            looks = (self._look(dn) for _, dn in asked)
            for (normal, dn), found in zip(asked, await asyncio.gather(*looks), strict=True):
                self._known[normal] = self._reference(found) if found else None
                self._spelled[dn] = self._known[normal]

    async def resolve_uids(self, uids: Iterable[str]) -> None:
        """Find out whom these login names mean; one that several have means nobody."""
        waiting = sorted({uid for uid in uids if uid not in self._uids})
        for first in range(0, len(waiting), IN_ONE_FILTER):
            asked = waiting[first : first + IN_ONE_FILTER]
            one_of = filters.any_of(filters.equals("uid", uid) for uid in asked)
            kind = self._settings.users
            search = Search(
                base=kind.base,
                scope=kind.scope,
                filter=filters.both(kind.whole_filter, one_of),
                attributes=("uid", *self._asked),
            )
            held: dict[str, set[Reference]] = {uid: set() for uid in asked}
            for found in await all_of(self._connection, search, self._settings.page_size):
                reference = self._reference(found)
                for uid in _texts(found, "uid"):
                    if uid in held and reference is not None:
                        held[uid].add(reference)
            for uid, meant in held.items():
                self._uids[uid] = next(iter(meant)) if len(meant) == 1 else None

    @property
    def _asked(self) -> tuple[str, ...]:
        anchors = {kind.anchor for kind in self._settings.kinds}
        return (*sorted(anchors), "objectClass")

    async def _look(self, dn: str) -> Found | None:
        try:
            names.parse(dn)
        except names.NotAName:
            return None
        search = Search(base=dn, scope=Scope.BASE, attributes=self._asked)
        found, result = await reading.look(self._connection, search)
        if result.code in (Code.NO_SUCH_OBJECT, Code.INVALID_DN_SYNTAX, Code.REFERRAL):
            return None
        if not result.is_success:
            raise read_failure(result, f"looking at '{dn}' at {self._connection.endpoint}")
        return found[0] if found else None

    async def _sweep(self) -> None:
        for kind in self._settings.kinds:
            search = Search(
                base=kind.base, scope=kind.scope, filter=kind.whole_filter, attributes=self._asked
            )
            for found in await all_of(self._connection, search, self._settings.page_size):
                reference = self._reference(found)
                if reference is not None:
                    self.learn(found.dn, reference)

    def _reference(self, found: Found) -> Reference | None:
        """Return what points at an entry: whoever is no group counts as a person, also where no
        filter lets him in, so that he is pointed at as soon as one does."""
        kind = self._kind_of(found)
        held = found.values(kind.anchor)
        try:
            return Reference(kind.name, anchor_of(kind.anchor, held[0])) if held else None
        except values.NotAValue:
            return None

    def _kind_of(self, found: Found) -> Kind:
        groups = self._settings.groups
        if groups is None:
            return self._settings.users
        classes = {one.lower() for one in _texts(found, "objectClass")}
        is_group = not classes.isdisjoint(one.lower() for one in groups.classes)
        return groups if is_group else self._settings.users


async def all_of(connection: Connection, search: Search, size: int) -> Sequence[Found]:
    """Return everything that a search shows. Raises Unreachable, Denied if that is not all."""
    found: list[Found] = []
    async for page in reading.pages(connection, search, size):
        if not page.result.is_success:
            what = f"the search below '{search.base}' at {connection.endpoint}"
            raise read_failure(page.result, what)
        found += page.found
    return found


def _texts(found: Found, attribute: str) -> list[str]:
    return [one.decode(errors="replace") for one in found.values(attribute)]
