"""Whether the store can be written: asked by whoever asks us whether we are ready.

What is found holds for a moment, however many ask, and is found beside everybody else's requests.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from provisor.errors import StoreFailed

HOLDS_S = 2.0
WAIT_S = 2.0
"""Whoever asks is answered by then: who checks our health has little patience."""
LATE = "nothing could be written in time: somebody else has been writing for too long"


@dataclass(slots=True)
class Readiness:
    prove: Callable[[], None]
    """Write something, wherever this is called. Raises StoreFailed."""
    _proof: asyncio.Task[None] | None = None
    _since: float = 0.0

    async def check(self) -> None:
        """Raises StoreFailed."""
        proof = self._latest()
        try:
            async with asyncio.timeout(WAIT_S):
                await asyncio.shield(proof)
        except TimeoutError:
            raise StoreFailed(LATE) from None

    def _latest(self) -> asyncio.Task[None]:
        """Return the proof that is under way or was made just now, beginning one if there is none.

        One at a time: where writing hangs, those who ask do not pile up.
        """
        now = asyncio.get_running_loop().time()
        is_old = self._proof is None or (self._proof.done() and now - self._since >= HOLDS_S)
        if self._proof is None or is_old:
            self._proof, self._since = asyncio.create_task(asyncio.to_thread(self.prove)), now
            self._proof.add_done_callback(_heard)
        return self._proof


def _heard(proof: asyncio.Task[None]) -> None:
    """Whoever waited may have gone: what the proof found was found all the same."""
    if not proof.cancelled():
        proof.exception()
