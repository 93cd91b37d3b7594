"""Changing what is there, in the first way that the target understands (scim-target 5.2 to 7).

PATCH in the style that is set; where a server refuses a path into a list, the whole list; where it
refuses the shape of a reference, another shape; where it has no PATCH at all, the whole resource.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from provisor.connectors.http.body import Json, JsonObject, get, items
from provisor.connectors.http.conversation import Request
from provisor.connectors.http.replies import Reply
from provisor.connectors.scim import patch, paths
from provisor.connectors.scim.failures import UNRESOLVED, Asked, scim_type_of
from provisor.connectors.scim.members import MAY_CONCERN_ONE, MemberWriter
from provisor.connectors.scim.patch import Edit, Element, Operation
from provisor.connectors.scim.paths import TargetPath
from provisor.connectors.scim.quirks import ManagerFormat, PatchStyle
from provisor.connectors.scim.reader import ScimReader
from provisor.connectors.scim.resources import Shape, Spelling
from provisor.connectors.scim.values import anchor_of
from provisor.connectors.scim.wire import version_of
from provisor.errors import Rejected
from provisor.model.decisions import ReferencesChange, Update
from provisor.model.entries import Anchor, Reference, Value
from provisor.ports import Clock

MANAGER_FORMATS = (ManagerFormat.OBJECT, ManagerFormat.STRING, ManagerFormat.VALUE_PATH)
"""What is tried in turn where a reference is refused and no format is set."""
REFUSED_PATH = frozenset({"", "noTarget", "invalidPath", "invalidFilter", "invalidSyntax"})
REFUSED_SHAPE = frozenset({"", "invalidValue", "invalidSyntax", "invalidPath"})
NAMED_MAX = 5
GROUPS_NEED_PATCH = (
    "the target has no PATCH, and does not say that it shows the members of a group: putting a "
    "group back could remove them"
)

WITHOUT_EFFECT = (
    "the target took the whole group and did nothing about them. `provisor probe` with "
    "`probeWrites: true` finds out how it wants members changed"
)

NOBODY = "a change of members without members"


class _NoPatch(Exception):
    """The target has no PATCH."""


class Updater:
    """Writes for one target, and remembers which forms it does not understand."""

    def __init__(self, reader: ScimReader, clock: Clock) -> None:
        settings = reader.settings
        self._reader, self._clock, self._quirks = reader, clock, settings.quirks
        self.spelling = Spelling(settings.patch_style, settings.quirks, settings.base)
        self._with_patch: set[str] = set()
        self._without_patch: set[str] = set()
        self._needs_version = False
        self._members_max = settings.quirks.max_members_per_patch

    async def send(
        self,
        method: str,
        path: str,
        content: Json | bytes = None,
        *,
        version: str | None = None,
        secrets: tuple[str, ...] = (),
    ) -> Reply:
        request = Request(
            method=method, path=path, content=content, version=version, secrets=secrets
        )
        return await self._reader.conversation.ask(request)

    # attributes

    async def change(self, shape: Shape, write: Update, edits: Sequence[Edit]) -> Reply:
        """Carry out changes of attributes; return the reply to the last request."""
        if self._patches(shape):
            reply = await self._patch(shape, write, edits)
            if not self._lacks_patch(shape, reply):
                await self._reader.judge(reply, Asked.CHANGE)
                return reply
        return await self._put(shape, write, edits)

    def _patches(self, shape: Shape) -> bool:
        announced = self._reader.abilities.has_patch or not self._quirks.put_fallback
        return announced and shape.endpoint not in self._without_patch

    def _lacks_patch(self, shape: Shape, reply: Reply) -> bool:
        """Tell from a reply whether the target has no PATCH for this, and remember if for nothing.

        Who took one before has PATCH, and lacks this form of it: the next change is sent by PATCH.
        """
        if reply.is_success:
            self._with_patch.add(shape.endpoint)
        is_lacking = reply.status in (405, 501) and self._quirks.put_fallback
        if is_lacking and shape.endpoint not in self._with_patch:
            self._without_patch.add(shape.endpoint)
        return is_lacking or shape.endpoint in self._without_patch

    async def _patch(self, shape: Shape, write: Update, edits: Sequence[Edit]) -> Reply:
        existing = await self._existing(shape, write.anchor, edits)
        operations = patch.operations_of(shape, edits, self.spelling, existing)
        reply = await self._send_operations(shape, write, edits, operations)
        if any(edit.path.filter for edit in edits) and _is_refused(reply, REFUSED_PATH):
            reply = await self._patch_lists(shape, write, edits) or reply
        has_reference = any(edit.is_reference and edit.after for edit in edits)
        if has_reference and _is_refused(reply, REFUSED_SHAPE):
            for spelling in self.other_spellings():
                operations = patch.operations_of(shape, edits, spelling, existing)
                other = await self._send_operations(shape, write, edits, operations)
                if other.is_success:
                    self.spelling = spelling
                    return other
        return reply

    def other_spellings(self) -> Sequence[Spelling]:
        """Return the other shapes that a reference may have, where none is set."""
        if self.spelling.quirks.manager_format is not ManagerFormat.STYLE:
            return ()
        used = self.spelling.manager_format(is_patch=True)
        return tuple(
            replace(self.spelling, quirks=replace(self.spelling.quirks, manager_format=other))
            for other in MANAGER_FORMATS
            if other is not used
        )

    async def _patch_lists(
        self, shape: Shape, write: Update, edits: Sequence[Edit]
    ) -> Reply | None:
        """Replace each list as a whole, elements that do not change included."""
        resource = await self._resource(await self._read(shape, write.anchor))
        others = [edit for edit in edits if edit.path.filter is None]
        operations = (
            *patch.whole_lists(shape, resource, edits, self.spelling),
            *patch.operations_of(shape, others, self.spelling, ()),
        )
        reply = await self._send_operations(shape, write, edits, operations)
        return reply if reply.is_success else None

    async def _send_operations(
        self, shape: Shape, write: Update, edits: Sequence[Edit], operations: Sequence[Operation]
    ) -> Reply:
        secrets = secrets_of(shape, {e.path.text: e.after for e in edits if e.after is not None})
        parts = list(patch.in_parts(operations, self._quirks.max_operations_per_patch))
        version = write.version
        for part in parts[:-1]:
            body = patch.body_of(part)
            reply = await self._write("PATCH", shape, write.anchor, body, version, secrets)
            if not reply.is_success:
                return reply
            version = None
        body = patch.body_of(parts[-1])
        return await self._write("PATCH", shape, write.anchor, body, version, secrets)

    async def _existing(
        self, shape: Shape, anchor: Anchor, edits: Sequence[Edit]
    ) -> frozenset[Element]:
        """Return which elements are there, read where only the target itself can tell."""
        uncertain = patch.uncertain_elements(shape, edits)
        if not uncertain or self.spelling.style is not PatchStyle.RFC:
            return frozenset()
        resource = await self._resource(await self._read(shape, anchor))
        there = (edit.path for edit in edits if paths.has_element(resource, edit.path))
        return frozenset(path.element for path in there)

    # whole resources

    async def _put(self, shape: Shape, write: Update, edits: Sequence[Edit]) -> Reply:
        reply = await self._read(shape, write.anchor, with_members=True)
        resource = await self._resource(reply)
        self._may_put(shape, resource)
        body = patch.edited(shape, resource, edits, self.spelling)
        secrets = secrets_of(shape, {e.path.text: e.after for e in edits if e.after is not None})
        version = write.version or self._version(reply)
        reply = await self._write("PUT", shape, write.anchor, body, version, secrets)
        await self._reader.judge(reply, Asked.CHANGE)
        return reply

    def _may_put(self, shape: Shape, resource: JsonObject) -> None:
        shows_members = shape.shows_members or get(resource, "members") is not None
        if shape.is_group and not shows_members:
            message = f"{self._reader.settings.host}: {GROUPS_NEED_PATCH}"
            raise Rejected(message, code="NotImplemented")

    def _version(self, reply: Reply) -> str | None:
        is_kept = self._reader.abilities.has_versions
        return (version_of(reply.content) or reply.tag or None) if is_kept else None

    async def _read(self, shape: Shape, anchor: Anchor, *, with_members: bool = False) -> Reply:
        return await self._reader.get_when_settled(shape, anchor, with_members=with_members)

    async def _resource(self, reply: Reply) -> JsonObject:
        """Return a resource that is about to be changed; Stale, if it is gone."""
        return await self._reader.resource(reply, Asked.CHANGE)

    async def _write(
        self,
        method: str,
        shape: Shape,
        anchor: Anchor,
        body: JsonObject,
        version: str | None,
        secrets: tuple[str, ...] = (),
    ) -> Reply:
        """Send a change; again, if the object is too new, or if its version must be named (Q22)."""
        path = shape.address(anchor)
        given = version
        if given is None and self._needs_version:
            version = await self._version_now(shape, anchor)
        reply = await self.send(method, path, body, version=version, secrets=secrets)
        for wait in self._reader.settling(anchor):
            if reply.status != 404:
                break
            await self._clock.sleep(wait)
            reply = await self.send(method, path, body, version=version, secrets=secrets)
        if given is None and reply.status in (412, 428):
            self._needs_version = self._needs_version or reply.status == 428
            if version := await self._version_now(shape, anchor):
                reply = await self.send(method, path, body, version=version, secrets=secrets)
        return reply

    async def _version_now(self, shape: Shape, anchor: Anchor) -> str | None:
        read = await self._read(shape, anchor)
        return version_of(read.content) or read.tag or None

    # references to many

    async def refer(self, shape: Shape, anchor: Anchor, change: ReferencesChange) -> Reply:
        """Carry out a change of members; return the reply to the last request. Raises Rejected with
        those the target refused."""
        if self._patches(shape):
            try:
                return await self._patch_members(shape, anchor, change)
            except _NoPatch:
                pass  # put the whole group instead, as it is by now
        return await self._put_members(shape, anchor, change)

    async def _patch_members(self, shape: Shape, anchor: Anchor, change: ReferencesChange) -> Reply:
        reply: Reply | None = None

        async def send(operations: tuple[Operation, ...]) -> Reply:
            nonlocal reply
            reply = await self._send_members(shape, anchor, operations)
            if self._lacks_patch(shape, reply):
                raise _NoPatch
            if reply.status not in MAY_CONCERN_ONE:
                await self._reader.judge(reply, Asked.CHANGE)
            return reply

        writer = MemberWriter(send=send, spelling=self.spelling, size=self._members_max)
        await writer.carry_out(change)
        self._members_max = writer.size
        if writer.refused:
            raise self._refusal(anchor, change, writer.refused)
        assert reply is not None, NOBODY
        return reply

    async def _send_members(
        self, shape: Shape, anchor: Anchor, operations: tuple[Operation, ...]
    ) -> Reply:
        at_most = self._quirks.max_operations_per_patch
        reply: Reply | None = None
        for part in patch.in_parts(operations, at_most):
            reply = await self._write("PATCH", shape, anchor, patch.body_of(part), None)
            if not reply.is_success:
                break
        assert reply is not None, NOBODY
        if reply.status == 404:
            # The group or the member: only a look at the group can tell. Stale, if it is gone.
            await self._resource(await self._read(shape, anchor))
        return reply

    async def _put_members(self, shape: Shape, anchor: Anchor, change: ReferencesChange) -> Reply:
        reply = await self._read(shape, anchor, with_members=True)
        resource = await self._resource(reply)
        self._may_put(shape, resource)
        path = paths.parse(change.name)
        removed = {reference.anchor for reference in change.removed}
        kept = [e for e in items(paths.read(resource, path)) if anchor_of(e) not in removed]
        held = {anchor_of(element) for element in kept}
        new = sorted({r.anchor for r in change.added} - held)
        body = patch.edited(shape, resource, (), self.spelling)
        members: list[Json] = [*kept, *({"value": str(one)} for one in new)]
        paths.place(body, path, members, is_list=True)
        reply = await self._write("PUT", shape, anchor, body, self._version(reply))
        await self._reader.judge(reply, Asked.CHANGE)
        held = {anchor_of(e) for e in await self._members_after(shape, anchor, path, reply)}
        missed = {r: reply for r in change.added if r.anchor not in held}
        missed |= {r: reply for r in change.removed if r.anchor in held}
        if missed:
            raise self._refusal(anchor, change, missed, WITHOUT_EFFECT)
        return reply

    async def _members_after(
        self, shape: Shape, anchor: Anchor, path: TargetPath, reply: Reply
    ) -> Sequence[JsonObject]:
        """Return the members that a group has once it was put; many a server leaves them alone."""
        answer = reply.content
        shown = list(items(paths.read(answer, path))) if isinstance(answer, dict) else []
        if not shown:
            resource = await self._resource(await self._read(shape, anchor, with_members=True))
            shown = list(items(paths.read(resource, path)))
        return shown

    def _refusal(
        self,
        anchor: Anchor,
        change: ReferencesChange,
        refused: Mapping[Reference, Reply],
        why: str = "",
    ) -> Rejected:
        named = ", ".join(sorted(member.anchor for member in refused)[:NAMED_MAX])
        more = f" and {len(refused) - NAMED_MAX} more" if len(refused) > NAMED_MAX else ""
        narrator = self._reader.conversation.narrator
        reply = next(iter(refused.values()))
        return Rejected(
            f"We were unable to assign {named}{more} as the {change.name} of {anchor}: "
            + (why or narrator.message(reply, "")),
            code=UNRESOLVED,
            heard=narrator.heard(reply),
            refused=frozenset(refused),
        )


def _is_refused(reply: Reply, scim_types: frozenset[str]) -> bool:
    return reply.status == 400 and scim_type_of(reply) in scim_types


def secrets_of(shape: Shape, attributes: Mapping[str, Value]) -> tuple[str, ...]:
    """Return the values that must not be shown: what nobody can read back is a secret."""
    return tuple(
        value
        for name, value in attributes.items()
        if isinstance(value, str) and value and shape.is_secret(name)
    )
