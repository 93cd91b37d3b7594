"""A tenant as a target: our own, over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from provisor.connectors.msgraph.settings import GraphSettings, parse
from provisor.connectors.msgraph.target import GraphTarget
from provisor.model.entries import Anchor, Value
from provisor.model.rules import AttributeDefinition, AttributeType
from provisor.ports import Target
from provisor.testing.world import Dice, Model, SteppingClock, Trouble, World
from tests.contracts.targets.scim import FAULTS
from tests.fakes.msgraph.server import BASE, GraphFake
from tests.fakes.scim.server import Server
from tests.fakes.scim.switches import Fault, Switches

D = AttributeDefinition
TOKEN = "a token that nobody may see"
SAMPLES: Mapping[str, tuple[Value, Value]] = {
    "displayName": ("Ada", "Ada Łukasińska-O'Neil"),
    "jobTitle": ("Countess", "Analyst"),
    "givenName": ("Ada", "Augusta"),
    "accountEnabled": (True, False),
    "otherMails": (("ada@example.com", "a@example.com"), ("ada@example.org",)),
}


def model() -> Model:
    users = [
        D(name="userPrincipalName"),
        *(
            D(
                name=name,
                type=AttributeType.BOOLEAN if isinstance(pair[0], bool) else AttributeType.STRING,
                is_multivalued=isinstance(pair[0], tuple),
            )
            for name, pair in SAMPLES.items()
        ),
        D(name="manager", type=AttributeType.REFERENCE, refers_to=("User",)),
    ]
    members = D(
        name="members", type=AttributeType.REFERENCE, is_multivalued=True, refers_to=("User",)
    )
    return Model(
        definitions={"User": tuple(users), "Group": (D(name="displayName"), members)},
        user_name="userPrincipalName",
        manager="manager",
        samples=SAMPLES,
    )


@dataclass(kw_only=True)
class GraphWorld:
    server: Server
    target: Target
    model: Model = field(default_factory=model)
    tells_totals: bool = True
    troubles: frozenset[Trouble] = frozenset(Trouble)

    @property
    def fake(self) -> GraphFake:
        assert isinstance(self.server.fake, GraphFake)
        return self.server.fake

    async def members(self, group: Anchor) -> set[Anchor]:
        return {Anchor(id) for id in self.fake.held["groups"][group]["members"]}

    async def writes(self) -> int | None:
        return len(self.fake.requests("POST", "PUT", "PATCH", "DELETE"))

    async def befall(self, trouble: Trouble) -> None:
        match trouble:
            case Trouble.IS_OFF:
                await self.server.switch_off()
            case Trouble.KNOWS_US_NOT:
                self.fake.switches.token = "another one"
            case Trouble.IGNORES_FILTERS:
                self.fake.switches.ignores_filter = True
            case Trouble.SPEAKS_NONSENSE:
                self.fake.misbehave(Fault(what="refuse", status=200, is_html=True))
            case _:
                self.fake.misbehave(*FAULTS[trouble])


@asynccontextmanager
async def tenant() -> AsyncGenerator[World]:
    """Open a tenant that nobody is in."""
    server = Server(GraphFake(Switches(token=TOKEN)), 0)
    await server.switch_on()
    assert isinstance(server.fake, GraphFake)
    server.fake.origin = f"http://127.0.0.1:{server.port}"
    parsed = parse({"baseAddress": server.fake.origin + BASE, "token": TOKEN, "tenant": "t"})
    assert isinstance(parsed, GraphSettings), parsed
    target = GraphTarget(parsed, model().definitions, SteppingClock(), Dice())
    await target.probe()
    try:
        yield GraphWorld(server=server, target=target)
    finally:
        await target.close()
        await server.switch_off()
