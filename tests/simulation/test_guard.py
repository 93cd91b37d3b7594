"""More departures than expected are staged and not sent; approval sends exactly those, once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisor.model.cycles import Cycle, QuarantineReason
from provisor.model.jobs import ResetScope
from provisor.model.rules import DepartureLimits, Guards, MemberLimits
from provisor.planner.diff import as_set
from provisor.planner.weigh import WINDOW
from tests.simulation.backing import STORES, StoreName
from tests.simulation.faults import Mishaps
from tests.simulation.histories import SCOPES
from tests.simulation.world import World, user

CROWD = tuple(f"p{n}" for n in range(12))
MOST = 3
LIMITS = Guards(departures=DepartureLimits(percent=10, floor=MOST, most=1000))
MEMBER_LIMITS = Guards(
    departures=DepartureLimits(percent=1000, floor=1000, most=1000),
    members=MemberLimits(percent=20, floor=MOST),
)
PEOPLE = st.sets(st.sampled_from(CROWD), max_size=5)


@dataclass(frozen=True, kw_only=True)
class Day:
    leavers: frozenset[str] = frozenset()
    returners: frozenset[str] = frozenset()
    approves: bool = False
    hours: int = 6
    """Until the next."""
    dies_at: int = 0
    restart: ResetScope | None = None


DAYS = st.lists(
    st.builds(
        Day,
        leavers=PEOPLE.map(frozenset),
        returners=st.sets(st.sampled_from(CROWD), max_size=2).map(frozenset),
        approves=st.booleans(),
        hours=st.sampled_from([1, 6, 30]),
        dies_at=st.one_of(st.just(0), st.integers(0, 40)),
        restart=st.one_of(st.none(), st.none(), st.none(), st.sampled_from(SCOPES)),
    ),
    max_size=8,
)


@pytest.mark.parametrize("store", STORES)
@given(
    world=st.builds(
        World,
        disables=st.booleans(),
        parallel_max=st.sampled_from([1, 3]),
        guards=st.just(LIMITS),
    ),
    days=DAYS,
)
def test_departures_stay_within_the_limit(store: StoreName, world: World, days: list[Day]) -> None:
    world.play(store, lambda world: depart(world, days))


async def depart(world: World, days: Sequence[Day]) -> None:
    for who in CROWD:
        world.person(who)
    await world.run()
    recent: list[tuple[float, str]] = []
    now, pending, has_died = 0.0, set[str](), False
    for day in days:
        if day.approves and not has_died and await world.approve():
            pending = staged(world)
        leave_and_return(world, day)
        if day.restart is not None:
            await world.restart(day.restart)
        pending &= absent(world)
        if not await world.will_read_in_full():
            # An approval holds for what was seen: who came back meanwhile leaves unapproved.
            pending -= day.returners
        before = crowd_at_work(world)
        pending &= before
        cycle = await world.run(Mishaps(dies_at=day.dies_at))
        gone, has_died = before - crowd_at_work(world), cycle is None
        assert gone <= absent(world), "somebody left whom the source has"
        recent += [(now, who) for who in gone - pending]
        within = {who for at, who in recent if now - at < 24}
        assert len(within) <= MOST, "spread over cycles, more left than may"
        if cycle is not None and not cycle.error:
            check_cycle(world, gone, pending, cycle)
        pending -= gone
        now += day.hours
        await world.clock.sleep(day.hours * 3600)


def check_cycle(world: World, gone: set[str], pending: set[str], cycle: Cycle) -> None:
    present = set(CROWD) - absent(world)
    assert present <= crowd_at_work(world), "a held departure held up an arrival"
    assert pending <= gone, "an approved departure did not go ahead"
    assert bool(staged(world)) == (cycle.halt is not None)
    if cycle.halt is not None:
        assert cycle.halt.reason is QuarantineReason.TOO_MANY_DELETES
        assert gone == pending, "a departure was sent that was to be held"


def leave_and_return(world: World, day: Day) -> None:
    """Whoever is both comes back between two reads, and is gone again at the second."""
    for who in sorted(day.returners):
        world.person(who)
    for who in sorted(day.leavers):
        if user(who) in world.source.entries:
            world.source.remove(user(who))


def absent(world: World) -> set[str]:
    return {who for who in CROWD if user(who) not in world.source.entries}


def staged(world: World) -> set[str]:
    return {k.anchor for k, s in world.standings.items() if s.staged}


def crowd_at_work(world: World) -> set[str]:
    return world.at_work() & set(CROWD)


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("restart", [None, *SCOPES])
def test_time_alone_releases_nothing(store: StoreName, restart: ResetScope | None) -> None:
    World(guards=LIMITS).play(store, lambda world: _wait(world, restart))


async def _wait(world: World, restart: ResetScope | None) -> None:
    for who in CROWD:
        world.person(who)
    await world.run()
    leave_and_return(world, Day(leavers=frozenset(CROWD[:2])))
    await world.run()
    leave_and_return(world, Day(leavers=frozenset(CROWD[2:4])))
    for _ in range(3):
        await world.run()
        assert crowd_at_work(world) == set(CROWD[2:])
        await world.clock.sleep(2 * 86400)
        if restart is not None:
            await world.restart(restart)

    world.person(CROWD[2])
    await world.run()
    assert crowd_at_work(world) == {*CROWD[4:], CROWD[2]}


# removals of members


@dataclass(frozen=True, kw_only=True)
class Roster:
    members: frozenset[str]
    approves: bool = False
    hours: int = 6
    dies_at: int = 0


ROSTERS = st.lists(
    st.builds(
        Roster,
        members=st.sets(st.sampled_from(CROWD)).map(frozenset),
        approves=st.booleans(),
        hours=st.sampled_from([1, 30]),
        dies_at=st.one_of(st.just(0), st.integers(0, 20)),
    ),
    max_size=6,
)


@pytest.mark.parametrize("store", STORES)
@given(rosters=ROSTERS)
def test_members_are_not_removed_in_masses_unless_approved(
    store: StoreName, rosters: list[Roster]
) -> None:
    World(guards=MEMBER_LIMITS).play(store, lambda world: _dwindle(world, rosters))


async def _dwindle(world: World, rosters: Sequence[Roster]) -> None:
    for who in CROWD:
        world.person(who)
    _write_down(world, CROWD)
    await world.run()
    wanted, approved, has_died = frozenset(CROWD), False, False
    gone: dict[str, datetime] = {}
    for roster in rosters:
        if roster.approves and not has_died:
            approved = await world.approve()
        approved &= roster.members == wanted or not roster.members
        wanted = roster.members or wanted
        _write_down(world, wanted)
        before = _members(world)
        cycle = await world.run(Mishaps(dies_at=roster.dies_at))
        removed, has_died = before - _members(world), cycle is None
        now = world.clock.now()
        earlier = {w for w, at in gone.items() if at >= now - WINDOW} - before
        limit = max(MOST, len(before | earlier) * 20 // 100)
        assert len(removed | earlier) <= limit or approved or not removed, "a mass removal passed"
        gone = {who: at for who, at in gone.items() if who not in removed}
        gone |= {} if approved else dict.fromkeys(removed, now)
        if cycle is not None:
            assert wanted <= _members(world), "a held removal held up an arrival"
            assert (cycle.halt is not None) == (_members(world) != wanted)
            assert not approved or _members(world) == wanted, "what was approved was not done"
            approved = False
        await world.clock.sleep(roster.hours * 3600)


def _write_down(world: World, members: Iterable[str]) -> None:
    world.group("f", sorted(members))


def _members(world: World) -> set[str]:
    people = {a: k.anchor for a, k in world.governors().items()}
    said = [e for e in world.directory.entries.values() if "group f" in str(e.attributes)]
    return {people[r.anchor] for e in said for r in as_set(e.attributes.get("members"))}
