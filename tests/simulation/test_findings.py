"""Histories that once went wrong, or nearly did: each named for what it must not come to."""

from __future__ import annotations

import pytest

from provisor.errors import Rejected, Unanswered, Unreachable
from provisor.model.cycles import CycleResult, QuarantineReason
from provisor.model.decisions import Delete, Update
from provisor.model.entries import Anchor, Reference
from provisor.model.frozen import replace
from provisor.model.jobs import ResetScope, StatusCode
from provisor.model.rules import DepartureLimits, Guards, Policy
from provisor.planner.diff import as_set
from tests.simulation.backing import STORES, StoreName
from tests.simulation.faults import NEVER, Crash, Fault, Mishaps, unreachable
from tests.simulation.rules import STRICT
from tests.simulation.world import PATIENCE, World, group, user

CROWD = "fghijklmno"
TWICE = ("twice", Crash)
REFUSED = ("before", Rejected)
USUAL = Guards(departures=DepartureLimits(percent=10, floor=3))


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> StoreName:
    return request.param


# an accident in the source does not reach the target


def test_a_vanished_department_quarantines_the_job_and_touches_nobody(store: StoreName) -> None:
    World(guards=USUAL).play(store, _vanish)


async def _vanish(world: World) -> None:
    for who in CROWD:
        world.person(who)
    await world.start()
    await world.run()
    assert (await world.status()).code is StatusCode.ACTIVE
    said = world.said()

    for who in CROWD[:4]:
        world.source.remove(user(who))
    await world.run()

    status = await world.status()
    assert status.code is StatusCode.QUARANTINE
    assert status.quarantine is not None
    assert status.quarantine.reason is QuarantineReason.TOO_MANY_DELETES
    assert world.said() == said


@pytest.mark.parametrize("leavers", [3, 4])
def test_leavers_are_a_share_of_the_governed_in_the_first_cycle_after_a_restart_too(
    store: StoreName, leavers: int
) -> None:
    """A restart turns links into claims, and nobody is linked when departures are weighed."""
    World(guards=USUAL).play(store, lambda world: _restarted(world, leavers))


async def _restarted(world: World, leavers: int) -> None:
    for who in CROWD:
        world.person(who)
    await world.start()
    await world.run()
    before = len(world.said())

    for who in CROWD[:leavers]:
        world.source.remove(user(who))
    await world.restart(ResetScope.FULL)
    await world.run()

    accident = USUAL.departures.floor < leavers
    assert ((await world.status()).code is StatusCode.QUARANTINE) == accident
    assert len(world.said()) == before - (0 if accident else leavers)


def test_members_stay_in_their_groups_while_their_departure_is_staged(store: StoreName) -> None:
    World(guards=STRICT).play(store, _keep_members)


async def _keep_members(world: World) -> None:
    world.person("a")
    world.edit("f", "group", 1)
    await world.run()
    said = world.said()

    world.source.remove(user("a"))
    await world.run()

    assert world.said() == said


def test_a_read_that_was_not_whole_takes_nobody_out_of_a_group(store: StoreName) -> None:
    """Whom a name means may be just what it did not show; who comes is not held up."""
    World().play(store, _broken_off)


async def _broken_off(world: World) -> None:
    for who in "abc":
        world.person(who)
    world.person("b", manager=Reference("user", Anchor("a")))
    world.group("f", "ab")
    await world.calm(1)
    before = {person[:3]: set(person[3]) for person in world.said()}

    world.group("f", "bc")
    world.person("b", manager=None, name="Bob")
    await world.run(Mishaps(source=(1, unreachable)))

    said = {person[:3]: set(person[3]) for person in world.said()}
    name = next(one for one in before if "group f" in one)
    assert before[name] < said[name]
    assert len(said[name]) == 3
    await world.calm(1)
    await world.check()


# what points at whom


def test_a_leaver_is_let_go_by_all_before_he_is_deleted(store: StoreName) -> None:
    World().play(store, _let_go)


async def _let_go(world: World) -> None:
    world.person("a")
    world.edit("f", "group", 1)
    await world.run()
    world.target.forget()

    world.source.remove(user("a"))
    await world.run()

    kinds = [type(write) for write in world.target.done]
    assert kinds == [Update, Update, Delete]  # two groups, then the user


