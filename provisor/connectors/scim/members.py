"""Members of a group, in as few requests as the target takes, and who of them it refuses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field

from provisor.connectors.http.replies import Reply
from provisor.connectors.scim.failures import scim_type_of
from provisor.connectors.scim.patch import Operation, member_operations
from provisor.connectors.scim.resources import Spelling
from provisor.model.decisions import ReferencesChange
from provisor.model.entries import Reference

MAY_CONCERN_ONE = frozenset({400, 404, 409, 413, 422})
"""Statuses that may be about one member of many; all others are about the group or the target."""


@dataclass(slots=True, kw_only=True)
class MemberWriter:
    """Carries one change of members out; batches that fail are halved down to the offender."""

    send: Callable[[tuple[Operation, ...]], Awaitable[Reply]]
    """Sends one PATCH. Raises what a status means that no single member can be the reason of."""
    spelling: Spelling
    size: int
    """Members in one request."""
    refused: dict[Reference, Reply] = field(default_factory=dict[Reference, Reply])

    async def carry_out(self, change: ReferencesChange) -> None:
        """Send the change. Those refused one by one are in `refused`; all others are done."""
        steps = [(change.added, True), (change.removed, False)]
        if self.spelling.quirks.removes_first:
            steps.reverse()
        for members, adds in steps:
            await self._batches(change.name, _ordered(members), adds=adds)

    async def _batches(self, name: str, members: Sequence[Reference], *, adds: bool) -> None:
        at = 0
        while at < len(members):
            batch = members[at : at + self.size]
            at += len(batch)
            await self._batch(name, batch, adds=adds)

    async def _batch(self, name: str, members: Sequence[Reference], *, adds: bool) -> None:
        reply = await self.send(member_operations(name, members, self.spelling, adds=adds))
        if reply.is_success:
            return
        if len(members) == 1:
            if not _is_done(reply, adds=adds):
                self.refused[members[0]] = reply
            return
        middle = len(members) // 2
        if reply.status == 413:
            self.size = min(self.size, middle)
        await self._batch(name, members[:middle], adds=adds)
        await self._batch(name, members[middle:], adds=adds)


def _is_done(reply: Reply, *, adds: bool) -> bool:
    """Tell whether a refusal says that things are already as they should be."""
    if adds:
        return reply.status == 409 or scim_type_of(reply) == "uniqueness"
    return reply.status == 404 or scim_type_of(reply) == "noTarget"


def _ordered(members: Collection[Reference]) -> tuple[Reference, ...]:
    return tuple(sorted(members, key=lambda member: (member.kind, member.anchor)))
