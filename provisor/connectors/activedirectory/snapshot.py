"""Reading everything, page by page, behind a watermark that was taken before."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Final

from provisor.connectors.activedirectory import telling
from provisor.connectors.activedirectory.assembly import seen
from provisor.connectors.activedirectory.domain import LOOKS, Domain, Identity, Tally
from provisor.connectors.activedirectory.marks import Mark, write
from provisor.connectors.activedirectory.settings import Changes
from provisor.connectors.activedirectory.shape import Raw
from provisor.connectors.activedirectory.telling import Way
from provisor.model.entries import Anchor, Page, ReadFault, Receipt, Watermark

NOTHING: Final[tuple[ReadFault, ...]] = ()


@dataclass(slots=True)
class Snapshot:
    """One read of everything."""

    domain: Domain
    tally: Tally = field(default_factory=Tally)

    async def parts(self) -> AsyncGenerator[Page | Receipt]:
        """Yield pages of what there is, and the receipt. Raises Unreachable, Denied."""
        domain = self.domain
        # Both before the first search: what changes while it goes on is told with the next read.
        identity = await domain.identity()
        way = await telling.way_of(domain)
        cookie = b""
        if way.how is Changes.DIR_SYNC:
            cookie = await telling.cookie_of(domain, way)
        shown: dict[str, list[Anchor]] = {}
        for kind in domain.settings.kinds:
            async for found in domain.pages(domain.search(kind)):
                taken = [domain.read(kind, one, self.tally) for one in found]
                raws = [one for one in taken if isinstance(one, Raw)]
                faults = tuple(one for one in taken if isinstance(one, ReadFault))
                shown.setdefault(kind.name, []).extend(raw.anchor for raw in raws)
                changes = await seen(domain, kind, raws, self.tally)
                if changes or faults:
                    yield Page(tuple(changes), None, faults)
        await domain.check_looks({name: anchors[-LOOKS:] for name, anchors in shown.items()})
        yield Receipt(
            is_snapshot=True,
            rows={kind.name: self.tally.rows.get(kind.name, 0) for kind in domain.settings.kinds},
            watermark=self._watermark(identity, way, cookie),
            void=self.tally.void,
        )

    def _watermark(self, identity: Identity, way: Way, cookie: bytes) -> Watermark | None:
        if way.how is Changes.SNAPSHOT:
            return None
        mark = Mark(
            how=way.how.value,
            view=self.domain.view,
            invocation=identity.invocation,
            usn=identity.usn,
            newest=self.tally.newest,
            full_at=self.domain.now,
            read_at=self.domain.now,
            cookie=cookie,
        )
        return write(mark)
