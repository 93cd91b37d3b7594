"""Signals, and whatever else ends a process: stop sending, settle what is in flight, and go
(settled 22)."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

from provisor.errors import StoreTooNew
from provisor.ports import Clock, Journal

T = TypeVar("T")
GRACE_S = 10.0


class Interrupted(Exception):
    """A signal ended the work before it was done."""


class Interruption:
    """Whether the process is to stop, and since which signal."""

    def __init__(self, clock: Clock, grace_s: float = GRACE_S) -> None:
        self._clock, self._grace_s = clock, grace_s
        self._asked = asyncio.Event()
        self._urged = asyncio.Event()
        self.signal = 0
        self.outgrown: StoreTooNew | None = None
        """What the process was given up for."""

    @property
    def is_asked(self) -> bool:
        return self._asked.is_set()

    @property
    def exit_code(self) -> int:
        """Return how the process is to exit. Raises what it was given up for."""
        if self.outgrown is not None:
            raise self.outgrown
        return 128 + self.signal

    def ask(self, number: int) -> None:
        """Ask for an end; asked a second time, do not wait for what is in flight."""
        if self.is_asked:
            self._urged.set()
        self.signal = self.signal or number
        self._asked.set()

    def give_up(self, outgrown: StoreTooNew) -> None:
        """Ask for an end because the store has become a newer version's: nothing that this process
        could do is any use."""
        self.outgrown = self.outgrown or outgrown
        self._asked.set()

    @contextmanager
    def on_signals(self) -> Generator[None]:
        """Have SIGINT and SIGTERM ask, as long as this lasts."""
        loop = asyncio.get_running_loop()
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = [(number, signal.getsignal(number)) for number in numbers]
        for number in numbers:
            _handle(loop, number, self)
        try:
            yield
        finally:
            for number, handler in before:
                _unhandle(loop, number)
                signal.signal(number, handler)

    async def finish(self, work: Coroutine[Any, Any, T]) -> T:
        """Do the work; once asked to stop, give it so long to settle and then cut it off.

        Raises Interrupted where it was cut off.
        """
        task = asyncio.create_task(work)
        overdue = asyncio.create_task(self._overdue())
        try:
            await asyncio.wait({task, overdue}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            task.cancel()
            await asyncio.wait({task})
            if task.cancelled() or task.exception() is not None:
                raise Interrupted("stopped by a signal, with answers outstanding")
            return task.result()
        finally:
            overdue.cancel()
            task.cancel()

    async def sleep(self, seconds: float) -> None:
        """Wait, but not beyond the moment that somebody asks to stop."""
        sleeping = asyncio.create_task(self._sleep(seconds))
        asked = asyncio.create_task(self._asked.wait())
        await asyncio.wait({sleeping, asked}, return_when=asyncio.FIRST_COMPLETED)
        sleeping.cancel()
        asked.cancel()

    async def _sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)

    async def _overdue(self) -> None:
        await self._asked.wait()
        grace = asyncio.create_task(self._sleep(self._grace_s))
        urged = asyncio.create_task(self._urged.wait())
        try:
            await asyncio.wait({grace, urged}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            grace.cancel()
            urged.cancel()


def _handle(loop: asyncio.AbstractEventLoop, number: int, interruption: Interruption) -> None:
    try:
        loop.add_signal_handler(number, interruption.ask, number)
    except NotImplementedError:  # Windows: handlers run between two steps of the loop
        signal.signal(number, lambda got, _frame: loop.call_soon_threadsafe(interruption.ask, got))


def _unhandle(loop: asyncio.AbstractEventLoop, number: int) -> None:
    try:
        loop.remove_signal_handler(number)
    except NotImplementedError:
        return


def interruptible(journal: Journal, interruption: Interruption) -> Journal:
    """Return the journal, which says that the job is not wanted once a stop is asked for."""
    return cast(Journal, _Interruptible(journal, interruption))


class _Interruptible:
    """A journal that answers one question for itself, and hands on all others."""

    def __init__(self, journal: Journal, interruption: Interruption) -> None:
        self._journal, self._interruption = journal, interruption

    async def is_wanted(self) -> bool:
        return not self._interruption.is_asked and await self._journal.is_wanted()

    def __getattr__(self, name: str) -> object:
        return getattr(self._journal, name)
