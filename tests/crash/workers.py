"""`make crash`, with workers: two or three of them on one PostgreSQL, and what may befall each.

`python -m tests.crash.workers [ROUNDS] [SEED] [WORKERS]` prints what it tried, and how soon jobs
were taken over; a seed repeats a run. Without WORKERS there are two and three of them by turns.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.crash.campaign import told
from tests.crash.working import Hall, Worker, hall
from tests.worlds.databases import NO_POSTGRES, POSTGRES, Postgres

ROUNDS, ROUNDS_A_HALL = 30, 10
WRITES = 12
"""A cycle is hit after so many of its writes at most."""
TAKEN_OVER_S = 5.0
Blow = Callable[[Hall, Worker], None]
BLOWS: Mapping[str, Blow] = {
    "killed": Hall.kill,
    "frozen": Hall.freeze,
    "cut off from the database": Hall.cut_off,
    "its wire broken in an answer": Hall.break_wire,
    "the database restarted": Hall.restart_database,
    "paused": Hall.pause,
    "a replica promoted": Hall.promote_replica,
}

OF_SHARED: Mapping[str, Blow] = {
    "a member killed": Hall.kill_member,
    "a member frozen": Hall.freeze_member,
}
"""What else may befall a cycle that is shared out."""


SHORT_FORM_SHARED = ("a member killed", "a member frozen", "killed")
SHORT_FORM = ("killed", "frozen", "cut off from the database", "paused", "a replica promoted")
"""What is tried each time that all tests are run."""


@dataclass
class Siege:
    """Blows, one after the other, each in the middle of a cycle."""

    place: Hall
    chance: random.Random
    tried: Counter[str] = field(default_factory=Counter[str])

    def strike(self, name: str) -> None:
        self.place.site.firm.change()
        victim = self.place.at_work(self.chance.randrange(1, WRITES))
        {**BLOWS, **OF_SHARED}[name](self.place, victim)
        self.place.site.firm.change()
        self.place.check()
        self.tried[name] += 1

    def strike_often(self, times: int) -> None:
        """Strike with everything at least once, if there is time for it."""
        left: list[str] = []
        blows = sorted({**BLOWS, **OF_SHARED} if self.place.is_shared else BLOWS)
        for _ in range(times):
            left = left or self.chance.sample(blows, len(blows))
            self.strike(left.pop())


def taken(seconds: Sequence[float]) -> str:
    if not seconds:
        return "nothing had to be taken over"
    ordered = sorted(seconds)
    return (
        f"{len(ordered)} jobs taken over, {ordered[len(ordered) // 2]:.2f} s after the end of the"
        f" lease at the median, {ordered[-1]:.2f} s at worst"
    )


def main(arguments: list[str]) -> int:
    if not POSTGRES:
        sys.stdout.write(f"{NO_POSTGRES}\n")
        return 0
    rounds = int(arguments[0]) if arguments else ROUNDS
    seed = int(arguments[1]) if len(arguments) > 1 else random.SystemRandom().randrange(2**31)
    sys.stdout.write(f"seed {seed}: repeat with  python -m tests.crash.workers {rounds} {seed}\n")
    always = int(arguments[2]) if len(arguments) > 2 else 0
    tried, seconds, pauses = Counter[str](), list[float](), list[float]()
    for number, first in enumerate(range(0, rounds, ROUNDS_A_HALL)):
        count = always or 2 + number % 2
        shared_from = 1 if number % 3 else 20_000
        with (
            tempfile.TemporaryDirectory() as folder,
            Postgres.run() as server,
            hall(Path(folder), seed + number, server, count, shared_from) as place,
        ):
            siege = Siege(place, random.Random(seed + number))
            try:
                siege.strike_often(min(ROUNDS_A_HALL, rounds - first))
            finally:
                tried += siege.tried
                seconds += place.takeovers
                pauses += place.pauses
                how = "each cycle shared out" if place.is_shared else "each cycle of one"
                sys.stdout.write(f"\n{count} workers, {how}, seed {seed + number}\n{told(tried)}\n")
                sys.stdout.write(f"{taken(seconds)}\n")
                sys.stdout.write(f"pauses took effect within {max(pauses, default=0.0):.2f} s\n")
                sys.stdout.flush()
    return 0 if max(seconds, default=0.0) < TAKEN_OVER_S else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
