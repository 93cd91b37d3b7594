"""A listing ends, names everybody once, and believes no length (worlds: what servers taught)."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisor.errors import Rejected, Unanswered
from tests.fakes.scim.switches import Fault
from tests.unit.connectors.scim.stage import Stage, opened

PEOPLE = 7


async def populated(stage: Stage, people: int = PEOPLE) -> list[str]:
    return [await stage.create(userName=f"person{number}") for number in range(people)]


@pytest.mark.parametrize(
    ("switches", "total"),
    [
        ({}, PEOPLE),
        ({"page_max": 3}, PEOPLE),
        ({"page_max": 3, "repeats_last": True}, PEOPLE),
        ({"page_max": 3, "total_as_text": True}, PEOPLE),
        ({"page_max": 3, "no_total": True}, None),
        ({"page_max": 3, "no_total": True, "repeats_last": True}, None),
        ({"has_cursors": True}, PEOPLE),
        ({"has_cursors": True, "no_total": True}, None),
        ({"numeric_ids": True, "swaps_case": True}, PEOPLE),
        ({"filter_max": 2}, PEOPLE),
    ],
)
async def test_everybody_is_named_once(switches: dict[str, object], total: int | None) -> None:
    async with opened(switches, pageSize=4) as stage:
        people = await populated(stage)
        await stage.target.probe()
        stage.asked()

        pages = await stage.listed()

        assert [anchor for page, _ in pages for anchor in page] == people
        assert {pages[0][1], pages[-1][1]} == {total}
        assert len(stage.asked()) <= 6


async def test_a_server_that_ignores_where_to_start_is_left() -> None:
    async with opened({"ignores_start": True, "page_max": 3}) as stage:
        await populated(stage)

        pages = await stage.listed()

        assert [len(page) for page, _ in pages] == [3]
        assert pages[0][1] == PEOPLE, "the total says that this was not everybody"


async def test_a_server_that_counts_its_page_proves_nothing() -> None:
    async with opened({"counts_page": True}, pageSize=3) as stage:
        people = await populated(stage)

        pages = await stage.listed()

        assert [anchor for page, _ in pages for anchor in page] == people
        assert pages[-1][1] is None


async def test_a_small_target_is_listed_in_one_request() -> None:
    async with opened() as stage:
        await populated(stage, 3)
        stage.asked()

        assert await stage.listed() == [(["1", "2", "3"], 3)]
        assert stage.asked() == ["GET /Users?startIndex=1&count=100"]


async def test_an_empty_target_is_listed_however_it_says_so() -> None:
    for switches in ({}, {"no_resources": True}, {"null_element": True}):
        async with opened(switches) as stage:
            assert await stage.listed() == [([], 0)]


async def test_a_listing_that_breaks_off_says_so() -> None:
    async with opened({"page_max": 3}) as stage:
        await populated(stage)
        stage.fake.misbehave(Fault(what="refuse", path="startIndex=4", status=500))

        with pytest.raises(Unanswered):
            await stage.listed()


async def test_a_target_that_does_not_list_is_not_asked_again() -> None:
    async with opened() as stage:
        stage.fake.misbehave(Fault(what="refuse", path="startIndex", status=403))
        assert stage.target.capabilities.lists

        with pytest.raises(Rejected):
            await stage.listed()

        assert not stage.target.capabilities.lists


@given(
    st.integers(0, 12),
    st.integers(1, 5),
    st.fixed_dictionaries(
        {
            "page_max": st.integers(0, 4),
            "repeats_last": st.booleans(),
            "no_total": st.booleans(),
            "total_as_text": st.booleans(),
            "no_resources": st.booleans(),
            "has_cursors": st.booleans(),
        }
    ),
)
def test_however_it_pages_everybody_is_named_once(
    people: int, page_size: int, switches: dict[str, object]
) -> None:

    async def run() -> None:
        async with opened(switches, pageSize=page_size) as stage:
            for number in range(people):
                id = stage.fake.store.new_id()
                stage.fake.store.put("Users", id, {"userName": f"p{number}", "schemas": []})
            await stage.target.probe()
            pages = await stage.listed()
            assert [anchor for page, _ in pages for anchor in page] == [
                str(number + 1) for number in range(people)
            ]

    asyncio.run(run())
