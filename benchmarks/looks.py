"""What one look for due jobs costs, however many there are: `python -m benchmarks.looks [JOBS …]`.

Jobs at `PT5M` are spread evenly, so that one in three hundred comes due in a second. Told are the
question a worker asks each second, and beside it a look at every job, which it takes now and then.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

import psycopg

from benchmarks.fleet import SETTINGS, alike
from provisor.model.cycles import Counts, Cycle, CycleKind, CycleResult
from provisor.model.jobs import Application, Job
from provisor.planner.status import Configured, Started
from provisor.store.postgresql import PostgresStore
from provisor.store.sql.codec import to_micros
from tests.worlds import pgstores
from tests.worlds.databases import NO_POSTGRES, POSTGRES, Postgres

JOBS, TIMES, INTERVAL = (100, 1_000, 10_000, 100_000), 20, timedelta(minutes=5)


async def furnish(store: PostgresStore, began: datetime) -> None:
    """Make one job that has run."""
    await store.put_application(
        Application(
            id="00000000-app", app_id="00000000-id", principal_id="00000000-principal",
            name="app", display_name="app", template_id="scim",
        )
    )  # fmt: skip
    job = Job(
        id="scim.00000000-id", name="j0", template_id="scim", application_id="00000000-app",
        schedule=INTERVAL,
    )  # fmt: skip
    await store.put_job(job)
    await store.note(job.id, Configured(is_usable=True), Started())
    journal = await store.open_journal(job.id, "benchmark")
    await journal.begin_cycle("c", CycleKind.INCREMENTAL, began)
    await journal.end_cycle(
        Cycle(
            id="c", kind=CycleKind.INCREMENTAL, began=began, ended=began,
            result=CycleResult.SUCCEEDED, counts=Counts(),
        )
    )  # fmt: skip


async def timed(ask: Callable[[], Awaitable[Sequence[object]]]) -> tuple[str, int]:
    """Return what a question costs at the median, in time and of our processor, and how much was
    answered."""
    await ask()
    took: list[tuple[float, float]] = []
    found: Sequence[object] = ()
    for _ in range(TIMES):
        began, busy = time.perf_counter(), time.process_time()
        found = await ask()
        took.append((time.perf_counter() - began, time.process_time() - busy))
    wall, ours = (statistics.median(one) * 1e3 for one in zip(*took, strict=True))
    return f"{wall:.2f} ms (ours {ours:.2f})", len(found)


async def measure(server: Postgres, jobs: int) -> str:
    address, now = pgstores.make(server), datetime.now(UTC)
    store = PostgresStore(address)
    await furnish(store, now)
    with psycopg.connect(address) as connection:
        alike(connection, jobs)
        connection.execute(
            "UPDATE job SET due_at = %s + (random() * 300000000)::bigint", (to_micros(now),)
        )
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE job")
    a_second_on = now + timedelta(seconds=1)
    try:
        due, found = await timed(lambda: store.due(a_second_on))
        everything, _ = await timed(store.jobs)
    finally:
        store.close()
    return f"{jobs:,} jobs: {due} for the {found:,} that are due; {everything} for all of them"


def main(arguments: Sequence[str]) -> int:
    if not POSTGRES:
        print(NO_POSTGRES)
        return 0
    with Postgres.run(SETTINGS) as server:
        for jobs in [int(one) for one in arguments] or JOBS:
            print(asyncio.run(measure(server, jobs)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
