"""The directory as the source sees it: a connection, its schema, and what it is asked."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import unquote, urlsplit

from provisor.connectors.ldap.anchors import anchor_of, anchor_value
from provisor.connectors.ldap.marks import Newest, digest
from provisor.connectors.ldap.resolver import Resolver, all_of
from provisor.connectors.ldap.settings import Kind, LdapSettings, Referrals
from provisor.connectors.ldap.shape import CHANGED, STAMP, Raw, Shape
from provisor.connectors.ldapwire import filters, names, ranges, reading
from provisor.connectors.ldapwire.connection import Connection, connect
from provisor.connectors.ldapwire.messages import Elsewhere, Found, Scope, Search
from provisor.connectors.ldapwire.objects import NoObject
from provisor.connectors.ldapwire.reading import RootDse, root_dse
from provisor.connectors.ldapwire.results import Code, read_failure
from provisor.connectors.ldapwire.schema import Schema, read_schema
from provisor.connectors.ldapwire.values import NotAValue
from provisor.errors import Unreachable
from provisor.model.entries import Anchor, EntryKey, ReadFault, Reference

INCOMPLETE: Final = "SourceReadIncomplete"
CONTAINERS: Final = filters.any_of(
    filters.equals("objectClass", one)
    for one in (
        *("organizationalUnit", "organization", "container", "domain", "dcObject", "locality"),
        *("country", "nsContainer"),
    )
)
IN_ONE_FILTER: Final = 40
HOPS_MAX: Final = 5
LOOKS: Final = 3


@dataclass(slots=True, kw_only=True)
class Tally:
    """What one read has shown."""

    void: dict[str, str] = field(default_factory=dict[str, str])
    seen: dict[str, dict[Anchor, str]] = field(default_factory=dict[str, "dict[Anchor, str]"])
    """By kind: names by anchor."""
    repeated: dict[str, int] = field(default_factory=dict[str, int])
    """Entries that were shown once more, by kind: who shows some twice may leave out others."""
    since: bytes = b"\xff"
    """Whatever was changed later than this modifyTimestamp is `newer`: nothing, unless said."""
    newer: list[Reference] = field(default_factory=list[Reference])
    _last: tuple[str, str, bytes, bytes] = ("", "", b"", b"")
    """Of what was changed last: kind, anchor, and when, as the server says it."""

    def has(self, kind: str, anchor: Anchor) -> bool:
        return anchor in self.seen.get(kind, {})

    def count(self, kind: str) -> int:
        return len(self.seen.get(kind, {})) + self.repeated.get(kind, 0)

    def forget(self, kind: str) -> None:
        self.seen.pop(kind, None)
        self.repeated.pop(kind, None)

    def note(self, kind: str, anchor: Anchor, found: Found) -> None:
        changed, stamp = found.first(CHANGED), found.first(STAMP)
        if changed > self.since:
            self.newer.append(Reference(kind, anchor))
        last = self._last
        # The order of Newest, of octets: most entries are looked at for this, and few are kept.
        if changed != last[2] or not (stamp and last[3]):
            is_older = changed < last[2]
        else:
            is_older = stamp < last[3]
        if changed and not is_older:
            self._last = (kind, anchor, changed, stamp)

    @property
    def newest(self) -> Newest | None:
        kind, anchor, changed, stamp = self._last
        return _newest(kind, anchor, changed, stamp) if changed else None

    def fault(self, kind: str, problem: NoObject) -> ReadFault:
        self.void.setdefault(kind, str(problem))
        return problem.fault(kind)


@dataclass(slots=True)
class Directory:
    """Good for one read, or one look: what it has learned is as old as that."""

    settings: LdapSettings
    connection: Connection
    root: RootDse
    schema: Schema
    wanted: Mapping[str, frozenset[str]]
    resolver: Resolver
    _shapes: dict[str, Shape] = field(default_factory=dict[str, Shape])

    def forget(self) -> None:
        """Forget whom names meant."""
        self.resolver = Resolver(self.settings, self.connection)

    @property
    def where(self) -> str:
        return str(self.settings.endpoint)

    @property
    def suffix(self) -> str:
        """Return the naming context that the base lies in; the base, if the server names none."""
        base = self.settings.base
        contexts = [one for one in self.root.naming_contexts if names.is_below(base, one)]
        return max(contexts, key=len, default=base)

    def shape(self, kind: Kind) -> Shape:
        if kind.name not in self._shapes:
            wanted = self.wanted.get(kind.name, frozenset[str]())
            self._shapes[kind.name] = Shape(kind, self.settings, self.schema, wanted)
        return self._shapes[kind.name]

    def kind(self, name: str) -> Kind | None:
        return next((kind for kind in self.settings.kinds if kind.name == name), None)

    def search(self, kind: Kind, *narrowed: str) -> Search:
        """Return what asks for all objects of a kind, or those that pass a filter besides."""
        return Search(
            base=kind.base,
            scope=kind.scope,
            filter=filters.both(kind.whole_filter, *narrowed),
            attributes=(*self.shape(kind).requested(), CHANGED, *self._stamps),
        )

    @property
    def _stamps(self) -> tuple[str, ...]:
        return (STAMP,) if self.schema.attribute(STAMP) is not None else ()

    @property
    def view(self) -> str:
        """Return what names everything that decides what a read shows."""
        parts = [self.settings.account, *sorted(map(str, self.settings.attributes.items()))]
        for kind in self.settings.kinds:
            search = self.search(kind)
            parts += [kind.name, search.base, str(search.scope), search.filter, kind.anchor]
            parts += [*search.attributes, str(kind.expands_nested)]
        parts += [*sorted(self.settings.multivalued), str(self.settings.disabling)]
        return digest(parts)

    async def containers(self) -> str:
        """Return what names the containers there are now."""
        search = Search(base=self.suffix, filter=CONTAINERS, attributes=("1.1",))
        found: list[str] = []
        async for page in reading.pages(self.connection, search, self.settings.page_size):
            if page.result.code == Code.NO_SUCH_OBJECT:
                break
            if not page.result.is_success:
                raise read_failure(page.result, f"looking for containers at {self.where}")
            found += (names.normal(one.dn) for one in page.found)
        return digest(sorted(found))

    # reading

    async def pages(self, search: Search) -> AsyncGenerator[Sequence[Found]]:
        """Yield all that a search shows, referrals handled as is configured.

        Raises Unreachable, Denied where it is not all.
        """
        async for found in self._pages(self.connection, search):
            yield found

    async def _pages(
        self, connection: Connection, search: Search, hops: int = 0
    ) -> AsyncGenerator[Sequence[Found]]:
        elsewhere: list[str] = []
        async for page in reading.pages(connection, search, self.settings.page_size):
            elsewhere += self.elsewhere(page.elsewhere, search.base)
            if not page.result.is_success:
                if page.result.code == Code.REFERRAL and self.settings.referrals is not (
                    Referrals.REFUSE
                ):
                    elsewhere += self.elsewhere([Elsewhere(page.result.referrals)], search.base)
                    break
                what = f"the search below '{search.base}' at {connection.endpoint}"
                raise read_failure(page.result, what)
            yield await ranges.all_complete(connection, page.found)
        for url in elsewhere:
            async for found in self._follow(url, search, hops + 1):
                yield found

    def elsewhere(self, references: Iterable[Elsewhere], base: str) -> list[str]:
        """Return where to go on reading. Raises Unreachable where it is not to be gone on."""
        found = [one.urls[0] for one in references if one.urls]
        if found and self.settings.referrals is Referrals.REFUSE:
            message = (
                f"{self.where} says that a part of '{base}' is held elsewhere ({found[0]}); "
                "choose a base without it, or say referrals: ignore, or follow"
            )
            raise Unreachable(message, code=INCOMPLETE)
        return found if self.settings.referrals is Referrals.FOLLOW else []

    async def _follow(self, url: str, search: Search, hops: int) -> AsyncGenerator[Sequence[Found]]:
        if hops > HOPS_MAX:
            message = f"{self.where} refers from server to server and to no end"
            raise Unreachable(message, code=INCOMPLETE)
        parts = urlsplit(url)
        server = f"{parts.hostname or ''}:{parts.port}" if parts.port else parts.hostname or ""
        allowed = self.settings.referral_servers
        if server.lower() not in allowed and (parts.hostname or "").lower() not in allowed:
            message = (
                f"{self.where} refers to {server}, which is not among referralServers: "
                "our credentials are not for everybody"
            )
            raise Unreachable(message, code=INCOMPLETE)
        endpoint = replace(
            self.settings.endpoint,
            host=parts.hostname or "",
            path="",
            port=parts.port or self.settings.endpoint.port,
        )
        connection = await connect(endpoint, self.settings.credentials)
        try:
            there = replace(search, base=unquote(parts.path.lstrip("/")) or search.base)
            async for found in self._pages(connection, there, hops):
                yield found
        finally:
            await connection.close()

    def take(self, kind: Kind, found: Found, tally: Tally) -> Raw | ReadFault:
        """Read an entry, and note that it was seen."""
        raw = self.shape(kind).read(found)
        if isinstance(raw, NoObject):
            return tally.fault(kind.name, raw)
        seen = tally.seen.setdefault(kind.name, {})
        before = seen.setdefault(raw.anchor, found.dn)
        if before is not found.dn:
            if before != found.dn and kind.anchor.lower() != "entryuuid":
                message = f"'{before}' has the same {kind.anchor}; an anchor names one object only"
                return tally.fault(kind.name, NoObject(found.dn, message, raw.anchor))
            tally.repeated[kind.name] = tally.repeated.get(kind.name, 0) + 1
        tally.note(kind.name, raw.anchor, found)
        return raw

    # single looks

    async def one(self, kind: Kind, anchor: Anchor) -> Found | None:
        """Return an object by its anchor, None if base and filter have none."""
        asked = self._by_anchor(kind, anchor)
        if asked is None:
            return None
        found: list[Found] = []
        async for page in self.pages(self.search(kind, asked)):
            found += page
        return found[0] if found else None

    async def some(self, kind: Kind, anchors: Iterable[str]) -> list[Found]:
        """Return those of these objects that base and filter have."""
        asked = [a for one in anchors if (a := self._by_anchor(kind, Anchor(one))) is not None]
        found: list[Found] = []
        for first in range(0, len(asked), IN_ONE_FILTER):
            narrowed = filters.any_of(asked[first : first + IN_ONE_FILTER])
            async for page in self.pages(self.search(kind, narrowed)):
                found += page
        return found

    async def exists(self, kind: Kind, anchor: Anchor) -> bool:
        """Tell whether there is such an entry anywhere, whatever base and filter say."""
        asked = self._by_anchor(kind, anchor)
        if asked is None:
            return False
        search = Search(base=self.suffix, filter=asked, attributes=("1.1",))
        return bool(await all_of(self.connection, search, self.settings.page_size))

    async def named(self, dn: str, attributes: tuple[str, ...]) -> Found | None:
        """Return an entry by its name, whole; None if there is none."""
        found = await reading.entry(self.connection, dn, attributes)
        return await ranges.complete(self.connection, found) if found else None

    def _by_anchor(self, kind: Kind, anchor: Anchor) -> str | None:
        value = anchor_value(kind.anchor, anchor)
        if value is None:
            return None
        if kind.anchor.lower() == "entryuuid":
            # A server refuses to compare with what is no UUID; nothing has such an anchor.
            try:
                anchor_of("guid", str(value).encode())
            except NotAValue:
                return None
        return filters.equals(kind.anchor, value)

    async def has_gone_back(self, newest: Newest) -> bool:
        """Tell whether the entry that changed last is not there, or is as it was before that."""
        kind = self.kind(newest.kind)
        found = await self.one(kind, Anchor(newest.anchor)) if kind else None
        if found is None:
            return True
        return newest.is_newer(_newness(newest.kind, newest.anchor, found))

    async def check_bases(self) -> None:
        """Raise Unreachable where there is no such base: 389 Directory Server answers a search in
        pages below one that is not there with success, and nobody."""
        for kind in self.settings.kinds:
            search = Search(base=kind.base, scope=Scope.BASE, attributes=("1.1",))
            _, result = await reading.look(self.connection, search)
            if result.code == Code.NO_SUCH_OBJECT:
                message = f"{self.where} has no '{kind.base}', or does not show it to us"
                raise Unreachable(f"{message}; correct {kind.name.lower()}s.base", code=INCOMPLETE)

    async def check_looks(self, tally: Tally) -> None:
        """Raise Unreachable where objects that were shown cannot be asked for by their anchor: a
        server that may not compare it would say of everybody that there is no such object."""
        for kind in self.settings.kinds:
            shown = [*tally.seen.get(kind.name, {})][-LOOKS:]
            if not shown:
                continue
            looks = [await self.one(kind, anchor) is not None for anchor in shown]
            if not any(looks):
                message = (
                    f"{self.where} shows {kind.name} objects and finds none of them by "
                    f"{kind.anchor}; let the account search by it, or choose another anchor"
                )
                raise Unreachable(message, code=INCOMPLETE)

    async def referring(self, dns: Sequence[str], uids: Sequence[str]) -> dict[str, list[Found]]:
        """Return the objects that point at any of these, by kind."""
        result: dict[str, list[Found]] = {}
        for kind in self.settings.kinds:
            shape = self.shape(kind)
            asked: list[str] = []
            if shape.is_group:
                by_name = [one for one in kind.members if one.lower() not in ("memberuid",)]
                asked = [filters.equals(a, dn) for dn in dns for a in by_name]
                if "memberuid" in map(str.lower, kind.members):
                    asked += [filters.equals("memberUid", uid) for uid in uids]
            elif manager := shape.manager_attribute:
                asked = [filters.equals(manager, dn) for dn in dns]
            found: dict[str, Found] = {}
            for first in range(0, len(asked), IN_ONE_FILTER):
                narrowed = filters.any_of(asked[first : first + IN_ONE_FILTER])
                async for page in self.pages(self.search(kind, narrowed)):
                    found.update({one.dn: one for one in page})
            result[kind.name] = [*found.values()]
        return result

    async def close(self) -> None:
        await self.connection.close()


def _newness(kind: str, anchor: str, found: Found) -> Newest:
    return _newest(kind, anchor, found.first(CHANGED), found.first(STAMP))


def _newest(kind: str, anchor: str, changed: bytes, stamp: bytes) -> Newest:
    return Newest(kind, anchor, changed.decode(errors="replace"), stamp.decode(errors="replace"))


async def open_directory(settings: LdapSettings, wanted: Mapping[str, frozenset[str]]) -> Directory:
    """Raises Unreachable, Denied."""
    connection = await connect(settings.endpoint, settings.credentials)
    try:
        root = await root_dse(connection)
        schema = await read_schema(connection)
    except BaseException:
        connection.abort("it was not made")
        raise
    resolver = Resolver(settings, connection)
    return Directory(settings, connection, root, schema, wanted, resolver)


def key_of(kind: Kind, anchor: Anchor) -> EntryKey:
    return EntryKey(kind.name, anchor)
