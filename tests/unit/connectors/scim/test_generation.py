"""Pages that do not fit together end a generation, and none goes on for ever."""

from __future__ import annotations

import asyncio

import pytest

from provisor.connectors.scim.generation import Generation, Unsound, by_cursor
from provisor.connectors.scim.wire import ListAnswer


def test_a_cursor_that_comes_again_ends_a_read_that_shows_nobody() -> None:
    asked: list[str] = []

    async def ask(query: str) -> ListAnswer:
        asked.append(query)
        assert len(asked) < 10, "it does not end"
        return ListAnswer((), 5, "again")

    async def story() -> None:
        with pytest.raises(Unsound, match="the same cursor came twice"):
            async for _ in by_cursor(Generation(50), ask):
                pass

    asyncio.run(story())

    assert asked == ["cursor&count=50", "cursor=again&count=50"]
