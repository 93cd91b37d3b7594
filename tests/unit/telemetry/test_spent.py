"""Each moment of a cycle counts once, with whoever it went to."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from time import perf_counter
from typing import cast

from provisor.model.entries import Entry, MatchQuery
from provisor.ports import Journal, Target
from provisor.telemetry.spent import Stopwatch, timed_journal, timed_target

KNOWN = MatchQuery("User", "userName", "ada")


class Slow:
    """A target that answers when it is let."""

    def __init__(self) -> None:
        self.may_answer = asyncio.Event()

    async def find(self, query: MatchQuery) -> Sequence[Entry]:
        await self.may_answer.wait()
        return ()


class Thoughtful:
    """A journal that has to think about everything."""

    async def is_wanted(self) -> bool:
        spin(0.02)
        return True

    async def refuse(self) -> None:
        raise ValueError


def spin(seconds: float) -> None:
    until = perf_counter() + seconds
    while perf_counter() < until:
        pass


def test_answers_that_are_awaited_side_by_side_count_once() -> None:
    async def story() -> None:
        watch, slow = Stopwatch(), Slow()
        target = timed_target(cast(Target, slow), watch)
        began = perf_counter()
        asking = [asyncio.create_task(target.find(KNOWN)) for _ in range(5)]
        await asyncio.sleep(0.05)
        slow.may_answer.set()
        await asyncio.gather(*asking)
        passed = perf_counter() - began

        spent = watch.spent()
        assert 0.04 < spent.target <= passed
        assert spent.total <= passed
        assert (spent.source, spent.store) == (0, 0)

    asyncio.run(story())


def test_thinking_is_ours_although_an_answer_is_awaited_meanwhile() -> None:
    async def story() -> None:
        watch, slow = Stopwatch(), Slow()
        target = timed_target(cast(Target, slow), watch)
        journal = timed_journal(cast(Journal, Thoughtful()), watch)
        asking = asyncio.create_task(target.find(KNOWN))
        await asyncio.sleep(0)
        spin(0.03)
        assert await journal.is_wanted()
        slow.may_answer.set()
        await asking

        spent = watch.spent()
        # How much of it was thinking the processor says, which others may have had meanwhile.
        assert spent.mapping > 0
        assert spent.store >= 0.02
        assert spent.total >= 0.05

    asyncio.run(story())


def test_a_refusal_is_an_answer() -> None:
    async def story() -> None:
        watch = Stopwatch()
        journal = timed_journal(cast(Journal, Thoughtful()), watch)
        for _ in range(2):
            try:
                await cast(Thoughtful, journal).refuse()
            except ValueError:
                continue
        assert watch.spent().store > 0
        assert watch.spent().target == 0

    asyncio.run(story())
