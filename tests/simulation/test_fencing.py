"""An engine that slept through the loss of its job can do no more than a crash could."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisor.engine.cycle import run_cycle
from provisor.engine.work import Ports
from provisor.errors import Fenced
from provisor.ports import Journal
from tests.simulation.backing import STORES, StoreName
from tests.simulation.faults import Chance, MortalJournal
from tests.simulation.histories import EDITS, Edit
from tests.simulation.world import World

LEASE = timedelta(minutes=5)


class Freezer(Chance):
    """Puts a process to sleep at its n-th step, until someone wakes it."""

    def __init__(self, steps: int) -> None:
        super().__init__(steps)
        self.frozen, self.thaw = asyncio.Event(), asyncio.Event()
        self._steps = steps

    async def turn(self) -> None:
        await super().turn()
        self._steps -= 1
        if self._steps == 0:
            self.frozen.set()
        if self._steps <= 0:
            await self.thaw.wait()


def frozen_ports(world: World, journal: Journal, freezer: Freezer) -> Ports:
    """The process may fall asleep between its note and its deed, and after the deed."""
    ends = world.clock.now() + LEASE
    return replace(
        world.ports(cast(Journal, MortalJournal(journal, freezer))),
        target=replace(world.target, chance=freezer, done=[], acknowledged=[]),
        lease_ends=lambda: ends,
    )


@pytest.mark.parametrize("store", STORES)
@given(
    world=st.builds(World, parallel_max=st.sampled_from([1, 3]), disables=st.booleans()),
    early=EDITS,
    late=EDITS,
    steps=st.integers(1, 40),
)
def test_a_sleeper_wakes_to_no_effect(
    store: StoreName,
    world: World,
    early: tuple[Edit, ...],
    late: tuple[Edit, ...],
    steps: int,
) -> None:
    world.play(store, lambda world: _sleep(world, early, late, steps))


async def _sleep(world: World, early: tuple[Edit, ...], late: tuple[Edit, ...], steps: int) -> None:
    for edit in early:
        world.edit(*edit)
    freezer, journal = Freezer(steps), await world.open_journal()
    ports = frozen_ports(world, journal, freezer)
    sleeper = asyncio.create_task(run_cycle(world.mandate, ports, world.next_cycle()))
    asleep = asyncio.create_task(freezer.frozen.wait())
    await asyncio.wait({sleeper, asleep}, return_when=asyncio.FIRST_COMPLETED)
    asleep.cancel()
    has_finished = sleeper.done()
    await world.clock.sleep(LEASE.total_seconds())

    for edit in late:
        world.edit(*edit)
    world.heal()
    await world.calm()
    remembered, said = world.memory.content(), world.said()
    freezer.thaw.set()
    (woken,) = await asyncio.gather(sleeper, return_exceptions=True)

    assert has_finished or isinstance(woken, Fenced)
    assert world.said() == said, "the sleeper wrote to the target"
    assert world.memory.content() == remembered, "the sleeper wrote to the journal"
    world.memory.abandon(journal)
    await world.check()


def test_who_only_looks_cannot_write() -> None:
    for store in STORES:
        World().play(store, _look)


async def _look(world: World) -> None:
    await world.run()
    view = await world.memory.registry.view_journal("people")
    with pytest.raises(Fenced):
        await view.begin_snapshot()
    world.memory.abandon(view)
