"""How long pages of the console take: `python -m benchmarks.pages [JOBS] [RECORDS] [postgresql]`.

One `provisor serve`, as it is, with many jobs in its store and a long log: the records of a first
cycle of 200 people, multiplied over all jobs and the last thirty days. A signed-in client on one
kept connection asks for one page after the other, in turn. With `postgresql` the same store is
copied to a server of its own, as an administrator would, and served from there.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote, urlencode

from benchmarks.api import Client, furnish, serving, told
from benchmarks.rows import Row
from benchmarks.world import stub
from tests.worlds import pgstores
from tests.worlds.databases import Postgres

JOBS, RECORDS = 1_000, 1_000_000
PEOPLE = 200
ROUNDS, WARM, LEAST = 40, 2, 3
PATIENCE_S = 5.0
"""A page that has taken so long altogether is not asked for again, once it was asked thrice."""
GOAL_MS = 100.0
ALLOWED_AGAIN_S = 10.0
DAYS = 30
OWN = ("position", "cycle", "anchor", "at")
"""The columns in which a record of somebody else at another time differs."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page, and how long it took, in milliseconds."""

    name: str
    median: float
    late: float
    """Nine in ten were faster."""


def lengthen(folder: Path, records: int) -> None:
    """Make the log as long as that: what one job did, by other people, in all jobs."""
    store = sqlite3.connect(folder / "provisor.db")
    (known,) = store.execute("SELECT count(*) FROM record").fetchone()
    jobs = [number for (number,) in store.execute("SELECT number FROM job ORDER BY number")]
    (content,) = store.execute("SELECT content FROM cycle WHERE content IS NOT NULL").fetchone()
    (last,) = store.execute("SELECT max(at) FROM record").fetchone()
    rows = store.execute("SELECT name FROM pragma_table_info('record')")
    others = ", ".join(name for (name,) in rows if name not in OWN)
    copy = (
        f"INSERT INTO record (cycle, anchor, at, {others}) "
        f"SELECT ?, anchor || '-' || ?, ?, {others} FROM record WHERE position <= ?"
    )
    rounds = records // known
    step = DAYS * 86_400_000_000 // rounds
    for number in range(rounds):
        job = jobs[number % len(jobs)]
        moment = last - (rounds - number) * step
        (position,) = store.execute("SELECT coalesce(max(position), 0) FROM record").fetchone()
        cycle = store.execute(
            "INSERT INTO cycle (job, id, began, content, records_after) VALUES (?, ?, ?, ?, ?)",
            (job, f"{number:08x}-0000-4000-8000-00000000000d", moment, content, position),
        ).lastrowid
        store.execute(copy, (cycle, number, moment, known))
    store.commit()
    store.close()


class Reader:
    """Somebody signed in, on one kept connection."""

    def __init__(self, port: int, key: str) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=120)
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        body = urlencode({"key": key})
        self._connection.request("POST", "/console/sign-in", body, form)
        answer = self._connection.getresponse()
        answer.read()
        self._cookie = str(answer.getheader("Set-Cookie")).partition(";")[0]

    def open(self, path: str) -> float:
        """Return how long a page took, in milliseconds. Nobody may ask for the log as often as this
        does: it waits as long as it is told to."""
        while True:
            began = time.perf_counter()
            self._connection.request("GET", f"/console{path}", headers={"Cookie": self._cookie})
            answer = self._connection.getresponse()
            content = answer.read()
            took = (time.perf_counter() - began) * 1_000
            if answer.status == 200:
                return took
            if answer.status != 429:
                raise RuntimeError(f"{path}: {answer.status} {content[:300]!r}")
            time.sleep(float(answer.getheader("Retry-After") or ALLOWED_AGAIN_S))


