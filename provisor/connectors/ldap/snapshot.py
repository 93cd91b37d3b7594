"""Reading everything: by synchronisation, which ends with a cookie, or page by page."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from provisor.connectors.ldap.assembly import Assembly, Nested, still_unsettled
from provisor.connectors.ldap.directory import Directory, Tally
from provisor.connectors.ldap.marks import Mark, write
from provisor.connectors.ldap.settings import Changes, Kind, Referrals
from provisor.connectors.ldap.shape import Raw
from provisor.connectors.ldap.syncing import Refresh, SyncRefused, refresh
from provisor.connectors.ldapwire import controls
from provisor.connectors.ldapwire.messages import Found
from provisor.connectors.ldapwire.ranges import all_complete
from provisor.errors import Unreachable
from provisor.model.entries import Change, Page, ReadFault, Receipt

ENTRY_UUID: Final = "entryuuid"


@dataclass(slots=True)
class Snapshot:
    """One read of everything."""

    directory: Directory
    now: datetime
    tally: Tally = field(default_factory=Tally)
    cookies: dict[str, bytes] = field(default_factory=dict[str, bytes])

    async def parts(self) -> AsyncGenerator[Page | Receipt]:
        """Yield pages of what there is, and the receipt. Raises Unreachable, Denied."""
        directory, settings = self.directory, self.directory.settings
        await directory.check_bases()
        containers = await directory.containers()
        assembly = Assembly(directory, self.tally)
        nested = Nested(directory, settings.groups) if settings.groups else None
        held: list[Raw] = []
        for kind in settings.kinds:
            async for found in self._entries(kind):
                raws, faults = self._taken(kind, found)
                assembly.learn(kind, raws)
                if kind.expands_nested and nested is not None:
                    for raw in raws:
                        nested.learn(raw)
                    held += raws
                    raws = []
                changes = assembly.ready(kind, raws)
                if assembly.is_crowded:
                    changes += await assembly.rest()
                if page := self._page(changes, faults):
                    yield page
        if nested is not None and held:
            assert settings.groups is not None
            assembly.ready(settings.groups, [await nested.expanded(raw) for raw in held])
        if page := self._page(await assembly.rest(), []):
            yield page
        await directory.check_looks(self.tally)
        yield self._receipt(containers, still_unsettled(assembly, {}, self.now))

    def _taken(self, kind: Kind, found: Sequence[Found]) -> tuple[list[Raw], list[ReadFault]]:
        taken = [self.directory.take(kind, one, self.tally) for one in found]
        raws = [one for one in taken if isinstance(one, Raw)]
        return raws, [one for one in taken if isinstance(one, ReadFault)]

    def _page(self, changes: Sequence[Change], faults: Sequence[ReadFault]) -> Page | None:
        if not changes and not faults:
            return None
        return Page(tuple(changes), None, tuple(faults))

    def _receipt(self, containers: str, unsettled: Mapping[str, Mapping[str, float]]) -> Receipt:
        directory = self.directory
        settings = directory.settings
        how = how_changes_are_told(directory)
        if how is Changes.SYNC and len(self.cookies) < len(settings.kinds):
            if settings.changes is Changes.SYNC:
                message = f"{directory.where} synchronises, and gives no cookie to go on from"
                raise Unreachable(f"{message}; choose changes: timestamps")
            how = Changes.TIMESTAMPS  # the server would not, and the choice is ours
        newest = self.tally.newest
        if how is Changes.TIMESTAMPS and newest is None:
            how = Changes.SNAPSHOT  # nothing says when it was changed
        mark = None
        if how is not Changes.SNAPSHOT:
            mark = Mark(
                how=how.value,
                view=directory.view,
                containers=containers,
                full_at=self.now,
                cookies=self.cookies if how is Changes.SYNC else {},
                since=newest.changed if newest else "",
                newest=newest,
                unsettled=unsettled,
            )
        rows = {kind.name: self.tally.count(kind.name) for kind in settings.kinds}
        return Receipt(
            is_snapshot=True,
            rows=rows,
            watermark=write(mark) if mark else None,
            void=self.tally.void,
        )

    async def _entries(self, kind: Kind) -> AsyncGenerator[Sequence[Found]]:
        directory = self.directory
        if how_changes_are_told(directory) is not Changes.SYNC or (
            kind is not directory.settings.users and not self.cookies
        ):
            async for found in directory.pages(directory.search(kind)):
                yield found
            return
        try:
            async for part in refresh(directory, kind, None):
                if isinstance(part, Refresh):
                    if part.cookie:
                        self.cookies[kind.name] = part.cookie
                else:
                    yield await all_complete(directory.connection, part.changed)
        except SyncRefused as refusal:
            if directory.settings.changes is Changes.SYNC:
                raise refusal.failure from refusal
            self.tally.forget(kind.name)
            self.cookies.clear()
            async for found in directory.pages(directory.search(kind)):
                yield found


def how_changes_are_told(directory: Directory) -> Changes:
    """Return how this server can tell changes, and may: `AUTO` no longer."""
    settings = directory.settings
    if settings.changes is not Changes.AUTO:
        return settings.changes
    groups = settings.groups
    if groups is not None and "memberof" in map(str.lower, groups.members):
        return Changes.SNAPSHOT  # it changes without a trace
    if settings.referrals is Referrals.FOLLOW:
        return Changes.SNAPSHOT  # no two servers have one clock
    anchors = {kind.anchor.lower() for kind in settings.kinds}
    if directory.root.has_control(controls.SYNC_REQUEST) and anchors == {ENTRY_UUID}:
        return Changes.SYNC
    return Changes.TIMESTAMPS
