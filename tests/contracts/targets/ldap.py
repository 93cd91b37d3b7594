"""Directories as targets: a real server, and a proxy in front of it for what can go wrong."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from provisor.connectors.ldap.settings import LdapSettings, parse
from provisor.connectors.ldap.target import LdapTarget
from provisor.model.entries import Anchor, Value
from provisor.model.rules import AttributeDefinition, AttributeType
from provisor.ports import Target
from provisor.testing.world import Model, SteppingClock, Trouble, World
from tests.worlds import ldap_proxy as spoiled
from tests.worlds.ldap_proxy import LdapProxy, Pdu
from tests.worlds.openldap import ADMIN, PASSWORD, SUFFIX, OpenLdap

D = AttributeDefinition
SAMPLES: Mapping[str, tuple[Value, Value]] = {
    "displayName": ("Ada", "Ada Łukasińska-O'Neil"),
    "title": ("Countess", ""),
    "mail": ("ada@example.com", "ada@example.org"),
    "carLicense": (("red", "green"), ("green", "blue")),
    "rank": (1, 2),
    "hiredAt": (datetime(2024, 2, 29, 12, 30, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)),
    "badge": (b"\x00\xff", b"other"),
    "accountActive": (True, False),
}
TYPES = {
    "rank": AttributeType.INTEGER,
    "hiredAt": AttributeType.DATE_TIME,
    "badge": AttributeType.BINARY,
    "accountActive": AttributeType.BOOLEAN,
}
MODEL = Model(
    definitions={
        "User": (
            D(name="uid"),
            *(
                D(
                    name=name,
                    type=TYPES.get(name, AttributeType.STRING),
                    is_multivalued=name == "carLicense",
                )
                for name in SAMPLES
            ),
            D(name="manager", type=AttributeType.REFERENCE, refers_to=("User",)),
        ),
        "Group": (
            D(name="cn"),
            D(name="member", type=AttributeType.REFERENCE, is_multivalued=True),
        ),
    },
    user_name="uid",
    group_name="cn",
    members="member",
    manager="manager",
    samples=SAMPLES,
)
_numbers = itertools.count(1)


def settings(url: str, base: str, **chosen: object) -> LdapSettings:
    raw: dict[str, Any] = {
        "url": url,
        "bindDn": ADMIN,
        "password": PASSWORD,
        "base": base,
        "pageSize": 3,
        "users": {"objectClasses": ["openAccount", "account2"]},
        "groups": {"objectClasses": "openGroup"},
        "timeouts": {"answer": 30},
    }
    parsed = parse({**raw, **chosen}, Path("/"))
    assert isinstance(parsed, LdapSettings), parsed
    return parsed


@dataclass(kw_only=True)
class Spoiled:
    """A target behind a proxy."""

    proxy: LdapProxy
    target: Target
    model: Model
    tells_totals: bool = False
    troubles: frozenset[Trouble] = frozenset(
        {
            Trouble.LOSES_CREATES,
            Trouble.FAILS_AFTER_CREATES,
            Trouble.HAS_NO_RIGHTS,
            Trouble.BREAKS_ONE_UPDATE,
            Trouble.WANTS_PATIENCE_ONCE,
            Trouble.WANTS_PATIENCE_FOR_EVER,
            Trouble.IS_OFF,
        }
    )

    async def writes(self) -> int | None:
        return self.proxy.writes

    async def befall(self, trouble: Trouble) -> None:
        proxy = self.proxy
        match trouble:
            case Trouble.LOSES_CREATES:
                proxy.answers = [_cut_at(spoiled.ADD_ANSWER)]
            case Trouble.FAILS_AFTER_CREATES:
                proxy.answers = [spoiled.results_are(80, tag=spoiled.ADD_ANSWER)]
            case Trouble.HAS_NO_RIGHTS:
                proxy.requests = [spoiled.refuses(50)]
            case Trouble.BREAKS_ONE_UPDATE:
                proxy.requests = [_breaks_once(spoiled.MODIFY)]
            case Trouble.WANTS_PATIENCE_ONCE:
                proxy.requests = [spoiled.refuses_once(51, times=2)]
            case Trouble.WANTS_PATIENCE_FOR_EVER:
                proxy.requests = [spoiled.refuses(51)]
            case Trouble.IS_OFF:
                proxy.switch_off()
            case _:
                raise NotImplementedError(trouble)


@dataclass(kw_only=True)
class LdapWorld(Spoiled):
    server: OpenLdap
    base: str

    async def members(self, group: Anchor) -> set[Anchor]:
        return await asyncio.to_thread(self._members, group)

    def _members(self, group: Anchor) -> set[Anchor]:
        entries = self.server.entries(self.base)
        anchors = {dn: held["entryUUID"][0] for dn, held in entries.items()}
        (dn,) = (dn for dn, anchor in anchors.items() if anchor == group)
        held = entries[dn].get("member", [])
        return {Anchor(anchors[one]) for one in held if one != dn}


def _cut_at(tag: int) -> spoiled.Rule:
    def rule(pdu: Pdu) -> None:
        if pdu.tag == tag:
            raise spoiled.Cut

    return rule


def _breaks_once(tag: int) -> spoiled.RequestRule:
    is_broken = False

    def rule(pdu: Pdu) -> None:
        nonlocal is_broken
        if pdu.tag == tag and not is_broken:
            is_broken = True
            raise spoiled.Cut

    return rule


@asynccontextmanager
async def opened(server: OpenLdap, chosen: Mapping[str, object]) -> AsyncGenerator[World]:
    base = f"ou=target{next(_numbers)},{SUFFIX}"
    await asyncio.to_thread(server.add, base, {"objectClass": "organizationalUnit"})
    with LdapProxy.run(server.port) as proxy:
        target = LdapTarget(settings(proxy.url, base, **chosen), MODEL.definitions, SteppingClock())
        await target.probe()
        try:
            yield LdapWorld(server=server, proxy=proxy, target=target, base=base, model=MODEL)
        finally:
            await target.close()
            await asyncio.to_thread(server.clear, base)


WAYS: Mapping[str, Mapping[str, object]] = {
    "ldap": {},
    "ldap-groups-of-names": {"groups": {"objectClasses": "groupOfNames"}},
}


def recipe(server: OpenLdap, name: str) -> Callable[[], AbstractAsyncContextManager[World]]:
    return lambda: opened(server, WAYS[name])
