"""No history of faulty reads removes or disables anyone; a real removal is carried out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisor.model.cycles import CycleResult
from provisor.model.entries import EntryKey, Reference
from provisor.model.jobs import ResetScope
from provisor.planner.diff import as_set
from tests.simulation.backing import STORES, StoreName
from tests.simulation.histories import SCOPES
from tests.simulation.lies import LIES, LyingSource
from tests.simulation.world import World, group, source_key, user

DOINGS = ("", "join", "rename", "group")
"""What people do meanwhile: nothing that removes."""


@dataclass(frozen=True, kw_only=True)
class Read:
    lie: str
    at: int = 0
    doing: str = ""
    who: str = "a"
    under: str = ""
    """What goes on besides: a reconcile, a saved plan, other rules."""
    restart: ResetScope | None = None


READS = st.lists(
    st.builds(
        Read,
        lie=st.sampled_from(LIES),
        at=st.integers(0, 3),
        doing=st.sampled_from(DOINGS),
        who=st.sampled_from("abcd"),
        under=st.sampled_from(["", "", "reconcile", "plan", "rules"]),
        restart=st.one_of(st.none(), st.none(), st.sampled_from(SCOPES)),
    ),
    min_size=1,
    max_size=5,
)


@pytest.mark.parametrize("store", STORES)
@given(
    world=st.builds(World, disables=st.booleans(), has_changes=st.booleans()),
    reads=READS,
    leavers=st.sets(st.sampled_from("abcd"), max_size=3),
    is_read_in_full=st.booleans(),
)
def test_only_a_true_absence_removes(
    store: StoreName, world: World, reads: list[Read], leavers: set[str], is_read_in_full: bool
) -> None:
    world.play(store, lambda world: _read_on(world, reads, leavers, is_read_in_full))


async def _read_on(
    world: World, reads: Sequence[Read], leavers: set[str], is_read_in_full: bool
) -> None:
    source = LyingSource(world.source)
    world.wrap = lambda _: source
    for who in "abcd":
        world.person(who)
    world.person("a", manager=Reference("user", user("b").anchor))
    world.group("f", "abcd")
    await world.run()
    for read in reads:
        before = governed(world)
        await _misread(world, source, read)
        check_nobody_left(read, before, governed(world))
        await world.clock.sleep(3600)
    for who in leavers:
        world.source.remove(user(who))
    source.lie = ""
    if is_read_in_full:
        world.source.forget_changes()
    await world.run()
    await world.check()


async def _misread(world: World, source: LyingSource, read: Read) -> None:
    source.lie, source.at = read.lie, read.at
    match read.doing:
        case "":
            pass
        case "group":
            world.group(read.who, "abcd")
        case _:
            world.edit(read.who, read.doing, read.at)
    world.source.forget_changes()
    if read.restart is not None:
        await world.restart(read.restart)
    if read.under == "rules":
        world.version ^= 1
    if read.under == "plan":
        await world.run(plan=await world.plan())
    else:
        await world.run(reconciles=read.under == "reconcile")


Governed = dict[EntryKey, tuple[bool, frozenset[EntryKey]]]


def governed(world: World) -> Governed:
    """Return of every source object that governs one of the target: is it at work, and at whom
    does it point."""
    governors = world.governors()
    sources = {a: source_key(k) for a, k in governors.items()}
    found: Governed = {}
    for anchor, key in sources.items():
        entry = world.directory.entries.get(anchor)
        if entry is not None:
            referred = [as_set(entry.attributes.get(name)) for name in ("manager", "members")]
            pointed = frozenset(sources[r.anchor] for r in frozenset[Reference]().union(*referred))
            found[key] = (bool(entry.attributes.get("active", True)), pointed)
    return found


def check_nobody_left(read: Read, before: Governed, after: Governed) -> None:
    for key, (is_active, pointed) in before.items():
        assert key in after, f"{read}: {key} is gone"
        assert after[key][0] or not is_active, f"{read}: {key} is disabled"
        assert pointed <= after[key][1], f"{read}: {key} lost whom it pointed at"


# what is held until somebody vouches for it


def test_an_empty_read_fails_the_cycle_and_keeps_what_was_known() -> None:
    World(has_changes=False).play("memory", _empty)


async def _empty(world: World) -> None:
    world.person("a")
    await world.run()
    said = world.said()
    for key in list(world.source.entries):
        world.source.remove(key)
    await world.clock.sleep(3600)

    cycle = await world.run()

    assert cycle is not None
    assert cycle.result is CycleResult.FAILED
    assert cycle.error is not None
    assert cycle.error.code == "SourceEmpty"
    assert world.said() == said
    status = await world.status()
    assert status.steady_state_last != cycle.ended


def test_who_is_absent_is_disabled_and_deleted_a_month_later(store_name: StoreName) -> None:
    World(disables=True, has_changes=False).play(store_name, _wait_a_month)


@pytest.fixture(params=STORES)
def store_name(request: pytest.FixtureRequest) -> StoreName:
    return request.param


async def _wait_a_month(world: World) -> None:
    world.person("a")
    world.source.remove(group("e"))
    world.group("f", "ae")
    await world.run()
    world.source.remove(user("a"))
    await world.run()
    assert world.at_work() == {"e"}
    assert "a@x.org" in str(world.directory.entries), "disabled, not deleted"

    await world.clock.sleep(29 * 86400)
    await world.run()
    assert "a@x.org" in str(world.directory.entries)

    await world.clock.sleep(2 * 86400)
    await world.run()
    assert "a@x.org" not in str(world.directory.entries)
    await world.check()
