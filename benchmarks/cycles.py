"""Whole cycles from CSV files to a SCIM server, beside the bare limits, side by side in one run.

`python -m benchmarks.cycles 10000` measures with so many people. The first cycle stands beside raw
sockets that send the very requests which it sent; the cycle without a change beside reading and
hashing the same files. The server is a process of its own and does next to nothing.
"""

from __future__ import annotations

import asyncio
import csv
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from provisor.connectors.catalog import required, written
from provisor.connectors.csvfile import settings as csv_settings
from provisor.connectors.csvfile.source import CsvSource
from provisor.connectors.scim import settings as scim_settings
from provisor.connectors.scim.client import Answer, HttpClient
from provisor.connectors.scim.target import ScimTarget
from provisor.demo.organisation import files, organisation
from provisor.engine.cycle import run_cycle
from provisor.engine.work import Mandate, Ports
from provisor.graph.schema.rules import to_rules
from provisor.graph.templates import template
from provisor.model.cycles import Cycle
from provisor.model.jobs import Job
from provisor.model.rules import Policy, Rules
from provisor.store.sqlite import SqliteStore

PEOPLE = 10_000
CONNECTIONS = 32
FILES = {"users": "people.csv", "groups": "groups.csv", "members": "members.csv"}


class Clock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Seeded:
    def __init__(self) -> None:
        self._random = random.Random(1)

    def uuid(self) -> str:
        return f"{self._random.getrandbits(128):032x}"

    def below(self, limit: int) -> int:
        return self._random.randrange(limit)


class Recording(HttpClient):
    """Sends as ever, and keeps what it sent."""

    sent: list[tuple[str, str, bytes]]

    async def send(
        self, method: str, address: str, headers: Mapping[str, str], body: bytes | None
    ) -> Answer:
        Recording.sent.append((method, address, body or b""))
        return await super().send(method, address, headers, body)


@dataclass(frozen=True)
class Server:
    base: str

    def forget(self) -> None:
        """Begin anew with nothing stored."""
        control = self.base.rsplit("/scim", 1)[0] + "/__control"
        body = json.dumps({"do": "reset"}).encode()
        urlopen(Request(control, body, {"Content-Type": "application/json"})).close()


@contextmanager
def server() -> Generator[Server]:
    command = [sys.executable, "-m", "tests.fakes.scim.server", "--port", "0", "--forget"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        port = json.loads(process.stdout.readline())["port"]
        yield Server(f"http://127.0.0.1:{port}/scim/v2")
    finally:
        process.kill()
        process.wait()


@contextmanager
def timed(taken: list[tuple[float, float]]) -> Generator[None]:
    """Note seconds of the wall and of this process's processor."""
    wall, processor = time.perf_counter(), time.process_time()
    yield
    taken.append((time.perf_counter() - wall, time.process_time() - processor))


async def cycle(folder: Path, store: SqliteStore, rules: Rules, base: str, number: int) -> Cycle:
    clock, chance = Clock(), Seeded()
    source_settings = csv_settings.parse({**FILES, "anchor": "id", "settleFor": 0}, folder)
    target_settings = scim_settings.parse({"baseAddress": base, "token": "benchmark"})
    assert isinstance(source_settings, csv_settings.CsvSettings)
    assert isinstance(target_settings, scim_settings.ScimSettings)
    target = ScimTarget(target_settings, written(rules), clock, chance)
    ports = Ports(
        source=CsvSource(source_settings, clock, required(rules)),
        target=target,
        journal=await store.open_journal("job", "benchmark"),
        clock=clock,
        entropy=chance,
    )
    try:
        return await run_cycle(Mandate(rules=rules, policy=Policy()), ports, f"cycle {number}")
    finally:
        await target.close()


async def replay(requests: Sequence[tuple[str, str, bytes]]) -> None:
    """Send the same requests over raw sockets, as many at a time, reading each answer whole."""
    waiting = iter(requests)
    host = urlsplit(requests[0][1])

    async def work() -> None:
        reader, writer = await asyncio.open_connection(host.hostname, host.port)
        for method, address, body in waiting:
            parts = urlsplit(address)
            path = f"{parts.path}?{parts.query}" if parts.query else parts.path
            head = (
                f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer benchmark\r\n"
                f"Content-Type: application/scim+json\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            writer.write(head.encode() + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            lines = answer.lower().split(b"\r\n")
            length = next((ln for ln in lines if ln.startswith(b"content-length:")), b":0")
            await reader.readexactly(int(length.split(b":")[1]))
        writer.close()

    await asyncio.gather(*(work() for _ in range(CONNECTIONS)))


def read_and_hash(folder: Path) -> int:
    """Read every row of the files and hash it: what no reader of snapshots can do without."""
    digest, rows = blake2b(), 0
    for name in FILES.values():
        with (folder / name).open(encoding="utf-8", newline="") as file:
            for row in csv.reader(file):
                digest.update("\0".join(row).encode())
                rows += 1
    return rows


def main() -> int:
    people = int(sys.argv[1]) if len(sys.argv) > 1 else PEOPLE
    default = template("scim")
    assert default is not None
    rules, _ = to_rules(default.schema)
    with tempfile.TemporaryDirectory() as name, server() as target:
        folder = Path(name)
        for file, text in files(organisation(random.Random(7), people, people // 100)).items():
            (folder / file).write_text(text, encoding="utf-8")
        measure(folder, rules, target, people)
    return 0


def measure(folder: Path, rules: Rules, target: Server, people: int) -> None:
    import provisor.connectors.scim.conversation as conversation

    store = SqliteStore(folder / "provisor.db")
    asyncio.run(
        store.put_job(Job(id="job", name="job", template_id="scim", application_id="benchmark"))
    )
    Recording.sent = []
    conversation.HttpClient = Recording
    first: list[tuple[float, float]] = []
    with timed(first):
        done = asyncio.run(cycle(folder, store, rules, target.base, 1))
    requests = list(Recording.sent)
    target.forget()
    bare: list[tuple[float, float]] = []
    with timed(bare):
        asyncio.run(replay(requests))
    quiet: list[tuple[float, float]] = []
    reading: list[tuple[float, float]] = []
    for number in range(3):
        Recording.sent.clear()
        with timed(quiet):
            asyncio.run(cycle(folder, store, rules, target.base, 2 + number))
        with timed(reading):
            read_and_hash(folder)
    report(done, people, requests, (first, bare, quiet, reading))


def report(
    done: Cycle,
    people: int,
    requests: Sequence[tuple[str, str, bytes]],
    taken: tuple[list[tuple[float, float]], ...],
) -> None:
    first, bare, quiet, reading = (sorted(times)[len(times) // 2] for times in taken)
    writes = sum(method != "GET" for method, _, _ in requests)
    exported = done.counts.exported
    rows = [
        ("first cycle, seconds", first[0]),
        ("  of the processor", first[1]),
        ("  raw sockets, the same requests", bare[0]),
        ("  ratio", first[0] / bare[0]),
        ("  writes for each object exported", writes / max(exported, 1)),
        ("  requests that only read", float(len(requests) - writes)),
        ("cycle without a change, seconds", quiet[0]),
        ("  reading and hashing the files", reading[0]),
        ("  ratio", quiet[0] / reading[0]),
        ("  requests", float(len(Recording.sent))),
        ("peak memory, MB", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    ]
    print(f"{people:,} people, {exported:,} objects exported, {done.result}")
    for name, value in rows:
        print(f"{name:<36}{value:>12,.2f}")


if __name__ == "__main__":
    sys.exit(main())
