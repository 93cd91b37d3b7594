"""A SCIM 2.0 service as a source of people and groups.

A snapshot is as many generations of pages as it takes to have one that fits together. Changes by
`meta.lastModified` see no deletion: from time to time everything is read. Groups are always read
whole, because few services move the date of a group when its members change.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote

from provisor.connectors.around.pace import Line
from provisor.connectors.around.trace import Trace
from provisor.connectors.http.body import JsonObject, get
from provisor.connectors.scim import marks
from provisor.connectors.scim.asking import Service
from provisor.connectors.scim.generation import (
    GENERATIONS_MAX,
    AskPage,
    CursorLost,
    Generation,
    Unsound,
)
from provisor.connectors.scim.marks import Mark, hash_of
from provisor.connectors.scim.naming import MEMBERS, shapes_of
from provisor.connectors.scim.resources import Shape, entry_of
from provisor.connectors.scim.settings import Changes, ScimSettings
from provisor.connectors.scim.values import moment_of
from provisor.connectors.scim.wire import id_of
from provisor.errors import Unreachable, WatermarkExpired
from provisor.model.entries import (
    Anchor,
    Change,
    Entry,
    EntryKey,
    Page,
    ReadFault,
    Receipt,
    Seen,
    System,
    Watermark,
)
from provisor.ports import Clock, Entropy

FINEST: Final = timedelta(seconds=1)
"""Texts of unequal precision compare wrongly within one second (`…:00.5Z` before `…:00Z`)."""


@dataclass(slots=True)
class _Read:
    """What one pull has shown so far, by kind."""

    began: datetime
    """By the service's clock: its dates are compared with it."""
    shown: dict[str, dict[str, str]] = field(default_factory=dict[str, "dict[str, str]"])
    """Hashes of what was shown, by id."""
    recent: dict[str, dict[str, str]] = field(default_factory=dict[str, "dict[str, str]"])
    """Of these, the ones that the next read of changes will be shown again."""
    totals: dict[str, int | None] = field(default_factory=dict[str, "int | None"])
    is_proven: dict[str, bool] = field(default_factory=dict[str, bool])
    """Whether there was anything that says that this was all."""
    void: dict[str, str] = field(default_factory=dict[str, str])
    is_dated: bool = True
    """Every user says when it changed."""


