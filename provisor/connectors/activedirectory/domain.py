"""The domain as it is read: a connection to one domain controller, and what it is asked."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import unquote, urlsplit

from provisor.connectors.activedirectory import values
from provisor.connectors.activedirectory.marks import digest
from provisor.connectors.activedirectory.settings import GROUP, USER, AdSettings, Kind
from provisor.connectors.activedirectory.shape import Raw, Shape
from provisor.connectors.ldapwire import controls, filters, names, ranges, reading
from provisor.connectors.ldapwire.connection import Connection, connect
from provisor.connectors.ldapwire.messages import Elsewhere, Found, Search
from provisor.connectors.ldapwire.objects import NoObject
from provisor.connectors.ldapwire.reading import RootDse, root_dse
from provisor.connectors.ldapwire.results import read_failure
from provisor.connectors.ldapwire.schema import Schema, read_schema
from provisor.errors import Unreachable
from provisor.model.entries import Anchor, EntryKey, ReadFault, Reference

INCOMPLETE: Final = "SourceReadIncomplete"
IN_ONE_FILTER: Final = 50
TOMBSTONE_DAYS: Final = 60
"""Where nothing says how long tombstones live ([MS-ADTS] 3.1.1.1.15)."""
AD_CAPABILITY: Final = "1.2.840.113556.1.4.800"
LOOKS: Final = 3


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose answers these are, and how far it has counted."""

    invocation: str
    usn: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What stands behind a GUID, wherever in the domain it lies."""

    anchor: Anchor
    dn: str
    kind: str
    """Empty for what is neither a person nor a group."""
    is_deleted: bool
    is_container: bool
    created: int
    changed: int


@dataclass(slots=True)
class Tally:
    """What one read has shown."""

    void: dict[str, str] = field(default_factory=dict[str, str])
    rows: dict[str, int] = field(default_factory=dict[str, int])
    kinds: dict[Anchor, str] = field(default_factory=dict[Anchor, str])
    """The kind of each object that is known: it can be pointed at. Empty: it is of none."""
    newest: tuple[str, int] | None = None

    def note(self, kind: Kind, raw: Raw) -> None:
        self.rows[kind.name] = self.rows.get(kind.name, 0) + 1
        self.kinds[raw.anchor] = kind.name
        if self.newest is None or raw.changed > self.newest[1]:
            self.newest = (str(raw.anchor), raw.changed)

    def fault(self, kind: str, problem: NoObject) -> ReadFault:
        self.void.setdefault(kind, str(problem))
        return problem.fault(kind)


@dataclass(slots=True)
class Domain:
    """Good for one read, or for looks one after the other."""

    settings: AdSettings
    connection: Connection
    root: RootDse
    schema: Schema
    wanted: Mapping[str, frozenset[str]]
    now: datetime
    """Whoever has expired by now is disabled."""
    _shapes: dict[str, Shape] = field(default_factory=dict[str, Shape])

    @property
    def where(self) -> str:
        return str(self.settings.endpoint)

    @property
    def partition(self) -> str:
        """Return the partition that the base lies in: changes are told of whole partitions."""
        base = self.settings.base
        held = [one for one in self.root.naming_contexts if names.is_below(base, one)]
        return max(held, key=len, default=self.root.text("defaultNamingContext"))

    def shape(self, kind: Kind) -> Shape:
        if kind.name not in self._shapes:
            wanted = self.wanted.get(kind.name, frozenset[str]())
            self._shapes[kind.name] = Shape(kind, self.settings, self.schema, wanted)
        return self._shapes[kind.name]

    @property
    def view(self) -> str:
        """Return what names everything that decides what a read shows."""
        settings = self.settings
        parts = [settings.account, *sorted(map(str, settings.attributes.items()))]
        for kind in settings.kinds:
            search = self.search(kind)
            parts += [kind.name, names.normal(search.base), str(search.scope), search.filter]
            parts += search.attributes
        flags = (settings.expired_is_disabled, settings.primary_groups)
        return digest([*parts, *sorted(settings.multivalued), str(flags)])

    async def identity(self) -> Identity:
        """Ask again who answers, and how far it has counted. Raises Unreachable, Denied."""
        root = await root_dse(self.connection)
        found = await reading.entry(self.connection, root.text("dsServiceName"), ("invocationId",))
        held = found.values("invocationId") if found else []
        usn = root.text("highestCommittedUSN")
        if not held or not usn.isdecimal():
            message = f"{self.where} does not say which database it answers from (invocationId)"
            raise Unreachable(message, code=INCOMPLETE)
        return Identity(str(values.anchor_of(held[0])), int(usn))

    async def tombstone_lifetime(self) -> timedelta:
        """Return how long deletions are told. Raises Unreachable, Denied."""
        configuration = self.root.text("configurationNamingContext")
        dn = f"CN=Directory Service,CN=Windows NT,CN=Services,{configuration}"
        found = await reading.entry(self.connection, dn, ("tombstoneLifetime",))
        held = found.values("tombstoneLifetime") if found else []
        return timedelta(days=max(values.long(held[0]), 2) if held else TOMBSTONE_DAYS)

    async def sid(self) -> bytes:
        """Return the security identifier of the domain. Raises Unreachable, Denied."""
        found = await reading.entry(self.connection, self.partition, ("objectSid",))
        held = found.values("objectSid") if found else []
        if not held:
            raise Unreachable(f"{self.where} does not show who '{self.partition}' is (objectSid)")
        return held[0]

    async def shows_deleted(self) -> bool:
        """Tell whether the account sees who was deleted: one that does proves it, none does not.

        The container alone is no proof: many see it, and nothing of what is in it.
        """
        search = Search(
            base=self.partition,
            filter="(&(isDeleted=TRUE)(lastKnownParent=*))",
            attributes=("1.1",),
            controls=(controls.show_deleted(), controls.paged(1)),  # one of them is enough
        )
        found, result = await reading.look(self.connection, search)
        return result.is_success and bool(found)

    # searching

    def search(self, kind: Kind, *narrowed: str) -> Search:
        """Return what asks for all objects of a kind, or those that pass a filter besides."""
        return Search(
            base=kind.base,
            scope=kind.scope,
            filter=filters.both(kind.whole_filter, *narrowed),
            attributes=self.shape(kind).requested(),
            controls=(controls.extended_dn(),),
        )

    async def pages(self, search: Search) -> AsyncGenerator[Sequence[Found]]:
        """Yield all that a search shows, ranged attributes whole.

        Other partitions, which every search below a domain refers to, are none of ours. Raises
        Unreachable, Denied where it is not all.
        """
        async for page in reading.pages(self.connection, search, self.settings.page_size):
            if not page.result.is_success:
                what = f"the search below '{search.base}' at {self.where}"
                raise read_failure(page.result, what)
            self._check_references(page.elsewhere, search.base)
            has_ranges = any(one.has_ranges for one in page.found)
            yield [await self.whole(one) for one in page.found] if has_ranges else page.found

    def _check_references(self, references: Iterable[Elsewhere], base: str) -> None:
        """Raise Unreachable for a part of the domain itself that lies elsewhere.

        The roots of other partitions (configuration, schema, DNS zones, child domains) lie below
        that of a domain, and each search is told where they are.
        """
        for one in references:
            for url in one.urls[:1]:
                dn = names.normal(_dn_of(url))
                if dn and dn != names.normal(self.partition) and names.is_below(dn, self.partition):
                    continue
                message = f"{self.where} says that a part of '{base}' is held elsewhere ({url})"
                raise Unreachable(f"{message}; choose another base", code=INCOMPLETE)

    async def whole(self, found: Found) -> Found:
        """Return an entry with all values of attributes of which it showed the first only."""
        if not found.has_ranges:
            return found
        named = found.named(values.named(found.dn).dn)
        return await ranges.complete(self.connection, named, controls.extended_dn())

    def read(self, kind: Kind, found: Found, tally: Tally) -> Raw | ReadFault:
        """Read an entry, and note that it was seen."""
        raw = self.shape(kind).read(found, self.now)
        if isinstance(raw, NoObject):
            return tally.fault(kind.name, raw)
        tally.note(kind, raw)
        return raw

    async def having(
        self, kind: Kind, anchors: Iterable[Anchor]
    ) -> AsyncGenerator[Sequence[Found]]:
        """Yield the objects with these GUIDs that base and filter have."""
        for some in _batches(anchors):
            async for page in self.pages(self.search(kind, some)):
                yield page

    async def look(self, anchors: Iterable[Anchor]) -> list[Looked]:
        """Return what stands behind each of these GUIDs, anywhere in the domain, deleted or not.

        Raises Unreachable, Denied.
        """
        found: list[Looked] = []
        for some in _batches(anchors):
            found += await self.looked(self.partition, some)
        return found

    async def looked(self, base: str, filter: str) -> list[Looked]:
        search = Search(
            base=base,
            filter=filter,
            attributes=("objectGUID", "objectClass", "isDeleted", "uSNCreated", "uSNChanged"),
            controls=(controls.show_deleted(), controls.extended_dn()),
        )
        found: list[Looked] = []
        async for page in self.pages(search):
            found += [looked_at(one) for one in page if one.values("objectGUID")]
        return found

    async def classify(self, anchors: Iterable[Anchor], tally: Tally) -> None:
        """Find out of which kind these are. Raises Unreachable, Denied: nothing is guessed."""
        unknown = {anchor for anchor in anchors if anchor not in tally.kinds}
        for one in await self.look(sorted(unknown)):
            tally.kinds[one.anchor] = "" if one.is_deleted else one.kind
        for anchor in unknown:
            tally.kinds.setdefault(anchor, "")

    async def one(self, kind: Kind, anchor: Anchor) -> Found | None:
        """Return an object by its anchor, None if base and filter have none."""
        async for page in self.having(kind, [anchor]):
            if page:
                return page[0]
        return None

    async def of_primary_group(self, rid: int, tally: Tally) -> list[Reference]:
        """Return who has a group as primary group."""
        kind = self.settings.users
        search = Search(
            base=self.partition,
            filter=filters.both(kind.of_class, filters.equals("primaryGroupID", str(rid))),
            attributes=("objectGUID",),
        )
        found: list[Reference] = []
        async for page in self.pages(search):
            for one in page:
                anchor = values.anchor_of(one.values("objectGUID")[0])
                tally.kinds.setdefault(anchor, USER)
                found.append(Reference(USER, anchor))
        return found

    async def check_looks(self, shown: Mapping[str, Sequence[Anchor]]) -> None:
        """Raise Unreachable where objects that were shown cannot be asked for by their GUID."""
        for name, anchors in shown.items():
            kind = self.settings.kind(name)
            if kind is None or not anchors:
                continue
            looks = [await self.one(kind, anchor) for anchor in anchors[-LOOKS:]]
            if not any(looks):
                message = f"{self.where} shows {name} objects and finds none by objectGUID"
                raise Unreachable(message, code=INCOMPLETE)

    async def close(self) -> None:
        await self.connection.close()


def looked_at(found: Found) -> Looked:
    named = values.named(found.dn)
    classes = {one.decode(errors="replace").lower() for one in found.values("objectClass")}
    kind = ""
    if "group" in classes:
        kind = GROUP
    elif "user" in classes and "computer" not in classes:
        kind = USER
    numbers = [found.values(name) for name in ("uSNCreated", "uSNChanged")]
    created, changed = (values.long(held[0]) if held else 0 for held in numbers)
    return Looked(
        anchor=values.anchor_of(found.values("objectGUID")[0]),
        dn=named.dn,
        kind=kind,
        is_deleted=found.values("isDeleted") == [b"TRUE"],
        is_container=not kind and not classes.isdisjoint(CONTAINER_CLASSES),
        created=created,
        changed=changed,
    )


CONTAINER_CLASSES: Final = frozenset({"organizationalunit", "container", "builtindomain"})


def _batches(anchors: Iterable[Anchor]) -> Iterable[str]:
    """Yield filters that let these GUIDs pass, not too many at a time; none for what is no GUID."""
    asked = [octets for anchor in anchors if (octets := values.octets_of(anchor)) is not None]
    for first in range(0, len(asked), IN_ONE_FILTER):
        some = asked[first : first + IN_ONE_FILTER]
        yield filters.any_of(filters.equals("objectGUID", one) for one in some)


def _dn_of(url: str) -> str:
    try:
        return unquote(urlsplit(url).path.lstrip("/"))
    except ValueError:
        return ""


async def open_domain(
    settings: AdSettings, wanted: Mapping[str, frozenset[str]], now: datetime
) -> Domain:
    """Raises Unreachable, also for a server that is no domain controller of the base; Denied."""
    connection = await connect(settings.endpoint, settings.credentials)
    try:
        root = await root_dse(connection)
        if AD_CAPABILITY not in root.texts("supportedCapabilities"):
            message = f"{settings.endpoint} is no Active Directory; use the connector ldap for it"
            raise Unreachable(message)
        if not any(names.is_below(settings.base, one) for one in root.naming_contexts):
            held = ", ".join(root.naming_contexts)
            message = f"{settings.endpoint} does not hold '{settings.base}': it holds {held}"
            raise Unreachable(message)
        schema = await read_schema(connection)
    except BaseException:
        connection.abort("it was not made")
        raise
    return Domain(settings, connection, root, schema, wanted, now)


def key_of(kind: str, anchor: Anchor) -> EntryKey:
    return EntryKey(kind, anchor)
