"""Looking at an LDAP target: probe, look up, search, list. Holds no way to write."""

from __future__ import annotations

from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Mapping,
    Sequence,
)
from typing import Final, TypeVar

from provisor.connectors.ldap.anchors import anchor_of, anchor_value
from provisor.connectors.ldap.mapped import COMPUTED, WHOLE_NAME, Mapped
from provisor.connectors.ldap.resolver import Resolver
from provisor.connectors.ldap.settings import Kind, LdapSettings, Referrals
from provisor.connectors.ldap.source import system_of
from provisor.connectors.ldapwire import filters, names, reading
from provisor.connectors.ldapwire.messages import Found, Scope, Search
from provisor.connectors.ldapwire.reading import ResultPage, RootDse, root_dse
from provisor.connectors.ldapwire.results import BUSY_RETRY_S, Code, Result, read_failure
from provisor.connectors.ldapwire.schema import Schema, read_schema
from provisor.connectors.ldapwire.session import Session
from provisor.connectors.ldapwire.values import NotAValue
from provisor.errors import Denied, Rejected, Throttled, Unreachable
from provisor.model.entries import Anchor, Entry, MatchQuery, Reference, System, Value
from provisor.model.rules import AttributeDefinition
from provisor.ports import Capabilities, Clock, Listing

Kinds = Mapping[str, tuple[AttributeDefinition, ...]]
"""The mapped attributes of each kind of target object."""
PATIENCE_S: Final = (1.0, 3.0, 9.0)
"""Pauses before something is asked again that a busy server would not do."""
IN_ONE_FILTER: Final = 100
CODE: Final = "TargetUnreachable"
T = TypeVar("T")


