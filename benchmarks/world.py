"""What is measured: an organisation in CSV files, a job that feeds it to the stub, and the stub.

Everything that is timed runs in a process of its own, which tells its times as a line of JSON: what
one run leaves in memory is no help to the next, and a peak of memory belongs to one run alone.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from urllib.request import Request, urlopen

from provisor.connectors.catalog import required, written
from provisor.connectors.csvfile import settings as csv_settings
from provisor.connectors.csvfile.memory import Memory
from provisor.connectors.csvfile.source import CsvSource
from provisor.connectors.scim import settings as scim_settings
from provisor.connectors.scim.target import ScimTarget
from provisor.demo.organisation import files, organisation
from provisor.engine.cycle import run_cycle
from provisor.engine.work import Mandate, Ports
from provisor.graph.schema.rules import to_rules
from provisor.graph.templates import template
from provisor.model.cycles import Cycle
from provisor.model.jobs import Job
from provisor.model.rules import Guards, Policy, Rules
from provisor.store.sqlite.store import SqliteStore

FILES = {"users": "people.csv", "groups": "groups.csv", "members": "members.csv"}
STORE = "provisor.db"
JOB = Job(id="job", name="job", template_id="scim", application_id="benchmark")
PEOPLE_A_GROUP = 100


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


# the organisation


def found(folder: Path, people: int) -> None:
    """Write the files of an organisation; the same for the same number of people."""
    made = organisation(random.Random(7), people, max(people // PEOPLE_A_GROUP, 1))
    for file, text in files(made).items():
        (folder / file).write_text(text, encoding="utf-8", newline="")


def promote(folder: Path, share: float) -> int:
    """Give so many people another title, evenly spread; return how many."""
    path = folder / FILES["users"]
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    chosen = range(1, len(lines), max(int(1 / share), 1))
    for number in chosen:
        lines[number] = lines[number].replace(",Engineer,", ",Chief Engineer,", 1)
        if ",Chief Engineer," not in lines[number]:
            head, comma, rest = lines[number].partition(",")
            lines[number] = f"{head}{comma}x{rest}"
    path.write_text("".join(lines), encoding="utf-8", newline="")
    return len(chosen)


# the job


def rules_of_template() -> Rules:
    default = template("scim")
    assert default is not None
    return to_rules(default.schema)[0]


def prepare(folder: Path) -> None:
    """Make the store, with a job in it that never ran."""
    (folder / STORE).unlink(missing_ok=True)
    store = SqliteStore(folder / STORE)
    asyncio.run(store.put_job(JOB))
    store.close()


async def run(folder: Path, base: str, *, reconciles: bool = False) -> Cycle:
    """Run one cycle of the job with the settings that it has when nobody sets any."""
    clock, chance, rules = Clock(), Seeded(), rules_of_template()
    source_settings = csv_settings.parse({**FILES, "anchor": "id", "settleFor": 0}, folder)
    target_settings = scim_settings.parse({"baseAddress": base, "token": "benchmark"})
    assert isinstance(source_settings, csv_settings.CsvSettings)
    assert isinstance(target_settings, scim_settings.ScimSettings)
    store = SqliteStore(folder / STORE)
    memory = Memory(store, JOB.application_id, source_settings.format.encoding)
    target = ScimTarget(target_settings, written(rules), clock, chance)
    ports = Ports(
        source=CsvSource(source_settings, clock, required(rules), memory=memory),
        target=target,
        journal=await store.open_journal(JOB.id, "benchmark"),
        clock=clock,
        entropy=chance,
    )
    mandate = Mandate(rules=rules, policy=Policy(guards=Guards()))
    try:
        id = str(clock.now().timestamp())
        return await run_cycle(mandate, ports, id, reconciles=reconciles)
    finally:
        await target.close()
        store.close()


# the stub


@dataclass(frozen=True)
class Stub:
    """A stub that is running."""

    port: int

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}/scim/v2"

    def forget(self) -> None:
        urlopen(Request(f"http://127.0.0.1:{self.port}/__reset", method="POST")).close()

    def stats(self) -> dict[str, Any]:
        with urlopen(f"http://127.0.0.1:{self.port}/__stats") as answer:
            return cast(dict[str, Any], json.load(answer))

    def asked(self) -> dict[str, int]:
        """Return how often each method was used on each endpoint."""
        return cast(dict[str, int], self.stats()["requests"])


@contextmanager
def stub(
    *, latency_ms: float = 0, rate: float = 0, recording: Path | None = None
) -> Generator[Stub]:
    """Run the stub, on a processor of its own where there are two."""
    options = ["--latency-ms", str(latency_ms), "--rate", str(rate)]
    options += ["--record", str(recording)] if recording else []
    command = [sys.executable, "-m", "benchmarks.stub", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        _bind(process.pid, -1)
        assert process.stdout is not None
        yield Stub(int(process.stdout.readline()))
    finally:
        process.kill()
        process.wait()


def _bind(process: int, which: int) -> None:
    """Keep a process to one processor; who has only one shares it."""
    processors = sorted(os.sched_getaffinity(0))
    if len(processors) > 1:
        os.sched_setaffinity(process, {processors[which]})


# what is timed


@dataclass(frozen=True)
class Taken:
    """What one run took, as the run itself tells it."""

    wall_s: float
    processor_s: float
    peak_mib: float
    told: Mapping[str, Any]


def timed(module: str, *arguments: object, python: str = sys.executable) -> Taken:
    """Run a module in a process of its own, on one processor; raises if it fails."""
    command = [python, "-m", module, *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        _bind(process.pid, 0)
        text, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} failed")
    said: dict[str, Any] = json.loads(text.splitlines()[-1])
    return Taken(said.pop("wall"), said.pop("processor"), said.pop("peak"), said)


def middle(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]
