"""Many jobs on a few workers and one PostgreSQL: `python -m benchmarks.fleet JOBS SECONDS
[WORKERS [SETTING …]]`; settings are PostgreSQL's, as `synchronous_commit=off`.

Each job has an application, a file of twenty people and a schedule of its own, and between two of
its cycles one person changes. What is told: how late cycles began, what one costs in time of the
processors, and what jobs cost while nothing is due.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import psycopg

from benchmarks.world import Stub, stub
from provisor.model.cycles import Cycle
from provisor.store.sql.codec import to_micros
from tests.worlds import pgstores
from tests.worlds.databases import NO_POSTGRES, POSTGRES, Postgres

JOBS, SECONDS, WORKERS, PEOPLE = 1_000, 300, 2, 20
INTERVAL = timedelta(minutes=5)
TICKS = os.sysconf("SC_CLK_TCK")
ENVIRONMENT = os.environ | {"TOKEN": "benchmark"}
SETTINGS = ("max_connections=100", "shared_buffers=256MB")
HEAD = (
    "id,userName,givenName,familyName,displayName,mail,jobTitle,department,manager,accountEnabled"
)


@dataclass(frozen=True)
class Told:
    """What came of it."""

    jobs: int
    cycles: Sequence[Cycle]
    late_s: Sequence[float]
    """Of each cycle but the first of its job, sorted."""
    busy: dict[str, float]
    """Share of one processor, by who was busy."""
    looked_s: float

    def text(self) -> str:
        def at(share: float) -> str:
            place = min(int(len(self.late_s) * share), len(self.late_s) - 1)
            return f"{self.late_s[place]:.2f} s" if self.late_s else "-"

        busy = ", ".join(f"{who} {share:.2f}" for who, share in self.busy.items())
        cycles = len(self.cycles)
        a_cycle = sum(self.busy.values()) * self.looked_s / max(cycles, 1) * 1e3
        went = Counter(cycle.result.value for cycle in self.cycles)
        exported = sum(cycle.counts.exported for cycle in self.cycles)
        return (
            f"{self.jobs:,} jobs: {cycles:,} cycles in {self.looked_s:.0f} s ({dict(went)},"
            f" {exported:,} people exported),"
            f" late {at(0.5)} at the median, {at(0.99)} at p99, {at(1)} at worst;"
            f" processors: {busy}; {a_cycle:.1f} ms a cycle, all told"
        )


def people(folder: Path, job: int, change: int) -> None:
    """Write the file of a job, in which the first of its people changes."""
    rows = [HEAD]
    for number in range(PEOPLE):
        who = f"p{number}"
        title = "Clerk" if number else f"Clerk {change}"
        rows.append(f"{who},{who}@x.org,X,{who},{who},{who}@x.org,{title},,,true")
    passing = folder / f"j{job}.new"
    passing.write_text("\n".join(rows) + "\n", "utf-8")
    passing.replace(folder / f"j{job}.csv")


CONFIGURATION = """
tenant: {{id: 6f1c2f9e-5d7c-4b52-9d0e-0d6c9a2f7b11}}
jobs:
  j0:
    source: {{connector: csv, settings: {{users: j0.csv, settleFor: PT0S, anchor: id}}}}
    target: {{connector: scim, settings: {{baseAddress: "{base}", token: "env:TOKEN"}}}}
    template: scim
    syncAll: true
    schedule: PT5M
"""
ALIKE = """
CREATE TEMPORARY TABLE known AS
SELECT content::json ->> 'id' AS id, content::json ->> 'app_id' AS app,
       content::json ->> 'principal_id' AS principal FROM application;
CREATE FUNCTION pg_temp.alike(said text, n bigint) RETURNS text LANGUAGE sql AS $$
    SELECT replace(replace(replace(replace(replace(replace(said,
        id, md5('id' || n)::uuid::text), app, md5('app' || n)::uuid::text),
        principal, md5('principal' || n)::uuid::text),
        '"j0"', '"j' || n || '"'), 'j0.csv', 'j' || n || '.csv'), '/scim/v2', '/scim/v2/j' || n)
    FROM known
