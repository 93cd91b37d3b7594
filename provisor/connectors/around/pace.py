"""How fast one target is asked, by all jobs together (spec: scim-target 9.1, settled 32).

Begins with eight requests at a time and takes eight more with each round that goes well; halves
when the target pushes back, and takes one more with each round from then on. A pause that the
target asks for is kept by everybody. Its limit a second is learned (`rate`), or given.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from provisor.connectors.around.rate import LearnedRate
from provisor.errors import Fenced, Throttled
from provisor.ports import Among, Clock, Entropy, LeaseEnds, alone, forever

PARALLEL_START = 8
PARALLEL_MAX = 32
GROWTH, GROWTH_AFTER_PUSH_BACK = 8, 1
"""How many more requests at a time, with each round that goes well."""
TRIES_MAX = 5
WAIT_MAX_S = 300.0
"""In total for one request."""
INSTANT_S = 0.001
"""Clocks are not finer than this."""
LATENESS_S = 0.02
"""A place in line that was missed by no more than this is made up for."""


class Line(Protocol):
    """Where requests to a target stand in line."""

    def turn(self) -> Turn: ...


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Somebody in the line."""

    turn: Turn
    place: asyncio.Future[None]
    start: Callable[[], None]


class Pace:
    """The line in which the requests to one target stand."""

    def __init__(
        self,
        clock: Clock,
        entropy: Entropy,
        *,
        per_second: float | None = None,
        parallel_max: int = PARALLEL_MAX,
    ) -> None:
        self._clock, self._entropy = clock, entropy
        self._fixed = per_second
        self._learned = LearnedRate()
        self._parallel_max = parallel_max
        self._parallel = float(min(PARALLEL_START, parallel_max))
        self._in_flight = 0
        self._waiting: deque[_Waiting] = deque()
        self._paused_until = 0.0
        self._next_at = 0.0
        self._slowed_at = -1.0
        self.among = 1
        """Workers of one job that ask this target now, each from a process of its own: each has
        its part of what it bears."""
        self.pushbacks = 0
        """How often the target asked for fewer requests."""

    @property
    def parallel(self) -> int:
        """How many requests may be under way at once, now."""
        return max(int(min(self._parallel, self._parallel_max / self.among)), 1)

    @property
    def per_second(self) -> float | None:
        """How many requests a second are sent at most, now; None: no limit is known."""
        own = None if self._fixed is None else self._fixed / self.among
        # What was learned is what the target left to this process, beside the others.
        rates = [rate for rate in (own, self._learned.per_second) if rate is not None]
        return min(rates, default=None)

    @property
    def is_limited(self) -> bool:
        """False while nobody has ever asked for a pause, and no limit is known."""
        is_unlimited = self._fixed is None and self._learned.per_second is None
        return not is_unlimited or self._paused_until > 0

    def turn(self) -> Turn:
        """Return the place of one request, for all its tries."""
        return Turn(self)

    def enters_at_once(self) -> bool:
        """Take a place if nobody need wait for anything."""
        if self.is_limited or self._waiting or self._in_flight >= self.parallel:
            return False
        self._in_flight += 1
        return True

    async def enter(self, turn: Turn, start: Callable[[], None]) -> None:
        """Wait until a request may be sent. Raises Throttled if that takes too long, and Fenced
        if it took longer than the job was ours.

        `start` is called as soon as there is a place, where nothing else need be waited for.
        """
        await self._take_place(turn, start)
        if turn.is_started:
            return  # it is on its way: whoever was pushed back meanwhile has nothing to do with it
        try:
            await self._wait_for_time(turn)
            turn.check()
        except BaseException:
            turn.end()
            raise

    def leave(self) -> None:
        self._in_flight -= 1
        self._wake()

    def accept(self) -> None:
        """The target took a request: go on, a little faster."""
        growth = GROWTH if self._slowed_at < 0 else GROWTH_AFTER_PUSH_BACK
        self._parallel = min(self._parallel + growth / self._parallel, self._parallel_max)
        self._learned.accepted(self._now())

    def push_back(self, began_at: float, pause_s: float) -> None:
        """The target wants less a second. What was under way already says nothing new."""
        self.pushbacks += 1
        if began_at > self._slowed_at:
            self._learned.refused(self._now(), pause_s)
        self.slow_down(began_at, pause_s)

    def slow_down(self, began_at: float, pause_s: float) -> None:
        """The target struggles, for whatever reason: fewer at a time, and nobody for a while."""
        now = self._now()
        self._paused_until = max(self._paused_until, now + pause_s)
        if began_at > self._slowed_at:
            self._slowed_at = now
            self._parallel = max(self._parallel / 2, 1.0)

    def pause(self, tries: int) -> float:
        """Return how long to wait where the target does not say: 1, 2, 4, … s, and a little."""
        return 2.0 ** (tries - 1) * (1 + self._entropy.below(250) / 1_000)

    def now(self) -> float:
        return self._now()

    def _now(self) -> float:
        return self._clock.now().timestamp()

    async def _take_place(self, turn: Turn, start: Callable[[], None]) -> None:
        if self._in_flight < self.parallel and not self._waiting:
            self._in_flight += 1
            turn.note_place()
            return
        place = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(turn, place, start))
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                turn.end()
            raise

    def _wake(self) -> None:
        while self._waiting and self._in_flight < self.parallel:
            waiting = self._waiting.popleft()
            if not waiting.place.done():
                self._in_flight += 1
                waiting.turn.note_place()
                waiting.place.set_result(None)
                if not self.is_limited and waiting.turn.is_ours:
                    waiting.turn.is_started = True
                    waiting.start()

    async def _wait_for_time(self, turn: Turn) -> None:
        if not self.is_limited:
            return
        while True:
            while (pause := self._paused_until - self._now()) > INSTANT_S:
                turn.spend(pause)
                await self._clock.sleep(pause)
            rate, now = self.per_second, self._now()
            if rate is None:
                return
            at = max(self._next_at, now - LATENESS_S)
            self._next_at = at + 1 / rate
            if at <= now:
                return
            await self._clock.sleep(at - now)
            if self._paused_until - self._now() <= INSTANT_S:
                return


