"""The real clock, real chance, and what the environment says of the documentation."""

from __future__ import annotations

import asyncio
import os
import secrets
import uuid
from datetime import UTC, datetime

DOCS, DOCS_VARIABLE = "docs", "PROVISOR_DOCS"
"""Where the documentation is served: troubleshooting addresses in a status begin with it."""


class SystemClock:
    """The time of the machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class OsEntropy:
    """The operating system's chance."""

    def uuid(self) -> str:
        return str(uuid.uuid4())

    def below(self, limit: int) -> int:
        return secrets.randbelow(limit)


def docs() -> str:
    """Return where the documentation is served."""
    return os.environ.get(DOCS_VARIABLE, DOCS)