$$;
INSERT INTO document (owner, name, content)
SELECT pg_temp.alike(owner, n), name,
       CASE WHEN get_byte(content || '0', 0) IN (91, 123)
       THEN convert_to(pg_temp.alike(convert_from(content, 'UTF8'), n), 'UTF8') ELSE content END
FROM document, generate_series(1, {last}) n WHERE owner NOT LIKE 'workspace%' AND owner <> 'store';
INSERT INTO application (id, content)
SELECT pg_temp.alike(id, n), pg_temp.alike(content, n)
FROM application, generate_series(1, {last}) n;
UPDATE meta SET value = '100' WHERE name = 'changes';
"""
"""One job has run; the others are as it is, with files and names of their own."""
NUMBERS = {
    "job": ("number",),
    "mapping": ("number", "job"),
    "standing": ("number", "mapping"),
    "mark": ("standing",),
    "source": ("standing",),
    "image": ("standing",),
    "span": ("standing",),
}
TOLD_APART = {"job": ("id", "definition", "systems")}
SETTLED_S = 20.0
"""So long nothing is measured: workers begin."""
STRIDE = 1_000
"""More than any number that the first job has given anything."""


def alike(connection: psycopg.Connection[tuple[object, ...]], jobs: int) -> None:
    """Make as many jobs of the one that there is."""
    last = jobs - 1
    connection.execute(ALIKE.format(last=last).encode())
    for table, numbered in NUMBERS.items():
        found = connection.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
            " AND NOT attisdropped",
            (table,),
        )
        names = [str(name) for (name,) in found]
        said = {name: f"{name} + n * {STRIDE}" for name in numbered} | {
            name: f"pg_temp.alike({name}, n)" for name in TOLD_APART.get(table, ())
        }
        columns = ", ".join(said.get(name, f"{table}.{name}") for name in names)
        statement = (
            f"INSERT INTO {table} ({', '.join(names)})"
            f" SELECT {columns} FROM {table}, generate_series(1, {last}) n"
        )
        connection.execute(statement.encode())
    for table in ("job", "mapping"):
        connection.execute(
            f"SELECT setval(pg_get_serial_sequence('{table}', 'number'), {jobs * STRIDE})".encode()
        )
    connection.execute(f"SELECT setval('standing_number', {jobs * STRIDE})".encode())
    connection.execute("ANALYZE")


def provisor(folder: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "provisor", "--workspace", str(folder), *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=ENVIRONMENT)


def busy_s(pid: int) -> float:
    """Return the time of the processor that a process has had, with its living children."""
    total = 0.0
    for one in [pid, *children(pid)]:
        try:
            fields = Path(f"/proc/{one}/stat").read_text("ascii").rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(map(int, fields[11:15])) / TICKS  # its own, and of children that ended
    return total


def children(pid: int) -> list[int]:
    return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]


@contextmanager
def changing(folder: Path, jobs: int) -> Generator[None]:
    """Have one person of each job change at once, and then about once an interval, half of one
    before the job is due: what is read is no file that is just being written."""
    over = threading.Event()
    for job in range(jobs):
        people(folder, job, 1)

    def change() -> None:
        number, chance = jobs // 2, random.Random(1)
        while not over.wait(INTERVAL.total_seconds() / jobs):
            people(folder, number % jobs, chance.randrange(1, 1_000_000))
            number += 1

    thread = threading.Thread(target=change, daemon=True)
    thread.start()
    yield
    over.set()
    thread.join()


def lateness(
    address: str, since: datetime, spread_over: dict[int, datetime]
) -> tuple[list[Cycle], list[float]]:
    """Return the cycles that began since, and how late they were."""
    with psycopg.connect(address) as connection:
        found = connection.execute(
            "SELECT job, content FROM cycle WHERE content IS NOT NULL ORDER BY job, number"
        ).fetchall()
    spread_at = max(spread_over.values(), default=since)
    late: list[float] = []
    cycles, before = list[Cycle](), dict[int, Cycle]()
    for job, content in found:
        cycle = msgspec.json.decode(content, type=Cycle)
        earlier = before.get(job)
        before[job] = cycle
        if cycle.began >= since:
            cycles.append(cycle)
            began = spread_over.get(job)
            if earlier is not None and (began is None or earlier.began > spread_at):
                began = max(earlier.began, earlier.ended - INTERVAL)
            if began is not None:
                late.append((cycle.began - began - INTERVAL).total_seconds())
    return cycles, sorted(late)


def spread(address: str, jobs: int) -> dict[int, datetime]:
    """Have the first cycles due evenly over one interval, as those of jobs are that were not all
    started in one minute; return when each is said to have had its last one."""
    now, said = datetime.now(UTC), dict[int, datetime]()
    with psycopg.connect(address, autocommit=True) as connection:
        changed: list[tuple[str, int, int]] = []
        rows = connection.execute("SELECT number, status FROM job ORDER BY number").fetchall()
        for place, (number, text) in enumerate(rows):
            at = now - INTERVAL * (1 - place / jobs)
            status = msgspec.json.decode(text)
            last = status.get("last")
            if last:
                last["began"] = last["ended"] = at.isoformat()
                said[number] = at
                due_at = to_micros(at + INTERVAL)
                changed.append((msgspec.json.encode(status).decode(), due_at, number))
        with connection.transaction(), connection.cursor() as cursor:
            cursor.executemany("UPDATE job SET status = %s, due_at = %s WHERE number = %s", changed)
    return said


def measure(jobs: int, seconds: float, workers: int, settings: Sequence[str]) -> Told:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(Postgres.run(settings))
        target: Stub = stack.enter_context(stub())
        address = pgstores.make(server)
        (folder / "provisor.store").write_text(address, "utf-8")
        (folder / "provisor.yaml").write_text(CONFIGURATION.format(base=target.base), "utf-8")
        for job in range(jobs):
            people(folder, job, 0)
        began = time.monotonic()
        provisor(folder, "init")
        provisor(folder, "apply")
        provisor(folder, "run", "j0")
        with psycopg.connect(address) as connection:
            alike(connection, jobs)
        said = spread(address, jobs)
        print(f"{jobs:,} jobs made in {time.monotonic() - began:.0f} s", flush=True)
        command = [sys.executable, "-m", "provisor", "--workspace", str(folder), "worker"]
        with (folder / "workers.log").open("ab") as log:
            begun = [
                subprocess.Popen(
                    [*command, "--log-level", "error"], stdout=log, stderr=log, env=ENVIRONMENT
                )
                for _ in range(workers)
            ]
        try:
            with changing(folder, jobs):
                return _looked(jobs, seconds, address, begun, server, said)
        finally:
            for one in begun:
                one.kill()
                one.wait()


def _looked(
    jobs: int,
    seconds: float,
    address: str,
    begun: Sequence[subprocess.Popen[bytes]],
    server: Postgres,
    spread_over: dict[int, datetime],
) -> Told:
    assert server.process is not None
    pids = {f"worker {n + 1}": one.pid for n, one in enumerate(begun)}
    pids["PostgreSQL"] = server.process.pid
    time.sleep(SETTLED_S)
    since, began = datetime.now(UTC), time.monotonic()
    before = {who: busy_s(pid) for who, pid in pids.items()}
    time.sleep(seconds)
    took = time.monotonic() - began
    busy = {who: (busy_s(pid) - before[who]) / took for who, pid in pids.items()}
    cycles, late = lateness(address, since, spread_over)
    return Told(jobs, cycles, late, busy, took)


def main(arguments: Sequence[str]) -> int:
    if not POSTGRES:
        print(NO_POSTGRES)
        return 0
    said = [int(one) for one in arguments[:3]]
    jobs, seconds, workers = said + [JOBS, SECONDS, WORKERS][len(said) :]
    print(measure(jobs, seconds, workers, (*SETTINGS, *arguments[3:])).text())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
