"""How many requests a second a target takes, learned from what it refuses.

A target says nothing before the first 429, so there is no limit before it. What it had accepted
by then is the first guess. From there the limit is searched between the highest rate that held
and the lowest that did not, and kept once they are close. Now and then a little more is tried,
less and less often where it fails: to be told to wait costs more than a per cent of the rate.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

HEADROOM = 0.99
"""Of what was accepted: two clocks never agree."""
HOLDS_S = 5.0
"""A rate that was used for so long without a refusal holds."""
HOLDS_FAR_S = 1.5
"""... and for no longer while nothing is known but that it may be much higher."""
CLOSE = 1.025
"""The limit is known well enough when what failed is no more than this above what held."""
STEP = 1.02
STEP_MAX = 2.0
GUESS_MIN = 20
"""A first guess from fewer requests says little: the rate may be doubled at once."""
GUESS_RATE_MIN = 2.0
TRUST_S = 30.0
"""For so long a guess from many is not tried beyond."""
PATIENCE_S = 60.0
PATIENCE_MAX_S = 600.0
BUCKET_S = 0.1
HISTORY_S = 60.0
RATE_MIN = 0.2


@dataclass(slots=True)
class LearnedRate:
    """What is known of one target's limit. Times are seconds, from any beginning."""

    per_second: float | None = None
    """None: no limit is known."""
    _held: float | None = None
    """The highest rate that was used for a while."""
    _failed: float | None = None
    """The lowest rate that was refused, above the one that held."""
    _step: float = STEP
    _patience_s: float = PATIENCE_S
    _quiet_until: float = 0.0
    _since: float = 0.0
    """When the present rate began to be used, and how often it was since."""
    _count: int = 0
    _calm_since: float = 0.0
    """When the last refusal ended, and what was accepted since."""
    _calm_count: int = 0
    _accepted: deque[tuple[float, int]] = field(default_factory=deque[tuple[float, int]])

    def accepted(self, now: float) -> None:
        """Take note of a request that was not refused."""
        self._count += 1
        self._calm_count += 1
        if self.per_second is None:
            self._remember(now)
        elif now - self._since >= self._holds_s:
            self._judge(self.per_second, now)

    def refused(self, now: float, pause_s: float) -> None:
        """Take note of a refusal that asks for a pause."""
        if self.per_second is None:
            span = max(1.0, pause_s)
            recent = self._recent(now, span)
            rate = max(HEADROOM * recent / span, GUESS_RATE_MIN)
            self._accepted.clear()
            if recent < GUESS_MIN:
                self._step = STEP_MAX
            else:
                self._quiet_until = now + pause_s + TRUST_S
        else:
            rate = self._lower(self.per_second, now, pause_s)
        self._use(max(rate, RATE_MIN), now + pause_s)
        self._calm_since, self._calm_count = now + pause_s, 0

    @property
    def _holds_s(self) -> float:
        is_far = self._failed is None and self._step >= STEP_MAX
        return HOLDS_FAR_S if is_far else HOLDS_S

    def _lower(self, rate: float, now: float, pause_s: float) -> float:
        if self._held is None and not self._calm_count:
            # It has taken nothing since the last refusal: that tells no limit.
            self._failed, self._step = None, STEP_MAX
            return rate / 2
        self._failed = rate
        if self._held is not None and self._held < rate:
            if rate > 1.1 * self._held:
                return (self._held + rate) / 2
            self._settle(now)
            return self._held
        # Not even what held before holds now, or nothing did yet: what came through since?
        self._held, self._step = None, STEP
        calm_s = max(now - self._calm_since, 0.0)
        # What a bucket has saved up in the pause may have come through since, or nothing has.
        counted_s = calm_s + (pause_s / 2 if calm_s >= pause_s else pause_s)
        seen = HEADROOM * self._calm_count / max(counted_s, 0.1)
        return min(max(seen, rate / 2), 0.98 * rate)

    def _judge(self, rate: float, now: float) -> None:
        """After a while without refusal: did we use the rate, and may it grow?"""
        is_used = self._count >= 0.9 * rate * (now - self._since)
        if is_used:
            self._held = rate
            rate = self._higher(rate, now)
        self._use(rate, now)

    def _higher(self, held: float, now: float) -> float:
        if now < self._quiet_until:
            return held
        if self._failed is not None and self._failed > CLOSE * held:
            return (held + self._failed) / 2
        if self._failed is not None:
            self._failed = None
            self._settle(now)
            return held
        rate = held * self._step
        self._step = min(1 + 2 * (self._step - 1), STEP_MAX)
        return rate

    def _settle(self, now: float) -> None:
        """The limit is known: leave it for a while, each time longer."""
        if self._failed is None or (self._held and self._failed <= CLOSE * self._held):
            self._failed, self._step = None, STEP
            self._quiet_until = now + self._patience_s
            self._patience_s = min(2 * self._patience_s, PATIENCE_MAX_S)

    def _use(self, rate: float, since: float) -> None:
        self.per_second, self._since, self._count = rate, since, 0

    def _remember(self, now: float) -> None:
        bucket = now // BUCKET_S
        count = 1
        if self._accepted and self._accepted[-1][0] == bucket:
            count += self._accepted.pop()[1]
        self._accepted.append((bucket, count))
        while self._accepted[0][0] < (now - HISTORY_S) // BUCKET_S:
            self._accepted.popleft()

    def _recent(self, now: float, span_s: float) -> int:
        first = (now - span_s) // BUCKET_S
        return sum(count for bucket, count in self._accepted if bucket >= first)
