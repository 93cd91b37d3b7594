"""Asking a SCIM service as a source: whatever it answers that is no answer ends the read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import quote

from provisor.connectors.around.pace import Line
from provisor.connectors.around.trace import Trace
from provisor.connectors.http.body import JsonObject, get, items, text_of
from provisor.connectors.http.conversation import Request
from provisor.connectors.http.replies import Reply
from provisor.connectors.scim import paths
from provisor.connectors.scim.discovery import Discovered
from provisor.connectors.scim.failures import Asked, failure_of, scim_type_of
from provisor.connectors.scim.generation import AskPage, CursorLost, Pages, by_cursor, by_index
from provisor.connectors.scim.naming import GROUP, USER
from provisor.connectors.scim.reader import ScimReader
from provisor.connectors.scim.resources import Shape
from provisor.connectors.scim.settings import Paging, ScimSettings
from provisor.connectors.scim.values import anchor_of
from provisor.connectors.scim.wire import ERROR, ListAnswer, id_of, list_answer
from provisor.errors import Denied, Rejected, Throttled, Unanswered, Unreachable, WatermarkExpired
from provisor.model.entries import Anchor, Reference
from provisor.ports import Clock, Entropy

LOST_CURSORS: Final = frozenset({"invalidcursor", "expiredcursor"})


class Service:
    """A SCIM service, read only."""

    def __init__(
        self,
        settings: ScimSettings,
        clock: Clock,
        entropy: Entropy,
        *,
        pace: Line | None = None,
        trace: Trace | None = None,
    ) -> None:
        self._settings, self._clock = settings, clock
        self._reader = ScimReader(settings, {}, clock, entropy, pace=pace, trace=trace)
        self._kinds: dict[str, str] = {}
        """The kind of each id that was seen: members do not always say theirs."""

    async def time(self) -> datetime:
        """Return what time the service has; ours, where it does not say."""
        reply = await self.ask("/ServiceProviderConfig")
        date = reply.headers.get("date", "")
        try:
            return parsedate_to_datetime(date).astimezone(UTC)
        except (ValueError, TypeError):
            return self._clock.now()

    async def close(self) -> None:
        await self._reader.close()

    async def pages(self) -> Pages:
        """Return how lists are paged: one way for all, never both."""
        paging = self._settings.reading.paging
        if paging is Paging.AUTO:
            abilities = (await self.discovered()).abilities
            return by_cursor if abilities.offers_cursors else by_index
        return by_cursor if paging is Paging.CURSOR else by_index

    async def page_size(self) -> int:
        most = (await self.discovered()).abilities.results_max
        return min(self._settings.page_size, most or self._settings.page_size)

    async def discovered(self) -> Discovered:
        """Return what the service says of itself, asked once."""
        return await self._reader.discover()

    async def ask(self, path: str, query: str = "") -> Reply:
        """Return an answer, whatever it is. Raises Unreachable, Denied."""
        try:
            return await self._reader.conversation.ask(
                Request(method="GET", path=path, query=query)
            )
        except (Unanswered, Throttled, Rejected) as error:
            raise Unreachable(str(error), code=error.code, heard=error.heard) from error

    def broken(self, reply: Reply, asked: Asked) -> Unreachable | Denied:
        """Return what to raise for an answer that ends a read."""
        narrator = self._reader.conversation.narrator
        failure = failure_of(reply, asked, narrator)
        if reply.status in (401, 403) or isinstance(failure, Denied):
            return Denied(str(failure), code=failure.code, heard=failure.heard)
        return Unreachable(str(failure), code=failure.code, heard=failure.heard)

    def nonsense(self, reply: Reply, what: str) -> Unreachable:
        heard = self._reader.conversation.narrator.heard(reply)
        message = f"{self._settings.host} {what}"
        return Unreachable(message, code="SourceReadIncomplete", heard=heard)

    def asker(self, shape: Shape, query: str) -> AskPage:
        """Return what asks for the pages of a kind."""

        async def ask(paged: str) -> ListAnswer:
            joined = "&".join(part for part in (query, paged) if part)
            reply = await self.ask(shape.address(), joined)
            if query and reply.status in (400, 501) and not _has_lost_cursor(reply):
                raise WatermarkExpired(
                    "the service cannot tell what changed: it refuses the filter"
                )
            return self._list(reply)

        return ask

    def _list(self, reply: Reply) -> ListAnswer:
        if not reply.is_success:
            if _has_lost_cursor(reply):
                raise CursorLost(f"the service answered {scim_type_of(reply)}")
            raise self.broken(reply, Asked.LIST)
        answer = list_answer(reply.content)
        if answer is None:
            raise self.nonsense(reply, "did not answer with a list of resources")
        return answer

    async def one(self, shape: Shape, anchor: Anchor) -> JsonObject | None:
        """Return one resource, or None if the service knows that it is not there."""
        reply = await self.ask(shape.address(anchor))
        if reply.status in (404, 410):
            return await self._absent(shape, anchor, reply)
        if not reply.is_success:
            raise self.broken(reply, Asked.READ)
        if not isinstance(reply.content, dict) or id_of(reply.content) != anchor:
            raise self.nonsense(reply, f"answered with something else than {shape.kind} {anchor}")
        return reply.content

    async def _absent(self, shape: Shape, anchor: Anchor, reply: Reply) -> JsonObject | None:
        """Believe a 404 that SCIM speaks; one of a gateway in between is no answer.

        Where it says nothing of itself, a search by id decides.
        """
        schemas = get(reply.content, "schemas")
        if isinstance(schemas, list) and ERROR in schemas:
            return None
        text = quote(f"id eq {paths.quoted(anchor)}", safe="")
        found = await self.ask(shape.address(), f"filter={text}")
        answer = list_answer(found.content) if found.is_success else None
        if answer is None:
            what = f"did not say whether {shape.kind} {anchor} is there (HTTP {reply.status})"
            raise self.nonsense(reply, what)
        return next((one for one in answer.resources if id_of(one) == anchor), None)

    # members

    def note(self, anchor: Anchor, shape: Shape) -> None:
        self._kinds[anchor] = shape.kind

    async def members(
        self, resource: JsonObject, shapes: Mapping[str, Shape]
    ) -> tuple[Reference, ...]:
        """Return whom a group names, each once, in an order of their own."""
        found: set[Reference] = set()
        for member in items(get(resource, "members")):
            anchor = anchor_of(member)
            if anchor is None:
                message = f"a member of the group {id_of(resource)} does not say who it is"
                raise Unreachable(message, code="SourceReadIncomplete")
            found.add(Reference(_said_kind(member) or await self._kind(anchor, shapes), anchor))
        return tuple(sorted(found, key=lambda one: (one.anchor, one.kind)))

    async def _kind(self, anchor: Anchor, shapes: Mapping[str, Shape]) -> str:
        if anchor not in self._kinds:
            is_user = await self.one(shapes[USER], anchor) is not None
            self._kinds[anchor] = USER if is_user else GROUP
        return self._kinds[anchor]


def _has_lost_cursor(reply: Reply) -> bool:
    return reply.status == 400 and scim_type_of(reply).lower() in LOST_CURSORS


def _said_kind(member: JsonObject) -> str:
    """Return the kind that a member says of itself, by its type or by its address."""
    said = text_of(get(member, "type")).lower()
    address = text_of(get(member, "$ref")).lower()
    for kind in (USER, GROUP):
        if said == kind.lower() or f"/{kind.lower()}s/" in f"/{address}":
            return kind
    return ""
