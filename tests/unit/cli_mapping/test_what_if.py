"""Other rules are tried on what is remembered: value by value, who comes, who goes; nothing is
asked, and nothing is written."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from provisor.engine.whatif import Altered, Effect, WhatIf, what_if
from provisor.model.decisions import AttributeChange
from provisor.model.rules import Clause, ClauseGroup, ObjectMapping, Rules
from tests.simulation.backing import JOB, STORES, StoreName
from tests.simulation.rules import SALES, STRICT, USERS, attribute
from tests.simulation.world import World

pytestmark = pytest.mark.parametrize("store", STORES)
RESEARCH = (ClauseGroup("", (Clause("department", "EQUALS", ("Research",)),)),)


def drafted(rules: Rules, **changes: object) -> Rules:
    users = replace(rules[USERS], hash="drafted", **changes)
    return {**rules, USERS: users}


def with_attribute(users: ObjectMapping, name: str, source: str) -> dict[str, object]:
    others = [a for a in users.attributes if a.target.name != name]
    return {"attributes": (*others, attribute(name, source))}


async def ask(world: World, rules: Rules) -> WhatIf:
    """Try rules; check that neither store nor directories noticed."""
    before, target = world.memory.content(), dict(world.directory.entries)
    present, registry = world.mandate, world.memory.registry
    view = await registry.view_journal(JOB)
    draft = replace(present, rules=rules)
    world.target.faults = []
    told = await what_if(present, draft, view, world.clock.now())
    world.memory.abandon(view)
    assert world.memory.content() == before
    assert world.directory.entries == target
    return told


async def settled(world: World, *people: str) -> Rules:
    for who in people:
        world.person(who)
    await world.run()
    await world.run()
    return world.mandate.rules


def effects(told: WhatIf) -> dict[str, Effect]:
    return {one.key.anchor: one.effect for one in told.altered}


def about(told: WhatIf, who: str) -> Altered:
    return next(one for one in told.altered if one.key.anchor == who)


def test_another_expression_is_told_value_by_value_and_only_what_differs(store: StoreName) -> None:
    async def history(world: World) -> None:
        rules = await settled(world, "a", "b")
        change = with_attribute(rules[USERS], "displayName", 'Append([name], "!")')

        told = await ask(world, drafted(rules, **change))

        assert set(effects(told).values()) == {Effect.UPDATE}
        assert about(told, "a").changes == (AttributeChange("displayName", "a", "a!"),)
        assert told.changed == (USERS,)
        assert told.examined == 3

    World().play(store, history)


def test_rules_that_say_the_same_in_other_words_change_nothing(store: StoreName) -> None:
    async def history(world: World) -> None:
        rules = await settled(world, "a", "b")
        change = with_attribute(rules[USERS], "displayName", 'Join("", [name])')

        assert (await ask(world, drafted(rules, **change))).altered == ()
        assert (await ask(world, rules)).examined == 0

    World().play(store, history)


def test_who_comes_into_scope_and_who_leaves_it(store: StoreName) -> None:
    async def history(world: World) -> None:
        world.person("r", department="Research")
        rules = await settled(world, "a")
        assert rules[USERS].scope == SALES

        told = await ask(world, drafted(rules, scope=RESEARCH))

        assert effects(told) == {"a": Effect.DISABLE, "e": Effect.DISABLE, "r": Effect.ENTER}
        assert AttributeChange("active", True, False) in about(told, "a").changes
        assert AttributeChange("userName", None, "r@x.org") in about(told, "r").changes
        assert told.error is None

    World(disables=True).play(store, history)


def test_departures_are_weighed_as_a_cycle_would(store: StoreName) -> None:
    async def history(world: World) -> None:
        rules = await settled(world, "a", "b")
        world.guards = STRICT

        told = await ask(world, drafted(rules, scope=RESEARCH))

        assert Counter(effects(told).values()) == {Effect.STAGED: 3}
        assert told.error is not None
        assert told.error.code == "TooManyDeletes"

    World(disables=True).play(store, history)


def test_who_left_comes_back_and_who_cannot_be_mapped_is_told_why(store: StoreName) -> None:
    async def history(world: World) -> None:
        rules = await settled(world, "a", "b")
        world.person("b", department="Research")
        await world.run()

        told = await ask(world, drafted(rules, scope=()))
        assert [(one.key.anchor, one.effect) for one in told.altered] == [
            ("e", Effect.REFERENCES),  # the group points at b again
            ("b", Effect.RETURN),
        ]

        change = with_attribute(rules[USERS], "displayName", "CDate([name])")
        told = await ask(world, drafted(rules, **change))
        assert about(told, "a").effect is Effect.UNMAPPABLE
        assert about(told, "a").reason

    World(disables=True).play(store, history)


def test_what_is_due_anyway_is_not_put_down_to_the_draft(store: StoreName) -> None:
    async def history(world: World) -> None:
        rules = await settled(world, "a")
        world.person("b", mail=("two", "addresses"))
        await world.run()
        change = with_attribute(rules[USERS], "title", "[title]")

        told = await ask(world, drafted(rules, **change))

        assert told.altered == ()
        assert told.unseen == ("title",)

    World().play(store, history)


def test_who_waits_for_an_account_gets_none_by_another_value(store: StoreName) -> None:
    async def history(world: World) -> None:
        rules = await settled(world, "a")
        world.person("b", mail="A@x.org")  # whose account is a's
        await world.run()
        change = with_attribute(rules[USERS], "displayName", 'Append([name], "!")')

        told = await ask(world, drafted(rules, **change))

        assert effects(told) == {"a": Effect.UPDATE, "e": Effect.UPDATE, "b": Effect.AWAIT}
        assert AttributeChange("displayName", None, "b!") in about(told, "b").changes

        # Who waits because no value could be worked out comes in by rules that work it out.
        world.person("b", mail=("two", "addresses"))
        await world.run()
        others = [a for a in rules[USERS].attributes if a.target.name != "userName"]
        change = {"attributes": (attribute("userName", "[name]", matching_priority=1), *others)}
        assert effects(await ask(world, drafted(rules, **change)))["b"] is Effect.ENTER

    World().play(store, history)


def test_a_mapping_that_is_gone_leaves_its_objects_as_they_are(store: StoreName) -> None:
    async def history(world: World) -> None:
        rules = await settled(world, "a")

        told = await ask(world, drafted(rules, is_enabled=False))

        assert told.dropped == {USERS: 2}
        assert told.altered == ()

    World().play(store, history)


def test_the_answer_is_what_the_next_cycle_then_does(store: StoreName) -> None:
    async def history(world: World) -> None:
        world.person("r", department="Research")
        await settled(world, "a", "b")
        world.version = 3
        after = world.mandate.rules
        world.version = 0
        told = await ask(world, after)
        world.version = 3
        plan = await world.plan()

        done = {(s.key, s.action.value) for s in plan.steps if not s.is_reference_pass}
        words = {Effect.ENTER: "create", Effect.UPDATE: "update"}
        assert {(one.key, words[one.effect]) for one in told.altered} == done
        before = len(world.directory.entries)
        await world.run()
        assert len(world.directory.entries) == before + 1

    World().play(store, history)


def test_who_leaves_scope_may_be_let_be_and_is_told(store: StoreName) -> None:
    async def history(world: World) -> None:
        rules = await settled(world, "a")
        world.policy = replace(world.policy, skips_out_of_scope_deletions=True)

        told = await ask(world, drafted(rules, scope=RESEARCH))

        assert set(effects(told).values()) == {Effect.RELEASE}

    World(disables=True).play(store, history)
