"""An Active Directory domain as a source of people and groups."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from provisor.connectors.activedirectory import marks
from provisor.connectors.activedirectory.assembly import seen
from provisor.connectors.activedirectory.changes import Incremental
from provisor.connectors.activedirectory.domain import INCOMPLETE, Domain, Tally, open_domain
from provisor.connectors.activedirectory.settings import AdSettings, domain_of
from provisor.connectors.activedirectory.snapshot import Snapshot
from provisor.connectors.ldapwire import names
from provisor.connectors.ldapwire.objects import NoObject
from provisor.errors import Unreachable
from provisor.model.entries import Entry, EntryKey, Page, Receipt, Seen, System, Watermark
from provisor.ports import Clock


class AdSource:
    """Implements `ports.Source` for a domain.

    Each read has a connection of its own, and so one domain controller; looks share one.
    """

    def __init__(
        self,
        settings: AdSettings,
        clock: Clock,
        required: Mapping[str, frozenset[str]] | None = None,
    ) -> None:
        """`required` names, by kind, the attributes that mappings and filters read."""
        self._settings = settings
        self._clock = clock
        self._wanted = required or {}
        self._looking: Domain | None = None

    @property
    def system(self) -> System:
        """The domain is the system, whichever of its controllers answers; account, bases and
        filters are the view: with another of these, who is not shown has not thereby gone."""
        return system_of(self._settings)

    async def pull(self, since: Watermark | None) -> AsyncIterator[Page | Receipt]:
        mark = marks.read(since) if since is not None else None
        domain = await open_domain(self._settings, self._wanted, self._clock.now())
        try:
            if since is None or mark is None:
                parts = Snapshot(domain).parts()
            else:
                parts = Incremental(domain, since, mark).parts()
            async for part in parts:
                yield part
        finally:
            await domain.close()

    async def fetch(self, key: EntryKey) -> Entry | None:
        kind = self._settings.kind(key.kind)
        if kind is None:
            return None
        domain = await self._look()
        found = await domain.one(kind, key.anchor)
        if found is None:
            return None
        raw = domain.shape(kind).read(found, domain.now)
        if isinstance(raw, NoObject):
            raise Unreachable(f"{raw.where} cannot be read: {raw.message}", code=INCOMPLETE)
        (change,) = await seen(domain, kind, [raw], Tally())
        assert isinstance(change, Seen)
        return change.entry

    async def _look(self) -> Domain:
        if self._looking is None or not self._looking.connection.is_open:
            self._looking = await open_domain(self._settings, self._wanted, self._clock.now())
        self._looking.now = self._clock.now()
        return self._looking

    async def close(self) -> None:
        if self._looking is not None:
            await self._looking.close()
            self._looking = None


def system_of(settings: AdSettings) -> System:
    parts: list[tuple[str, object]] = [("account", settings.account)]
    for kind in settings.kinds:
        where = f"{kind.scope.name.lower()} of {names.normal(kind.base)}"
        parts.append((kind.name, f"{where} {kind.whole_filter}"))
    return System(
        identity=f"ad:{domain_of(settings.base)}",
        view=" ".join(f"{name}={value!r}" for name, value in parts),
    )
