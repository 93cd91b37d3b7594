"""Who has a seat at a cycle: one share after the other, until nobody leads it any more.

Nobody departs here. Whoever of a share is to leave is left to the one who weighs departures.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

from provisor.engine.crowd import each_until
from provisor.engine.provision import provision
from provisor.engine.work import Mandate, Ports, Stopped, Tally, Work, begin_work
from provisor.model.decisions import Escrowed, Standing
from provisor.model.entries import MatchQuery
from provisor.planner.leave import departure
from provisor.ports.shares import Brief, Said, Seat, Share, Word

LISTEN_S: Final = 0.1
"""How long it may go unnoticed that all are to rest, or to go."""


@dataclass(frozen=True, slots=True)
class _Told:
    """Implements `Outdated`, for who does not write alone: the journal knows."""

    seat: Seat

    def note(self, queries: Iterable[MatchQuery]) -> None:
        self.seat.tell(queries)

    def has(self, query: MatchQuery) -> bool:
        return False

    @property
    def is_any(self) -> bool:
        return False


@dataclass(slots=True)
class Hearing:
    """What those with a seat were told last."""

    said: Said


def known_by(mandate: Mandate) -> str:
    """Return what rules and policy are known by: all who work at a cycle must have the same."""
    digest = sha256(mandate.policy_hash.encode())
    for name, mapping in mandate.rules.items():
        digest.update(repr((str(name), mapping.hash, mapping.is_enabled)).encode())
    return digest.hexdigest()


async def work_at(seat: Seat, mandate: Mandate, ports: Ports, hearing: Hearing) -> None:
    """Carry shares through until the cycle is led no longer, is not wanted, or is one of other
    rules than ours.

    Raises what ends a cycle: Unreachable, Denied, Fenced, StoreFailed. What was begun is settled
    first, and the share is free for others.
    """
    rules = known_by(mandate)
    while (said := await seat.said()).word is not Word.GO:
        hearing.said = said
        brief = await seat.brief()
        if brief.rules != rules:
            return
        share = await seat.take()
        if share is None:
            if not await ports.journal.is_wanted():
                return
            await ports.clock.sleep(LISTEN_S)
            continue
        try:
            work = _work(seat, brief, mandate, ports, said)
            await _carry_through(seat, share, brief, work, hearing)
        except Stopped:
            return


def _work(seat: Seat, brief: Brief, mandate: Mandate, ports: Ports, said: Said) -> Work:
    parallel = max(mandate.policy.parallel_max // said.seats, 1)
    divided = replace(mandate, policy=replace(mandate.policy, parallel_max=parallel))
    work = begin_work(divided, ports, brief.cycle, at=brief.at)
    return replace(work, listed=set(brief.listed), outdated=_Told(seat))


async def _carry_through(
    seat: Seat, share: Share, brief: Brief, work: Work, hearing: Hearing
) -> None:
    failed = Counter[str]()
    keys = await seat.due(share, brief.due)
    tally = Tally(began=work.at, done=len(share.anchors) - len(keys), total=len(share.anchors))

    async def carry(standing: Standing) -> None:
        if departure(work.of(standing.key), standing) is not None:
            return
        passage = await provision(standing, work)
        if isinstance(passage.outcome, Escrowed):
            failed[passage.outcome.code] += 1

    is_over = False
    try:
        async with _listening(seat, work, hearing):
            waiting = deque(keys)
            await each_until(
                work, tally, waiting, carry, lambda: hearing.said.word is not Word.WORK
            )
            is_over = not waiting
    finally:
        await seat.give_back(share, failed, is_over=is_over)


@asynccontextmanager
async def _listening(seat: Seat, work: Work, hearing: Hearing) -> AsyncGenerator[None]:
    """Hear what is said while we work."""

    async def listen() -> None:
        while True:
            await work.ports.clock.sleep(LISTEN_S)
            hearing.said = await seat.said()

    task = asyncio.create_task(listen())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
