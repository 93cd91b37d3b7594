"""A directory under test: a part of a real server, with another client's hands in it."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from provisor.connectors.ldap.settings import LdapSettings, parse
from provisor.connectors.ldap.source import LdapSource
from provisor.connectors.ldapwire.names import escape
from provisor.model.entries import (
    Anchor,
    Change,
    Entry,
    EntryKey,
    Gone,
    Page,
    Receipt,
    Reference,
    Seen,
    System,
    Touched,
    Value,
    Watermark,
)
from provisor.ports import Source
from provisor.testing.reading import LateClock
from tests.worlds.openldap import READER, SUFFIX, OpenLdap

PAGE = 2
WANTED = {
    "User": frozenset({"displayName", "manager"}),
    "Group": frozenset({"displayName", "members"}),
}
UNMAPPED: Mapping[str, None] = dict.fromkeys(("uid", "cn", "sn", "objectClass", "entryDN"))
_numbers = itertools.count(1)


def settings(server: OpenLdap, base: str, folder: Path, **chosen: object) -> LdapSettings:
    """Return settings for a part of a server."""
    raw: dict[str, Any] = {
        "url": server.url,
        "bindDn": READER,
        "password": "reader",
        "base": base,
        "groups": {"objectClasses": "openGroup"},
        "attributes": {**UNMAPPED, "displayName": "displayName"},
        "pageSize": PAGE,
    }
    parsed = parse({**raw, **chosen}, folder)
    assert isinstance(parsed, LdapSettings), parsed
    return parsed


class LdapSubject:
    """People and groups below a container of their own, called by their names in the suite."""

    def __init__(
        self, server: OpenLdap, folder: Path, *, has_changes: bool, **chosen: object
    ) -> None:
        self.has_changes = has_changes
        self.server = server
        self.base = f"ou=part{next(_numbers)},{SUFFIX}"
        server.add(self.base, {"objectClass": "organizationalUnit"})
        self._dns: dict[EntryKey, str] = {}
        self.names: dict[str, str] = {}
        """What anchors are called in the suite."""
        parsed = settings(server, self.base, folder, **chosen)
        self.ldap = LdapSource(parsed, LateClock(), WANTED)
        self.source: Source = Renamed(self.ldap, self.names)

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
        made: dict[str, Any] = {"objectClass": "openGroup", "cn": entry.anchor}
        if entry.kind == "User":
            made = {"objectClass": "inetOrgPerson", "uid": entry.anchor, "cn": "x", "sn": "x"}
        self.server.add(dn, {**made, **said, **{n: v for n, v in pointed.items() if v}})
        self.names[self.server.uuid(dn)] = entry.anchor

    def _dn(self, one: Reference) -> str:
        naming = "uid" if one.kind == "User" else "cn"
        return f"{naming}={escape(one.anchor)},{self.base}"

    async def remove(self, gone: EntryKey) -> None:
        self.server.delete(self._dns.pop(gone))


class Renamed:
    """A source whose anchors are what the suite calls them, and not the server's UUIDs."""

    def __init__(
        self, source: Source, names: Mapping[str, str], leaves_out: frozenset[str] = frozenset()
    ) -> None:
        """`names` says what the server's anchors are called; `leaves_out` names attributes."""
        self._source, self._names, self._leaves_out = source, names, leaves_out

    @property
    def system(self) -> System:
        return self._source.system

    async def pull(self, since: Watermark | None) -> AsyncIterator[Page | Receipt]:
        async for part in self._source.pull(since):
            if isinstance(part, Page):
                yield replace(part, changes=tuple(map(self._change, part.changes)))
            else:
                yield part

    async def fetch(self, key: EntryKey) -> Entry | None:
        uuids = {name: uuid for uuid, name in self._names.items()}
        asked = EntryKey(key.kind, Anchor(uuids.get(key.anchor, key.anchor)))
        found = await self._source.fetch(asked)
        await self._source.close()  # each look of the suite may be in an event loop of its own
        return self._entry(found) if found else None

    async def close(self) -> None:
        await self._source.close()

    def _change(self, change: Change) -> Change:
        match change:
            case Seen(entry):
                return Seen(self._entry(entry))
            case Gone(key, absence):
                return Gone(EntryKey(key.kind, self._name(key.anchor)), absence)
            case Touched(key):
                return Touched(EntryKey(key.kind, self._name(key.anchor)))

    def _entry(self, entry: Entry) -> Entry:
        said = {
            name: self._value(name, value)
            for name, value in entry.attributes.items()
            if name not in self._leaves_out
        }
        return Entry(entry.kind, self._name(entry.anchor), said)

    def _value(self, name: str, value: Value) -> Value:
        if name == "objectId":
            return str(self._name(Anchor(str(value))))
        if isinstance(value, Reference):
            return Reference(value.kind, self._name(value.anchor))
        if isinstance(value, tuple):
            named = [
                Reference(v.kind, self._name(v.anchor)) if isinstance(v, Reference) else v
                for v in value
            ]
            return tuple(sorted(named, key=_in_order)) if name == "members" else tuple(named)
        return value

    def _name(self, anchor: Anchor) -> Anchor:
        return Anchor(self._names.get(anchor, anchor))


def _in_order(one: object) -> tuple[str, str]:
    assert isinstance(one, Reference)
    return one.anchor, one.kind


WAYS: Mapping[str, Mapping[str, object]] = {
    # The server keeps references true itself (refint); where it does not, who points at somebody
    # that changed is read again, and shown though it has not changed.
    "ldap": {"changes": "sync", "referentialIntegrity": True},
    "ldap without changes": {"changes": "snapshot"},
}


def subjects(server: OpenLdap, name: str, folder: Path) -> Iterator[LdapSubject]:
    """Yield a directory, and clear it away."""
    subject = LdapSubject(server, folder, has_changes=name == "ldap", **WAYS[name])
    yield subject
    server.clear(subject.base)
