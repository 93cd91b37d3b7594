"""A cycle that two or three carry through together, whoever of them dies, keeps to what one keeps
to: one guard, one status, one order."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisor.model.cycles import CycleResult
from provisor.model.decisions import Create
from provisor.model.entries import Anchor, Reference
from tests.simulation.backing import JOB, OnServer
from tests.simulation.histories import PLAIN_STEPS, Step, worlds
from tests.simulation.test_convergence import converge
from tests.simulation.test_guard import DAYS, LIMITS, Day, depart
from tests.simulation.world import World

pytestmark = pytest.mark.usefixtures("on_postgres")
SHARED = st.sampled_from([1, 2])
"""How many work along with who leads."""


@pytest.fixture(scope="module")
def on_postgres(pg_address: str) -> None:
    """Have a server, for histories that are remembered there."""
    OnServer.address = pg_address


@settings(max_examples=8)
@given(world=worlds(), others=SHARED, steps=PLAIN_STEPS, heals_all=st.booleans())
def test_the_target_converges_whoever_carries_it_through(
    world: World, others: int, steps: list[Step], heals_all: bool
) -> None:
    world.others = others
    world.play("postgresql", lambda world: converge(world, steps, heals_all=heals_all))


@settings(max_examples=5)
@given(
    world=st.builds(World, disables=st.booleans(), guards=st.just(LIMITS), others=SHARED),
    days=DAYS,
)
def test_departures_stay_within_one_limit(world: World, days: list[Day]) -> None:
    world.play("postgresql", lambda world: depart(world, days))


@pytest.mark.parametrize("others", [1, 2])
@pytest.mark.parametrize("seed", range(3))
def test_a_superior_is_there_before_those_who_point_at_him(others: int, seed: int) -> None:
    """Whoever they are carried through by: else they would have to be told of him later."""

    async def history(world: World) -> None:
        for who, above in zip("bcde", "abcd", strict=True):
            world.person(who, manager=Reference("user", Anchor(above)))
        world.person("a")
        cycle = await world.run()
        assert cycle is not None
        assert cycle.result is CycleResult.SUCCEEDED
        assert world.came == others
        created = [
            write
            for write in world.target.done
            if isinstance(write, Create) and write.kind == "User"
        ]
        assert len(created) == 5
        assert sum("manager" in write.attributes for write in created) == 4

    World(others=others, seed=seed, parallel_max=3).play("postgresql", history)


def test_it_is_one_cycle_with_one_status_that_is_a_recount() -> None:
    async def history(world: World) -> None:
        for who in "abcd":
            world.person(who)
        world.person("d", mail=("two", "addresses"))
        cycle = await world.run()
        assert cycle is not None
        assert await world.memory.ledger.cycles(JOB, 5) == [cycle]
        assert (await world.status()).last == cycle
        journal = await world.memory.registry.view_journal(JOB)
        said = await journal.recount()
        assert (said.escrowed, said.unsettled) == (cycle.counts.escrowed, cycle.counts.unsettled)
        assert cycle.counts.exported == 5
        assert cycle.counts.escrowed == 1
        world.memory.abandon(journal)

    World(others=2).play("postgresql", history)
