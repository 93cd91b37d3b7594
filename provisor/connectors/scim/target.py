"""Writing to a SCIM 2.0 target, and seeing what it made of it (spec: scim-target 5 to 7)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import assert_never
from urllib.parse import unquote, urlsplit

from provisor.connectors.around.pace import Line
from provisor.connectors.around.trace import Trace
from provisor.connectors.http.body import get, items
from provisor.connectors.http.replies import Reply
from provisor.connectors.scim import patch, resources
from provisor.connectors.scim.bodies import BodiesOf
from provisor.connectors.scim.failures import INCOMPATIBLE, Asked, scim_type_of
from provisor.connectors.scim.patch import Edit
from provisor.connectors.scim.reader import Kinds, ScimReader
from provisor.connectors.scim.resources import Shape
from provisor.connectors.scim.settings import ScimSettings
from provisor.connectors.scim.updates import REFUSED_SHAPE, Updater
from provisor.connectors.scim.values import anchor_of
from provisor.connectors.scim.wire import id_of, version_of
from provisor.errors import AdapterError, Unanswered
from provisor.model.decisions import (
    AttributeChange,
    Create,
    Delete,
    Exported,
    ReferencesChange,
    Update,
    Write,
)
from provisor.model.entries import (
    Anchor,
    Attributes,
    Entry,
    MatchQuery,
    Reference,
    System,
)
from provisor.model.frozen import replace
from provisor.ports import Capabilities, Clock, Entropy, Listing, Referred


class ScimTarget:
    """Implements `ports.Target` for a SCIM 2.0 service."""

    def __init__(
        self,
        settings: ScimSettings,
        kinds: Kinds,
        clock: Clock,
        entropy: Entropy,
        *,
        pace: Line | None = None,
        trace: Trace | None = None,
    ) -> None:
        self._settings = settings
        self._reader = ScimReader(
            settings, kinds, clock, entropy, pace=pace, trace=trace, is_read_only=False
        )
        self._updater = Updater(self._reader, clock)
        self._bodies = BodiesOf()
        self._looked_back: set[tuple[str, str]] = set()
        self._answers_in_part: set[str] = set()

    @property
    def system(self) -> System:
        return self._reader.system

    @property
    def capabilities(self) -> Capabilities:
        return self._reader.capabilities

    async def probe(self) -> None:
        await self._reader.probe()

    async def fetch(self, kind: str, anchor: Anchor) -> Entry | None:
        return await self._reader.fetch(kind, anchor)

    async def find(self, query: MatchQuery) -> Sequence[Entry]:
        return await self._reader.find(query)

    def list_all(self, kind: str) -> AsyncIterator[Listing]:
        return self._reader.list_all(kind)

    async def referred(
        self, kind: str, anchor: Anchor, name: str, known: frozenset[Reference]
    ) -> Referred:
        return await self._reader.referred(kind, anchor, name, known)

    async def close(self) -> None:
        await self._reader.close()

    async def members(self, kind: str, group: Anchor) -> set[Anchor]:
        """Return the ids that a group shows as its members: for probes, no cycle asks for them."""
        shape = self._reader.shape(kind)
        reply = await self._reader.get_when_settled(shape, group, with_members=True)
        resource = await self._reader.resource(reply, Asked.READ)
        named = (anchor_of(member) for member in items(get(resource, "members")))
        return {anchor for anchor in named if anchor is not None}

    async def export(self, write: Write) -> Exported:
        match write:
            case Create():
                return await self._create(write)
            case Update():
                return await self._update(write)
            case Delete(kind, anchor):
                return await self._delete(kind, anchor)
            case _:
                assert_never(write)

    async def _create(self, write: Create) -> Exported:
        shape = self._reader.shape(write.kind)
        reply = await self._post(shape, write.attributes)
        await self._reader.judge(reply, Asked.CREATE)
        anchor = _created(shape, reply)
        if anchor is None:
            message = f"{self._settings.host} created an object and did not say which"
            told = self._reader.conversation.narrator.heard(reply)
            raise Unanswered(message, code=INCOMPATIBLE, heard=told)
        self._reader.note_created(anchor)
        return await self._told(shape, anchor, reply, write.attributes, "create")

    async def _post(self, shape: Shape, attributes: Attributes) -> Reply:
        """Create an object; a refusal is definite, so that a reference may be spelled otherwise."""
        body = self._bodies.create(shape, attributes, self._updater.spelling)
        reply = await self._updater.send(
            "POST", shape.address(), body.content, secrets=body.secrets
        )
        if reply.status == 400 and scim_type_of(reply) in REFUSED_SHAPE and _points(attributes):
            for spelling in self._updater.other_spellings():
                content = resources.body_of(shape, attributes, spelling)
                other = await self._updater.send(
                    "POST", shape.address(), content, secrets=body.secrets
                )
                if other.is_success or other.status != 400:
                    return other
        return reply

    async def _update(self, write: Update) -> Exported:
        shape = self._reader.shape(write.kind)
        changes = [c for c in write.changes if isinstance(c, AttributeChange)]
        edits = patch.edits_of(shape, changes, self._updater.spelling)
        exported = Exported(write.anchor, write.version)
        if edits:
            reply = await self._updater.change(shape, write, edits)
            self._note_active(write.anchor, edits)
            written = {edit.path.text: edit.after for edit in edits if edit.after is not None}
            exported = await self._told(shape, write.anchor, reply, written, "update")
        for change in write.changes:
            if isinstance(change, ReferencesChange) and (change.added or change.removed):
                reply = await self._updater.refer(shape, write.anchor, change)
                exported = replace(exported, version=None, heard=reply.heard)
        return exported

    async def _delete(self, kind: str, anchor: Anchor) -> Exported:
        reply = await self._updater.send("DELETE", self._reader.shape(kind).address(anchor))
        if reply.status not in (404, 410):
            await self._reader.judge(reply, Asked.DELETE)
        return Exported(None, heard=reply.heard)

    def _note_active(self, anchor: Anchor, edits: Sequence[Edit]) -> None:
        for edit in edits:
            if self._settings.quirks.inactive_is_gone and edit.path.text.lower() == "active":
                self._reader.note_active(anchor, is_active=edit.after not in (False, "False"))

    # what came of it

    async def _told(
        self, shape: Shape, anchor: Anchor, reply: Reply, written: Attributes, verb: str
    ) -> Exported:
        """Return what the target made of a write, as far as it tells.

        After the first write of each kind it is asked: servers drop attributes silently, and some
        answer with a part of the resource only, which must not be taken for the whole.
        """
        content = reply.content if isinstance(reply.content, dict) else {}
        version = version_of(content) or self._reader.tag(reply) or None
        said: Attributes | None = None
        if id_of(content) and resources.shows_whole(shape, content):
            said = resources.attributes_of(shape, content, self._settings.quirks)
        if self._settings.reads_back and (shape.kind, verb) not in self._looked_back:
            self._looked_back.add((shape.kind, verb))
            if entry := await self._look_back(shape, anchor):
                if said is not None and said != entry.attributes:
                    self._answers_in_part.add(shape.kind)
                said, version = entry.attributes, entry.version
        elif shape.kind in self._answers_in_part:
            said = None
        shown = None if said is None else _overlaid(shape, said, written)
        return Exported(anchor, version, shown, reply.heard)

    async def _look_back(self, shape: Shape, anchor: Anchor) -> Entry | None:
        """Return what is stored. The write is done: that it cannot be seen is no failure of it."""
        try:
            return await self._reader.fetch(shape.kind, anchor)
        except AdapterError:
            return None


def _created(shape: Shape, reply: Reply) -> Anchor | None:
    """Return what was created, by its id, else by its address; None if the reply does not say."""
    if named := id_of(reply.content):
        return Anchor(named)
    path = urlsplit(reply.headers.get("location", "")).path
    _, found, last = path.rpartition(f"/{shape.endpoint}/")
    return Anchor(unquote(last.strip("/"))) or None if found else None


def _points(attributes: Attributes) -> bool:
    return any(isinstance(value, Reference) for value in attributes.values())


def _overlaid(shape: Shape, said: Attributes, written: Attributes) -> Attributes:
    """Return what an object says, with what was written where nobody can read it (Q10)."""
    unread = {name: value for name, value in written.items() if shape.is_secret(name)}
    return {**said, **unread}
