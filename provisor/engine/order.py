"""In which order arrivals go: managers before those they manage (spec: settled 10)."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from provisor.engine.work import Work
from provisor.model.decisions import StandingKey

WAVES_MAX = 64
"""Longer chains of superiors are not waited for: their reference follows in the second pass."""


@dataclass(frozen=True, slots=True)
class Wave:
    """Objects of one mapping in the order in which they go."""

    keys: tuple[StandingKey, ...]
    above: Mapping[StandingKey, StandingKey]
    """The superior whom an object is to wait for: each comes earlier, but in circles."""


async def by_superior(work: Work, keys: Sequence[StandingKey], now: datetime) -> list[Wave]:
    """Return the keys in waves: object mappings in their order, and in each, superiors first.

    A reference whose other end is linked by then travels in the create: one request, not two.
    """
    above = await _above(work, keys, now)
    depths = depths_of(above)
    waves: list[Wave] = []
    for name in work.terms:
        of_mapping = [key for key in keys if key.mapping == name]
        if of_mapping:
            ordered = sorted(of_mapping, key=lambda key: depths.get(key, 0))
            waves.append(Wave(tuple(ordered), above))
    return waves


async def _above(
    work: Work, keys: Sequence[StandingKey], now: datetime
) -> dict[StandingKey, StandingKey]:
    """Return for whom each key waits. There may be a million: no key is held twice."""
    pending = {key: key for key in keys}
    above: dict[StandingKey, StandingKey] = {}
    for key, referred in (await work.ports.journal.superiors(now)).items():
        takers = [t for r in referred for t in work.takers(r) if t in pending and t != key]
        if takers and key in pending:
            above[pending[key]] = pending[min(takers)]
    return above


def depths_of(above: Mapping[StandingKey, StandingKey]) -> dict[StandingKey, int]:
    """Return how many superiors each key waits for; who manages himself, or is at the end of a
    chain that is too long, waits for nobody."""
    depths: dict[StandingKey, int] = {}
    for start in above:
        chain: list[StandingKey] = []
        on_chain = set[StandingKey]()
        key: StandingKey | None = start
        while key is not None and key not in depths and key not in on_chain:
            chain.append(key)
            on_chain.add(key)
            key = above.get(key)
        depth = depths[key] if key is not None and key in depths else -1
        for link in reversed(chain):
            depth = depth + 1 if depth < WAVES_MAX else 0
            depths[link] = depth
    return depths


class UnderWay:
    """Objects that are being carried through, and who waits for one of them."""

    def __init__(self) -> None:
        self._waiting: dict[StandingKey, asyncio.Future[None] | None] = {}

    @contextmanager
    def enter(self, key: StandingKey) -> Generator[None]:
        """Be under way, until the end of what is done inside."""
        self._waiting[key] = None
        try:
            yield
        finally:
            waiting = self._waiting.pop(key)
            if waiting is not None:
                waiting.set_result(None)

    async def until_through(self, key: StandingKey | None) -> None:
        """Wait for an object that is under way; who is not is through, or comes later."""
        if key is None or key not in self._waiting:
            return
        waiting = self._waiting[key]
        if waiting is None:
            waiting = self._waiting[key] = asyncio.get_running_loop().create_future()
        await asyncio.shield(waiting)
