"""Reading what changed since a watermark."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

from provisor.connectors.activedirectory import telling, values
from provisor.connectors.activedirectory.assembly import seen
from provisor.connectors.activedirectory.domain import Domain, Identity, Looked, Tally, key_of
from provisor.connectors.activedirectory.marks import Mark, write
from provisor.connectors.activedirectory.settings import GROUP, USER, Changes, Kind
from provisor.connectors.activedirectory.shape import EXPIRES, Raw
from provisor.connectors.activedirectory.telling import Told, Way
from provisor.connectors.ldapwire import filters, names
from provisor.connectors.ldapwire.objects import NoObject
from provisor.errors import WatermarkExpired
from provisor.model.entries import (
    Absence,
    Anchor,
    Change,
    Gone,
    Page,
    ReadFault,
    Receipt,
    Watermark,
)

CHANGED_MAX: Final = 50_000
"""From so many changes on, everything is read: each of them would be looked at by itself."""
MARGIN: Final = timedelta(days=1)
"""Tombstones are swept up now and then; none is relied upon in its last day."""


@dataclass(slots=True)
class Incremental:
    """One read of what changed since a watermark."""

    domain: Domain
    since: Watermark
    mark: Mark
    tally: Tally = field(default_factory=Tally)
    faults: list[ReadFault] = field(default_factory=list[ReadFault])
    _cookie: bytes = b""
    _created_after: int = 0
    """The uSNCreated from which on an object is new; 0 if that cannot be told."""
    _missed: Anchor | None = None
    """The object that had changed last, where it cannot be seen any more."""
    _primary: set[int] = field(default_factory=set[int])

    async def parts(self) -> AsyncGenerator[Page | Receipt]:
        """Yield what changed, and the receipt.

        Raises WatermarkExpired where everything is to be read, Unreachable, Denied.
        """
        domain = self.domain
        identity = await domain.identity()
        way = await telling.way_of(domain)
        await self._examine(identity, way)
        told = await self._told(way)
        self._explain_what_is_missed(told)
        concerned = await self._concerned(told)
        changes: list[Change] = []
        for kind in domain.settings.kinds:
            changes += await self._changes_of(kind, concerned[kind.name], told)
        size = domain.settings.page_size
        for first in range(0, len(changes), size):
            # The watermark from before covers a page too: what it shows is only shown again.
            faults = tuple(self.faults) if not first else ()
            yield Page(tuple(changes[first : first + size]), self.since, faults)
        if self.faults and not changes:
            yield Page((), self.since, tuple(self.faults))
        yield self._receipt(identity)

    async def _examine(self, identity: Identity, way: Way) -> None:
        """Raise WatermarkExpired where the watermark is not good for this read any longer."""
        mark, domain = self.mark, self.domain
        if mark.view != domain.view:
            raise WatermarkExpired("base, filter, account or attributes are others than before")
        if mark.how != way.how:
            raise WatermarkExpired("changes are told in another way than before")
        every = timedelta(seconds=domain.settings.full_read_every_s)
        if not mark.full_at <= domain.now < mark.full_at + every:
            raise WatermarkExpired("everything is read once in a while")
        if domain.now - mark.read_at > await domain.tombstone_lifetime() - MARGIN:
            raise WatermarkExpired("deletions of that time are not told any more")
        if mark.invocation != identity.invocation:
            if mark.how == Changes.USN:
                raise WatermarkExpired("another domain controller answers, which counts otherwise")
            return  # DirSync's cookie says how far each of them was read
        self._created_after = mark.usn
        if identity.usn < mark.usn:
            raise WatermarkExpired("the database went back in time: a backup was restored")
        if mark.newest is not None:
            anchor, usn = mark.newest
            found = await domain.look([Anchor(anchor)])
            if found and found[0].changed < usn:
                raise WatermarkExpired("the last change is older again: a backup was restored")
            if not found:
                self._missed = Anchor(anchor)

    def _explain_what_is_missed(self, told: dict[Anchor, Told]) -> None:
        """Raise WatermarkExpired where the last change has gone and nobody has deleted it.

        An account may hear of deletions by DirSync, and not see who was deleted.
        """
        missed = self._missed
        if missed is not None and not (missed in told and told[missed].is_deleted):
            raise WatermarkExpired("the last change is not there any more: was a backup restored?")

    async def _told(self, way: Way) -> dict[Anchor, Told]:
        if way.how is Changes.DIR_SYNC:
            told, self._cookie = await telling.told_since(self.domain, way, self.mark.cookie)
        else:
            told = await telling.changed_since(self.domain, self.mark.usn)
        if len(told) > CHANGED_MAX:
            raise WatermarkExpired("so much has changed that everything is read")
        return told

    async def _concerned(self, told: dict[Anchor, Told]) -> dict[str, dict[Anchor, Looked | None]]:
        """Return by kind whom the changes concern, and what is known of them."""
        domain = self.domain
        known = {one.anchor: one for one in telling.looked(told)}
        for one in await domain.look(a for a in told if a not in known):
            known[one.anchor] = one
        for one in [*known.values()]:
            if one.is_container and not one.is_deleted and not self._is_new(one):
                # A container that is renamed or moved takes along all that it holds, of which
                # nothing else tells. There are few, and they change rarely.
                kinds = filters.any_of(kind.of_class for kind in domain.settings.kinds)
                known.update({below.anchor: below for below in await domain.looked(one.dn, kinds)})
        for one in await self._expired():
            known.setdefault(one.anchor, one)
        concerned: dict[str, dict[Anchor, Looked | None]] = {USER: {}, GROUP: {}}
        for anchor, one in known.items():
            if one.kind:
                concerned[one.kind][anchor] = one
        for anchor in told:
            if anchor not in known:
                concerned[USER][anchor] = concerned[GROUP][anchor] = None
        return concerned

    def _is_new(self, one: Looked) -> bool:
        return bool(self._created_after) and one.created > self._created_after

    def _may_be_new(self, one: Looked) -> bool:
        return self._is_new(one) or not self._created_after

    async def _expired(self) -> list[Looked]:
        """Return whose accounts have expired since: time passes without a change."""
        if not self.domain.settings.expired_is_disabled:
            return []
        after, until = (str(values.filetime(t)) for t in (self.mark.read_at, self.domain.now))
        span = (filters.at_least(EXPIRES, after), f"({EXPIRES}<={until})")
        kind = self.domain.settings.users
        return await self.domain.looked(kind.base, filters.both(kind.of_class, *span))

    async def _changes_of(
        self, kind: Kind, concerned: dict[Anchor, Looked | None], told: dict[Anchor, Told]
    ) -> list[Change]:
        """Look at each object whole: it is here, or it has gone, and then why."""
        domain = self.domain
        raws: dict[Anchor, Raw] = {}
        amiss: set[Anchor] = set()
        living = [a for a, one in concerned.items() if one is None or not one.is_deleted]
        async for found in domain.having(kind, living):
            for one in found:
                raw = domain.read(kind, one, self.tally)
                if isinstance(raw, Raw):
                    raws[raw.anchor] = raw
                else:
                    self.faults.append(raw)
                    amiss |= {raw.anchor} if raw.anchor else set()
        if kind.name == GROUP:
            await self._add_primary_groups(kind, raws)
        else:
            self._primary = {
                raw.primary_group
                for anchor, raw in raws.items()
                if (one := concerned.get(anchor)) is None or self._may_be_new(one)
            }
        changes = await seen(domain, kind, [*raws.values()], self.tally)
        for anchor in concerned:
            if anchor not in raws and anchor not in amiss:
                changes += self._gone(kind, anchor, concerned[anchor], told.get(anchor))
        return changes

    async def _add_primary_groups(self, kind: Kind, raws: dict[Anchor, Raw]) -> None:
        """Read the primary groups of whoever is new: they do not change by having a member more.

        When a person gets another primary group, both groups have changed themselves.
        """
        rids = self._primary - {0}
        if not self.domain.settings.primary_groups or not rids:
            return
        sid = await self.domain.sid()
        named = (filters.equals("objectSid", values.within(sid, rid)) for rid in sorted(rids))
        async for found in self.domain.pages(self.domain.search(kind, filters.any_of(named))):
            for one in found:
                if values.anchor_of(one.values("objectGUID")[0]) not in raws:
                    raw = self.domain.read(kind, one, self.tally)
                    if isinstance(raw, Raw):
                        raws[raw.anchor] = raw

    def _gone(
        self, kind: Kind, anchor: Anchor, one: Looked | None, told: Told | None
    ) -> Iterable[Change]:
        """Say what became of an object that base and filter do not have."""
        if one is not None:
            absence = Absence.DELETED if one.is_deleted else Absence.LEFT
            return [Gone(key_of(kind.name, anchor), absence)]
        if told is None or told.is_deleted:
            return [Gone(key_of(kind.name, anchor), Absence.DELETED)]
        if names.is_below(told.dn, kind.base):
            # It is told to have changed, and is hidden from us: rights were lost, and nobody has
            # gone by that.
            message = "it has changed, and the account may not see it; let it read all of the base"
            self.faults.append(self.tally.fault(kind.name, NoObject(told.dn, message, anchor)))
            return []
        return [Gone(key_of(kind.name, anchor), Absence.LEFT)]

    def _receipt(self, identity: Identity) -> Receipt:
        mark = self.mark
        is_same = mark.invocation == identity.invocation
        newest = self.tally.newest or (mark.newest if is_same else None)
        if is_same and mark.newest and newest and newest[1] < mark.newest[1]:
            newest = mark.newest
        mark = replace(
            mark,
            invocation=identity.invocation,
            usn=identity.usn,
            newest=newest,
            read_at=self.domain.now,
            cookie=self._cookie,
        )
        rows = {kind.name: self.tally.rows.get(kind.name, 0) for kind in self.domain.settings.kinds}
        return Receipt(is_snapshot=False, rows=rows, watermark=write(mark), void=self.tally.void)
