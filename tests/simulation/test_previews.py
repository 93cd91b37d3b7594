"""What a preview of other rules tells is what the applied edit then does, value by value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisor.engine.whatif import Effect, WhatIf, what_if
from provisor.model.decisions import AttributeChange, Create, Delete, StandingKey, Update
from provisor.model.entries import Anchor, Reference
from tests.simulation.backing import JOB, STORES, StoreName
from tests.simulation.histories import PLAIN_STEPS, Step, take, worlds
from tests.simulation.rules import VERSIONS, rules
from tests.simulation.test_plans import values
from tests.simulation.world import World

VERSIONS_OF_RULES = st.integers(0, VERSIONS - 1)
Values: TypeAlias = frozenset[tuple[str, str]]


@pytest.mark.parametrize("store", STORES)
@given(world=worlds(), steps=PLAIN_STEPS, before=VERSIONS_OF_RULES, after=VERSIONS_OF_RULES)
def test_a_preview_says_exactly_what_the_applied_edit_writes(
    store: StoreName, world: World, steps: list[Step], before: int, after: int
) -> None:
    world.play(store, lambda world: _foresee(world, steps, before, after))


async def _foresee(world: World, steps: Sequence[Step], before: int, after: int) -> None:
    world.version = before
    for step in steps:
        await take(world, step)
    world.heal()
    await world.calm()
    assert await _due(world) == []

    told = await _preview(world, after)
    names = world.governors()
    world.version = after
    world.target.forget()
    await world.run()

    if any(s.escrow or s.references_escrow for s in world.standings.values()):
        return  # a target tells of some things only when it is written to
    owners = {**names, **world.governors(), **dict(world.claimed)}
    written = _said(world, owners)
    promised = _promised(told)
    unforeseen = written.keys() - promised.keys()
    assert len(unforeseen) <= told.in_doubt
    for key, changes in promised.items():
        done = written.get(key, frozenset())
        if told.unshown:
            done |= {value for value in changes if value[0] in told.unshown}
        assert done == changes, key


async def _due(world: World) -> Sequence[StandingKey]:
    view = await world.memory.registry.view_journal(JOB)
    due = await view.due(world.clock.now())
    world.memory.abandon(view)
    return due


async def _preview(world: World, version: int) -> WhatIf:
    present = world.mandate
    draft = replace(present, rules=rules(disables=world.disables, version=version))
    view = await world.memory.registry.view_journal(JOB)
    told = await what_if(present, draft, view, world.clock.now())
    world.memory.abandon(view)
    return told


def _promised(told: WhatIf) -> Mapping[StandingKey, Values]:
    promised: dict[StandingKey, Values] = {}
    for one in told.altered:
        said = values(one.changes, lambda reference: reference.anchor)
        if one.effect is Effect.DELETE:
            said = frozenset({("gone", "")})
        if one.effect is not Effect.RELEASE:
            promised[one.key] = promised.get(one.key, frozenset()) | said
    return promised


def _said(world: World, owners: Mapping[Anchor, StandingKey]) -> Mapping[StandingKey, Values]:
    def name_of(reference: Reference) -> Anchor:
        owner = owners.get(reference.anchor)
        return owner.anchor if owner else reference.anchor

    said: dict[StandingKey, Values] = {}
    for write, answer in world.target.acknowledged:
        match write:
            case Create(_, attributes):
                assert answer.anchor is not None
                key = owners[answer.anchor]
                told = values((AttributeChange(n, None, v) for n, v in attributes.items()), name_of)
            case Update(_, anchor, changes):
                key, told = owners[anchor], values(changes, name_of)
            case Delete(_, anchor):
                key, told = owners[anchor], frozenset({("gone", "")})
        said[key] = said.get(key, frozenset()) | told
    return said
