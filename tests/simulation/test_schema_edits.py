"""A schema edit that is applied exports what differs, and asks the target only what it must.

What is remembered of target objects answers for them, unless the edit names target attributes that
it may lack.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from provisor.engine.cycle import run_cycle
from provisor.model.decisions import AttributeChange, Create, Update
from provisor.model.entries import Entry
from provisor.model.rules import AttributeType, ObjectMapping
from tests.simulation.backing import STORES, StoreName
from tests.simulation.rules import SUFFIX, USERS, attribute
from tests.simulation.world import World

pytestmark = pytest.mark.parametrize("store", STORES)
CROWD = "abcdfghij"
"""Enough that a listing would be cheaper than to ask for each."""
SUFFIXED, FOR_ALL, NICKNAMED = 1, 2, 4


async def settled(world: World) -> int:
    """Hire a crowd, with a group, and come to rest; return how many accounts there are."""
    for who in CROWD:
        world.person(who)
    world.edit("a", "group", 3)
    await world.run()
    await world.run()
    return len(CROWD) + 1  # and e, who is always there


async def edited(world: World, version: int) -> int:
    """Apply other rules and run; return how often the target was read."""
    world.version = version
    world.target.forget()
    cycle = await world.run()
    assert cycle is not None
    assert not cycle.error
    return world.target.calls - len(world.target.done)


def changes(world: World) -> Sequence[AttributeChange]:
    updates = [write for write in world.target.done if isinstance(write, Update)]
    return [c for write in updates for c in write.changes if isinstance(c, AttributeChange)]


@pytest.mark.parametrize("lists", [False, True])
def test_an_edit_of_known_attributes_reads_nothing_and_writes_what_differs(
    store: StoreName, lists: bool
) -> None:
    async def history(world: World) -> None:
        people = await settled(world)

        assert await edited(world, SUFFIXED) == 0

        assert len(world.target.done) == people
        assert {change.name for change in changes(world)} == {"displayName"}
        assert AttributeChange("displayName", "a", f"a{SUFFIX}") in changes(world)
        await world.check()

    World(lists=lists).play(store, history)


def test_an_edit_that_changes_no_value_asks_nothing_at_all(store: StoreName) -> None:
    async def history(world: World) -> None:
        await settled(world)

        assert await edited(world, FOR_ALL) == 0

        assert world.target.done == []
        await world.check()

    World(lists=True).play(store, history)


def test_who_comes_into_scope_is_looked_for_and_nobody_else(store: StoreName) -> None:
    async def history(world: World) -> None:
        world.person("r", department="Research")
        await settled(world)

        assert await edited(world, FOR_ALL) == 1

        (create,) = world.target.done
        assert isinstance(create, Create)
        assert create.attributes["displayName"] == "r"
        await world.check()

    World(lists=True).play(store, history)


def test_an_attribute_that_was_not_mapped_is_looked_up_once(store: StoreName) -> None:
    async def history(world: World) -> None:
        people = await settled(world)
        for anchor, entry in world.directory.entries.items():
            if entry.kind == "User" and entry.attributes["displayName"] != "a":
                said = {**entry.attributes, "nickName": entry.attributes["displayName"]}
                world.directory.entries[anchor] = Entry(entry.kind, entry.anchor, said)

        assert await edited(world, NICKNAMED) == people

        assert changes(world) == [AttributeChange("nickName", None, "a")]
        assert await edited(world, NICKNAMED | SUFFIXED) == 0
        await world.check()

    World().play(store, history)


def test_an_attribute_that_is_no_longer_mapped_is_neither_read_nor_drift(store: StoreName) -> None:
    async def history(world: World) -> None:
        await settled(world)
        await edited(world, NICKNAMED)

        assert await edited(world, 0) == 0
        assert world.target.done == []

        for anchor, entry in world.directory.entries.items():
            said = {n: v for n, v in entry.attributes.items() if n != "nickName"}
            world.directory.entries[anchor] = Entry(entry.kind, entry.anchor, said)
        world.target.forget()
        await world.run(reconciles=True)
        assert world.target.done == []
        assert await edited(world, NICKNAMED) > 0, "what was not mapped meanwhile is not known"
        await world.check()

    World(lists=True).play(store, history)


def test_an_attribute_of_another_type_is_looked_up_anew(store: StoreName) -> None:
    async def history(world: World) -> None:
        people = await settled(world)
        users = world.mandate.rules[USERS]
        as_number = replace(attribute("displayName", "[name]").target, type=AttributeType.INTEGER)
        told = users.attributes[1]
        drafted = replace(
            users,
            hash="with numbers",
            attributes=(
                users.attributes[0],
                replace(told, target=as_number),
                *users.attributes[2:],
            ),
        )

        assert await _reads_under(world, drafted) == people

    World().play(store, history)


def test_a_mapping_that_was_disabled_is_looked_at_anew(store: StoreName) -> None:
    """Others may have looked after its objects meanwhile."""

    async def history(world: World) -> None:
        people = await settled(world)
        users = world.mandate.rules[USERS]

        assert await _reads_under(world, replace(users, hash="off", is_enabled=False)) == 0
        assert await _reads_under(world, replace(users, hash="on")) == people

    World().play(store, history)


async def _reads_under(world: World, users: ObjectMapping) -> int:
    mandate = world.mandate
    journal = await world.open_journal()
    world.target.forget()
    ports = world.ports(journal)
    await run_cycle(
        replace(mandate, rules={**mandate.rules, USERS: users}), ports, world.next_cycle()
    )
    world.memory.abandon(journal)
    return world.target.calls - len(world.target.done)
