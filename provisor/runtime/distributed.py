"""Jobs shared out to any number of workers, by a queue that is not ours.

Only what is due is queued, once: what a job needs is worked out anew from its status whenever
somebody looks, so that nothing is lost with a queue, and nothing that was queued has to be true any
longer. One worker at a time looks; all of them run what they find.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Final, Protocol

from provisor.errors import StoreFailed
from provisor.model.jobs import Job
from provisor.planner.schedule import Due, next_start, share_out
from provisor.runtime.hearing import Hearing
from provisor.runtime.interruption import Interruption
from provisor.runtime.lease import Busy, lease
from provisor.runtime.parts import Parts
from provisor.runtime.rounds import Rounds
from provisor.runtime.turns import Came, Turns

LOOK_S: Final = 1.0
"""How long what is due, was paused, or was left behind may go unnoticed."""
HELD_BACK_S: Final = 60.0
"""So long a job that could not even begin is left in peace, where its schedule is not shorter."""
QUEUED_EACH: Final = 128
"""So much is handed out at a time for each worker: who comes later to a long line would wait for
all before him."""
LOOKING = "schedule"


class Urgency(IntEnum):
    """Whose turn comes first."""

    DUE = 0
    TOLD = 10
    """The source has told that something has changed."""
    ASKED = 20
    """Somebody waits for it."""


HELP: Final = -10
"""Whoever has a cycle of his own to run does that first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """A cycle of a job that somebody is to run."""

    job: str
    urgency: Urgency = Urgency.DUE
    is_reconciled: bool = False
    not_before: datetime | None = None


class Queue(Protocol):
    """Who hands out errands, of each job one at a time."""

    def opened(self) -> AbstractAsyncContextManager[None]:
        """Return what the queue can be used within."""
        ...

    async def put(self, errands: Sequence[Errand]) -> None:
        """Hand errands out; nothing happens where one like it waits already. Raises StoreFailed."""
        ...

    async def outstanding(self) -> Collection[str]:
        """Return the jobs of errands that wait for their turn, or are at hand, but for those that
        are not to be run before a time to come. Raises StoreFailed."""
        ...

    async def bury(self) -> None:
        """Forget the errands of workers that died: they are handed out anew if they are due."""
        ...

    async def others(self) -> int:
        """Return how many workers there are beside this one. Raises StoreFailed."""
        ...

    async def invite(self, job: str, seat: int) -> None:
        """Ask some worker to help with a cycle that is shared out; nothing happens where this seat
        is being asked for already. Raises StoreFailed."""
        ...

    async def work(
        self,
        run: Callable[[Errand], Awaitable[None]],
        help: Callable[[str], Awaitable[None]],
        concurrency: int,
    ) -> None:
        """Run errands, and help with the jobs we are invited to, until this is cancelled; what is
        at hand goes to its end."""
        ...


async def nobody_helps(job: str) -> None:
    """What is shared out is left to the others."""


