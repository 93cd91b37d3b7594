"""A tenant as a source, by delta query (spec: behaviour 20).

A round ends at its deltaLink: only then is a group's membership complete, and only then is anything
shown. Within a round an object may come several times and in any order, and rounds repeat what
earlier ones have told: patches are merged, and a removal is believed once a look agrees with it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from provisor.connectors.around.pace import Line
from provisor.connectors.around.trace import Trace
from provisor.connectors.http.body import JsonObject, get, items, text_of
from provisor.connectors.http.replies import Reply
from provisor.connectors.msgraph import marks
from provisor.connectors.msgraph.asking import Tenant
from provisor.connectors.msgraph.failures import is_absent
from provisor.connectors.msgraph.image import Held, Image
from provisor.connectors.msgraph.marks import Mark
from provisor.connectors.msgraph.naming import (
    EXPANDED,
    GROUP,
    MANAGER,
    Shape,
    entry_of,
    pointed_of,
    shapes_of,
)
from provisor.connectors.msgraph.settings import GraphSettings
from provisor.errors import WatermarkExpired
from provisor.model.entries import (
    Absence,
    Anchor,
    Change,
    Entry,
    EntryKey,
    Gone,
    Page,
    Receipt,
    Seen,
    System,
    Watermark,
)
from provisor.ports import Clock, Documents, Entropy

PAGES_MAX: Final = 1_000_000
MEMBERS_PAGE: Final = 999
RESYNCS_MAX: Final = 2


@dataclass(slots=True)
class _Round:
    """What one round has told of one kind."""

    touched: dict[str, None] = field(default_factory=dict[str, None])
    """Ids in the order in which they came."""
    removed: dict[str, str] = field(default_factory=dict[str, str])
    """Reasons by id."""
    returned: set[str] = field(default_factory=set[str])
    """Those that came both as removed and as there."""
    link: str = ""


class GraphSource:
    """Implements `ports.Source` for the users and groups of a tenant."""

    def __init__(
        self,
        settings: GraphSettings,
        documents: Documents,
        owner: str,
        clock: Clock,
        entropy: Entropy,
        *,
        pace: Line | None = None,
        trace: Trace | None = None,
        page_size: int = 1_000,
    ) -> None:
        """`owner` names the image among the documents; `page_size` is that of what is shown."""
        self._settings, self._clock, self._entropy = settings, clock, entropy
        self._documents, self._owner, self._page_size = documents, owner, page_size
        self._tenant = Tenant(settings, clock, entropy, pace=pace, trace=trace)
        self._shapes = shapes_of(settings)

    @property
    def system(self) -> System:
        identity = f"{self._settings.base} {self._settings.tenant}".strip()
        return System(identity, self._settings.account)

    @property
    def _view(self) -> str:
        selected = (f"{s.endpoint}:{s.select}" for s in self._shapes.values())
        return " ".join((self.system.identity, self._settings.account, *selected))

    async def pull(self, since: Watermark | None) -> AsyncIterator[Page | Receipt]:
        now, mark = self._clock.now(), None
        if since is not None:
            every_s = self._settings.full_read_every_s
            mark = marks.read(since, self._view, now, every_s)
        generation = mark.generation if mark else self._entropy.uuid()
        rows: dict[str, int] = {}
        links: dict[str, str] = {}
        deleted: set[str] = set()
        for kind, shape in self._shapes.items():
            image = Image(self._documents, self._owner, shape, generation)
            told = await self._round(shape, image, mark.links[kind] if mark else "")
            told.touched |= dict.fromkeys(await image.forget_pointed(deleted))
            changes = [change async for change in self._changes(shape, image, told)]
            await image.save()  # before the watermark: a patch may come twice, never not at all
            for first in range(0, len(changes), self._page_size):
                yield Page(tuple(changes[first : first + self._page_size]), since)
            links[kind] = told.link
            rows[kind] = sum(isinstance(change, Seen) for change in changes)
            deleted |= {
                change.key.anchor
                for change in changes
                if isinstance(change, Gone) and change.absence is Absence.DELETED
            }
        written = Mark(
            view=self._view,
            generation=generation,
            at=now,
            full_at=mark.full_at if mark else now,
            links=links,
        )
        yield Receipt(is_snapshot=mark is None, rows=rows, watermark=marks.write(written))

    # a round of delta pages

    async def _round(self, shape: Shape, image: Image, link: str) -> _Round:
        """Merge all pages up to the deltaLink. Raises WatermarkExpired, Unreachable, Denied."""
        is_first = not link
        if is_first:
            link = f"/{shape.endpoint}/delta?{self._selection(shape)}"
            image.begin()
        told, seen, resyncs = _Round(), set[str](), 0
        while not told.link:
            if link in seen or len(seen) > PAGES_MAX:
                raise self._tenant.nonsense("gave a link that it had given already")
            seen.add(link)
            path, _, query = link.partition("?")
            reply = await self._tenant.read(path, query, self._preferences())
            if reply.status == 410:
                if not is_first or resyncs == RESYNCS_MAX:
                    raise WatermarkExpired("Graph wants everything to be read again (410)")
                resyncs += 1
                told, seen, link = _Round(), set[str](), self._resync(shape, reply)
                image.begin()
                continue
            link = await self._merge(image, reply, told)
        return told

    def _selection(self, shape: Shape) -> str:
        return "$select=" + quote(f"{shape.select},{shape.pointing}", safe=",")

    def _preferences(self) -> dict[str, str]:
        return {"Prefer": f"odata.maxpagesize={self._settings.page_size}"}

    def _resync(self, shape: Shape, reply: Reply) -> str:
        """Return where a 410 sends us, if that is still the same origin."""
        location = reply.headers.get("location", "")
        if not location:
            return f"/{shape.endpoint}/delta?{self._selection(shape)}"
        return "?".join(self._tenant.place(location))

    async def _merge(self, image: Image, reply: Reply, told: _Round) -> str:
        """Merge one page; return where the next one is, empty at the end."""
        if reply.status in (400, 404) and "deltatoken" in str(reply.content).lower():
            raise WatermarkExpired("Graph does not know the delta token any longer")
        if not reply.is_success:
            raise self._tenant.broken(reply)
        content = reply.content
        listed = get(content, "value")
        following, end = (
            text_of(get(content, "@odata.nextLink")),
            text_of(get(content, "@odata.deltaLink")),
        )
        if not isinstance(listed, list) or bool(following) == bool(end):
            raise self._tenant.nonsense("answered with something else than a page of changes")
        for patch in items(listed):
            await self._take(image, patch, told)
        if end:
            told.link = "?".join(self._tenant.place(end))
        return "?".join(self._tenant.place(following)) if following else ""

    async def _take(self, image: Image, patch: JsonObject, told: _Round) -> None:
        id = text_of(patch.get("id"))
        if not id:
            raise self._tenant.nonsense("told of an object without saying which")
        if (removed := patch.get("@removed")) is not None:
            if id in told.touched and id not in told.removed:
                told.returned.add(id)
            told.removed[id] = text_of(get(removed, "reason"))
        else:
            if told.removed.pop(id, None) is not None:
                told.returned.add(id)
            await image.merge(patch)
        told.touched[id] = None

    # what is shown of it

    async def _changes(self, shape: Shape, image: Image, told: _Round) -> AsyncIterator[Change]:
        for id in told.touched:
            reason = told.removed.get(id)
            if reason is None and id not in told.returned and await image.is_whole(id):
                entry = await image.entry(id)
            else:  # a removal may be an old one that comes again, and a patch may be all we have
                entry = await self._look(shape, image, id)
            if entry is not None:
                yield Seen(entry)
            elif await image.remove(id) or reason is not None:
                absence = Absence.DELETED if reason == "deleted" else Absence.ABSENT
                yield Gone(EntryKey(shape.kind, Anchor(id)), absence)

    async def _look(self, shape: Shape, image: Image, id: str) -> Entry | None:
        """Look at an object, and remember what was seen."""
        held = await self._held(shape, id)
        if held is None:
            return None
        await image.put(id, held)
        return entry_of(shape, held.said, held.pointed)

    async def fetch(self, key: EntryKey) -> Entry | None:
        shape = self._shapes.get(key.kind)
        held = await self._held(shape, key.anchor) if shape else None
        return None if shape is None or held is None else entry_of(shape, held.said, held.pointed)

    async def _held(self, shape: Shape, id: str) -> Held | None:
        """Return an object as it is now, None if Graph says that it is not there."""
        path = f"/{shape.endpoint}/{quote(id, safe='')}"
        query = "$select=" + quote(shape.select, safe=",")
        reply = await self._tenant.read(path, query if shape.kind == GROUP else query + EXPANDED)
        if is_absent(reply):
            return None
        if not reply.is_success:
            raise self._tenant.broken(reply)
        if not isinstance(reply.content, dict) or text_of(reply.content.get("id")) != id:
            raise self._tenant.nonsense(f"answered with something else than {shape.kind} {id}")
        said = dict(reply.content)
        manager = said.pop(MANAGER, None)
        pointed = await self._members(path) if shape.kind == GROUP else pointed_of([manager])
        return Held(said, pointed)

    async def _members(self, path: str) -> dict[str, str]:
        found: dict[str, str] = {}
        path, query, seen = f"{path}/members", f"$select=id&$top={MEMBERS_PAGE}", set[str]()
        while True:
            reply = await self._tenant.read(path, query)
            if not reply.is_success:
                raise self._tenant.broken(reply)
            listed = get(reply.content, "value")
            if not isinstance(listed, list):
                raise self._tenant.nonsense("did not answer with a list of members")
            found |= pointed_of(listed)
            following = text_of(get(reply.content, "@odata.nextLink"))
            if not following:
                return found
            if following in seen:
                raise self._tenant.nonsense("gave a link that it had given already")
            seen.add(following)
            path, query = self._tenant.place(following)

    async def close(self) -> None:
        await self._tenant.close()
