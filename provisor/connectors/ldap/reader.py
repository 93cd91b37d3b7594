"""Looking at an LDAP target: probe, look up, search, list. Holds no way to write."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from itertools import chain
from typing import Final

from provisor.connectors.ldap import members
from provisor.connectors.ldap.anchors import anchor_of
from provisor.connectors.ldap.looks import Kinds, LdapLooks
from provisor.connectors.ldap.mapped import COMPUTED, WHOLE_NAME
from provisor.connectors.ldap.resolver import Resolver
from provisor.connectors.ldap.source import system_of
from provisor.connectors.ldapwire import filters, names, reading
from provisor.connectors.ldapwire.messages import Found, Scope, Search
from provisor.connectors.ldapwire.results import Code, read_failure
from provisor.connectors.ldapwire.schema import Schema
from provisor.errors import Denied, Rejected
from provisor.model.entries import Anchor, Entry, MatchQuery, Reference, System, Value
from provisor.ports import Capabilities, Listing, Referred

__all__ = ["CODE", "Kinds", "LdapReader"]
CODE: Final = "TargetUnreachable"


class LdapReader(LdapLooks):
    """Implements `ports.TargetReader` for a directory that speaks LDAP."""

    @property
    def system(self) -> System:
        return System(system_of(self.settings).identity, self.settings.account)

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            page_size=self.settings.page_size, members_max=1000, tells_references=True
        )

    async def probe(self) -> None:
        await self.said()
        for mapped in self._mapped.values() or [self.mapped("User")]:
            for base, _ in mapped.places:
                search = Search(base=base, scope=Scope.BASE, attributes=("1.1",))
                _, result = await self.look(search)
                if result.code == Code.NO_SUCH_OBJECT:
                    what = "base" if base == mapped.kind.base else "container of the disabled"
                    message = f"there is no '{base}' at {self.where}; make or correct the {what}"
                    raise Denied(message, code=CODE)
                if not result.is_success:
                    raise read_failure(result, f"looking at '{base}' at {self.where}")

    async def fetch(self, kind: str, anchor: Anchor) -> Entry | None:
        found = await self.found(kind, anchor)
        if found is None:
            return None
        (entry,) = await self._entries(kind, [found])
        return entry

    async def find(self, query: MatchQuery) -> Sequence[Entry]:
        mapped = self.mapped(query.kind)
        if query.attribute == WHOLE_NAME:
            return await self._named(query)
        if query.attribute in COMPUTED:
            message = f"nobody can be found by {query.attribute}; match by an attribute of entries"
            raise Rejected(message, code="UnprocessableEntity")
        if query.attribute.lower() == mapped.kind.anchor.lower():
            entry = await self.fetch(query.kind, Anchor(str(query.value)))
            return [entry] if entry else []
        schema = await self.schema()
        if not self.can_compare(schema, query.attribute):
            message = f"{query.attribute} cannot be compared; match by another attribute"
            raise Rejected(message, code="UnprocessableEntity")
        dns = await self.names_of(_references(query.value))
        if any(one not in dns for one in _references(query.value)):
            return []
        values = mapped.octets(query.attribute, query.value, dns)
        asked = [filters.equals(query.attribute, value) for value in values]
        if not asked:
            return []
        narrowed = filters.both(mapped.kind.whole_filter, *asked)
        found = [await self.all_of(search) for search in self.searches(mapped, narrowed)]
        return await self._entries(query.kind, [*chain(*found)])

    def can_compare(self, schema: Schema, attribute: str) -> bool:
        """Tell whether the server finds anybody by an attribute."""
        known = schema.attribute(attribute)
        return known is None or bool(known.equality)

    async def _named(self, query: MatchQuery) -> Sequence[Entry]:
        try:
            name = names.format(names.parse(str(query.value)))
        except names.NotAName as odd:
            raise Rejected(str(odd)) from odd
        mapped = self.mapped(query.kind)
        search = Search(
            base=name,
            scope=Scope.BASE,
            filter=mapped.kind.whole_filter,
            attributes=mapped.requested(),
        )
        found, result = await self.look(search)
        if result.code == Code.NO_SUCH_OBJECT:
            return []
        if not result.is_success:
            raise read_failure(result, f"looking at '{name}' at {self.where}")
        return await self._entries(query.kind, found)

    async def list_all(self, kind: str) -> AsyncIterator[Listing]:
        mapped = self.mapped(kind)
        connection = await self.session.connection()
        resolver = Resolver(self.settings, connection)
        for search in self.searches(mapped, mapped.kind.whole_filter):
            async for page in reading.pages(connection, search, self.settings.page_size):
                self.refuse_elsewhere(page.elsewhere)
                if not page.result.is_success:
                    raise read_failure(page.result, f"listing {kind} at {self.where}")
                yield Listing(tuple(await self._entries(kind, page.found, resolver)), None)

    async def referred(
        self, kind: str, anchor: Anchor, name: str, known: frozenset[Reference]
    ) -> Referred:
        return await members.referred(self, kind, anchor, name, known)

    async def _entries(
        self, kind: str, found: Sequence[Found], resolver: Resolver | None = None
    ) -> list[Entry]:
        mapped = self.mapped(kind)
        read = [(one, *mapped.read(one)) for one in found if one.values(mapped.kind.anchor)]
        if any(pointed for _, _, pointed in read):
            if resolver is None:
                resolver = Resolver(self.settings, await self.session.connection())
            await resolver.resolve(dn for _, _, pointed in read for dn in pointed.values())
        entries: list[Entry] = []
        for one, said, pointed in read:
            for name, dn in pointed.items():
                reference = resolver.of(dn) if resolver is not None else None
                if reference is not None:
                    said[name] = reference
            anchor = anchor_of(mapped.kind.anchor, one.values(mapped.kind.anchor)[0])
            self.dns[anchor] = one.dn
            entries.append(Entry(kind, anchor, said))
        return entries


def _references(value: Value) -> list[Reference]:
    given = value if isinstance(value, tuple) else (value,)
    return [one for one in given if isinstance(one, Reference)]
