"""A limit that nobody announces is found, used almost whole, and followed when it moves.

No time passes here: a limiter and the learner are stepped from request to request.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import pytest

from provisor.connectors.around.rate import LearnedRate

AS_FAST_AS_IT_GOES = 400.0


class Limiter(Protocol):
    per_second: float

    def takes(self, now: float) -> bool: ...


@dataclass
class Bucket:
    """Tokens that come at a rate, of which some may be saved (nginx, most gateways)."""

    per_second: float
    size: float
    _tokens: float = -1.0
    _at: float = 0.0

    def takes(self, now: float) -> bool:
        before = self.size if self._tokens < 0 else self._tokens
        self._tokens = min(before + (now - self._at) * self.per_second, self.size)
        self._at = now
        if self._tokens < 1 - 1e-9:
            return False
        self._tokens -= 1
        return True


@dataclass
class Window:
    """So many in each second of the clock."""

    per_second: float
    _second: int = -1
    _count: int = 0

    def takes(self, now: float) -> bool:
        if int(now) != self._second:
            self._second, self._count = int(now), 0
        self._count += 1
        return self._count <= self.per_second


@dataclass
class SlidingWindow:
    """So many in any second."""

    per_second: float
    _taken: deque[float] = field(default_factory=deque[float])

    def takes(self, now: float) -> bool:
        while self._taken and self._taken[0] <= now - 1:
            self._taken.popleft()
        if len(self._taken) >= self.per_second:
            return False
        self._taken.append(now)
        return True


@dataclass
class Run:
    taken: list[float]
    refused: list[float]

    def share(self, of: float, begin: float, end: float) -> float:
        return sum(begin <= at < end for at in self.taken) / (of * (end - begin))


def run(
    limiter: Limiter,
    seconds: float,
    *,
    pause_s: float = 1.0,
    change: Callable[[float], None] = lambda now: None,
) -> Run:
    learned, now, done = LearnedRate(), 0.3, Run([], [])
    chance = random.Random(1)
    while now < seconds:
        change(now)
        if limiter.takes(now):
            learned.accepted(now)
            done.taken.append(now)
        else:
            learned.refused(now, pause_s)
            done.refused.append(now)
            now += pause_s
        now += chance.uniform(0.98, 1.02) / (learned.per_second or AS_FAST_AS_IT_GOES)
    return done


LIMITERS: dict[str, Callable[[], Limiter]] = {
    "bucket": lambda: Bucket(25, 25),
    "small bucket": lambda: Bucket(25, 5),
    "large bucket": lambda: Bucket(25, 100),
    "window": lambda: Window(25),
    "sliding window": lambda: SlidingWindow(25),
    "wide sliding window": lambda: SlidingWindow(200),
    "narrow bucket": lambda: Bucket(5, 5),
}


@pytest.mark.parametrize("name", LIMITERS)
def test_a_limit_is_used_almost_whole_and_rarely_broken(name: str) -> None:
    limiter = LIMITERS[name]()

    done = run(limiter, 600)

    assert done.share(limiter.per_second, 60, 600) >= 0.97
    assert sum(at >= 60 for at in done.refused) <= 20


def test_without_a_refusal_there_is_no_limit() -> None:
    learned = LearnedRate()
    for step in range(100_000):
        learned.accepted(step / 1_000)
    assert learned.per_second is None


def test_a_limit_that_falls_is_followed() -> None:
    bucket = Bucket(100, 100)

    def fall(now: float) -> None:
        if now > 120:
            bucket.per_second = bucket.size = 20

    done = run(bucket, 400, change=fall)

    assert done.share(20, 180, 400) >= 0.95
    assert sum(at >= 180 for at in done.refused) <= 10


def test_a_limit_that_rises_is_found_again() -> None:
    bucket = Bucket(20, 20)

    def rise(now: float) -> None:
        if now > 60:
            bucket.per_second = bucket.size = 100

    done = run(bucket, 1_500, change=rise)

    assert done.share(100, 1_200, 1_500) >= 0.95


def test_one_refusal_by_accident_is_soon_forgotten() -> None:
    learned, now = LearnedRate(), 0.0
    learned.refused(now, 1.0)
    now += 1
    while now < 90:
        now += 1 / min(learned.per_second or 1, AS_FAST_AS_IT_GOES)
        learned.accepted(now)
    assert learned.per_second is not None
    assert learned.per_second >= 100


def test_a_target_that_always_refuses_is_asked_less_and_less() -> None:
    learned = LearnedRate()
    for step in range(50):
        learned.refused(2.0 * step, 1.0)
    assert learned.per_second == pytest.approx(0.2)


def test_refusals_in_a_row_tell_no_limit() -> None:
    """An outage of three seconds is no reason to go slowly for minutes."""
    learned = LearnedRate()
    for at in (0.0, 1.1, 2.2):
        learned.refused(at, 1.0)
    now = 3.2
    while (rate := learned.per_second) is not None and rate < 20:
        assert now < 20, "it goes on slowly"
        now += 1 / rate
        learned.accepted(now)
