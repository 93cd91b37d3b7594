"""SCIM targets: our own server in many dialects, and one that is not ours in its variants."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from provisor.connectors.http.settings import Invalid
from provisor.connectors.scim.paths import ENTERPRISE_USER
from provisor.connectors.scim.settings import ScimSettings, parse
from provisor.connectors.scim.target import ScimTarget
from provisor.model.entries import Anchor, Value
from provisor.model.rules import AttributeDefinition, AttributeType
from provisor.ports import Target
from provisor.testing.world import Dice, Model, SteppingClock, Trouble, World
from tests.fakes.scim.server import Server, running
from tests.fakes.scim.switches import Fault, Switches
from tests.worlds import faults
from tests.worlds.scim2 import Scim2, Variant

D = AttributeDefinition
REFERENCE = AttributeType.REFERENCE
TOKEN = "a token that nobody may see"
CUSTOM = "urn:example:params:scim:schemas:extension:all:2.0:User"
MANAGER = f"{ENTERPRISE_USER}:manager"

STANDARD: Mapping[str, tuple[Value, Value]] = {
    "displayName": ("Ada", "Ada Łukasińska-O'Neil"),
    "title": ("Countess", ""),
    "name.givenName": ("Ada", "Augusta"),
    "active": (True, False),
    'emails[type eq "work"].value': ("ada@example.com", "ada@example.org"),
    'phoneNumbers[type eq "mobile"].value': ("+48 123", "+48 456"),
    'addresses[type eq "work"].locality': ("Łódź", "London"),
    f"{ENTERPRISE_USER}:department": ("Mathematics", 'Engines, "analytical" \\ other'),
}
EVERY_TYPE: Mapping[str, tuple[Value, Value]] = {
    **STANDARD,
    f"{CUSTOM}:rank": (1, 2),
    f"{CUSTOM}:since": (
        datetime(2024, 2, 29, 12, 30, tzinfo=UTC),
        datetime(2025, 1, 1, tzinfo=UTC),
    ),
    f"{CUSTOM}:badge": (b"\x00\xff", b"other"),
    f"{CUSTOM}:tags": (("red", "green"), ("green", "blue")),
    f"{CUSTOM}:nested.note": ("one", "two"),
}
TYPES = {
    "active": AttributeType.BOOLEAN,
    f"{CUSTOM}:rank": AttributeType.INTEGER,
    f"{CUSTOM}:since": AttributeType.DATE_TIME,
    f"{CUSTOM}:badge": AttributeType.BINARY,
}


def model(samples: Mapping[str, tuple[Value, Value]]) -> Model:
    users = [
        D(name=name, type=TYPES.get(name, AttributeType.STRING), is_multivalued="tags" in name)
        for name in ("userName", "externalId", 'addresses[type eq "work"].country', *samples)
    ]
    manager = D(name=MANAGER, type=REFERENCE, refers_to=("User",))
    members = D(name="members", type=REFERENCE, is_multivalued=True, refers_to=("User",))
    groups = (D(name="displayName"), D(name="externalId"), members)
    return Model(
        definitions={"User": (*users, manager), "Group": groups},
        manager=MANAGER,
        samples=samples,
        siblings=('addresses[type eq "work"].locality', 'addresses[type eq "work"].country'),
    )


def settings(address: str, **more: Any) -> ScimSettings:
    parsed = parse({"baseAddress": address, "token": TOKEN, **more})
    assert not isinstance(parsed, Invalid), parsed
    return parsed


@dataclass(kw_only=True)
class FakeWorld:
    """Our own server."""

    server: Server
    target: Target
    model: Model = field(default_factory=lambda: model(EVERY_TYPE))
    troubles: frozenset[Trouble] = frozenset(Trouble)

    @property
    def tells_totals(self) -> bool:
        return not self.server.fake.switches.no_total

    async def members(self, group: Anchor) -> set[Anchor]:
        held = self.server.fake.store.resources["Groups"][group]
        return {Anchor(str(member["value"])) for member in held.get("members", [])}

    async def writes(self) -> int | None:
        return len(self.server.fake.requests("POST", "PUT", "PATCH", "DELETE"))

    async def befall(self, trouble: Trouble) -> None:
        fake = self.server.fake
        match trouble:
            case Trouble.IS_OFF:
                await self.server.switch_off()
            case Trouble.KNOWS_US_NOT:
                fake.switches.token = "another one"
            case Trouble.IGNORES_FILTERS:
                fake.switches.ignores_filter = True
            case Trouble.SPEAKS_NONSENSE:
                fake.misbehave(Fault(what="refuse", status=200, is_html=True))
            case _:
                fake.misbehave(*FAULTS[trouble])


FAULTS: Mapping[Trouble, tuple[Fault, ...]] = {
    Trouble.LOSES_CREATES: (Fault(what="lose", method="POST"),),
    Trouble.FAILS_AFTER_CREATES: (Fault(what="fail_after", method="POST"),),
    Trouble.REFUSES_CREATES: (
        Fault(what="refuse", method="POST", status=400, scim_type="invalidValue"),
    ),
    Trouble.HAS_NO_RIGHTS: (
        Fault(what="refuse", method="POST", status=403),
        Fault(what="refuse", method="PATCH", status=403),
        Fault(what="refuse", method="PUT", status=403),
        Fault(what="refuse", method="DELETE", status=403),
    ),
    Trouble.BREAKS_ONE_UPDATE: (
        Fault(what="reset", method="PATCH", times=1),
        Fault(what="reset", method="PUT", times=1),
    ),
    Trouble.WANTS_PATIENCE_ONCE: (Fault(what="throttle", times=3, retry_after="2"),),
    Trouble.WANTS_PATIENCE_FOR_EVER: (Fault(what="throttle", retry_after="7"),),
}


@asynccontextmanager
async def fake(switches: Mapping[str, object], chosen: Mapping[str, Any]) -> AsyncGenerator[World]:
    """Open a world around our own server."""
    described = Switches(token=TOKEN)
    described.set(switches)
    async with running(described) as server:
        sample = model(EVERY_TYPE)
        target = ScimTarget(
            settings(server.url, **chosen), sample.definitions, SteppingClock(), Dice()
        )
        await target.probe()
        try:
            yield FakeWorld(server=server, target=target, model=sample)
        finally:
            await target.close()


DIALECTS: Mapping[str, tuple[Mapping[str, object], Mapping[str, Any]]] = {
    "scim-rfc": ({}, {}),
    "scim-rfc-without-bodies": ({"patch_status": 204, "post_without_body": True}, {}),
    "scim-rfc-in-parts": ({"answers_in_part": True}, {}),
    "scim-rfc-versions": ({"has_versions": True, "needs_version": True}, {}),
    "scim-rfc-cursors": ({"has_cursors": True}, {}),
    "scim-rfc-pages-of-three": (
        {"page_max": 3, "repeats_last": True, "total_as_text": True, "numeric_ids": True},
        {},
    ),
    "scim-rfc-no-totals": ({"no_total": True, "page_max": 4}, {}),
    "scim-rfc-no-patch": ({"has_patch": False}, {}),
    "scim-rfc-no-patch-unannounced": (
        {"has_patch": False, "announces_patch": True, "no_patch_status": 405},
        {},
    ),
    "scim-rfc-no-filter": ({"has_filter": False}, {}),
    "scim-rfc-no-filter-paths": (
        {"refuses_filter_paths": True, "filters_rfc_only": True, "takes_manager_as": "string"},
        {},
    ),
    "scim-rfc-sloppy": (
        {
            "no_resources": True,
            "swaps_case": True,
            "has_bom": True,
            "content_type": "application/json; charset=UTF-8",
            "manager_as": "list",
            "has_discovery": False,
            "wants_plain_json": True,
            "booleans_as_text": True,
            "integers_as_text": True,
            "shows_members": True,
        },
        {},
    ),
    "scim-rfc-nested-extensions": ({"extensions_nested_only": True}, {"nestedExtensions": True}),
    "scim-entra-compliant": (
        {"dialect": "lenient", "takes_manager_as": "string", "manager_as": "string"},
        {"patchStyle": "entra-compliant"},
    ),
    "scim-entra-legacy": (
        {"dialect": "legacy", "booleans_as_text": True, "patch_status": 204},
        {"profile": "entra-gallery", "rateLimit": 1_000_000},
    ),
}


def dialect(name: str) -> Callable[[], AbstractAsyncContextManager[World]]:
    """Return what opens our own server in a dialect, with the settings that suit it."""
    switches, chosen = DIALECTS[name]
    return lambda: fake(switches, chosen)


@dataclass(kw_only=True)
class Scim2World:
    """scim2-server, which is not ours."""

    server: Scim2
    target: Target
    model: Model = field(default_factory=lambda: model(STANDARD))
    tells_totals: bool = True
    off: Any = None
    troubles: frozenset[Trouble] = frozenset(
        {
            Trouble.LOSES_CREATES,
            Trouble.FAILS_AFTER_CREATES,
            Trouble.REFUSES_CREATES,
            Trouble.HAS_NO_RIGHTS,
            Trouble.WANTS_PATIENCE_ONCE,
        }
    )

    async def members(self, group: Anchor) -> set[Anchor]:
        held = next(one for one in self.server.says("Group") if one["id"] == group)
        return {Anchor(member["value"]) for member in held.get("members") or ()}

    async def writes(self) -> int | None:
        return len(self.server.writes())

    async def befall(self, trouble: Trouble) -> None:
        self.server.misbehave(*SCIM2_FAULTS[trouble])


SCIM2_FAULTS: Mapping[Trouble, tuple[faults.Fault, ...]] = {
    Trouble.LOSES_CREATES: (faults.Fault(what="lose", method="POST"),),
    Trouble.FAILS_AFTER_CREATES: (faults.Fault(what="fail_after", method="POST"),),
    Trouble.REFUSES_CREATES: (faults.Fault(what="refuse", method="POST", status=400),),
    Trouble.HAS_NO_RIGHTS: tuple(
        faults.Fault(what="refuse", method=method, status=403)
        for method in ("POST", "PUT", "PATCH", "DELETE")
    ),
    Trouble.WANTS_PATIENCE_ONCE: (faults.Fault(what="throttle", per_second=0, times=3),),
}


@asynccontextmanager
async def scim2(server: Scim2) -> AsyncGenerator[World]:
    """Open a world around a server that is not ours."""
    sample = model(STANDARD)
    parsed = parse({"baseAddress": server.url, "token": server.token})
    assert not isinstance(parsed, Invalid), parsed
    target = ScimTarget(parsed, sample.definitions, SteppingClock(), Dice())
    await target.probe()
    try:
        yield Scim2World(server=server, target=target, model=sample)
    finally:
        await target.close()
        await asyncio.sleep(0)


SCIM2_VARIANTS: tuple[Variant, ...] = ("full", "nopatch", "nofilter", "noetag", "cursor", "max50")
