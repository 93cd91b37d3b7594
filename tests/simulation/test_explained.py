"""An explanation remembers nothing: what it expects of an object is what would be remembered."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisor.model.decisions import Standing, StandingKey
from provisor.model.entries import Anchor, Seen
from provisor.ports import Observation
from tests.simulation.backing import JOB, STORES, StoreName
from tests.simulation.histories import PLAIN_STEPS, Step, take, worlds
from tests.simulation.rules import USERS, VERSIONS
from tests.simulation.world import PEOPLE, World, user


@pytest.mark.parametrize("store", STORES)
@given(
    world=worlds(),
    steps=PLAIN_STEPS,
    version=st.integers(0, VERSIONS - 1),
    renamed=st.sampled_from(PEOPLE),
    assigned=st.none() | st.sets(st.sampled_from(PEOPLE)),
)
def test_what_is_expected_of_an_object_is_what_would_be_remembered(
    store: StoreName,
    world: World,
    steps: list[Step],
    version: int,
    renamed: str,
    assigned: set[str] | None,
) -> None:
    world.play(store, lambda world: _compare(world, steps, version, renamed, assigned))


async def _compare(
    world: World,
    steps: Sequence[Step],
    version: int,
    renamed: str,
    assigned: Collection[str] | None,
) -> None:
    for step in steps:
        await take(world, step)
    world.version = version
    world.person(renamed, name="another")
    mandate, before = world.mandate, world.memory.content()
    chosen = None if assigned is None else {USERS: frozenset(map(Anchor, assigned))}
    entries = {Anchor(who): await world.source.fetch(user(who)) for who in PEOPLE}

    view = await world.memory.registry.view_journal(JOB)
    expected: list[Standing] = []
    for anchor, entry in entries.items():
        key = StandingKey(USERS, anchor)
        rules, policy = mandate.rules, mandate.policy_hash
        expected += await view.expected([key], entry, rules, policy, chosen)
    world.memory.abandon(view)
    assert world.memory.content() == before

    overlay = await world.memory.registry.overlay_journal(JOB)
    await overlay.adopt(mandate.rules, mandate.policy_hash)
    seen = [
        Observation(StandingKey(USERS, anchor), Seen(entry), is_counted=False)
        for anchor, entry in entries.items()
        if entry is not None
    ]
    await overlay.absorb(seen, None, world.clock.now())
    if chosen is not None:
        await overlay.assign(chosen)
    remembered = await overlay.recall([StandingKey(USERS, anchor) for anchor in entries])
    world.memory.abandon(overlay)

    assert expected == remembered