class Turn:
    """One request's place in line: what it waited, how often it was pushed back."""

    def __init__(self, pace: Pace, ends: LeaseEnds = forever) -> None:
        self._pace, self._ends = pace, ends
        self._tries = 0
        self._waited_s = 0.0
        self._began_at = 0.0
        self._has_place = False
        self.is_started = False
        """It was sent the moment that there was a place."""

    async def begin(self, start: Callable[[], None] = lambda: None) -> None:
        """Wait until the request may be sent. Raises Throttled.

        Where nothing but a place was waited for, `start` was called the moment that there was one:
        by then the answer may be on its way.
        """
        self.is_started = False
        if self._pace.enters_at_once():
            self.note_place()
            return
        await self._pace.enter(self, start)
        if self._pace.is_limited and not self.is_started:
            self._began_at = self._pace.now()

    def note_place(self) -> None:
        self._has_place, self._began_at = True, self._pace.now()

    def end(self) -> None:
        """The request is answered, or never will be: the next may go. Follows each `begin`; once
        more does nothing."""
        if self._has_place:
            self._has_place = False
            self._pace.leave()

    def accepted(self) -> None:
        self._pace.accept()

    def pushed_back(self, retry_after_s: float | None) -> None:
        """Have everybody pause. Raises Throttled once the target's patience outlasts ours."""
        self._tries += 1
        given = None if retry_after_s is None else max(retry_after_s, 0.05)
        pause = self._pace.pause(self._tries) if given is None else given
        self._pace.push_back(self._began_at, pause)
        if self._tries >= TRIES_MAX:
            raise Throttled(pause)

    def struggled(self, retry_after_s: float | None) -> None:
        """The target failed as busy ones do (503)."""
        self._pace.slow_down(self._began_at, retry_after_s or 0.0)

    @property
    def is_ours(self) -> bool:
        """False once somebody else may have the job."""
        ends = self._ends()
        return ends is None or ends.timestamp() > self._pace.now()

    def check(self) -> None:
        """Raise Fenced once somebody else may have the job: who stood in line may have slept."""
        if not self.is_ours:
            raise Fenced("the lease ended while a request waited for its turn")

    def spend(self, pause_s: float) -> None:
        """Take note of a pause that is due. Raises Throttled if it is one too many."""
        self._waited_s += pause_s
        if self._waited_s > WAIT_MAX_S:
            raise Throttled(pause_s)


@dataclass(frozen=True, slots=True)
class Leased:
    """A pace as one job keeps it: nothing is sent once somebody else may have the job."""

    pace: Pace
    ends: LeaseEnds
    among: Among = alone

    def turn(self) -> Turn:
        self.pace.among = self.among()
        return Turn(self.pace, self.ends)


@dataclass(frozen=True, slots=True)
class Paces:
    """The pace of each target, whichever jobs work with it."""

    _clock: Clock
    _entropy: Entropy
    _ends: LeaseEnds = forever
    _among: Among = alone
    _paces: dict[str, Pace] = field(default_factory=dict[str, Pace])

    def each(self) -> Mapping[str, Pace]:
        """Return the paces of all targets asked so far, by identity."""
        return self._paces

    def until(self, ends: LeaseEnds, among: Among = alone) -> Paces:
        """Return the same paces for a job that is ours until then, or ours among others."""
        return replace(self, _ends=ends, _among=among)

    def of(self, identity: str, per_second: float | None, parallel_max: int) -> Line:
        """Return the pace of a target, by its identity; the first who asks sets its limits."""
        if identity not in self._paces:
            self._paces[identity] = Pace(
                self._clock, self._entropy, per_second=per_second, parallel_max=parallel_max
            )
        return Leased(self._paces[identity], self._ends, self._among)
