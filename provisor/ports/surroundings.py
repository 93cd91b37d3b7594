"""Time and chance, from outside: a history can be replayed. And where adapters keep things."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Time: the machine's, or one that passes when a test says so."""

    def now(self) -> datetime:
        """Return the time, with UTC as its zone."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class Entropy(Protocol):
    """Chance, from outside: the operating system's, or a seed that replays a history."""

    def uuid(self) -> str:
        """Return a new random UUID, 36 characters in small letters."""
        ...

    def below(self, limit: int) -> int:
        """Return a whole number from 0 to `limit` - 1."""
        ...


class Documents(Protocol):
    """Where documents are kept; what was put is there after a crash. A `Registry` is one."""

    async def document(self, owner: str, name: str) -> bytes | None:
        """Return what was kept under this name; None if nothing was."""
        ...

    async def put_document(self, owner: str, name: str, content: bytes) -> None:
        """Keep it, instead of what was there."""
        ...
