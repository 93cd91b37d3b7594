"""A domain as a target: a container of a real one, and a proxy before it for what can go wrong.

What passes is encrypted on both sides of the proxy: a domain takes no passwords otherwise.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from provisor.connectors.activedirectory.settings import AdSettings, parse
from provisor.connectors.activedirectory.target import AdTarget
from provisor.model.entries import Anchor, Value
from provisor.model.rules import AttributeDefinition, AttributeType
from provisor.ports import Target
from provisor.testing.world import Dice, Model, SteppingClock, World
from tests.contracts.targets.ldap import Spoiled
from tests.worlds.ldap_proxy import LdapProxy
from tests.worlds.samba import ADMIN, PASSWORD, SUFFIX, Samba

D = AttributeDefinition
SAMPLES: Mapping[str, tuple[Value, Value]] = {
    "displayName": ("Ada", "Ada Łukasińska-O'Neil"),
    "title": ("Countess", ""),
    "mail": ("ada@example.com", "ada@example.org"),
    "otherTelephone": (("1", "2"), ("2", "3")),
    "uidNumber": (1, 2),
    "accountExpires": (
        datetime(2034, 2, 28, 12, 30, tzinfo=UTC),
        datetime(2035, 1, 1, tzinfo=UTC),
    ),
    "thumbnailPhoto": (b"\x00\xff", b"other"),
    "msNPAllowDialin": (True, False),
}
TYPES = {
    "uidNumber": AttributeType.INTEGER,
    "accountExpires": AttributeType.DATE_TIME,
    "thumbnailPhoto": AttributeType.BINARY,
    "msNPAllowDialin": AttributeType.BOOLEAN,
}
MODEL = Model(
    definitions={
        "User": (
            D(name="cn"),
            *(
                D(
                    name=name,
                    type=TYPES.get(name, AttributeType.STRING),
                    is_multivalued=name == "otherTelephone",
                )
                for name in SAMPLES
            ),
            D(name="accountEnabled", type=AttributeType.BOOLEAN),
            D(name="manager", type=AttributeType.REFERENCE, refers_to=("User",)),
        ),
        "Group": (
            D(name="cn"),
            D(name="member", type=AttributeType.REFERENCE, is_multivalued=True),
        ),
    },
    user_name="cn",
    group_name="cn",
    members="member",
    manager="manager",
    samples=SAMPLES,
)
_numbers = itertools.count(1)


def settings(server: Samba, url: str, base: str, **chosen: object) -> AdSettings:
    raw: dict[str, Any] = {
        "url": url,
        "caFile": server.ca_file,
        "bindDn": ADMIN,
        "password": PASSWORD,
        "base": base,
        "pageSize": 3,
        "timeouts": {"answer": 60},
    }
    parsed = parse({**raw, **chosen}, Path("/"))
    assert isinstance(parsed, AdSettings), parsed
    return parsed


@dataclass(kw_only=True)
class AdWorld(Spoiled):
    server: Samba
    base: str

    async def members(self, group: Anchor) -> set[Anchor]:
        return await asyncio.to_thread(self._members, group)

    def _members(self, group: Anchor) -> set[Anchor]:
        entries = self.server.entries(self.base, attributes=("objectGUID", "member"))
        anchors = {dn: str(UUID(bytes_le=held["objectGUID"][0])) for dn, held in entries.items()}
        (dn,) = (dn for dn, anchor in anchors.items() if anchor == group)
        return {Anchor(anchors[one.decode()]) for one in entries[dn].get("member", [])}


@asynccontextmanager
async def opened(server: Samba) -> AsyncGenerator[World]:
    base = f"OU=target{next(_numbers)},{SUFFIX}"
    await asyncio.to_thread(server.container, base)
    with LdapProxy.run(636, server.host, certificates=server.folder) as proxy:
        chosen = settings(server, proxy.url, base)
        target: Target = AdTarget(chosen, MODEL.definitions, SteppingClock(), Dice())
        await target.probe()
        try:
            yield AdWorld(server=server, proxy=proxy, target=target, base=base, model=MODEL)
        finally:
            await target.close()
            await asyncio.to_thread(server.clear, base)


def recipe(server: Samba) -> Callable[[], AbstractAsyncContextManager[World]]:
    return lambda: opened(server)
