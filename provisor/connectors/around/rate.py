"""How many requests a second a target takes, learned from what it refuses.

A target says nothing before the first 429, so there is no limit before it. What it had accepted
by then, over as long as it asks to wait, is the first guess; from there the rate is raised in
small steps while it holds, and falls back to what held when it does not. Each step that failed
makes the next one later: being told to wait costs more than one per cent of the rate.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

HEADROOM = 0.99
"""Of what was accepted: two clocks never agree."""
HOLDS_S = 5.0
"""A rate that was used for so long without a refusal holds."""
STEP = 1.02
STEP_MAX = 1.2
PATIENCE_S = 60.0
PATIENCE_MAX_S = 600.0
BUCKET_S = 0.1
HISTORY_S = 60.0
RATE_MIN = 0.1


@dataclass(slots=True)
class LearnedRate:
    """What is known of one target's limit. Times are seconds, from any beginning."""

    per_second: float | None = None
    """None: no limit is known."""
    _held: float | None = None
    _step: float = STEP
    _patience_s: float = PATIENCE_S
    _quiet_until: float = 0.0
    _since: float = 0.0
    _count: int = 0
    _accepted: deque[list[float]] = field(default_factory=deque[list[float]])

    def accepted(self, now: float) -> None:
        """Take note of a request that was not refused."""
        bucket = now // BUCKET_S
        if self._accepted and self._accepted[-1][0] == bucket:
            self._accepted[-1][1] += 1
        else:
            self._accepted.append([bucket, 1])
            while self._accepted[0][0] < (now - HISTORY_S) // BUCKET_S:
                self._accepted.popleft()
        self._count += 1
        if self.per_second is not None and now - self._since >= HOLDS_S:
            self._judge(self.per_second, now)

    def refused(self, now: float, pause_s: float) -> None:
        """Take note of a refusal that asks for a pause."""
        before = self.per_second
        if before is None:
            self.per_second = HEADROOM * self._recent(now, max(1.0, pause_s))
        elif self._held is not None and self._held < before:
            self.per_second = self._held
            self._patience_s = min(2 * self._patience_s, PATIENCE_MAX_S)
        else:
            seen = self._count / max(now - self._since + pause_s, 1e-3)
            self.per_second = min(max(seen, before / 2), before * 0.97)
            self._held = None
        self.per_second = max(self.per_second, RATE_MIN)
        self._step = STEP
        self._quiet_until = now + pause_s + self._patience_s
        self._begin(now + pause_s)

    def _judge(self, rate: float, now: float) -> None:
        """After a while without refusal: did we use the rate, and may it grow?"""
        is_used = self._count >= 0.9 * rate * (now - self._since)
        if is_used:
            self._held = rate
            if now >= self._quiet_until:
                self.per_second = rate * self._step
                self._step = min(self._step**1.5, STEP_MAX)
        self._begin(now)

    def _begin(self, now: float) -> None:
        self._since, self._count = now, 0

    def _recent(self, now: float, span_s: float) -> float:
        first = (now - span_s) // BUCKET_S
        return sum(count for bucket, count in self._accepted if bucket >= first) / span_s
