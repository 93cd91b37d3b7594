"""How many requests of a kind pass in a while (spec: graph-api 1.9)."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

from provisor.graph.http.faults import too_many
from provisor.ports import Clock

KEYS_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Limit:
    requests: int
    seconds: float


ON_DEMAND = Limit(5, 10)
BULK_UPLOAD = Limit(40, 5)
LOGS = Limit(100, 10)
TOKENS = Limit(10, 60)


@dataclass(slots=True)
class Throttle:
    """Counts requests by limit and whom it is for, in a sliding window."""

    clock: Clock
    passed: dict[tuple[Limit, str], deque[float]] = field(
        default_factory=dict[tuple[Limit, str], deque[float]]
    )

    def admit(self, limit: Limit, whom: str) -> None:
        """Let one more pass. Raises Fault: too many."""
        now = self.clock.now().timestamp()
        times = self.passed.setdefault((limit, whom), deque())
        while times and times[0] <= now - limit.seconds:
            times.popleft()
        if len(times) >= limit.requests:
            raise too_many(max(1, math.ceil(times[0] + limit.seconds - now)))
        times.append(now)
        if len(self.passed) > KEYS_MAX:
            self._forget(now)

    def _forget(self, now: float) -> None:
        for key in [k for k, times in self.passed.items() if times[-1] <= now - k[0].seconds]:
            del self.passed[key]
