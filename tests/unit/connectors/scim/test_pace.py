"""All requests to one target stand in one line (spec: scim-target 9.1)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

import pytest

from provisor.connectors.around.pace import Pace, Paces, Turn
from provisor.errors import Fenced, Throttled
from provisor.testing.world import Dice, SteppingClock


def pace(clock: SteppingClock | None = None, **chosen: float | int | None) -> Pace:
    return Pace(clock or SteppingClock(), Dice(), **chosen)  # pyright: ignore[reportArgumentType]


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


class Line:
    """Requests that wait for their turn until they are told to end."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self.begun: list[Turn] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def join(self, count: int) -> None:
        self._tasks += [asyncio.create_task(self._begin()) for _ in range(count)]
        await settle()

    async def _begin(self) -> None:
        turn = self._pace.turn()
        await turn.begin()
        self.begun.append(turn)

    async def end(self, count: int, tell: Callable[[Turn], None] = Turn.accepted) -> None:
        for turn in [self.begun.pop(0) for _ in range(count)]:
            turn.end()
            tell(turn)
        await settle()

    def leave(self, number: int) -> None:
        self._tasks[number].cancel()


async def rounds(line: Line, count: int) -> list[int]:
    """Let so many rounds go well; return how many requests were under way after each."""
    reached: list[int] = []
    for _ in range(count):
        await line.end(len(line.begun))
        reached.append(len(line.begun))
    return reached


async def test_it_begins_with_eight_and_takes_eight_more_each_round_up_to_thirty_two() -> None:
    line = Line(pace())
    await line.join(500)
    assert len(line.begun) == 8

    first, second, third, *later = await rounds(line, 6)

    assert 12 <= first < second < third <= 32
    assert set(later) == {32}


async def test_where_the_target_has_pushed_back_it_takes_one_more_each_round() -> None:
    line = Line(paced := pace())
    await line.join(500)
    await line.end(8, lambda turn: turn.struggled(None))
    assert paced.parallel == 4

    reached = await rounds(line, 10)

    assert all(0 <= after - before <= 1 for before, after in pairwise(reached))
    assert 10 <= reached[-1] <= 14


async def test_it_never_exceeds_what_an_administrator_set() -> None:
    line = Line(pace(parallel_max=3))
    await line.join(10)
    assert len(line.begun) == 3


async def test_it_halves_once_for_all_that_were_under_way() -> None:
    clock = SteppingClock()
    line = Line(paced := pace(clock))
    await line.join(8)

    await line.end(8, lambda turn: turn.pushed_back(1.0))

    assert paced.parallel == 4


async def test_a_pause_is_kept_by_everybody() -> None:
    clock = SteppingClock()
    line = Line(pace(clock))
    await line.join(1)
    began = clock.now()
    await line.end(1, lambda turn: turn.pushed_back(30.0))

    await line.join(3)

    assert (clock.now() - began).total_seconds() >= 30
    assert len(line.begun) == 3


async def test_who_stops_waiting_gives_the_place_away() -> None:
    line = Line(pace(parallel_max=1))
    await line.join(3)
    line.leave(1)
    await settle()

    await line.end(1)

    assert len(line.begun) == 1
    await line.end(1)
    await line.join(1)
    assert len(line.begun) == 1


async def test_five_refusals_are_enough() -> None:
    turn = pace().turn()
    for _ in range(4):
        await turn.begin()
        turn.end()
        turn.pushed_back(None)
    await turn.begin()
    turn.end()
    with pytest.raises(Throttled):
        turn.pushed_back(None)


async def test_nobody_waits_longer_than_five_minutes() -> None:
    paced = pace()
    turn = paced.turn()
    await turn.begin()
    turn.end()
    turn.pushed_back(200.0)
    await turn.begin()
    turn.end()
    turn.pushed_back(200.0)

    with pytest.raises(Throttled) as throttled:
        await turn.begin()

    assert throttled.value.retry_after_s == pytest.approx(200, abs=1)
    line = Line(paced)
    await line.join(1)
    assert len(line.begun) == 1, "the place of who gave up is free again"


async def test_what_is_on_its_way_when_another_is_pushed_back_waits_for_no_pause() -> None:
    clock = SteppingClock()
    line = Line(paced := pace(clock))
    await line.join(8)
    began, sent = clock.now(), list[str]()
    waiting = asyncio.create_task((turn := paced.turn()).begin(lambda: sent.append("sent")))
    await settle()
    first, second = line.begun[:2]

    first.end()
    assert sent == ["sent"]
    second.pushed_back(30.0)
    await waiting

    assert clock.now() == began
    turn.pushed_back(1.0)
    assert paced.parallel == 4, "it was sent before the target pushed back, and says nothing new"


async def test_a_rate_that_is_set_is_kept() -> None:
    clock = SteppingClock()
    paced = pace(clock, per_second=25)
    began = clock.now()
    for _ in range(251):
        turn = paced.turn()
        await turn.begin()
        turn.end()
        turn.accepted()

    assert (clock.now() - began).total_seconds() == pytest.approx(10, rel=0.01)


async def test_a_busy_target_is_asked_less_but_learns_no_limit() -> None:
    line = Line(paced := pace())
    await line.join(8)

    await line.end(8, lambda turn: turn.struggled(None))

    assert paced.parallel == 4
    assert paced.per_second is None


def test_one_target_has_one_pace() -> None:
    paces = Paces(SteppingClock(), Dice())
    one = paces.of("https://a.example.com", None, 32)

    assert paces.of("https://a.example.com", None, 32) == one
    assert paces.of("https://b.example.com", None, 32) != one


def test_who_stood_in_line_for_longer_than_the_job_was_ours_sends_nothing() -> None:
    clock = SteppingClock()
    end = clock.now() + timedelta(seconds=1)
    paces = Paces(clock, Dice())
    ours = paces.until(lambda: end).of("https://a.example.com", None, 32)

    async def stand_in_line() -> None:
        before = paces.of("https://a.example.com", None, 32).turn()
        await before.begin()
        before.pushed_back(5.0)
        before.end()
        await ours.turn().begin()

    with pytest.raises(Fenced, match="waited for its turn"):
        asyncio.run(stand_in_line())
