"""Is a whole cycle's work safe to carry out? What looks like an accident waits, all of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from provisor.model.cycles import QuarantineReason
from provisor.model.decisions import LinkState, Staged, Standing, StandingKey
from provisor.model.entries import Anchor
from provisor.model.frozen import replace
from provisor.model.rules import DepartureLimits, Guards, MemberLimits
from provisor.planner.weigh import (
    Removals,
    exceeds,
    is_approved,
    weigh,
    weigh_members,
    window_began,
)
from tests.table.rules import GROUPS, NOW, USERS, standing

USUAL = DepartureLimits()
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("limits", "departures", "population", "is_too_many"),
    [
        # twenty of a hundred, where that is more than ten
        (USUAL, 20, 100, False),
        (USUAL, 21, 100, True),
        (USUAL, 200, 1000, False),
        (USUAL, 201, 1000, True),
        # ten, where that is more than twenty of a hundred
        (USUAL, 10, 40, False),
        (USUAL, 11, 40, True),
        (USUAL, 0, 0, False),
        # more than half, however few: at least three
        (USUAL, 2, 2, False),
        (USUAL, 3, 6, False),
        (USUAL, 3, 5, True),
        (USUAL, 3, 3, True),
        # a count, which only tightens; reached is exceeded
        (DepartureLimits(count=5), 4, 1000, False),
        (DepartureLimits(count=5), 5, 1000, True),
        (DepartureLimits(count=5000), 201, 1000, True),
        (DepartureLimits(count=1), 1, 1000, True),
        # others than the usual
        (DepartureLimits(percent=50, floor=1, most=100), 50, 100, False),
        (DepartureLimits(percent=50, floor=1, most=100), 51, 100, True),
        (DepartureLimits(percent=0, floor=0, most=100), 1, 100, True),
        (DepartureLimits(percent=0, floor=0, most=100), 0, 100, False),
    ],
)
def test_what_looks_like_an_accident(
    limits: DepartureLimits, departures: int, population: int, is_too_many: bool
) -> None:
    assert exceeds(limits, departures, population) is is_too_many


def leavers(count: int, *, first: int = 0, mapping: str = USERS) -> list[Standing]:
    people = [standing(state=LinkState.MANAGED, who=f"p{n}") for n in range(first, first + count)]
    return [replace(p, key=replace(p.key, mapping=mapping)) for p in people]


def approved(one: Standing, *, seen: int = 1) -> Standing:
    return replace(one, staged=Staged(NOW, seen, is_approved=True))


def keys(standings: Sequence[Standing]) -> set[StandingKey]:
    return {s.key for s in standings}


def test_few_departures_go_on() -> None:
    due = leavers(5)

    weighed = weigh(due, (), {USERS: 100}, USUAL)

    assert weighed.leaving == tuple(due)
    assert weighed.held == ()
    assert weighed.halt is None


def test_too_many_departures_are_held_all_of_them_and_quarantine_the_job() -> None:
    due = leavers(25)

    weighed = weigh(due, (), {USERS: 100}, USUAL)

    assert weighed.leaving == ()
    assert weighed.held == tuple(due)
    assert weighed.halt is not None
    assert weighed.halt.reason is QuarantineReason.TOO_MANY_DELETES
    assert "25 of 100" in weighed.halt.error.message


def test_those_who_left_within_the_window_count() -> None:
    before = keys(leavers(10, first=50))

    assert weigh(leavers(10), before, {USERS: 100}, USUAL).halt is None
    assert weigh(leavers(11), before, {USERS: 100}, USUAL).halt is not None


def test_whoever_leaves_again_counts_once() -> None:
    due = leavers(20)

    assert weigh(due, keys(due), {USERS: 100}, USUAL).halt is None


def test_nobody_is_held_for_departures_of_before_alone() -> None:
    assert weigh([], keys(leavers(90)), {USERS: 100}, USUAL).halt is None


def test_what_was_approved_goes_on_and_is_not_counted() -> None:
    let, due = [approved(s) for s in leavers(15)], leavers(15, first=20)

    weighed = weigh([*let, *due], (), {USERS: 100}, USUAL)

    assert weighed.halt is None
    assert set(keys(weighed.leaving)) == keys([*let, *due])


def test_what_was_approved_goes_on_while_others_are_held() -> None:
    let, due = [approved(s) for s in leavers(3)], leavers(25, first=20)

    weighed = weigh([*let, *due], (), {USERS: 100}, USUAL)

    assert keys(weighed.leaving) == keys(let)
    assert keys(weighed.held) == keys(due)


@pytest.mark.parametrize(
    ("staged", "holds"),
    [
        (None, False),
        (Staged(NOW, 1), False),
        (Staged(NOW, 1, is_approved=True), True),
        (Staged(NOW, 2, is_approved=True), False),
    ],
)
def test_an_approval_holds_for_what_was_seen_then(staged: Staged | None, holds: bool) -> None:
    assert is_approved(replace(standing(), staged=staged)) is holds


def test_kinds_are_weighed_one_by_one_and_held_together() -> None:
    people, groups = leavers(25), leavers(1, mapping=GROUPS)

    assert weigh(leavers(15), (), {USERS: 100, GROUPS: 10}, USUAL).halt is None
    weighed = weigh([*people, *groups], (), {USERS: 100, GROUPS: 100}, USUAL)
    assert keys(weighed.held) == keys([*people, *groups])


def test_departures_of_another_kind_do_not_add_up() -> None:
    groups = keys(leavers(90, mapping=GROUPS))

    assert weigh(leavers(5), groups, {USERS: 100, GROUPS: 100}, USUAL).halt is None


def test_another_view_of_the_source_holds_the_first_departure() -> None:
    one = leavers(1)

    held = weigh(one, (), {USERS: 100}, USUAL, holds_all=True)

    assert held.held == tuple(one)
    assert weigh([approved(one[0])], (), {USERS: 100}, USUAL, holds_all=True).held == ()
    assert weigh([], (), {USERS: 100}, USUAL, holds_all=True).halt is None


def test_a_population_that_was_miscounted_does_not_hide_departures() -> None:
    assert weigh(leavers(4), (), {USERS: 0}, USUAL).halt is not None


def test_the_window_is_a_day_and_begins_before_what_is_staged() -> None:
    assert window_began(None, NOW) == NOW - DAY
    assert window_began(NOW - 5 * DAY, NOW) == NOW - 6 * DAY
    assert window_began(NOW + DAY, NOW) == NOW - DAY


# members


def group(name: str) -> StandingKey:
    return StandingKey(GROUPS, Anchor(name))


A, B = group("a"), group("b")


@pytest.mark.parametrize(
    ("removed", "of", "is_too_many"),
    [(20, 20, False), (21, 42, False), (21, 40, True), (50, 100, False), (51, 100, True)],
)
def test_removals_that_look_like_an_accident(removed: int, of: int, is_too_many: bool) -> None:
    assert Removals(removed, of).exceed(MemberLimits()) is is_too_many


def test_a_group_that_loses_too_many_waits_and_others_go_on() -> None:
    removals = {A: Removals(60, 100), B: Removals(5, 100)}

    weighed = weigh_members(removals, {}, {A: 7, B: 8}, 1000, Guards())

    assert weighed.held == {A: 7}
    assert weighed.halt is not None
    assert "60 members would be removed from 1 groups" in weighed.halt.error.message


def test_many_groups_that_lose_a_few_each_wait_together() -> None:
    groups = [group(str(n)) for n in range(10)]
    removals = {g: Removals(15, 20) for g in groups}

    weighed = weigh_members(removals, {}, dict.fromkeys(groups, 1), 200, Guards())

    assert set(weighed.held) == set(groups)


def test_removals_that_were_approved_go_on_and_are_not_counted() -> None:
    removals = {A: Removals(60, 100), B: Removals(5, 100)}
    let = {A: Staged(NOW, 7, is_approved=True)}

    assert weigh_members(removals, let, {A: 7, B: 8}, 1000, Guards()).held == {}
    assert weigh_members(removals, let, {A: 9, B: 8}, 1000, Guards()).held == {A: 9}


def test_memberships_that_shrink_wait_where_only_a_file_without_manifest_says_so() -> None:
    removals = {A: Removals(6, 100)}

    held = weigh_members(removals, {}, {A: 7}, 100, Guards(), is_unvouched=True)

    assert held.held == {A: 7}
    assert weigh_members(removals, {}, {A: 7}, 100, Guards()).held == {}


@pytest.mark.parametrize(
    ("removed", "added", "of", "is_cut_off"),
    [(5, 0, 100, False), (6, 0, 100, True), (6, 1, 100, False), (3, 0, 4, False), (4, 0, 4, True)],
)
def test_who_moves_between_groups_is_no_sign_of_a_file_that_was_cut_off(
    removed: int, added: int, of: int, is_cut_off: bool
) -> None:
    moves = {A: Removals(removed, of), B: Removals(0, 0, added)}

    weighed = weigh_members(moves, {}, {A: 7, B: 8}, of, Guards(), is_unvouched=True)

    assert set(weighed.held) == ({A} if is_cut_off else set())
