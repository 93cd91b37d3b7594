"""An LDAP directory as a source of people and groups."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from provisor.connectors.ldap import marks
from provisor.connectors.ldap.assembly import Assembly, Nested
from provisor.connectors.ldap.changes import Incremental
from provisor.connectors.ldap.directory import Directory, Tally, open_directory
from provisor.connectors.ldap.settings import MEMBER_OF, LdapSettings
from provisor.connectors.ldap.snapshot import Snapshot
from provisor.connectors.ldapwire import filters, names
from provisor.connectors.ldapwire.names import normal
from provisor.connectors.ldapwire.objects import NoObject
from provisor.errors import Unreachable
from provisor.model.entries import Entry, EntryKey, Page, Receipt, Seen, System, Watermark
from provisor.ports import Clock


class LdapSource:
    """Implements `ports.Source` for a directory that speaks LDAP.

    Each read has a connection of its own; looks share one, which is made again when it is over.
    """

    def __init__(
        self,
        settings: LdapSettings,
        clock: Clock,
        required: Mapping[str, frozenset[str]] | None = None,
    ) -> None:
        """`required` names, by kind, the attributes that mappings and filters read."""
        self._settings = settings
        self._clock = clock
        self._wanted = required or {}
        self._looking: Directory | None = None

    @property
    def system(self) -> System:
        """The server and its base are the system; account, filters and what is below them the
        view: with another of these, who is not shown has not thereby gone."""
        return system_of(self._settings)

    async def pull(self, since: Watermark | None) -> AsyncIterator[Page | Receipt]:
        mark = marks.read(since) if since is not None else None
        directory = await open_directory(self._settings, self._wanted)
        now = self._clock.now()
        try:
            if since is None or mark is None:
                parts = Snapshot(directory, now).parts()
            else:
                parts = Incremental(directory, since, mark, now).parts()
            async for part in parts:
                yield part
        finally:
            await directory.close()

    async def fetch(self, key: EntryKey) -> Entry | None:
        directory = await self._look()
        kind = directory.kind(key.kind)
        found = await directory.one(kind, key.anchor) if kind else None
        if kind is None or found is None:
            return None
        raw = directory.shape(kind).read(found)
        if isinstance(raw, NoObject):
            message = f"{raw.where} cannot be read: {raw.message}"
            raise Unreachable(message, code="SourceReadIncomplete")
        assembly = Assembly(directory, Tally())
        groups = self._settings.groups
        if groups is not None and kind is groups:
            if kind.expands_nested:
                raw = await Nested(directory, groups).expanded(raw)
            if MEMBER_OF in map(str.lower, kind.members):
                await self._learn_members(directory, assembly, raw.dn)
        assembly.ready(kind, [raw])
        changes = await assembly.rest() or [assembly.seen(kind, raw)]
        (change,) = changes
        assert isinstance(change, Seen)
        return change.entry

    async def _learn_members(self, directory: Directory, assembly: Assembly, dn: str) -> None:
        """Find out who says to be in a group."""
        for kind in self._settings.kinds:
            search = directory.search(kind, filters.equals("memberOf", dn))
            async for page in directory.pages(search):
                for one in page:
                    raw = directory.shape(kind).read(one)
                    if not isinstance(raw, NoObject):
                        raw.member_of = [dn]
                        assembly.learn(kind, [raw])

    async def _look(self) -> Directory:
        """Return a directory that has learned nothing yet: names mean what they mean now."""
        if self._looking is None or not self._looking.connection.is_open:
            self._looking = await open_directory(self._settings, self._wanted)
        else:
            self._looking.forget()
        return self._looking

    async def close(self) -> None:
        if self._looking is not None:
            await self._looking.close()
            self._looking = None


def system_of(settings: LdapSettings) -> System:
    parts: list[tuple[str, object]] = [("account", settings.account)]
    for kind in settings.kinds:
        where = f"{kind.scope.name.lower()} of {normal(kind.base)}"
        parts.append((kind.name, f"{where} {kind.whole_filter} by {kind.anchor}"))
    endpoint = settings.endpoint
    host = endpoint.path or f"{endpoint.host.lower()}:{endpoint.port}"
    return System(
        identity=f"{host}/{names.normal(settings.base)}",
        view=" ".join(f"{name}={value!r}" for name, value in parts),
    )
