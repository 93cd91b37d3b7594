"""Looking at a SCIM target: probe, look up, search, list. Holds no way to write."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar
from urllib.parse import quote

from provisor.connectors.around.pace import Line, Pace
from provisor.connectors.around.trace import Trace
from provisor.connectors.http.body import JsonObject, get, items, text_of
from provisor.connectors.http.conversation import Conversation, Request
from provisor.connectors.http.replies import Reply
from provisor.connectors.scim import listing, paths
from provisor.connectors.scim.discovery import (
    Abilities,
    Discovered,
    abilities_of,
    resource_types_of,
    schemas_of,
)
from provisor.connectors.scim.failures import (
    MULTIPLE_ENTRIES,
    SCIM,
    Asked,
    failure_of,
    incompatible,
)
from provisor.connectors.scim.resources import (
    REQUIRED,
    STAMP,
    Mapped,
    Shape,
    entry_of,
    read,
    shape_of,
)
from provisor.connectors.scim.sent import Prints, Sent, SentPage, sent_page
from provisor.connectors.scim.settings import ScimSettings
from provisor.connectors.scim.values import anchor_of, is_same, raw_of, value_of
from provisor.connectors.scim.wire import ListAnswer, id_of, list_answer
from provisor.errors import (
    AdapterError,
    Denied,
    Rejected,
    Stale,
    Throttled,
    Unanswered,
    Unreachable,
)
from provisor.model.entries import Anchor, Entry, MatchQuery, Reference, System, Value
from provisor.model.rules import AttributeDefinition
from provisor.ports import Capabilities, Clock, Entropy, Listing, Opened, Referred, Sealed

MEMBERS = "members"
WITHOUT_MEMBERS = "excludedAttributes=members"
SETTLING_S = (1.0, 2.0, 4.0)
"""A server may not find at once what it has just created (spec: scim-target Q24)."""
FRESH_S = 30.0
REFUSALS_MAX = 20
"""So many refusals for lack of rights in a row are no longer about single objects."""

A = TypeVar("A")
Kinds = Mapping[str, tuple[AttributeDefinition, ...]]
"""The mapped attributes of each kind of target object."""


class ScimReader:
    """Implements `ports.TargetReader` for a SCIM 2.0 service."""

    def __init__(
        self,
        settings: ScimSettings,
        kinds: Kinds,
        clock: Clock,
        entropy: Entropy,
        *,
        pace: Line | None = None,
        trace: Trace | None = None,
        is_read_only: bool = True,
    ) -> None:
        self.settings, self._clock, self._entropy = settings, clock, entropy
        limits = settings.rate_limit, settings.connections_max
        pace = pace or Pace(clock, entropy, per_second=limits[0], parallel_max=limits[1])
        dialect = replace(SCIM, content_type=settings.quirks.content_type)
        self.conversation = Conversation(
            settings, clock, pace, dialect, trace=trace, is_read_only=is_read_only
        )
        self._shapes = {kind: shape_of(kind, definitions) for kind, definitions in kinds.items()}
        self._discovered: Discovered | None = None
        self._capabilities: tuple[bool, Discovered | None, Capabilities] | None = None
        self._filters: dict[str, int] = {}
        self._created: OrderedDict[Anchor, float] = OrderedDict()
        self._disabled: set[Anchor] = set()
        self._refusals = 0
        self._lists = True

    @property
    def system(self) -> System:
        return System(self.settings.base, self.settings.account)

    @property
    def discovered(self) -> Discovered:
        """What the target said of itself; nothing before it was asked."""
        return self._discovered or Discovered()

    @property
    def abilities(self) -> Abilities:
        return self.discovered.abilities

    @property
    def capabilities(self) -> Capabilities:
        """What the target can do, for all that is known of it: asked for with each object."""
        lists, discovered = self._lists, self._discovered
        known = self._capabilities
        if known is None or known[0] is not lists or known[1] is not discovered:
            known = self._capabilities = lists, discovered, self._capabilities_now()
        return known[2]

    def _capabilities_now(self) -> Capabilities:
        attributes = (name for shape in self._shapes.values() for name in shape.attributes)
        return Capabilities(
            lists=self._lists,
            page_size=self._page_size,
            parallel_max=self.settings.connections_max,
            has_versions=self.abilities.has_versions,
            members_max=self.settings.quirks.max_members_per_patch,
            stamp=STAMP if STAMP in attributes else "",
            tells_references=True,
        )

    @property
    def _page_size(self) -> int:
        return min(self.settings.page_size, self.abilities.results_max or self.settings.page_size)

    def shape(self, kind: str) -> Shape:
        if kind not in self._shapes:
            shape = shape_of(kind, ())
            self._shapes[kind] = self._discovered.shaped(shape) if self._discovered else shape
        return self._shapes[kind]

    async def close(self) -> None:
        await self.conversation.close()

    # probing

    async def probe(self) -> None:
        """Prove address, credentials and protocol; learn what the target can do (scim-target 3)."""
        try:
            if any(":" not in k and k not in ("User", "Group") for k in self._shapes):
                await self.discover()  # whoever has other kinds must say where they live
            for shape in list(self._shapes.values()) or [shape_of("User", ())]:
                await self._probe(shape)
            await self.discover()
        except Unanswered as error:
            raise Unreachable(str(error), code=error.code, heard=error.heard) from error
        except Throttled as error:
            raise Unreachable(str(error), code=error.code, heard=error.heard) from error

    async def _probe(self, shape: Shape) -> None:
        nobody = paths.quoted(self._entropy.uuid())
        attribute = REQUIRED.get(shape.name, "id")
        query = _filter_query(shape, f"{attribute} eq {nobody}")
        reply = await self._get(shape.address(), query)
        if reply.status in (404, 410) and self.settings.quirks.probe_404_as_empty:
            return
        if reply.status in (400, 405, 501) and not (await self.discover()).abilities.has_filter:
            query = _joined(shape, "startIndex=1&count=1")
            self._list(await self._get(shape.address(), query), Asked.PROBE)
            return
        if self._list(reply, Asked.PROBE).resources:
            what = f"answers a filter on {attribute} that nobody fits with somebody"
            raise incompatible(reply, Asked.PROBE, self.conversation.narrator, what)

    async def discover(self) -> Discovered:
        """Return what the target says of itself, asked once. That it says nothing is no error."""
        if self._discovered is None:
            configuration = await self._ask_about("/ServiceProviderConfig")
            schemas = await self._ask_about("/Schemas")
            types = await self._ask_about("/ResourceTypes")
            self._discovered = Discovered(
                abilities=abilities_of(configuration),
                resource_types=resource_types_of(types, self.settings.base),
                schemas=schemas_of(schemas),
            )
            for kind, shape in self._shapes.items():
                self._shapes[kind] = self._discovered.shaped(shape)
        return self._discovered

    async def _ask_about(self, path: str) -> JsonObject | None:
        try:
            reply = await self._get(path)
        except (Denied, Rejected, Throttled, Unanswered):
            return None
        content = reply.content
        return content if reply.is_success and isinstance(content, dict) else None

    # looking up

    async def fetch(self, kind: str, anchor: Anchor) -> Entry | None:
        shape = self.shape(kind)
        reply = await self.get_when_settled(shape, anchor)
        if reply.status in (404, 410):
            is_disabled = self.settings.quirks.inactive_is_gone and anchor in self._disabled
            return Entry(kind, anchor, {"active": False}) if is_disabled else None
        resource = await self.resource(reply, Asked.READ)
        entry = entry_of(shape, resource, self.settings.quirks, self.tag(reply))
        if entry is None:  # some leave the id out, where it stands in the address already
            resource = {**resource, "id": anchor}
            entry = entry_of(shape, resource, self.settings.quirks, self.tag(reply))
        return entry

    def tag(self, reply: Reply) -> str:
        """Return the ETag of an answer, where the target says that it means a version.

        Web frameworks put the hash of an answer there, which differs with what was asked.
        """
        return reply.tag if self.abilities.has_versions else ""

    async def get_when_settled(
        self, shape: Shape, anchor: Anchor, *, with_members: bool = False
    ) -> Reply:
        """Read a resource; a little later again, if it was created by us just now and not found."""
        query = _joined(shape, "") if not with_members else ""
        reply = await self._get(shape.address(anchor), query)
        for wait in self.settling(anchor):
            if reply.status != 404:
                break
            await self._clock.sleep(wait)
            reply = await self._get(shape.address(anchor), query)
        return reply

    def settling(self, anchor: Anchor) -> tuple[float, ...]:
        """Return how long to wait for an object, again and again, before it counts as gone."""
        created = self._created.get(anchor)
        is_fresh = created is not None and self._now() - created < FRESH_S
        return SETTLING_S if is_fresh else ()

    def note_created(self, anchor: Anchor) -> None:
        now = self._now()
        while self._created and now - next(iter(self._created.values())) >= FRESH_S:
            self._created.popitem(last=False)
        self._created[anchor] = now

    def note_active(self, anchor: Anchor, is_active: bool) -> None:
        (self._disabled.discard if is_active else self._disabled.add)(anchor)

    async def resource(self, reply: Reply, asked: Asked) -> JsonObject:
        """Return the one resource that a reply shows. Raises as its status says."""
        await self.judge(reply, asked)
        answer = list_answer(reply.content)
        if answer is not None and len(answer.resources) > 1:
            message = f"{self.settings.host} answered a request for one object with several"
            heard = self.conversation.narrator.heard(reply)
            raise Rejected(message, code=MULTIPLE_ENTRIES, heard=heard)
        if answer is None or not answer.resources:
            if isinstance(reply.content, dict) and get(reply.content, "schemas") is not None:
                return reply.content
            what = "did not answer with a resource"
            raise incompatible(reply, asked, self.conversation.narrator, what)
        return answer.resources[0]

    # searching

    async def find(self, query: MatchQuery) -> Sequence[Entry]:
        shape = self.shape(query.kind)
        mapped = shape.mapped(query.attribute)
        if not self.abilities.has_filter:
            return await self._search(shape, mapped, query.value)
        reply = await self._filtered(shape, mapped, query.value)
        if reply.status in (404, 410) and self.settings.quirks.probe_404_as_empty:
            return ()
        if not reply.is_success:
            await self.judge(reply, Asked.QUERY)
        self._refusals = 0
        resources = self._list(reply, Asked.QUERY).resources
        found = self._matching(shape, mapped, query.value, resources)
        if resources and not found:
            what = f"answers a filter on {query.attribute} with objects that do not have the value"
            raise incompatible(reply, Asked.QUERY, self.conversation.narrator, what)
        return found

    async def _filtered(self, shape: Shape, mapped: Mapped, value: Value) -> Reply:
        """Ask in the form that this server understands; it refuses those it does not."""
        forms = list(paths.equals(mapped.path, _literal(mapped, value)))
        if self.settings.patch_style.is_entra and len(forms) > 1:
            forms[0], forms[1] = forms[1], forms[0]
        first = self._filters.get(mapped.path.text, 0)
        replies: list[Reply] = []
        for number in range(first, len(forms)):
            reply = await self._get(shape.address(), _filter_query(shape, forms[number]))
            replies.append(reply)
            if reply.status not in (400, 501):
                self._filters[mapped.path.text] = number
                return reply
        return replies[0]

    def _matching(
        self, shape: Shape, mapped: Mapped, value: Value, resources: Sequence[JsonObject]
    ) -> tuple[Entry, ...]:
        """Return those that really have the value, each once (spec: scim-target Q4)."""
        wanted = value_of(raw_of(value, mapped.definition), mapped.definition, shape.kind)
        found: dict[Anchor, Entry] = {}
        for resource in resources:
            said = read(shape, mapped, resource, self.settings.quirks)
            entry = entry_of(shape, resource, self.settings.quirks)
            if entry and _has(said, wanted, is_case_exact=mapped.definition.is_case_exact):
                found[entry.anchor] = entry
        return tuple(found.values())

    async def _search(self, shape: Shape, mapped: Mapped, value: Value) -> Sequence[Entry]:
        """Look through everything, where the target cannot filter."""
        found: list[Entry] = []
        async for leaf in self._leaves(shape):
            found.extend(
                self._matching(shape, mapped, value, [one.content() for one in leaf.resources])
            )
        return found

    # listing

    async def list_all(self, kind: str) -> AsyncIterator[Listing]:
        shape = self.shape(kind)
        try:
            prints = Prints(shape, self.settings.quirks)
            async for leaf in self._leaves(shape):
                sealed = tuple(self._sealed(shape, prints, sent) for sent in leaf.resources)
                yield Listing(Opened(sealed), leaf.total, sealed)
        except Rejected:
            self._lists = False
            raise

    async def referred(
        self, kind: str, anchor: Anchor, name: str, known: frozenset[Reference]
    ) -> Referred:
        """Read a group with its members; not every server says of which kind each is."""
        shape = self.shape(kind)
        if not shape.is_group or name != MEMBERS:
            raise Rejected(f"{name} of a {kind} is not read", code="NotImplemented")
        reply = await self.get_when_settled(shape, anchor, with_members=True)
        if reply.status in (404, 410):
            raise Stale(f"there is no {kind} {anchor}", code="InvalidAnchor")
        resource = await self.resource(reply, Asked.READ)
        if (id_of(resource) or anchor) != anchor:
            what = "answers with another object than it was asked for"
            raise incompatible(reply, Asked.READ, self.conversation.narrator, what)
        shown = {
            member: text_of(get(one, "type"))
            for one in items(get(resource, MEMBERS))
            if (member := anchor_of(one))
        }
        there = frozenset(one for one in known if one.anchor in shown)
        ours = {one.anchor for one in there}
        others = frozenset(Reference(k, a) for a, k in shown.items() if a not in ours)
        return Referred(there, others)

    def _sealed(self, shape: Shape, prints: Prints, sent: Sent) -> Sealed:
        def read() -> Entry:
            entry = entry_of(shape, sent.content(), self.settings.quirks)
            assert entry is not None, "what has no id is not listed"
            return entry

        return Sealed(Anchor(sent.id), prints.of(sent), read)

    def _leaves(self, shape: Shape) -> AsyncIterator[listing.Leaf]:
        async def ask(query: str) -> SentPage:
            reply = await self.conversation.ask(
                Request(
                    method="GET",
                    path=shape.address(),
                    query=_joined(shape, query),
                    is_left_unread=True,
                )
            )
            await self.judge(reply, Asked.LIST)
            page = sent_page(reply.body)
            return self._list_or_raise(reply, Asked.LIST, page)

        page = listing.by_cursor if self.abilities.has_cursors else listing.by_index
        return page(ask, self._page_size)

    def _list(self, reply: Reply, asked: Asked) -> ListAnswer:
        narrator = self.conversation.narrator
        if not reply.is_success:
            raise failure_of(reply, asked, narrator)
        return self._list_or_raise(reply, asked, list_answer(reply.content))

    def _list_or_raise(self, reply: Reply, asked: Asked, answer: A | None) -> A:
        if answer is None:
            narrator = self.conversation.narrator
            raise incompatible(reply, asked, narrator, "did not answer with a list of resources")
        return answer

    # all of them

    async def judge(self, reply: Reply, asked: Asked) -> None:
        """Raise what a reply that is no success means.

        Many refusals for lack of rights in a row are judged by a probe, which raises Denied where
        the target has closed its doors altogether.
        """
        if reply.is_success:
            self._refusals = 0
            return
        self._refusals = self._refusals + 1 if reply.status == 403 else 0
        if self._refusals >= REFUSALS_MAX and asked is not Asked.PROBE:
            self._refusals = 0
            await self.probe()
        raise self.failure(reply, asked)

    def failure(self, reply: Reply, asked: Asked) -> AdapterError:
        return failure_of(reply, asked, self.conversation.narrator)

    async def _get(self, path: str, query: str = "") -> Reply:
        return await self.conversation.ask(Request(method="GET", path=path, query=query))

    def _now(self) -> float:
        return self._clock.now().timestamp()


def _joined(shape: Shape, query: str) -> str:
    """Return a query for a kind: groups are never asked for their members (behaviour 9.4)."""
    parts = (WITHOUT_MEMBERS if shape.is_group else "", query)
    return "&".join(part for part in parts if part)


def _filter_query(shape: Shape, expression: str) -> str:
    return _joined(shape, f"filter={quote(expression, safe='')}")


def _literal(mapped: Mapped, value: Value) -> str:
    raw = raw_of(value, mapped.definition)
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, int):
        return str(raw)
    return paths.quoted(raw if isinstance(raw, str) else str(raw))


def _has(said: Value | None, wanted: Value | None, *, is_case_exact: bool) -> bool:
    """Tell whether an attribute has a value; of several, any may be it."""
    if isinstance(wanted, tuple) and len(wanted) == 1:
        wanted = wanted[0]
    if isinstance(said, tuple) and not isinstance(wanted, tuple):
        return any(is_same(one, wanted, is_case_exact=is_case_exact) for one in said)
    return is_same(said, wanted, is_case_exact=is_case_exact)
