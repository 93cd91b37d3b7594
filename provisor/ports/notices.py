"""What is to be told, kept until it was: decided with the status, and sent later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from provisor.model.notices import Notice

WAITING_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A notice that waits to be sent."""

    number: int
    """Names it for good: whoever receives it twice knows it by this."""
    job: str
    """Empty where it is about a whole tenant, which the notice names."""
    notice: Notice
    attempts: int = 0
    """How often it was tried before."""
    sent: frozenset[str] = frozenset()
    """The ways that it has gone already."""


class Notices(Protocol):
    """Whatever records a status keeps what is to be told of it, in the same transaction.

    What was told is forgotten, but for what may come up again; of what nobody ever takes the
    latest `WAITING_MAX` of each job are kept.
    """

    async def announce(self, job: str, notice: Notice) -> None:
        """Keep a notice that no status is behind, of a job, or of a whole tenant where `job` is
        empty; nothing happens if its key was kept before. Raises JobUnknown."""
        ...

    async def take_notice(self, now: datetime, until: datetime) -> Pending | None:
        """Take the notice that is due for longest, to send it. Nobody else is given it before
        `until`, when whoever took it must have died."""
        ...

    async def put_back_notice(
        self, pending: Pending, sent: frozenset[str], again_at: datetime | None
    ) -> None:
        """Record by which ways it has gone, and when to try the others; None: it is done."""
        ...
