"""Having something to oneself, among all processes that work on one store."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol, TypeAlias

LeaseEnds: TypeAlias = Callable[[], datetime | None]
"""Tells when somebody else may have a job that is ours; None: not while this process lives."""


Among: TypeAlias = Callable[[], int]
"""Tells by how many what a target bears is to be divided."""


def alone() -> int:
    """Nobody else works at the same job."""
    return 1


def forever() -> None:
    """A job that is ours for as long as this process lives."""


class Held(Protocol):
    """Something that is ours."""

    def ends(self) -> datetime | None:
        """Return when somebody else may have it, if nothing renews it; None: it is ours for as
        long as this process lives."""
        ...

    def release(self) -> None:
        """Let others have it."""
        ...


class Leases(Protocol):
    """Who has what. It dies with its process, at once or at its end."""

    def take(self, name: str) -> Held | None:
        """Have it to oneself; None where somebody else has it. Raises StoreFailed."""
        ...

    def living(self, prefix: str) -> int:
        """Return how many with names that begin so are had by anybody. Raises StoreFailed."""
        ...

    def holder(self, name: str) -> str:
        """Return who has it, or had it last; empty where nobody knows."""
        ...