@dataclass(slots=True, kw_only=True)
class Crew:
    """One worker among any number of them."""

    turns: Turns
    queue: Queue
    concurrency: int
    tenant_cycles: int | None = None
    """So many cycles of a tenant are under way at a time, wherever they run; None: however many.
    What somebody has asked for is not kept waiting by it."""
    help: Callable[[str], Awaitable[None]] = nobody_helps
    """Helps with a cycle of a job that another worker shares out."""
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _heard: set[str] = field(default_factory=set[str])
    _hearing: Hearing = field(init=False)
    _rounds: Rounds = field(init=False)

    def __post_init__(self) -> None:
        self._hearing = Hearing(self.turns.parts, self._hear)
        self._rounds = Rounds(self.turns.parts, self._hearing)

    async def run(self) -> None:
        """Work until somebody asks to stop; what runs then is settled first."""
        async with self.queue.opened():
            tasks = [
                asyncio.create_task(self._work_always()),
                asyncio.create_task(self._look_always()),
            ]
            await _until_asked(self.turns.interruption)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._hearing.stop()

    # what is at hand

    async def _work_always(self) -> None:
        """A queue that could not be reached, or that had buried us, is gone back to."""
        while True:
            with suppress(StoreFailed):
                await self.queue.work(self.carry_out, self.help, self.concurrency)
            await asyncio.sleep(LOOK_S)

    async def carry_out(self, errand: Errand) -> None:
        """Run a cycle, if the job is still there and it is still due."""
        parts = self.turns.parts
        job = await parts.registry.job(errand.job)
        if job is None:
            return
        came = await self.turns.take(
            job,
            is_hurried=errand.urgency is not Urgency.DUE and _may_start(job, parts),
            is_reconciled=errand.is_reconciled,
        )
        if came is Came.FAILED:
            wait = min(job.schedule, timedelta(seconds=HELD_BACK_S))
            await self.queue.put([Errand(job=job.id, not_before=parts.clock.now() + wait)])

    # what is due

    async def _look_always(self) -> None:
        """One of all workers looks; the others are ready to, should it die."""
        while True:
            with suppress(Busy, StoreFailed), lease(self.turns.parts.leases, LOOKING) as held:
                while (ends := held.ends()) is None or ends > self.turns.parts.clock.now():
                    await self.look()
                    await self._wait()
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Hand out what is due, and what dead workers have left behind."""
        await self.queue.bury()
        parts = self.turns.parts
        now = parts.clock.now()
        await self._rounds.look()
        told = await self._told(now)
        due = [one for one in await parts.registry.due(now) if one.job not in self._heard]
        await self._hand_out(told, Urgency.TOLD)
        await self._hand_out(due, Urgency.DUE)

    async def _told(self, now: datetime) -> list[Due]:
        """Return the jobs whose source has told something; one that waits for a reason of its own
        goes on waiting."""
        registry = self.turns.parts.registry
        heard = [job for id in sorted(self._heard) if (job := await registry.job(id)) is not None]
        may_start = [
            job.id
            for job in heard
            if job.status.quarantine is None and _may_start(job, self.turns.parts)
        ]
        self._heard &= {*may_start}
        whose = await registry.tenants_of(may_start)
        return [Due(now, id, whose.get(id, "")) for id in may_start]

    async def _hand_out(self, due: Sequence[Due], urgency: Urgency) -> None:
        """Hand out as much as there is room for; what is left is handed out at a later look."""
        if not due:
            return
        outstanding = await self.queue.outstanding()
        whose = await self.turns.parts.registry.tenants_of(outstanding)
        waiting = [one for one in due if one.job not in outstanding]
        under_way = Counter(whose.get(id, "") for id in outstanding)
        room = len(waiting)
        if urgency is Urgency.DUE:
            room = QUEUED_EACH * (await self.queue.others() + 1) - len(outstanding)
        chosen = share_out(waiting, under_way, quota=self.tenant_cycles, room=room)
        await self.queue.put([Errand(job=one.job, urgency=urgency) for one in chosen])
        self._heard.difference_update(one.job for one in chosen)

    def _hear(self, job: str) -> None:
        self._heard.add(job)
        self._news.set()

    async def _wait(self) -> None:
        self._news.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_S):
                await self._news.wait()


def _may_start(job: Job, parts: Parts) -> bool:
    """Tell whether a job may begin earlier than it is due: not one that is paused."""
    return next_start(job.status, job.schedule, parts.clock.now()) is not None


async def _until_asked(interruption: Interruption) -> None:
    while not interruption.is_asked:
        await interruption.sleep(3600)


@dataclass(slots=True)
class Elsewhere:
    """The schedule as a server sees it that runs no cycles: workers do."""

    queue: Queue
    interruption: Interruption
    _putting: set[asyncio.Task[None]] = field(default_factory=set["asyncio.Task[None]"])

    def wake(self) -> None:
        """Whoever looks, looks every second."""

    def hurry(self, job: str, asked_at: datetime) -> None:
        self._put(Errand(job=job, urgency=Urgency.ASKED))

    def reconcile(self, job: str) -> None:
        self._put(Errand(job=job, urgency=Urgency.ASKED, is_reconciled=True))

    def _put(self, errand: Errand) -> None:
        task = asyncio.create_task(self._put_quietly(errand))
        self._putting.add(task)
        task.add_done_callback(self._putting.discard)

    async def _put_quietly(self, errand: Errand) -> None:
        """What cannot be handed out is run when it is due."""
        with suppress(StoreFailed):
            await self.queue.put([errand])

    async def run(self) -> None:
        """Hand on what is asked for, until an interruption."""
        async with self.queue.opened():
            await _until_asked(self.interruption)
            await asyncio.gather(*self._putting, return_exceptions=True)
