"""Sends what is to be told: what was decided before this process began as well.

A notice is taken, sent, and crossed off. Who dies between the last two leaves it to be sent again
after a while, under the same id: it is rather told twice than never.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from provisor.messages.message import Message, Undelivered, Way
from provisor.model.jobs import Job
from provisor.ports import Clock, Pending, Registry
from provisor.runtime.interruption import Interruption

LOOK_AGAIN_S = 2.0
TAKEN_FOR = timedelta(minutes=5)
"""Longer than sending takes, timeouts included: a notice comes back only after a crash."""
RETRIES = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=4),
    timedelta(hours=12),
    timedelta(hours=24),
)
"""Two days, then it is given up: what it says is in the status as well."""
NEWS_FOR = timedelta(days=2)
"""What nobody could be told for so long is no news: who sets up mail today hears of today."""
CHECKED_EVERY = timedelta(hours=1)
log = structlog.get_logger()


@dataclass(slots=True, kw_only=True)
class Notifier:
    registry: Registry
    clock: Clock
    compose: Callable[[Pending, Job | None], Awaitable[Message]]
    ways: Callable[[Pending, Job | None], Awaitable[Sequence[Way]]]
    """By which ways notices of a job, or of a whole tenant, go, as it is configured now."""
    look_ahead: Callable[[], Awaitable[None]]
    """Announce what will happen by itself: credentials that expire."""
    _checked_at: datetime | None = None

    async def run(self, interruption: Interruption) -> None:
        """Send what is due until somebody asks to stop. Nothing that goes wrong ends it."""
        while not interruption.is_asked:
            try:
                await self.flush()
            except Exception as failure:  # noqa: BLE001
                log.warning("notices cannot be sent", failure=type(failure).__name__)
            await interruption.sleep(LOOK_AGAIN_S)

    async def flush(self) -> None:
        """Send all that is due now."""
        now = self.clock.now()
        if self._checked_at is None or now - self._checked_at >= CHECKED_EVERY:
            self._checked_at = now
            await self.look_ahead()
        while pending := await self.registry.take_notice(now, now + TAKEN_FOR):
            sent, is_done = await self._sent(pending)
            await self.registry.put_back_notice(
                pending, sent, None if is_done else self._again(pending)
            )

    def _again(self, pending: Pending) -> datetime | None:
        if pending.attempts >= len(RETRIES):
            log.warning("notice given up", job=pending.job, kind=pending.notice.kind.value)
            return None
        return self.clock.now() + RETRIES[pending.attempts]

    async def _sent(self, pending: Pending) -> tuple[frozenset[str], bool]:
        """Return by which ways it has gone, and whether those are all."""
        job = await self.registry.job(pending.job) if pending.job else None
        is_old = self.clock.now() - pending.notice.at > NEWS_FOR
        if (pending.job and job is None) or is_old:
            return pending.sent, True
        message = await self.compose(pending, job)
        about = job.name if job else ""
        gone, is_done = set(pending.sent), True
        for way in await self.ways(pending, job):
            if way.name in gone:
                continue
            try:
                await way.send(message)
                log.info("notice sent", job=about, kind=pending.notice.kind.value)
            except Undelivered as failure:
                log.warning("notice not sent", job=about, why=str(failure))
                if not failure.is_final:
                    is_done = False
                    continue
            gone.add(way.name)
        return frozenset(gone), is_done
