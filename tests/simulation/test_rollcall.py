"""A reconcile asks who is in the target's groups: whom others took out is put there again, whom
they put there stays, and whatever a target says of its groups takes nobody out of one."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from provisor.engine.work import still_terms
from provisor.errors import AdapterError, Denied, Rejected, Stale, Throttled, Unanswered
from provisor.model.decisions import Record, ReferencesChange, StandingKey
from provisor.model.entries import Anchor, Entry, Reference
from provisor.model.rules import Policy
from provisor.planner.diff import as_set
from provisor.planner.drift import DriftState, reference_state
from provisor.ports import RecordQuery, Referred
from tests.simulation.backing import JOB, STORES, StoreName
from tests.simulation.faults import FaultyTarget
from tests.simulation.rules import GROUPS
from tests.simulation.world import World

STRANGER = Reference("User", Anchor("x1"))
NOT_TOLD = (
    *(Rejected("it does not"), Unanswered("nobody knows"), Throttled(1), Stale("it is gone")),
    Denied("it may not be seen"),
)


@dataclass
class Secretive(FaultyTarget):
    """Shows nobody in any group, or says why not."""

    failure: AdapterError | None = None
    asked: list[Anchor] = field(default_factory=list[Anchor])

    async def referred(
        self, kind: str, anchor: Anchor, name: str, known: frozenset[Reference]
    ) -> Referred:
        self.asked.append(anchor)
        if self.failure is not None:
            raise self.failure
        return Referred()


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> StoreName:
    name: StoreName = request.param
    return name


def the_group(world: World) -> Anchor:
    entries = world.directory.entries.items()
    return next(a for a, e in entries if e.attributes.get("displayName") == "group f")


def members(world: World) -> frozenset[Reference]:
    return as_set(world.directory.entries[the_group(world)].attributes.get("members"))


def say(world: World, *people: Reference) -> None:
    """Let somebody else say who is in the group."""
    anchor = the_group(world)
    entry = world.directory.entries[anchor]
    said = {**entry.attributes, "members": people}
    world.directory.entries[anchor] = Entry(entry.kind, anchor, said, entry.version)


async def found(world: World) -> Record:
    """Return the latest that a reconcile told of the group."""
    query = RecordQuery(job=JOB, code="Drift", limit=100)
    records = [record for _, _, record in await world.memory.ledger.records(query)]
    return max((r for r in records if r.key == KEY), key=lambda record: record.at)


async def count(world: World) -> int:
    query = RecordQuery(job=JOB, code="Drift", limit=100)
    return len(await world.memory.ledger.records(query))


def state(world: World, record: Record) -> DriftState:
    (change,) = record.changes
    assert isinstance(change, ReferencesChange)
    terms = still_terms(world.mandate, world.clock.now())[GROUPS]
    return reference_state(terms, world.standings[KEY], change)


KEY = StandingKey(GROUPS, Anchor("f"))


async def founded(world: World) -> frozenset[Reference]:
    for who in "abc":
        world.person(who)
    world.group("f", "abc")
    await world.calm(1)
    return members(world)


def test_whom_others_took_out_is_put_there_again_and_whom_they_put_there_stays(
    store: StoreName,
) -> None:
    World().play(store, _put_back)


async def _put_back(world: World) -> None:
    all_three = await founded(world)
    one, *others = sorted(all_three, key=str)
    say(world, *others, STRANGER)

    await world.run()
    assert one not in members(world), "an ordinary cycle does not ask"
    await world.run(reconciles=True)

    assert members(world) == {*all_three, STRANGER}
    told = await found(world)
    assert told.changes == (ReferencesChange("members", frozenset({STRANGER}), frozenset({one})),)
    assert state(world, told) is DriftState.FOREIGN
    before = await count(world)
    await world.run(reconciles=True)
    assert await count(world) == before, "a stranger is told of once"


def test_what_is_only_reported_stands_until_the_group_changes(store: StoreName) -> None:
    World(policy=Policy(repairs_drift=False)).play(store, _report)


async def _report(world: World) -> None:
    all_three = await founded(world)
    say(world)

    await world.run(reconciles=True)

    assert not members(world)
    assert state(world, await found(world)) is DriftState.STANDS
    world.group("f", "ab")
    await world.calm(1)
    assert len(members(world)) == 2
    assert members(world) < all_three
    assert state(world, await found(world)) is DriftState.RIGHT


def test_a_target_that_never_shows_members_is_told_them_a_few_times_only(store: StoreName) -> None:
    World().play(store, _hide)


async def _hide(world: World) -> None:
    all_three = await founded(world)
    world.target = Secretive(world.directory, world.chance)

    sent: list[int] = []
    for _ in range(6):
        world.target.forget()
        await world.run(reconciles=True)
        sent.append(len(world.target.done))

    assert [number > 0 for number in sent] == [True, True, True, False, False, False]
    assert members(world) == all_three
    assert state(world, await found(world)) is DriftState.RETURNS
    world.group("f", "b")
    await world.calm(1)
    assert len(members(world)) == 1, "whoever leaves is taken out all the same"


@pytest.mark.parametrize("failure", NOT_TOLD, ids=lambda one: type(one).__name__)
def test_what_is_not_told_changes_nothing(store: StoreName, failure: AdapterError) -> None:
    async def history(world: World) -> None:
        all_three = await founded(world)
        world.target = target = Secretive(world.directory, world.chance, failure=failure)
        world.target.forget()

        cycle = await world.run(reconciles=True)

        assert cycle is not None
        assert (cycle.error, cycle.halt) == (None, None)
        assert target.asked
        assert not isinstance(failure, Denied) or len(target.asked) == 1
        assert target.done == []
        assert members(world) == all_three

    World().play(store, history)


def test_a_member_whose_account_others_deleted_is_missed_once_and_not_by_his_groups(
    store: StoreName,
) -> None:
    World().play(store, _gone)


async def _gone(world: World) -> None:
    await founded(world)
    gone = sorted(members(world), key=str)[0]
    del world.directory.entries[gone.anchor]
    say(world, *(members(world) - {gone}))

    cycle = await world.run(reconciles=True)

    assert cycle is not None
    assert cycle.counts.escrowed_references == 0
    assert gone not in members(world)
