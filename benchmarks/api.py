"""How soon the API answers while a cycle runs: `python -m benchmarks.api [PEOPLE] [JOBS]`.

One `provisor serve`, as it is, with many jobs in its store; one of them is in its first cycle, into
a target without latency. A client on one kept connection asks for one thing after the other, in
turn, and each is told beside what the same server needs for an answer with nothing in it. Ratios
are what counts: server, cycle, target and client share the processors.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from benchmarks.world import FILES, found, stub
from provisor.model.jobs import Application, Job, Status, StatusCode
from provisor.settings.ids import job_id
from provisor.store.sqlite.store import SqliteStore

PEOPLE, JOBS = 100_000, 1_000
ROUNDS, WARM = 600, 20
GOAL_MS = 5.0
TENANT = "3f7565a3-fde6-4e4d-bda8-1bb70aba3612"
CONFIGURATION = """\
tenant: {{id: {tenant}}}
applications:
  people:
    source:
      connector: csv
      settings: {{users: {users}, groups: {groups}, members: {members}, settleFor: 0}}
    target: {{connector: scim, settings: {{baseAddress: "{target}", token: benchmark}}}}
jobs:
  people: {{application: people}}
"""


def provisor(folder: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "provisor", "--workspace", str(folder), *arguments]


def told(folder: Path, *arguments: str) -> str:
    done = subprocess.run(provisor(folder, *arguments), check=True, capture_output=True, text=True)
    return done.stdout


def furnish(folder: Path, target: str, people: int, jobs: int) -> None:
    """Make a workspace with one job that has work to do, and many that only lie there."""
    told(folder, "init")
    found(folder, people)
    text = CONFIGURATION.format(tenant=TENANT, target=target, **FILES)
    (folder / "provisor.yaml").write_text(text, encoding="utf-8")
    told(folder, "apply", str(folder / "provisor.yaml"))
    asyncio.run(crowd(folder, jobs - 1))


async def crowd(folder: Path, jobs: int) -> None:
    store = SqliteStore(folder / "provisor.db")
    for number in range(jobs):
        app = f"{number:08x}-0000-4000-8000-00000000000a"
        name = f"application {number}"
        application = Application(
            id=f"{number:08x}-0000-4000-8000-00000000000b",
            app_id=app,
            principal_id=f"{number:08x}-0000-4000-8000-00000000000c",
            name=name,
            display_name=name,
            template_id="scim",
        )
        job = Job(
            id=job_id("scim", TENANT, app),
            name=name,
            template_id="scim",
            application_id=application.id,
            schedule=timedelta(minutes=40),
            status=Status(code=StatusCode.PAUSED),
        )
        await store.put_application(application)
        await store.put_job(job)
    store.close()


@contextmanager
def serving(folder: Path) -> Generator[int]:
    """Serve the workspace; yield the port."""
    process = subprocess.Popen(
        provisor(folder, "serve", "--port", "0"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if match := re.search(r"://.*:(\d+)$", line):
                yield int(match[1])
                return
        raise RuntimeError("the server did not begin")
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


class Client:
    """One kept connection."""

    def __init__(self, port: int, token: str) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = {"Authorization": f"Bearer {token}"}

    def ask(self, path: str, method: str = "GET") -> bytes:
        self._connection.request(method, path, headers=self._headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {content[:300]!r}")
        return content

    def json(self, path: str) -> Any:
        return json.loads(self.ask(path))


def places(client: Client) -> dict[str, list[str]]:
    """Return what is asked for, by what it is called: any of the paths will do."""
    principals = client.json("/v1.0/servicePrincipals?$top=999")["value"]
    (busy,) = client.json("/v1.0/servicePrincipals?$filter=displayName%20eq%20'people'")["value"]
    chosen = random.Random(3).sample([one for one in principals if one != busy], 100)
    at = [f"/v1.0/servicePrincipals/{one['id']}/synchronization/jobs" for one in chosen]
    idle = [
        f"{place}/{job_id('scim', TENANT, one['appId'])}"
        for place, one in zip(at, chosen, strict=True)
    ]
    there = f"/v1.0/servicePrincipals/{busy['id']}/synchronization/jobs"
    running = f"{there}/{client.json(there)['value'][0]['id']}"
    return {
        "nothing (health)": ["/health"],
        "status of the running job": [f"{running}?$select=id,status"],
        "status of another job": [f"{path}?$select=id,status" for path in idle],
        "a job, whole": idle,
        "the jobs of a principal": at,
        "a principal": [path.partition("/synchronization")[0] for path in at],
        "a page of 100 principals": ["/v1.0/servicePrincipals?$top=100"],
    }


def measure(client: Client, paths: Mapping[str, Sequence[str]]) -> dict[str, list[float]]:
    """Ask for each thing in turn, so that whatever else happens befalls all; return times in ms."""
    times: dict[str, list[float]] = {name: [] for name in paths}
    for number in range(ROUNDS + WARM):
        for name, choice in paths.items():
            began = time.perf_counter()
            client.ask(choice[number % len(choice)])
            if number >= WARM:
                times[name].append((time.perf_counter() - began) * 1_000)
    return {name: sorted(taken) for name, taken in times.items()}


def main(people: int, jobs: int) -> int:
    with tempfile.TemporaryDirectory() as name, stub() as target:
        folder = Path(name)
        furnish(folder, target.base, people, jobs)
        made = json.loads(
            told(folder, "token", "create", "all", "--scope", "Directory.ReadWrite.All", "--json")
        )
        with serving(folder) as port:
            client = Client(port, made["token"])
            paths = places(client)
            running = paths["status of the running job"][0].partition("?")[0]
            client.ask(f"{running}/start", "POST")
            while not sum(target.asked().values()):
                time.sleep(0.1)
            times = measure(client, paths)
            still = client.json(running)["status"]
    print(f"{jobs:,} jobs, a first cycle of {people:,} people; milliseconds, {ROUNDS} times each")
    print(f"{'':<28}{'median':>9}{'p99':>9}{'worst':>9}")
    for what, taken in times.items():
        middle, late = taken[len(taken) // 2], taken[len(taken) * 99 // 100]
        print(f"{what:<28}{middle:>9.2f}{late:>9.2f}{taken[-1]:>9.2f}")
    if still["lastExecution"] is not None:
        print("the cycle was over before the last question")
    status = times["status of the running job"]
    is_reached = status[len(status) // 2] < GOAL_MS
    print(f"a status in under {GOAL_MS:g} ms at the median: {'yes' if is_reached else 'no'}")
    return 0


if __name__ == "__main__":
    wanted = [int(given) for given in sys.argv[1:]]
    sys.exit(main(*wanted, *(PEOPLE, JOBS)[len(wanted) :]))