class LdapReader:
    """Implements `ports.TargetReader` for a directory that speaks LDAP."""

    def __init__(self, settings: LdapSettings, kinds: Kinds, clock: Clock) -> None:
        self.settings, self._clock = settings, clock
        self.session = Session(settings.endpoint, settings.credentials)
        self._mapped = {name: self._mapping(name, kinds.get(name, ())) for name in kinds}
        self.root: RootDse | None = None
        self._schema: Schema | None = None
        self.dns: dict[Anchor, str] = {}
        """What objects were called when they were last seen."""

    @property
    def system(self) -> System:
        return System(system_of(self.settings).identity, self.settings.account)

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(page_size=self.settings.page_size, members_max=1000)

    async def probe(self) -> None:
        await self.said()
        for mapped in self._mapped.values() or [self.mapped("User")]:
            search = Search(base=mapped.kind.base, scope=Scope.BASE, attributes=("1.1",))
            _, result = await self.look(search)
            if result.code == Code.NO_SUCH_OBJECT:
                message = f"there is no '{mapped.kind.base}' at {self.where}; correct the base"
                raise Denied(message, code=CODE)
            if not result.is_success:
                raise read_failure(result, f"looking at '{mapped.kind.base}' at {self.where}")

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
        search = self.search(mapped, narrowed)
        return await self._entries(query.kind, await self._all(search))

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
        search = self.search(mapped, mapped.kind.whole_filter)
        async for page in reading.pages(connection, search, self.settings.page_size):
            self._refuse_elsewhere(page.elsewhere)
            if not page.result.is_success:
                raise read_failure(page.result, f"listing {kind} at {self.where}")
            yield Listing(tuple(await self._entries(kind, page.found, resolver)), None)

    async def close(self) -> None:
        await self.session.close()

    # what writing needs too

    @property
    def where(self) -> str:
        return str(self.settings.endpoint)

    def mapped(self, kind: str) -> Mapped:
        if kind not in self._mapped:
            self._mapped[kind] = self._mapping(kind, ())
        return self._mapped[kind]

    def _mapping(self, name: str, definitions: Iterable[AttributeDefinition]) -> Mapped:
        kinds: dict[str, Kind] = {kind.name: kind for kind in self.settings.kinds}
        if name not in kinds:
            known = ", ".join(kinds)
            raise Denied(f"an LDAP target has no {name}; it has {known}", code="NotImplemented")
        return Mapped(kinds[name], self.settings.disabling, {d.name: d for d in definitions})

    async def said(self) -> RootDse:
        """Return what the server says of itself, asked once."""
        if self.root is None:
            self.root = await root_dse(await self.session.connection())
        return self.root

    async def schema(self) -> Schema:
        if self._schema is None:
            self._schema = await read_schema(await self.session.connection())
        return self._schema

    def search(self, mapped: Mapped, filter: str) -> Search:
        kind = mapped.kind
        return Search(
            base=kind.base, scope=kind.scope, filter=filter, attributes=mapped.requested()
        )

    async def found(self, kind: str, anchor: Anchor) -> Found | None:
        """Return an entry by its anchor. It is looked for wherever the server keeps entries: who
        was moved out of the base is still ours."""
        mapped = self.mapped(kind)
        value = self.comparable(mapped.kind, anchor)
        if value is None:
            return None
        search = Search(
            base=await self.suffix(mapped.kind.base),
            filter=filters.equals(mapped.kind.anchor, value),
            attributes=mapped.requested(),
        )
        found = await self._all(search)
        for one in found:
            self.dns[anchor] = one.dn
        return found[0] if found else None

    def comparable(self, kind: Kind, anchor: Anchor) -> bytes | str | None:
        value = anchor_value(kind.anchor, anchor)
        if kind.anchor.lower() == "entryuuid":
            try:
                anchor_of("guid", str(anchor).encode())
            except NotAValue:
                return None
        return value

    async def suffix(self, base: str) -> str:
        contexts = [c for c in (await self.said()).naming_contexts if names.is_below(base, c)]
        return max(contexts, key=len, default=base)

    async def names_of(self, references: Iterable[Reference]) -> dict[Reference, str]:
        """Return what objects are called now; who is not there is left out."""
        known: dict[Reference, str] = {}
        by_kind: dict[str, list[Reference]] = {}
        for reference in references:
            by_kind.setdefault(reference.kind, []).append(reference)
        for kind, wanted in by_kind.items():
            mapped = self.mapped(kind)
            base = await self.suffix(mapped.kind.base)
            for first in range(0, len(wanted), IN_ONE_FILTER):
                part = wanted[first : first + IN_ONE_FILTER]
                values = {r: self.comparable(mapped.kind, r.anchor) for r in part}
                asked = [filters.equals(mapped.kind.anchor, v) for v in values.values() if v]
                if not asked:
                    continue
                search = Search(
                    base=base, filter=filters.any_of(asked), attributes=(mapped.kind.anchor,)
                )
                for found in await self._all(search):
                    anchor = anchor_of(mapped.kind.anchor, found.values(mapped.kind.anchor)[0])
                    self.dns[anchor] = found.dn
                    known[Reference(kind, anchor)] = found.dn
        return known

    async def look(self, search: Search) -> tuple[list[Found], Result]:
        """Return what a small search shows, and how it ended; a busy server is given time."""

        async def once() -> ResultPage:
            return await reading.page(await self.session.connection(), search)

        shown = await self.patiently(once, lambda answer: answer.result)
        self._refuse_elsewhere(shown.elsewhere)
        return [*shown.found], shown.result

    async def patiently(
        self, once: Callable[[], Awaitable[T]], result_of: Callable[[T], Result]
    ) -> T:
        """Ask until the server is not busy any more. Raises Throttled when patience ends."""
        for pause in (*PATIENCE_S, None):
            answer = await once()
            if result_of(answer).code != Code.BUSY:
                return answer
            if pause is not None:
                await self._clock.sleep(pause)
        raise Throttled(BUSY_RETRY_S, f"{self.where} is busy")

    async def _all(self, search: Search) -> list[Found]:
        """Return all that a search shows. Raises Unreachable where that is not all."""
        found, result = await self.look(search)
        if not result.is_success:
            raise read_failure(result, f"the search below '{search.base}' at {self.where}")
        return found

    def _refuse_elsewhere(self, elsewhere: Sequence[object]) -> None:
        if elsewhere and self.settings.referrals is not Referrals.IGNORE:
            message = (
                f"{self.where} says that a part of the base is held elsewhere; "
                "choose a base without it, or say referrals: ignore"
            )
            raise Unreachable(message, code="SourceReadIncomplete")

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