class ScimSource:
    """Implements `ports.Source` for a SCIM 2.0 service."""

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
        self._service = Service(settings, clock, entropy, pace=pace, trace=trace)
        self._shapes = shapes_of(settings.reading)

    @property
    def system(self) -> System:
        return System(self._settings.base, self._settings.account)

    async def pull(self, since: Watermark | None) -> AsyncIterator[Page | Receipt]:
        mark = self._mark(since)
        read = _Read(await self._service.time())
        for kind, shape in self._shapes.items():
            async for page in self._kind(shape, read, mark):
                yield Page(page.changes, since, page.faults)
            if kind not in read.void and mark is None and not read.is_proven[kind]:
                yield self._unproven(kind, read)
        yield self._receipt(read, mark)

    async def fetch(self, key: EntryKey) -> Entry | None:
        shape = self._shapes.get(key.kind)
        resource = await self._service.one(shape, key.anchor) if shape else None
        if shape is None or resource is None:
            return None
        return await self._entry(shape, resource)

    async def close(self) -> None:
        await self._service.close()

    # watermarks

    @property
    def _view(self) -> str:
        reading, settings = self._settings.reading, self._settings
        names = sorted(f"{path}={name}" for path, name in reading.attributes.items())
        return " ".join((settings.base, settings.query, settings.account, *names))

    def _mark(self, since: Watermark | None) -> Mark | None:
        """Return what a watermark means. Raises WatermarkExpired where all is to be read."""
        if since is None:
            return None
        mark = marks.read(since, self._view)
        reading = self._settings.reading
        if reading.changes is Changes.SNAPSHOT:
            raise WatermarkExpired("this source tells no changes: everything is read")
        age_s = (self._clock.now() - mark.full_at).total_seconds()
        if not 0 <= age_s < reading.full_read_every_s:
            raise WatermarkExpired("it is time to read everything, to see who has been deleted")
        return mark

    @property
    def _overlap(self) -> timedelta:
        return timedelta(seconds=self._settings.reading.overlap_s) + FINEST

    def _receipt(self, read: _Read, mark: Mark | None) -> Receipt:
        rows = {kind: len(shown) for kind, shown in read.shown.items()}
        watermark: Watermark | None = None
        tells_changes = self._settings.reading.changes is Changes.TIMESTAMPS
        if tells_changes and read.is_dated and not read.void:
            full_at = mark.full_at if mark else self._clock.now()
            written = Mark(view=self._view, until=read.began, full_at=full_at, known=read.recent)
            watermark = marks.write(written)
        totals = [total for total in read.totals.values() if total is not None]
        is_counted = mark is None and len(totals) == len(rows) and sum(totals) == sum(rows.values())
        return Receipt(
            is_snapshot=mark is None,
            rows=rows,
            total=sum(totals) if is_counted else None,
            watermark=watermark,
            void=read.void,
        )

    def _unproven(self, kind: str, read: _Read) -> Page:
        where = f"{self._settings.host}/{self._shapes[kind].endpoint}"
        message = "the service says no totalResults, so that nobody can tell whether this was all"
        read.void[kind] = message
        return Page((), None, (ReadFault(kind=kind, where=where, message=message),))

    # one kind

    async def _kind(self, shape: Shape, read: _Read, mark: Mark | None) -> AsyncIterator[Page]:
        """Yield a kind, in as many generations as it takes.

        Raises Unreachable where none of them fits together.
        """
        read.shown[shape.kind], read.recent[shape.kind] = {}, {}
        page_by = await self._service.pages()
        ask = self._asker(shape, mark)
        doubts: list[str] = []
        for _ in range(GENERATIONS_MAX):
            generation = Generation(await self._service.page_size())
            try:
                async for answer in page_by(generation, ask):
                    changes = [
                        change
                        for resource in answer.resources
                        async for change in self._changes(shape, resource, read, mark)
                    ]
                    nameless = [r for r in answer.resources if not id_of(r)]
                    faults = tuple(self._nameless(shape, read) for _ in nameless)
                    yield Page(tuple(changes), None, faults)
            except (Unsound, CursorLost) as doubt:
                doubts.append(str(doubt))
                continue
            read.totals[shape.kind] = generation.last_total
            read.is_proven[shape.kind] = generation.is_proven
            return
        message = (
            f"the pages of {self._settings.host}/{shape.endpoint} do not fit together: "
            f"{'; '.join(dict.fromkeys(doubts))}"
        )
        raise Unreachable(message, code="SourceReadIncomplete")

    def _asker(self, shape: Shape, mark: Mark | None) -> AskPage:
        """Return what asks for pages: of everything, or of what changed."""
        query = ""
        if mark is not None and not shape.is_group:
            query = changed_since(mark.until - self._overlap)
        return self._service.asker(shape, query)

    async def _changes(
        self, shape: Shape, resource: JsonObject, read: _Read, mark: Mark | None
    ) -> AsyncIterator[Change]:
        anchor, kind = id_of(resource), shape.kind
        if not anchor:
            return
        if shape.is_group and get(resource, "members") is None:
            # A list may leave the members out: that says nothing of them.
            resource = await self._service.one(shape, Anchor(anchor)) or resource
        digest = hash_of(resource)
        self._note_recent(shape, resource, digest, read)
        if read.shown[kind].get(anchor) == digest:
            return
        read.shown[kind][anchor] = digest
        if mark is None or mark.known.get(kind, {}).get(anchor) != digest:
            yield Seen(await self._entry(shape, resource))

    def _note_recent(self, shape: Shape, resource: JsonObject, digest: str, read: _Read) -> None:
        """Remember what the next read of changes will be shown again."""
        if self._settings.reading.changes is Changes.SNAPSHOT:
            return
        changed = moment_of(get(get(resource, "meta"), "lastModified"))
        if shape.is_group:
            read.recent[shape.kind][id_of(resource)] = digest
        elif changed is None:
            read.is_dated = False
        elif changed >= read.began - self._overlap - FINEST:
            read.recent[shape.kind][id_of(resource)] = digest

    def _nameless(self, shape: Shape, read: _Read) -> ReadFault:
        message = "a resource has no id; let the service give it one"
        read.void[shape.kind] = message
        where = f"{self._settings.host}/{shape.endpoint}"
        return ReadFault(kind=shape.kind, where=where, message=message)

    async def _entry(self, shape: Shape, resource: JsonObject) -> Entry:
        """Return what a resource says, with its members."""
        entry = entry_of(shape, resource, self._settings.quirks)
        assert entry is not None, "who has no id is no entry"
        if not shape.is_group:
            self._service.note(entry.anchor, shape)
            return entry
        members = await self._service.members(resource, self._shapes)
        said = {**entry.attributes, MEMBERS: members} if members else entry.attributes
        return Entry(entry.kind, entry.anchor, said, entry.version)


def changed_since(moment: datetime) -> str:
    """Return the query for what changed at a moment or later, which is told in whole seconds."""
    text = moment.replace(microsecond=0).isoformat().replace("+00:00", "Z")
    return "filter=" + quote(f'meta.lastModified ge "{text}"', safe="")