def addresses(client: Client, folder: Path) -> Mapping[str, str]:
    """Return the pages that are looked at, by what they are called."""
    filtered = "/v1.0/servicePrincipals?$filter=displayName%20eq%20'people'"
    (busy,) = client.json(filtered)["value"]
    there = f"/v1.0/servicePrincipals/{busy['id']}/synchronization/jobs"
    job = client.json(there)["value"][0]["id"]
    at = f"/jobs/{quote(busy['id'])}/{quote(job)}"
    store = sqlite3.connect(folder / "provisor.db")
    (anchor,) = store.execute("SELECT anchor FROM record LIMIT 1").fetchone()
    store.close()
    entry = client.json("/v1.0/auditLogs/provisioning?$top=1")["value"][0]["id"]
    person = quote(f"{anchor}-700")
    return {
        "overview": "/",
        "overview, searched": "/?search=application+77",
        "overview, the last page": "/?page=20&order=name",
        "new job": "/new",
        "job: status": at,
        "job: set up": f"{at}/setup",
        "job: plan, before it is made": f"{at}/plan",
        "job: staged": f"{at}/staged",
        "job: explain": f"{at}/explain?object={quote(anchor)}",
        "job: mappings": f"{at}/mappings",
        "job: one mapping": f"{at}/mappings/0.0/attribute?target=displayName",
        "job: scope": f"{at}/mappings/0.0/scope",
        "job: escrows": f"{at}/escrows",
        "job: connection": f"{at}/connection",
        "job: log": f"{at}/log",
        "log": "/log",
        "log, a day long ago": "/log?" + _day_ago(20),
        "log, by a person's id": f"/log?person={person}",
        "log, by a part of a name": "/log?person=smith",
        "log, by a code that nobody has": "/log?code=NoSuchCode",
        "log, one entry": f"/log/{entry}",
        "audit": "/audit",
    }


def _day_ago(days: int) -> str:
    now = time.time()
    since, until = (
        time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - days * 86_400 + more))
        for more in (0, 86_400)
    )
    return urlencode({"since": since, "until": until})


@contextmanager
def moved(folder: Path) -> Generator[None]:
    """Have the store lie on a server, as it is."""
    with Postgres.run(settings=()) as server:
        address = pgstores.make(server)
        told(folder, "store", "copy", str(folder / "provisor.db"), address)
        (folder / "provisor.store").write_text(address, encoding="utf-8")
        yield


def measured(
    jobs: int, records: int, rounds: int = ROUNDS, *, is_on_server: bool = False
) -> Sequence[Page]:
    """Return how long each page took, the slowest first."""
    with tempfile.TemporaryDirectory() as name, stub() as target:
        folder = Path(name)
        furnish(folder, target.base, PEOPLE, jobs)
        told(folder, "run", "people")
        lengthen(folder, records)
        made = json.loads(
            told(folder, "token", "create", "all", "--scope", "Directory.ReadWrite.All", "--json")
        )
        with moved(folder) if is_on_server else nullcontext(), serving(folder) as port:
            known = addresses(Client(port, made["token"]), folder)
            reader = Reader(port, made["token"])
            times = _asked(reader, known, rounds)
    found = [
        Page(what, sorted(taken)[len(taken) // 2], sorted(taken)[len(taken) * 9 // 10])
        for what, taken in times.items()
    ]
    return sorted(found, key=lambda page: -page.median)


def _asked(reader: Reader, known: Mapping[str, str], rounds: int) -> Mapping[str, list[float]]:
    """Ask for each page in turn; return how long each took, in milliseconds."""
    times: dict[str, list[float]] = {what: [] for what in known}
    for number in range(rounds + WARM):
        for what, path in known.items():
            taken = times[what]
            if len(taken) >= LEAST and sum(taken) > PATIENCE_S * 1_000:
                continue
            took = reader.open(path)
            if number >= WARM:
                taken.append(took)
    return times


def row() -> Row:
    """Return the slowest page beside what any page may take."""
    slowest, *others = measured(JOBS, RECORDS)
    late = [f"{page.name} {page.median:.0f} ms" for page in (slowest, *others[:4])]
    return Row(
        what="the slowest page : 100 ms",
        ratio=slowest.median / GOAL_MS,
        goal="≤ 1",
        is_reached=slowest.median <= GOAL_MS,
        figures=f"{JOBS:,} jobs, {RECORDS:,} records; {', '.join(late)}",
    )


def main(jobs: int, records: int, *, is_on_server: bool = False) -> int:
    pages = measured(jobs, records, is_on_server=is_on_server)
    where = "PostgreSQL" if is_on_server else "SQLite"
    print(f"{jobs:,} jobs, {records:,} records on {where}; milliseconds, up to {ROUNDS} times each")
    print(f"{'':<34}{'median':>9}{'9 in 10':>9}")
    for page in pages:
        mark = "" if page.median < GOAL_MS else "  too slow"
        print(f"{page.name:<34}{page.median:>9.1f}{page.late:>9.1f}{mark}")
    quick = sum(page.median < GOAL_MS for page in pages)
    print(f"in under {GOAL_MS:g} ms at the median: {quick} of {len(pages)} pages")
    return 0


if __name__ == "__main__":
    wanted = [int(given) for given in sys.argv[1:] if given.isdecimal()]
    chosen = (*wanted, *(JOBS, RECORDS)[len(wanted) :])
    sys.exit(main(*chosen, is_on_server="postgresql" in sys.argv[1:]))
