"""Reading what changed: by synchronisation, or by when entries were last changed."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from provisor.connectors.ldap.anchors import anchor_of
from provisor.connectors.ldap.assembly import Assembly, Nested, parents, still_unsettled
from provisor.connectors.ldap.directory import Directory, Tally, key_of
from provisor.connectors.ldap.followed import Followed
from provisor.connectors.ldap.marks import Mark, write
from provisor.connectors.ldap.settings import Changes, Kind
from provisor.connectors.ldap.shape import CHANGED, Raw
from provisor.connectors.ldap.snapshot import how_changes_are_told
from provisor.connectors.ldap.syncing import Batch, SyncRefused, refresh
from provisor.connectors.ldapwire import filters, values
from provisor.connectors.ldapwire.messages import Found, Scope, Search
from provisor.connectors.ldapwire.ranges import complete
from provisor.errors import WatermarkExpired
from provisor.model.entries import (
    Absence,
    Anchor,
    Change,
    Gone,
    Page,
    ReadFault,
    Receipt,
    Reference,
    Watermark,
)

CHANGED_MAX: Final = 20_000
"""From so many changes on, everything is read: whom they concern would be asked one by one."""


@dataclass(slots=True)
class Incremental:
    """One read of what changed since a watermark."""

    directory: Directory
    since: Watermark
    mark: Mark
    now: datetime
    tally: Tally = field(default_factory=Tally)
    raws: dict[str, list[Raw]] = field(default_factory=dict[str, list[Raw]])
    faults: list[ReadFault] = field(default_factory=list[ReadFault])
    gone: list[Gone] = field(default_factory=list[Gone])
    _cookies: dict[str, bytes] = field(default_factory=dict[str, bytes])
    _unsettled: Mapping[str, Mapping[str, float]] = field(
        default_factory=dict[str, Mapping[str, float]]
    )
    _followed: Followed | None = None
    _is_last_gone: bool = False
    """What changed last is not there, or is older again."""

    async def parts(self) -> AsyncGenerator[Page | Receipt]:
        """Yield what changed, and the receipt.

        Raises WatermarkExpired where everything is to be read, Unreachable, Denied.
        """
        await self._examine()
        if self.mark.how == Changes.SYNC:
            self.tally.since = b""
            await self._synchronise()
        else:
            self.tally.since = self.mark.since.encode()
            await self._ask_by_time()
        told = tuple(self.tally.newer)
        self._explain_what_is_gone()
        await self._look_again_at_the_unsettled()
        await self._look_again_at_those_who_point()
        await self._look_again_at_what_is_followed_up()
        changes = await self._assembled()
        self._follow(told, changes)
        size = self.directory.settings.page_size
        everything: list[Change] = [*changes, *self.gone]
        for first in range(0, len(everything), size):
            # The watermark from before covers a page too: what it shows is only shown again.
            faults = self.faults if not first else ()
            yield Page(tuple(everything[first : first + size]), self.since, tuple(faults))
        if self.faults and not everything:
            yield Page((), self.since, tuple(self.faults))
        yield self._receipt()

    async def _examine(self) -> None:
        """Raise WatermarkExpired where the watermark is not good for this read any longer."""
        directory, mark = self.directory, self.mark
        if mark.view != directory.view:
            raise WatermarkExpired("base, filter or attributes are others than before")
        how = how_changes_are_told(directory)
        # Where synchronisation was refused, time has to do.
        if mark.how != how and (mark.how, how) != (Changes.TIMESTAMPS, Changes.SYNC):
            raise WatermarkExpired("changes are told in another way than before")
        every = timedelta(seconds=directory.settings.full_read_every_s)
        if not mark.full_at <= self.now < mark.full_at + every:
            raise WatermarkExpired("everything is read once in a while")
        if mark.newest is not None and await directory.has_gone_back(mark.newest):
            self._is_last_gone = True
        if mark.containers != await directory.containers():
            raise WatermarkExpired("a container was made, renamed, moved or deleted")

    def _explain_what_is_gone(self) -> None:
        """Raise WatermarkExpired where the last change has gone and nobody has deleted it."""
        newest = self.mark.newest
        if newest is None or not self._is_last_gone:
            return
        if (newest.kind, newest.anchor) not in {(g.key.kind, g.key.anchor) for g in self.gone}:
            raise WatermarkExpired("the last change is not there any more: was a backup restored?")

    # who changed

    async def _synchronise(self) -> None:
        for kind in self.directory.settings.kinds:
            cookie = self.mark.cookies.get(kind.name)
            if not cookie:
                raise WatermarkExpired(f"there is no cookie for {kind.name}")
            try:
                async for part in refresh(self.directory, kind, cookie):
                    if isinstance(part, Batch):
                        await self._take(kind, part.changed)
                        for uuid in part.deleted:
                            await self._lose(kind, Anchor(str(uuid)))
                    else:
                        self._cookies[kind.name] = part.cookie
            except SyncRefused as refusal:
                raise refusal.failure from refusal

    async def _ask_by_time(self) -> None:
        directory = self.directory
        overlap = timedelta(seconds=directory.settings.overlap_s)
        since = values.time_text((values.time(self.mark.since) - overlap).replace(microsecond=0))
        changed_since = filters.at_least(CHANGED, since)
        shown: dict[str, set[Anchor]] = {}
        for kind in directory.settings.kinds:
            async for found in directory.pages(directory.search(kind, changed_since)):
                await self._take(kind, found)
            shown[kind.name] = {raw.anchor for raw in self.raws.get(kind.name, ())}
        for kind in directory.settings.kinds:
            for anchor in await self._others(kind, changed_since):
                if anchor not in shown[kind.name]:
                    await self._lose(kind, anchor)

    async def _others(self, kind: Kind, changed_since: str) -> list[Anchor]:
        """Return whatever changed, wherever it lies: who has left base or filter is among it."""
        search = Search(
            base=self.directory.suffix,
            scope=Scope.SUBTREE,
            filter=changed_since,
            attributes=(kind.anchor,),
        )
        found: list[Anchor] = []
        async for page in self.directory.pages(search):
            for one in page:
                held = one.values(kind.anchor)
                if held:
                    found.append(anchor_of(kind.anchor, held[0]))
        return found

    async def _take(self, kind: Kind, found: Sequence[Found]) -> None:
        for one in found:
            whole = await complete(self.directory.connection, one)
            raw = self.directory.take(kind, whole, self.tally)
            if isinstance(raw, ReadFault):
                self.faults.append(raw)
            else:
                self.raws.setdefault(kind.name, []).append(raw)
        if sum(map(len, self.raws.values())) > CHANGED_MAX:
            raise WatermarkExpired("so much has changed that everything is read")

    async def _lose(self, kind: Kind, anchor: Anchor) -> None:
        """Find out what became of an object that is said not to be here any more."""
        found = await self.directory.one(kind, anchor)
        if found is not None:
            if not self.tally.has(kind.name, anchor):
                await self._take(kind, [found])
            return
        is_elsewhere = await self.directory.exists(kind, anchor)
        absence = Absence.LEFT if is_elsewhere else Absence.DELETED
        self.gone.append(Gone(key_of(kind, anchor), absence))

    # whom that concerns

    async def _look_again_at_the_unsettled(self) -> None:
        """Read who pointed at names that meant nobody: whom the server has renamed since, it does
        not tell."""
        for kind in self.directory.settings.kinds:
            anchors = self.mark.unsettled.get(kind.name, {})
            if anchors:
                await self._take_unseen(kind, await self.directory.some(kind, anchors))

    async def _look_again_at_those_who_point(self) -> None:
        """Read who points at somebody that is new, or has another name: without a change of its
        own a group then has other members (a name that was used before means another person)."""
        directory = self.directory
        groups = directory.settings.groups
        changed = [raw for raws in self.raws.values() for raw in raws]
        if not directory.settings.keeps_references and changed:
            login = directory.shape(directory.settings.users).canonical("uid") or ""
            uids = [u for raw in changed if isinstance(u := raw.attributes.get(login), str)]
            referring = await directory.referring([raw.dn for raw in changed], uids)
            for kind in directory.settings.kinds:
                await self._take_unseen(kind, referring.get(kind.name, ()))
        if groups is not None and groups.expands_nested:
            dns = [raw.dn for raw in self.raws.get(groups.name, ())]
            await self._take_unseen(groups, (await parents(directory, groups, dns)).values())

    async def _look_again_at_what_is_followed_up(self) -> None:
        """Read what points at somebody who changed a while ago: the server may have renamed or
        removed him there since, and does not tell."""
        due = (self.mark.followed or Followed()).due(self.now)
        for kind in self.directory.settings.kinds:
            if anchors := due.get(kind.name):
                await self._take_unseen(kind, await self.directory.some(kind, anchors))

    def _follow(self, told: Sequence[Reference], changes: Sequence[Change]) -> None:
        before = self.mark.followed or Followed()
        self._followed = before.after(
            told, changes, now=self.now, has_read_again=bool(before.due(self.now))
        )

    async def _take_unseen(self, kind: Kind, found: Iterable[Found]) -> None:
        shape = self.directory.shape(kind)
        for one in found:
            raw = shape.read(one)
            if not isinstance(raw, Raw) or not self.tally.has(kind.name, raw.anchor):
                await self._take(kind, [one])

    async def _assembled(self) -> list[Change]:
        directory, groups = self.directory, self.directory.settings.groups
        assembly = Assembly(directory, self.tally)
        done: list[Change] = []
        for kind in directory.settings.kinds:
            raws = self.raws.get(kind.name, [])
            assembly.learn(kind, raws)
            if groups is not None and kind.expands_nested:
                nested = Nested(directory, groups)
                for raw in raws:
                    nested.learn(raw)
                raws = [await nested.expanded(raw) for raw in raws]
            done += assembly.ready(kind, raws)
        done += await assembly.rest()
        self._unsettled = still_unsettled(assembly, self.mark.unsettled, self.now)
        return done

    def _receipt(self) -> Receipt:
        newest = self.tally.newest
        if newest is None or (self.mark.newest and self.mark.newest.is_newer(newest)):
            newest = self.mark.newest
        mark = replace(
            self.mark,
            cookies={**self.mark.cookies, **self._cookies},
            since=max(self.mark.since, newest.changed if newest else ""),
            newest=newest,
            unsettled=self._unsettled,
            followed=self._followed,
        )
        rows = {kind.name: 0 for kind in self.directory.settings.kinds}
        for raws in self.raws.items():
            rows[raws[0]] = len(raws[1])
        return Receipt(is_snapshot=False, rows=rows, watermark=write(mark), void=self.tally.void)
