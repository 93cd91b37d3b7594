"""Whose cycle comes next, where several tenants have more of them due than can be run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from provisor.planner.schedule import Due, share_out

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MANY = 100


def due(tenant: str, *minutes: int) -> list[Due]:
    return [Due(NOON + timedelta(minutes=m), f"{tenant}{m}", tenant) for m in minutes]


def names(begun: list[Due]) -> list[str]:
    return [one.job for one in begun]


def test_of_one_tenant_who_has_been_due_for_longest_comes_first() -> None:
    assert names(share_out(due("a", 3, 1, 2), {}, quota=None, room=MANY)) == ["a1", "a2", "a3"]


def test_a_tenant_with_few_jobs_does_not_wait_for_one_with_many() -> None:
    crowd, one = due("a", *range(50)), due("b", 49)
    assert names(share_out(crowd + one, {}, quota=None, room=2)) == ["a0", "b49"]


def test_who_has_cycles_under_way_comes_after_who_has_none() -> None:
    asked = due("a", 1, 2) + due("b", 3, 4)
    assert names(share_out(asked, {"a": 1}, quota=None, room=MANY)) == ["b3", "a1", "b4", "a2"]


def test_nobody_has_more_under_way_than_the_quota() -> None:
    asked = due("a", 1, 2, 3) + due("b", 4, 5, 6)
    assert names(share_out(asked, {"a": 1}, quota=2, room=MANY)) == ["b4", "a1", "b5"]


def test_nothing_is_handed_out_where_there_is_no_room() -> None:
    assert share_out(due("a", 1), {}, quota=None, room=0) == []
    assert share_out(due("a", 1), {}, quota=None, room=-5) == []


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 99)), max_size=30, unique=True),
    st.dictionaries(st.sampled_from("abc"), st.integers(0, 5)),
    st.none() | st.integers(1, 6),
    st.integers(0, 40),
)
def test_quota_and_room_hold_and_nothing_that_they_allow_is_left_out(
    made: list[tuple[str, int]], under_way: dict[str, int], quota: int | None, room: int
) -> None:
    asked = [one for tenant, minute in made for one in due(tenant, minute)]
    begun = share_out(asked, under_way, quota=quota, room=room)
    assert len(begun) == len(set(begun)) <= room
    assert set(begun) <= set(asked)
    counts = {t: under_way.get(t, 0) + sum(one.tenant == t for one in begun) for t in "abc"}
    for tenant, count in counts.items():
        assert quota is None or count <= max(quota, under_way.get(tenant, 0))
    if len(begun) < room:
        left = {one.tenant for one in asked} - {one.tenant for one in begun}
        assert all(quota is not None and counts[tenant] >= quota for tenant in left)