def test_a_group_that_others_deleted_is_made_again_when_its_members_change(
    store: StoreName,
) -> None:
    World(policy=Policy(relinks_missing=True)).play(store, _make_again)


async def _make_again(world: World) -> None:
    world.person("a")
    world.edit("f", "group", 0)
    await world.calm(1)
    group = next(t for t, e in world.directory.entries.items() if "group f" in str(e))
    del world.directory.entries[group]

    world.person("b")
    world.edit("f", "group", 1)
    await world.calm(3)

    await world.check()


def test_who_leaves_a_group_after_a_restart_leaves_it_in_the_target(store: StoreName) -> None:
    World().play(store, _leave_after_restart)


async def _leave_after_restart(world: World) -> None:
    for who in "ab":
        world.person(who)
    world.group("f", "ab")
    await world.calm(1)

    await world.restart(ResetScope.CONNECTOR_DATA_STORE)
    world.group("f", "b")
    await world.calm(1)

    await world.check()


def test_members_who_cannot_be_linked_again_stay_in_their_groups(store: StoreName) -> None:
    World().play(store, _stay_while_claimed)


async def _stay_while_claimed(world: World) -> None:
    for who in "ab":
        world.person(who)
    world.group("f", "ab")
    await world.calm(1)

    await world.restart(ResetScope.CONNECTOR_DATA_STORE)
    world.edit("a", "garble", 0)
    await world.run()

    groups = [
        e for e in world.directory.entries.values() if e.attributes["displayName"] == "group f"
    ]
    assert [len(as_set(group.attributes["members"])) for group in groups] == [2]


def test_a_group_under_another_id_loses_whom_the_old_one_had(store: StoreName) -> None:
    World().play(store, _rename_group)


async def _rename_group(world: World) -> None:
    for who in "ab":
        world.person(who)
    world.group("f", "ab")
    await world.calm(1)

    world.source.remove(group("f"))
    world.group("f2", "b", name="group f")
    await world.calm(1)

    await world.check()


def test_a_claim_is_not_left_at_work_for_another_account(store: StoreName) -> None:
    World(disables=True).play(store, _find_another)


async def _find_another(world: World) -> None:
    for who in "ab":
        world.person(who)
    await world.calm(1)

    world.person("a", mail="B@x.org")
    world.person("b", department="Research")
    await world.run()
    await world.restart(ResetScope.CONNECTOR_DATA_STORE)
    await world.calm(1)
    assert [s.escrow.code for s in world.standings.values() if s.escrow] == [
        "DuplicateTargetEntries"
    ]
    assert len(world.governors()) == 3  # a is not let go of, nor is the group e and its owner

    world.person("a", mail="a.own@x.org")
    await world.calm(1)
    await world.check()


def test_a_name_that_another_took_meanwhile_does_not_hold_up_its_first_owner(
    store: StoreName,
) -> None:
    World(disables=True).play(store, _lose_a_name)


async def _lose_a_name(world: World) -> None:
    world.person("d")
    await world.calm(1)
    world.person("b")
    await world.run(Mishaps(faults=(("before", Unanswered),)))
    world.person("d", mail="B@x.org")
    await world.run(Mishaps(read_faults=(("before", Unanswered),)))
    world.person("d", department="Research")
    await world.calm(1)

    world.mend()
    await world.calm()
    await world.check()


@pytest.mark.parametrize("disables", [False, True])
def test_what_an_unanswered_create_made_anew_leaves_with_its_source(
    store: StoreName, disables: bool
) -> None:
    World(disables=disables, policy=Policy(relinks_missing=True)).play(store, _make_anew_and_leave)


async def _make_anew_and_leave(world: World) -> None:
    world.person("a")
    await world.calm(1)
    linked = next(s.link.target for s in world.standings.values() if s.key.anchor == "a" and s.link)
    del world.directory.entries[linked]
    world.person("a", name="Ada")
    await world.run(Mishaps(faults=(("before", Unreachable),)))
    await world.run(Mishaps(faults=(("after", Unreachable),)))

    world.person("a", department="Research")
    await world.calm(4)

    assert "Ada" not in world.at_work()


def test_a_change_that_was_never_answered_is_taken_back_with_its_source(store: StoreName) -> None:
    World().play(store, _take_back)


