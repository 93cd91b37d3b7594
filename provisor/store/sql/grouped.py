"""Several objects' steps in one transaction: all that are asked for in two turns of the event loop.

Objects are carried through side by side, and a transaction of its own would cost each of them more
than what it writes. Whoever asks for a step hears of it only when its transaction is over, so that
a step which was heard of is durable, and one that was not may be missing: as ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from provisor.errors import Rejected
from provisor.store.sql.foresight import About

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Asked:
    """A step, and who waits for it."""

    step: Callable[[], object]
    about: About | None
    answer: asyncio.Future[Any]


class Group:
    """The steps that wait for the next transaction."""

    def __init__(
        self, write: Callable[[Sequence[About | None]], AbstractContextManager[object]]
    ) -> None:
        self._write = write
        self._asked: list[_Asked] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    async def carry_out(self, step: Callable[[], T], about: About | None = None) -> T:
        """Take a step in a transaction with others; return what it returns.

        A step that raises Rejected has done nothing, and does not trouble the others; whatever
        else goes wrong undoes them all, and is raised to everybody. Without an event loop there is
        nobody to wait for.
        """
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            with self._write([about]):
                return step()
        if self._loop is not loop:  # what waited in a loop that is closed will never be heard of
            self._loop, self._asked = loop, []
        if not self._asked:
            # Not at once: whoever hears of this turn's answers in the next comes along.
            loop.call_soon(loop.call_soon, self._flush)
        answer: asyncio.Future[Any] = loop.create_future()
        self._asked.append(_Asked(step, about, answer))
        return cast(T, await answer)

    def close(self) -> None:
        """Nobody waits for an answer that cannot come."""
        for one in self._asked:
            one.answer.cancel()
        self._asked = []

    def _flush(self) -> None:
        asked = [one for one in self._asked if not one.answer.done()]
        self._asked = []
        if not asked:
            return
        try:
            with self._write([one.about for one in asked]):
                answers = [_take(one.step) for one in asked]
        except BaseException as failure:  # it is raised to all who wait
            for one in asked:
                one.answer.set_exception(failure)
            if isinstance(failure, (KeyboardInterrupt, SystemExit)):
                raise
            return
        for one, (value, refusal) in zip(asked, answers, strict=True):
            if refusal is not None:
                one.answer.set_exception(refusal)
            else:
                one.answer.set_result(value)


def _take(step: Callable[[], object]) -> tuple[object, Rejected | None]:
    try:
        return step(), None
    except Rejected as refusal:
        return None, refusal
