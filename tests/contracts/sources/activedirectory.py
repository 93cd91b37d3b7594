"""A domain under test: a container of a real one, with another client's hands in it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from provisor.connectors.activedirectory.settings import AdSettings, parse
from provisor.connectors.activedirectory.shape import GROUP_NAMES, USER_NAMES, USUAL
from provisor.connectors.activedirectory.source import AdSource
from provisor.connectors.ldapwire.names import escape
from provisor.model.entries import Entry, EntryKey, Reference
from provisor.ports import Source
from provisor.testing.reading import LateClock
from tests.contracts.sources.ldap import PAGE, WANTED, Renamed
from tests.worlds.samba import ADMIN, PASSWORD, SUFFIX, Samba

UNMAPPED: Mapping[str, None] = dict.fromkeys(
    {*USUAL["User"], *USUAL["Group"], *USER_NAMES, *GROUP_NAMES} - {"displayName", "manager"}
)
_numbers = itertools.count(1)


def settings(server: Samba, base: str, folder: Path, **chosen: object) -> AdSettings:
    """Return settings for a container of a domain."""
    raw: dict[str, Any] = {
        "url": server.url,
        "bindDn": ADMIN,
        "password": PASSWORD,
        "base": base,
        "attributes": {**UNMAPPED, "displayName": "displayName"},
        "pageSize": PAGE,
    }
    parsed = parse({**raw, **chosen}, folder)
    assert isinstance(parsed, AdSettings), parsed
    return parsed


class AdSubject:
    """People and groups in a container of their own, called by their names in the suite."""

    def __init__(self, server: Samba, folder: Path, *, has_changes: bool, **chosen: object) -> None:
        self.has_changes = has_changes
        self.server = server
        self._number = next(_numbers)
        self.base = f"OU=part{self._number},{SUFFIX}"
        server.container(self.base)
        self._dns: dict[EntryKey, str] = {}
        self.names: dict[str, str] = {}
        """What objectGUIDs are called in the suite."""
        self.inner = AdSource(settings(server, self.base, folder, **chosen), LateClock(), WANTED)
        self.source: Source = Renamed(self.inner, self.names, frozenset({"accountEnabled"}))

    async def hold(self, *entries: Entry) -> None:
        for entry in entries:
            self._hold(entry)

    def _hold(self, entry: Entry) -> None:
        key = EntryKey(entry.kind, entry.anchor)
        said = {"displayName": str(entry.attributes["displayName"])}
        pointed: dict[str, Any] = {}
        if entry.kind == "User":
            manager = entry.attributes.get("manager")
            pointed["manager"] = self._dn(manager) if isinstance(manager, Reference) else None
        else:
            members = entry.attributes.get("members", ())
            held = members if isinstance(members, tuple) else (members,)
            pointed["member"] = [self._dn(m) for m in held if isinstance(m, Reference)]
        if key in self._dns:
            self.server.modify(self._dns[key], {**said, **pointed})
            return
        dn = self._dns[key] = self._dn(Reference(entry.kind, entry.anchor))
        account = f"p{self._number}-{entry.anchor}"
        make = self.server.person if entry.kind == "User" else self.server.group
        guid = make(dn, account, **said, **{n: v for n, v in pointed.items() if v})
        self.names[guid] = entry.anchor

    def _dn(self, one: Reference) -> str:
        return f"CN={escape(one.anchor)},{self.base}"

    async def remove(self, gone: EntryKey) -> None:
        self.server.delete(self._dns.pop(gone))


WAYS: Mapping[str, Mapping[str, object]] = {
    "ad": {"changes": "dirsync"},
    "ad by usn": {"changes": "usn"},
    "ad without changes": {"changes": "snapshot"},
}


def subjects(server: Samba, name: str, folder: Path) -> Iterator[AdSubject]:
    """Yield a container of a domain, and clear it away."""
    has_changes = name != "ad without changes"
    subject = AdSubject(server, folder, has_changes=has_changes, **WAYS[name])
    yield subject
    server.clear(subject.base)
