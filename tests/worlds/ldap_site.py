"""An OpenLDAP server with people and groups, and an LDAP source that reads it again and again."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from provisor.connectors.ldap.settings import LdapSettings, parse
from provisor.connectors.ldap.source import LdapSource
from provisor.model.entries import (
    Absence,
    Anchor,
    EntryKey,
    Gone,
    Page,
    Receipt,
    Reference,
    Seen,
    Watermark,
)
from provisor.testing.world import SteppingClock
from tests.worlds.openldap import READER, SUFFIX, OpenLdap

PEOPLE, GROUPS = f"ou=people,{SUFFIX}", f"ou=groups,{SUFFIX}"
WANTED = {
    "User": frozenset({"userPrincipalName", "displayName", "manager", "mail", "accountEnabled"}),
    "Group": frozenset({"displayName", "members"}),
}
WAYS = ("sync", "timestamps")


class Site:
    """A server with people and groups, and a source that reads it again and again."""

    def __init__(self, server: OpenLdap, folder: Path) -> None:
        self.server, self.folder = server, folder
        self.clock = SteppingClock()
        self.clock._now = datetime.now(UTC)  # pyright: ignore[reportPrivateUsage]
        for dn in (PEOPLE, GROUPS):
            server.add(dn, {"objectClass": "organizationalUnit"})

    def settings(self, **chosen: object) -> LdapSettings:
        raw: dict[str, Any] = {
            "url": self.server.url,
            "bindDn": READER,
            "password": "reader",
            "base": SUFFIX,
            "pageSize": 3,
            "groups": {"objectClasses": "openGroup"},
            "overlap": 2,
        }
        parsed = parse({**raw, **chosen}, self.folder)
        assert isinstance(parsed, LdapSettings), parsed
        return parsed

    def source(self, **chosen: object) -> LdapSource:
        return LdapSource(self.settings(**chosen), self.clock, WANTED)

    def hire(self, uid: str, base: str = PEOPLE, **said: Any) -> str:
        dn = f"uid={uid},{base}"
        self.server.add(
            dn, {"objectClass": ["inetOrgPerson", "account2"], "cn": uid, "sn": uid, **said}
        )
        return dn

    def found_group(self, name: str, **said: Any) -> str:
        dn = f"cn={name},{GROUPS}"
        self.server.add(dn, {"objectClass": "openGroup", **said})
        return dn

    def user(self, dn: str) -> Reference:
        return Reference("User", Anchor(self.server.uuid(dn)))

    def group(self, dn: str) -> Reference:
        return Reference("Group", Anchor(self.server.uuid(dn)))


class Shown:
    """What one read showed."""

    def __init__(self) -> None:
        self.entries: dict[str, Any] = {}
        self.gone: dict[str, Absence] = {}
        """People only: of every other object that changes, servers say that it is no such one."""
        self.receipt: Receipt | None = None
        self.faults: list[str] = []

    @property
    def mark(self) -> Watermark:
        assert self.receipt is not None
        assert self.receipt.watermark is not None
        return self.receipt.watermark

    def members(self, dn: str) -> set[Reference]:
        return set(self.entries[dn].attributes.get("members", ()))


def read(source: LdapSource, since: Watermark | None = None) -> Shown:
    async def story() -> Shown:
        found = Shown()
        async for part in source.pull(since):
            if isinstance(part, Receipt):
                found.receipt = part
                continue
            assert isinstance(part, Page)
            found.faults += [fault.message for fault in part.faults]
            for change in part.changes:
                if isinstance(change, Seen):
                    entry = change.entry
                    dn = entry.attributes.get("onPremisesDistinguishedName", entry.anchor)
                    found.entries[str(dn)] = entry
                elif isinstance(change, Gone) and change.key.kind == "User":
                    found.gone[change.key.anchor] = change.absence
        return found

    return asyncio.run(story())


def look(source: LdapSource, reference: Reference) -> Any:
    async def story() -> Any:
        found = await source.fetch(EntryKey(reference.kind, reference.anchor))
        await source.close()
        return found

    return asyncio.run(story())
