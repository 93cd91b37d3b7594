"""Where the time of a cycle goes: a stopwatch around its ports.

Many answers are awaited at once, and still each moment counts once. What passes until somebody
answers is his: the wait, and reading what he said. What passes until somebody is asked is ours as
far as we were thinking (the processor says so), else his whose answer was awaited meanwhile.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from time import perf_counter, thread_time
from typing import Any, cast

from provisor.model.cycles import Spent
from provisor.ports import Journal, Source, Target
from provisor.telemetry.watch import next_page, page_by_page

SOURCE, TARGET, STORE, MAPPING = range(4)


class Stopwatch:
    """Runs from when it is first asked something through it."""

    def __init__(self) -> None:
        self._seconds = [0.0, 0.0, 0.0, 0.0]
        self._awaited = [0, 0, 0]
        self._at = self._thought = -1.0

    def asks(self, whom: int) -> None:
        """Take note that somebody is asked."""
        now, thought = perf_counter(), thread_time()
        if self._at >= 0:
            passed = now - self._at
            thinking = min(passed, thought - self._thought)
            self._seconds[MAPPING] += thinking
            self._seconds[self._waited_for()] += passed - thinking
        self._at, self._thought = now, thought
        self._awaited[whom] += 1

    def hears(self, whom: int) -> None:
        """Take note that somebody has answered."""
        now = perf_counter()
        self._seconds[whom] += now - self._at
        self._at, self._thought = now, thread_time()
        self._awaited[whom] -= 1

    def _waited_for(self) -> int:
        for whom in (TARGET, SOURCE, STORE):
            if self._awaited[whom]:
                return whom
        return MAPPING

    def spent(self) -> Spent:
        source, target, store, mapping = self._seconds
        return Spent(source=source, mapping=mapping, target=target, store=store)


def timed_source(source: Source, watch: Stopwatch) -> Source:
    return cast(Source, _Timed(source, watch, SOURCE, pages=frozenset({"pull"})))


def timed_target(target: Target, watch: Stopwatch) -> Target:
    return cast(Target, _Timed(target, watch, TARGET, pages=frozenset({"list_all"})))


def timed_journal(journal: Journal, watch: Stopwatch) -> Journal:
    return cast(Journal, _Timed(journal, watch, STORE, pages=frozenset()))


class _Timed:
    """A port, every question to which is timed."""

    def __init__(self, port: object, watch: Stopwatch, whom: int, pages: frozenset[str]) -> None:
        self._port, self._watch, self._whom, self._pages = port, watch, whom, pages

    def __getattr__(self, name: str) -> Any:
        found: Any = getattr(self._port, name)
        if not callable(found):
            return found
        timed = self._paged(found) if name in self._pages else self._asked(found)  # pyright: ignore[reportArgumentType]
        self.__dict__[name] = timed  # the next time it is at hand
        return timed

    def _asked(
        self, ask: Callable[..., Coroutine[Any, Any, object]]
    ) -> Callable[..., Coroutine[Any, Any, object]]:
        watch, whom = self._watch, self._whom

        async def asked(*about: object, **more: object) -> object:
            watch.asks(whom)
            try:
                return await ask(*about, **more)
            finally:
                watch.hears(whom)

        return asked

    def _paged(
        self, ask: Callable[..., AsyncIterator[object]]
    ) -> Callable[..., AsyncIterator[object]]:
        take = self._asked(next_page)

        def paged(*about: object) -> AsyncIterator[object]:
            return page_by_page(ask(*about), take)

        return paged
