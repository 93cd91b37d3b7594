"""A target and the server it talks to, for tests that look at what goes over the wire."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from provisor.connectors.around.trace import Trace
from provisor.connectors.http.settings import Invalid
from provisor.connectors.scim.paths import ENTERPRISE_USER
from provisor.connectors.scim.settings import ScimSettings, parse
from provisor.connectors.scim.target import ScimTarget
from provisor.model.decisions import (
    AttributeChange,
    Create,
    Delete,
    Exported,
    ReferencesChange,
    Update,
)
from provisor.model.entries import Anchor, Entry, MatchQuery, Reference, Value
from provisor.model.rules import AttributeDefinition, AttributeType, Mutability
from provisor.testing.world import Dice, SteppingClock
from tests.fakes.scim.server import Fake, Server, running
from tests.fakes.scim.switches import Switches

D = AttributeDefinition
WORK = 'emails[type eq "work"].value'
DEPARTMENT = f"{ENTERPRISE_USER}:department"
MANAGER = f"{ENTERPRISE_USER}:manager"
USER = (
    D(name="userName", is_required=True),
    D(name="externalId", is_case_exact=True),
    D(name="displayName"),
    D(name="nickName"),
    D(name="active", type=AttributeType.BOOLEAN),
    D(name="name.givenName"),
    D(name="password", mutability=Mutability.WRITE_ONLY),
    D(name=WORK),
    D(name='addresses[type eq "work"].locality'),
    D(name='addresses[type eq "work"].country'),
    D(name="roles", is_multivalued=True),
    D(name=DEPARTMENT),
    D(name=MANAGER, type=AttributeType.REFERENCE, refers_to=("User",)),
)
GROUP = (
    D(name="displayName"),
    D(name="externalId", is_case_exact=True),
    D(
        name="members",
        type=AttributeType.REFERENCE,
        is_multivalued=True,
        refers_to=("User", "Group"),
    ),
)


def parsed(address: str = "https://scim.example.com/v2", **chosen: Any) -> ScimSettings:
    """Return settings that hold."""
    settings = parse({"baseAddress": address, **chosen})
    assert not isinstance(settings, Invalid), str(settings)
    return settings


@dataclass(kw_only=True)
class Stage:
    """A SCIM target, its clock, and the server behind it."""

    server: Server
    target: ScimTarget
    clock: SteppingClock
    trace: Trace = field(default_factory=Trace)

    @property
    def fake(self) -> Fake:
        return self.server.fake

    def switch(self, **changed: object) -> None:
        self.fake.switches.set(changed)

    def asked(self, *methods: str) -> list[str]:
        """Return what was asked since the last time."""
        requests = self.fake.requests(*methods)
        self.fake.log.clear()
        return requests

    async def create(self, kind: str = "User", **said: Value) -> Anchor:
        return anchor_of(await self.hire(said, kind))

    async def hire(self, said: Mapping[str, Value], kind: str = "User") -> Exported:
        return await self.target.export(Create(kind, said, ()))

    async def change(
        self,
        anchor: Anchor,
        changed: Mapping[str, tuple[Value | None, Value | None]],
        kind: str = "User",
    ) -> Exported:
        changes = tuple(AttributeChange(name, *pair) for name, pair in changed.items())
        return await self.target.export(Update(kind, anchor, changes))

    async def refer(
        self, group: Anchor, add: tuple[str, ...] = (), remove: tuple[str, ...] = ()
    ) -> Exported:
        def point(anchors: tuple[str, ...]) -> frozenset[Reference]:
            return frozenset(Reference("User", Anchor(anchor)) for anchor in anchors)

        change = ReferencesChange("members", point(add), point(remove))
        return await self.target.export(Update("Group", group, (change,)))

    async def delete(self, anchor: Anchor, kind: str = "User") -> Exported:
        return await self.target.export(Delete(kind, anchor))

    async def find(self, attribute: str, value: Value, kind: str = "User") -> list[Entry]:
        return list(await self.target.find(MatchQuery(kind, attribute, value)))

    async def listed(self, kind: str = "User") -> list[tuple[list[str], int | None]]:
        pages = [page async for page in self.target.list_all(kind)]
        return [([entry.anchor for entry in page.entries], page.total) for page in pages]

    def members(self, group: Anchor) -> set[str]:
        held = self.fake.store.resources["Groups"][group].get("members", [])
        return {member["value"] for member in held}


def anchor_of(exported: Exported) -> Anchor:
    assert exported.anchor is not None
    return exported.anchor


@asynccontextmanager
async def opened(
    switches: Mapping[str, object] | None = None, **chosen: Any
) -> AsyncGenerator[Stage]:
    """Open a target on a fresh server. It does not read back, unless `readBack` is given."""
    described = Switches()
    described.set(switches or {})
    clock, trace = SteppingClock(), Trace()
    async with running(described) as server:
        settings = parsed(server.url, **{"readBack": False, **chosen})
        kinds = {"User": USER, "Group": GROUP}
        target = ScimTarget(settings, kinds, clock, Dice(), trace=trace)
        try:
            yield Stage(server=server, target=target, clock=clock, trace=trace)
        finally:
            await target.close()
