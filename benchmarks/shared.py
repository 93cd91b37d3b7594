"""One cycle on one worker and on two: `python -m benchmarks.shared [PEOPLE] [ROUNDS] [PERCENT]`.

Two cores that also run PostgreSQL and the target cannot show what two machines would: workers get
in each other's way before they get in the way of the store. So each worker is held to PERCENT of a
processor, as by a slower machine, which leaves room for the others; the target answers at once.
With PERCENT 100 nobody is held. Runs alternate, and the middle of each is compared.

How long it takes depends on what else the machine does. What does not: how much time of a processor
each has had, and in which part of the time somebody was in a transaction of the job, or waited for
one: those go one after the other, whoever asks, so that no number of workers is quicker than that.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

import msgspec
import psycopg

from benchmarks.fleet import CONFIGURATION, ENVIRONMENT, busy_s, provisor
from benchmarks.world import Stub, stub
from provisor.model.cycles import Cycle, CycleResult
from tests.worlds import pgstores
from tests.worlds.databases import NO_POSTGRES, POSTGRES, Postgres

PEOPLE, ROUNDS, PERCENT = 10_000, 3, 25
SETTINGS = ("max_connections=100", "shared_buffers=256MB", "synchronous_commit=off")
HEAD = (
    "id,userName,givenName,familyName,displayName,mail,department,jobTitle,manager,accountEnabled"
)
PERIOD_S = 0.02
IN_TRANSACTIONS = """
SELECT count(*) FILTER (WHERE wait_event_type = 'Lock'),
       count(*) FILTER (WHERE wait_event_type IS DISTINCT FROM 'Lock')
FROM pg_stat_activity
WHERE application_name = 'provisor' AND xact_start IS NOT NULL AND datname = current_database()
"""
"""Who waits for the job's row, and who may have it."""
LOOK_S = 0.02
BEGUN = "SELECT 1 FROM cycle WHERE began IS NOT NULL"
ENDED = "SELECT content FROM cycle WHERE content IS NOT NULL ORDER BY number LIMIT 1"


def people(folder: Path, count: int) -> None:
    rows = [
        f"p{n},p{n}@x.org,X,P{n},p{n},p{n}@x.org,Sales,Clerk,{f'p{n // 20}' if n else ''},true"
        for n in range(count)
    ]
    (folder / "j0.csv").write_text("\n".join([HEAD, *rows]) + "\n", "utf-8")


@contextmanager
def held(processes: Sequence[subprocess.Popen[bytes]], percent: int) -> Generator[None]:
    """Let processes run for so much of each moment, side by side and not in turns."""
    over = threading.Event()

    def hold() -> None:
        while not over.is_set():
            for number, share in ((signal.SIGCONT, percent), (signal.SIGSTOP, 100 - percent)):
                for one in processes:
                    if one.poll() is None:
                        one.send_signal(number)
                over.wait(PERIOD_S * share / 100)
        for one in processes:
            if one.poll() is None:
                one.send_signal(signal.SIGCONT)

    thread = threading.Thread(target=hold, daemon=True)
    if percent < 100:
        thread.start()
    yield
    over.set()
    if percent < 100:
        thread.join()


def seconds(count: int, workers: int, percent: int, server: Postgres) -> float:
    """Return how long the first cycle of so many people took."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        target: Stub = stack.enter_context(stub())
        address = pgstores.make(server)
        (folder / "provisor.store").write_text(address, "utf-8")
        (folder / "provisor.yaml").write_text(CONFIGURATION.format(base=target.base), "utf-8")
        people(folder, count)
        provisor(folder, "init")
        provisor(folder, "apply")
        log = stack.enter_context((folder / "workers.log").open("ab"))
        command = [sys.executable, "-m", "provisor", "--workspace", str(folder), "worker"]
        begun = [
            subprocess.Popen(
                [*command, "--log-level", "error", "--share-from", "1000"],
                stdout=log, stderr=log, env=ENVIRONMENT,
            )
            for _ in range(workers)
        ]  # fmt: skip
        try:
            with held(begun, percent):
                return _first(address, count, begun, server)
        finally:
            for one in begun:
                one.kill()
                one.wait()


def _first(
    address: str, count: int, begun: Sequence[subprocess.Popen[bytes]], server: Postgres
) -> float:
    assert server.process is not None
    pids = {f"worker {n + 1}": one.pid for n, one in enumerate(begun)}
    pids["PostgreSQL"] = server.process.pid
    looks = waiting = inside = 0
    with psycopg.connect(address, autocommit=True) as connection:
        while connection.execute(BEGUN.encode()).fetchone() is None:
            time.sleep(LOOK_S)
        before = {who: busy_s(pid) for who, pid in pids.items()}
        while (row := connection.execute(ENDED.encode()).fetchone()) is None:
            time.sleep(LOOK_S)
            waits, has = connection.execute(IN_TRANSACTIONS.encode()).fetchone() or (0, 0)
            looks, waiting, inside = looks + 1, waiting + (waits > 0), inside + (has > 0)
    cycle = msgspec.json.decode(row[0], type=Cycle)
    assert cycle.result is CycleResult.SUCCEEDED, cycle
    assert cycle.counts.exported == count, cycle.counts
    took = (cycle.ended - cycle.began).total_seconds()
    busy = ", ".join(f"{who} {busy_s(pid) - before[who]:.1f} s" for who, pid in pids.items())
    print(
        f"{len(begun)} worker(s): {took:.1f} s, {count / took:.0f} objects/s; processors: {busy};"
        f" somebody in a transaction {inside / looks:.0%} of the time, somebody waiting for"
        f" another's {waiting / looks:.0%}",
        flush=True,
    )
    return took


def main(arguments: Sequence[str]) -> int:
    if not POSTGRES:
        print(NO_POSTGRES)
        return 0
    count, rounds, percent = [
        int(one) for one in (*arguments, *(PEOPLE, ROUNDS, PERCENT)[len(arguments) :])
    ]
    took: dict[int, list[float]] = {1: [], 2: []}
    with Postgres.run(SETTINGS) as server:
        for _ in range(rounds):
            for workers, times in took.items():
                times.append(seconds(count, workers, percent, server))
    ratio = median(took[1]) / median(took[2])
    print(f"{count:,} objects, {percent} % of a processor each: two are {ratio:.2f} times as fast")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