async def _take_back(world: World) -> None:
    world.person("a", name="Ada")
    await world.calm(1)
    world.person("a", name="Eve")
    await world.run(Mishaps(faults=(("after", Unreachable),)))
    assert "Eve" in world.at_work()

    world.person("a", name="Ada")
    await world.run()

    assert "Eve" not in world.at_work()


def test_one_changed_object_costs_one_request(store: StoreName) -> None:
    World().play(store, _change)


async def _change(world: World) -> None:
    world.person("a")
    await world.calm(1)
    world.target.forget()

    world.person("a", name="Ada")
    await world.run()

    assert world.target.calls == 1


def test_a_person_whose_name_and_manager_change_costs_one_request(store: StoreName) -> None:
    World().play(store, _change_both)


async def _change_both(world: World) -> None:
    for who in "abc":
        world.person(who)
    world.edit("a", "report", 1)
    await world.calm(1)
    world.target.forget()

    world.person("a", name="Ada", manager=Reference("user", Anchor("c")))
    await world.run()
    assert world.target.calls == 1

    world.person("a", name="Ada L.", manager=None)
    await world.run()
    assert world.target.calls == 2
    await world.check()


def test_what_a_target_refuses_with_a_reference_is_tried_without_it(store: StoreName) -> None:
    World().play(store, _refuse_both)


async def _refuse_both(world: World) -> None:
    for who in "ab":
        world.person(who)
    await world.calm(1)

    world.target.forget()

    world.person("a", name="Ada", manager=Reference("user", Anchor("b")))
    await world.run(Mishaps(faults=(REFUSED,)))
    world.clock.advance(PATIENCE)
    await world.run()

    said = [[c.name for c in w.changes] for w in world.target.done if isinstance(w, Update)]
    assert said == [["manager"], ["displayName"]]
    await world.check()


# nobody exists twice


@pytest.mark.parametrize("seed", range(40))
def test_the_answer_to_anothers_create_is_not_taken_for_ours(seed: int) -> None:
    World(seed=seed, parallel_max=3).play("memory", _mistake)


async def _mistake(world: World) -> None:
    world.person("a", mail="d@x.org")
    world.person("d", mail=7)
    await world.run(Mishaps(faults=(("before", Unreachable),) * 3))

    world.person("a", mail="a@x.org")
    world.person("d", mail="d@x.org")
    await world.calm()

    await world.check()


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("fault", [NEVER, ("before", Unanswered), ("after", Unanswered)])
def test_two_who_want_one_name_do_not_both_get_it(seed: int, fault: Fault) -> None:
    """In parallel: neither finds the other's create, nor takes its answer for its own."""
    World(seed=seed, parallel_max=3).play("memory", lambda world: _contend(world, fault))


async def _contend(world: World, fault: Fault) -> None:
    await world.run()
    world.person("a", mail="d@x.org")
    world.person("b", name="b")
    world.person("d", mail="d@x.org")
    await world.run(Mishaps(faults=(fault, fault)))
    world.check_links()
    await world.run()
    world.check_links()

    world.heal()
    await world.calm()

    await world.check()


def test_who_was_first_to_ask_for_a_name_keeps_it_though_nobody_answered(
    store: StoreName,
) -> None:
    World().play(store, _keep_name)


async def _keep_name(world: World) -> None:
    await world.run()
    world.person("d", mail="name@x.org")
    lost = Mishaps(faults=(("after", Unanswered),), read_faults=(REFUSED, NEVER))
    await world.run(lost)

    world.person("a", mail="name@x.org")  # and is looked at before d
    await world.run()

    entries = world.directory.entries.values()
    account = next(e.anchor for e in entries if "name@x.org" in str(e))
    assert world.governors()[account].anchor == "d"


def test_a_create_done_twice_on_its_way_is_found_though_the_first_look_failed(
    store: StoreName,
) -> None:
    """The second time it is refused as taken; until somebody has looked, it may have been done."""
    World().play(store, _double)


async def _double(world: World) -> None:
    world.person("a")
    await world.run(Mishaps(faults=(TWICE, NEVER), read_faults=(REFUSED, NEVER, NEVER)))

    world.heal()
    await world.calm()

    await world.check()


