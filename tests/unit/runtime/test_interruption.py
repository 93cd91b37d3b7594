"""A signal stops what has not begun, lets settle what has, and waits only so long."""

from __future__ import annotations

import asyncio
import os
import signal
from datetime import UTC, datetime

import pytest

from provisor.runtime.interruption import Interrupted, Interruption, interruptible
from provisor.store.memory import MemoryStore
from tests.unit.runtime.jobs import put_job


class Clock:
    """Time that passes only when it is told to."""

    def __init__(self) -> None:
        self.passes = asyncio.Event()

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    async def sleep(self, seconds: float) -> None:
        await self.passes.wait()


async def work_until(done: asyncio.Event) -> str:
    await done.wait()
    return "settled"


def test_what_is_in_flight_settles() -> None:
    async def story() -> None:
        interruption, done = Interruption(Clock()), asyncio.Event()
        finishing = asyncio.create_task(interruption.finish(work_until(done)))
        await asyncio.sleep(0)
        interruption.ask(signal.SIGTERM)
        await asyncio.sleep(0)
        done.set()
        assert await finishing == "settled"
        assert interruption.exit_code == 143

    asyncio.run(story())


def test_what_does_not_settle_in_time_is_cut_off() -> None:
    async def story() -> None:
        clock = Clock()
        interruption = Interruption(clock)
        finishing = asyncio.create_task(interruption.finish(work_until(asyncio.Event())))
        await asyncio.sleep(0)
        interruption.ask(signal.SIGTERM)
        clock.passes.set()
        with pytest.raises(Interrupted):
            await finishing

    asyncio.run(story())


def test_a_second_signal_waits_for_nothing() -> None:
    async def story() -> None:
        interruption = Interruption(Clock())
        finishing = asyncio.create_task(interruption.finish(work_until(asyncio.Event())))
        await asyncio.sleep(0)
        interruption.ask(signal.SIGINT)
        interruption.ask(signal.SIGINT)
        with pytest.raises(Interrupted):
            await finishing
        assert interruption.exit_code == 130

    asyncio.run(story())


def test_real_signals_ask_and_the_handlers_from_before_come_back() -> None:
    async def story() -> None:
        interruption = Interruption(Clock())
        before = signal.getsignal(signal.SIGTERM)
        with interruption.on_signals():
            os.kill(os.getpid(), signal.SIGTERM)
            await interruption.sleep(1)
        assert interruption.exit_code == 143
        assert signal.getsignal(signal.SIGTERM) == before

    asyncio.run(story())


def test_the_failure_of_the_work_is_the_failure() -> None:
    async def fail() -> None:
        raise ValueError("ours")

    async def story() -> None:
        with pytest.raises(ValueError, match="ours"):
            await Interruption(Clock()).finish(fail())

    asyncio.run(story())


def test_a_job_is_not_wanted_any_more_once_a_signal_came() -> None:
    async def story() -> None:
        store = MemoryStore()
        await put_job(store)
        interruption = Interruption(Clock())
        journal = interruptible(await store.open_journal("job", "us"), interruption)
        assert await journal.is_wanted()
        assert not await journal.links()
        interruption.ask(signal.SIGTERM)
        assert not await journal.is_wanted()

    asyncio.run(story())
