"""Beyond what one machine can show: `python -m benchmarks.fleet_model` plays workers, the one of
them that looks, and PostgreSQL second by second. What looks, handing out and cycles cost was
measured; how long a cycle waits for the disk is an estimate.

What is due is shared out by the very rule that workers use. Each line says how late cycles begin,
and which of the three has no room left.
"""

from __future__ import annotations

import heapq
import random
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from provisor.planner.schedule import Due, share_out
from provisor.runtime.distributed import LOOK_S, QUEUED_EACH
from provisor.runtime.rounds import ROUND_JOBS_S, ROUND_MAX_S

INTERVAL_S, PLAYED_S, SETTLED_S = 300, 900, 300
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Costs:
    """In milliseconds of one processor."""

    cycle_worker: float
    cycle_database: float
    cycle_disk: float
    """A worker waits for each answer, and does nothing else meanwhile; and so long for the disk."""
    put: float
    """Handing an errand out."""
    look_due: float
    """Finding one job that is due."""
    look_job: float
    """Looking at one job, due or not, when all are looked at."""


@dataclass(frozen=True)
class Fleet:
    jobs: int
    workers: int
    database_cores: int


def play(fleet: Fleet, costs: Costs, seed: int = 1) -> str:
    chance = random.Random(seed)
    next_due = [(chance.random() * INTERVAL_S, job) for job in range(fleet.jobs)]
    heapq.heapify(next_due)
    due: list[tuple[float, int]] = []
    queue: list[tuple[float, int]] = []
    late: list[float] = []
    round_s = min(max(fleet.jobs / ROUND_JOBS_S, LOOK_S), ROUND_MAX_S)
    look_s = (
        costs.look_due * fleet.jobs / INTERVAL_S + costs.look_job * fleet.jobs / round_s
    ) / 1e3
    # A worker is one process, and the one that looks has less time for cycles.
    cycle_s = (costs.cycle_worker + costs.cycle_database + costs.cycle_disk) / 1e3
    by_workers = max(fleet.workers - min(look_s, 1.0), 0.0) / cycle_s
    by_database = fleet.database_cores * 1e3 / costs.cycle_database
    queued_max = QUEUED_EACH * fleet.workers
    by_looker = min(queued_max, 1e3 / costs.put) / max(1.0 + look_s, 1.0)
    carried, handed = 0.0, 0.0
    for second in range(PLAYED_S):
        while next_due and next_due[0][0] <= second:
            due.append(heapq.heappop(next_due))
        handed = min(handed + by_looker, queued_max)
        room = min(int(handed), queued_max - len(queue))
        if room > 0 and due:
            asked = [Due(EPOCH + timedelta(seconds=at), str(job)) for at, job in due[: room * 2]]
            chosen = {int(one.job) for one in share_out(asked, {}, quota=None, room=room)}
            handed -= len(chosen)
            queue += [one for one in due[: room * 2] if one[1] in chosen]
            due = [one for one in due[: room * 2] if one[1] not in chosen] + due[room * 2 :]
        carried = min(carried + min(by_workers, by_database), by_workers)
        while queue and carried >= 1:
            at, job = queue.pop(0)
            carried -= 1
            if second >= SETTLED_S:
                late.append(second - at)
            heapq.heappush(next_due, (second + INTERVAL_S, job))
    late.sort()
    p99 = late[int(len(late) * 0.99)] if late else float("nan")
    wanted = fleet.jobs / INTERVAL_S
    bounds = {"handing out": by_looker, "workers": by_workers, "PostgreSQL": by_database}
    narrowest = min(bounds, key=lambda name: bounds[name])
    limit = bounds[narrowest]
    return (
        f"{fleet.jobs:>9,} jobs, {fleet.workers:>3} workers, {fleet.database_cores:>2} cores of the"
        f" database: {wanted:>6.0f} cycles a second wanted, {limit:>6.0f} possible ({narrowest}),"
        f" p99 late {p99:.0f} s"
    )


def main(arguments: list[str]) -> int:
    numbers = [float(one) for one in arguments] or [14.5, 9.1, 10.0, 0.08, 0.006, 0.009]
    costs = Costs(*numbers)
    print(costs)
    for fleet in (
        Fleet(10_000, 2, 2),
        Fleet(30_000, 4, 4),
        Fleet(100_000, 10, 8),
        Fleet(300_000, 30, 16),
        Fleet(1_000_000, 100, 32),
    ):
        print(play(fleet, costs))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