def test_a_vanished_account_made_again_twice_on_its_way_is_found(store: StoreName) -> None:
    """The same, where the create already is the second try of its cycle."""
    World(policy=Policy(relinks_missing=True)).play(store, _double_again)


async def _double_again(world: World) -> None:
    world.person("a")
    await world.run()
    account = next(t for t, e in world.directory.entries.items() if "a@x.org" in str(e))
    del world.directory.entries[account]
    world.person("a", name="Ada")
    await world.run(Mishaps(faults=(TWICE, NEVER)))

    world.heal()
    await world.calm()

    await world.check()


def test_who_fails_in_the_first_cycle_after_a_restart_is_not_made_a_second_time(
    store: StoreName,
) -> None:
    """The claim stays while its object is still to be tried."""
    World().play(store, _claim)


async def _claim(world: World) -> None:
    await world.run()
    await world.restart(ResetScope.FULL)
    await world.run(Mishaps(read_faults=(REFUSED,)))

    world.heal()  # the address by which e would be matched is another one now
    await world.calm()

    await world.check()


def test_other_rules_apply_to_everybody(store: StoreName) -> None:
    World().play(store, _rule_anew)


async def _rule_anew(world: World) -> None:
    world.person("a")
    world.person("b", department="Research")
    await world.run()

    world.version = 3
    await world.run()

    await world.check()


def test_escrows_forgotten_alone_are_not_tried_again_until_something_changes(
    store: StoreName,
) -> None:
    World().play(store, _forget)


async def _forget(world: World) -> None:
    await world.run(Mishaps(faults=(REFUSED, REFUSED)))
    await world.restart(ResetScope.ESCROWS)
    await world.calm()
    assert world.said() == []

    await world.restart(ResetScope.WATERMARK)
    await world.run()
    await world.check()


# who has left, and who waits


def test_a_return_that_was_not_answered_is_not_forgotten(store: StoreName) -> None:
    World(disables=True).play(store, _leave_again)


async def _leave_again(world: World) -> None:
    world.person("a")
    await world.run()
    world.person("a", department="Research")
    await world.run()
    world.person("a", department="Sales")
    lost = Mishaps(faults=(("after", Unanswered),), read_faults=(REFUSED, NEVER))
    await world.run(lost)
    assert world.at_work() == {"a", "e"}

    world.person("a", department="Research")
    await world.calm()

    assert world.at_work() == {"e"}


def test_a_departure_looks_before_it_writes(store: StoreName) -> None:
    World(disables=True).play(store, _look_first)


async def _look_first(world: World) -> None:
    """Whom others have put out of use already is sent nothing."""
    world.person("a")
    await world.calm(1)
    anchor, account = next(t for t in world.directory.entries.items() if "a@x.org" in str(t))
    world.directory.entries[anchor] = replace(
        account, attributes={**account.attributes, "active": False}
    )
    world.target.forget()

    world.person("a", department="Research")
    await world.run()

    assert world.target.calls > 0
    assert not [w for w in world.target.done if getattr(w, "anchor", "") == anchor]


def test_who_was_let_out_of_use_counts_for_nothing_when_he_changes(store: StoreName) -> None:
    World(disables=True).play(store, _release)


async def _release(world: World) -> None:
    world.person("a")
    await world.run()
    world.person("a", department="Research")
    await world.run()
    assert world.at_work() == {"e"}
    world.guards = STRICT
    world.target.forget()
    await world.clock.sleep(2 * 86400)

    world.person("a", name="Ada")
    cycle = await world.run()

    assert cycle is not None
    assert cycle.halt is None
    assert world.target.done == []


def test_a_pause_takes_effect_at_the_next_object(store: StoreName) -> None:
    World().play(store, _pause)


async def _pause(world: World) -> None:
    for who in "abcd":
        world.person(who)
    cycle = await world.run(Mishaps(pauses_at=6))

    assert cycle is not None
    assert len(world.target.done) == 2
    assert cycle.counts.unsettled > 0
    assert not cycle.reaches_steady_state
    assert cycle.result is CycleResult.FAILED, "it has not succeeded in what it was to do"
    assert cycle.error is not None
    assert cycle.error.code == "CycleInterrupted"

    await world.run()
    await world.check()
