"""What is measured beside what: each function is one row of the results.

A row alternates the two sides in rounds, so that whatever else the machine does befalls both, and
compares medians.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.world import STORE, Stub, Taken, middle, prepare, promote, stub, timed

ROUNDS = 3
CONNECTIONS = 32
MS = 1_000
RATE, THROTTLED_PEOPLE = 25, 4_000
LEARNING_S, WATCHED_S = 30, 60


@dataclass(frozen=True)
class Row:
    """One line of the results."""

    what: str
    figures: str
    """Absolute, of both sides."""
    ratio: float
    goal: str
    is_reached: bool


@contextmanager
def place(people: int) -> Generator[Path]:
    with tempfile.TemporaryDirectory() as name:
        timed("benchmarks.found", name, people)
        yield Path(name)


def subject(folder: Path, target: Stub, kind: str = "cycle") -> Taken:
    taken = timed("benchmarks.subject", folder, target.base, kind)
    if taken.told["error"]:
        raise RuntimeError(taken.told["error"])
    return taken


def record(folder: Path, connections: int = CONNECTIONS) -> Path:
    """Run a first cycle, untimed, and keep what it sends."""
    recording = folder / f"requests {connections}"
    prepare(folder)
    with stub(recording=recording) as target:
        subject(folder, target)
    return recording


def alternate(
    ours: Callable[[], Taken], theirs: Callable[[], Taken], rounds: int = ROUNDS
) -> tuple[list[Taken], list[Taken]]:
    """Run both sides in turn."""
    taken = [(ours(), theirs()) for _ in range(rounds)]
    return [one for one, _ in taken], [other for _, other in taken]


def seconds(taken: list[Taken]) -> float:
    return middle([one.wall_s for one in taken])


def busy(taken: list[Taken]) -> float:
    return middle([one.processor_s for one in taken])


def initial(people: int, latency_ms: float = 0) -> list[Row]:
    """Row 1, and 2 with latency: a first cycle beside raw sockets that send the same."""
    with place(people) as folder, stub(latency_ms=latency_ms) as target:
        recording = record(folder)

        def ours() -> Taken:
            prepare(folder)
            target.forget()
            return subject(folder, target)

        def theirs() -> Taken:
            target.forget()
            return timed("benchmarks.bare", "replay", recording, target.port, CONNECTIONS)

        one, other = alternate(ours, theirs)
        asked = ours() and target.asked()
    figures = (
        f"{seconds(one):.2f} s ({busy(one) / people * 1e6:.0f} µs of the processor a person), "
        f"bare {seconds(other):.2f} s"
    )
    if latency_ms:
        rate = seconds(other) / seconds(one)
        return [Row(f"first cycle, {latency_ms:g} ms latency", figures, rate, "≥ 0.9", rate >= 0.9)]
    ratio = seconds(one) / seconds(other)
    exported = one[0].told["exported"]
    writes = sum(n for name, n in asked.items() if not name.startswith("GET"))
    members = asked.get("PATCH Groups", 0)
    reads = sum(asked.values()) - writes
    return [
        Row("first cycle : raw sockets", figures, ratio, "≤ 4", ratio <= 4),
        Row(
            "writes for each object exported",
            f"{writes - members} writes, {exported} objects, {reads} reads; and {members} for"
            f" the members of {asked.get('POST Groups', 0)} groups",
            (writes - members) / exported,
            "1.00, and the groups' members",
            writes - members == exported,
        ),
    ]


def throttled() -> list[Row]:
    """Row 3: a target that takes so many requests a second and tells nobody."""
    with place(THROTTLED_PEOPLE) as folder, stub(rate=RATE) as target:
        prepare(folder)
        command = [sys.executable, "-m", "benchmarks.subject", str(folder), target.base, "cycle"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            try:
                while not target.asked().get("POST Users"):
                    time.sleep(0.1)
                time.sleep(LEARNING_S)
                before, began = target.asked(), time.monotonic()
                time.sleep(WATCHED_S)
                after, seconds_watched = target.asked(), time.monotonic() - began
            finally:
                process.kill()
    refused = after.get("429", 0) - before.get("429", 0)
    taken = sum(after.values()) - sum(before.values()) - refused
    used = taken / seconds_watched / RATE
    is_reached = used >= 0.97 and refused <= WATCHED_S / 10
    figures = (
        f"{taken} requests taken in {seconds_watched:.0f} s of {RATE} a second, {refused} refused "
        f"(429); {before.get('429', 0)} in the {LEARNING_S} s before"
    )
    goal = "≥ 0.97, a 429 at most each 10 s"
    return [Row("a limit that nobody tells, used", figures, used, goal, is_reached)]


def later(people: int) -> list[Row]:
    """Rows 4, 5, 8 and 11: nothing changed, one in a hundred changed, everything listed."""
    rows: list[Row] = []
    with place(people) as folder, stub(recording=folder / "sent") as target:
        prepare(folder)
        first = subject(folder, target)
        before = target.stats()["total"]
        quiet, reading = alternate(
            lambda: subject(folder, target), lambda: timed("benchmarks.bare", "read", folder)
        )
        asked = (target.stats()["total"] - before) / ROUNDS
        ratio = seconds(quiet) / seconds(reading)
        figures = f"{seconds(quiet):.3f} s, bare {seconds(reading):.3f} s, {asked:.0f} requests"
        rows.append(Row("no change : reading and hashing", figures, ratio, "≤ 6", ratio <= 6))
        rows.append(changed(folder, target, folder / "sent", seconds(quiet)))
        listed, bare = alternate(
            lambda: subject(folder, target, "reconcile"),
            lambda: timed("benchmarks.bare", "list", target.port),
        )
        ratio = seconds(listed) / seconds(bare)
        figures = f"{seconds(listed):.2f} s, bare {seconds(bare):.2f} s"
        rows.append(Row("reconcile : listing bare", figures, ratio, "≤ 2.5", ratio <= 2.5))
        rows += weight(folder, people, [first, *quiet, *listed])
    return rows


def changed(folder: Path, target: Stub, recording: Path, quiet_s: float, where: str = "") -> Row:
    """Row 5: one in a hundred people changed, beside raw sockets that send what came of it."""
    promote(folder, 0.01)
    before = recording.stat().st_size
    taken = subject(folder, target)
    sent = folder / "changes"
    sent.write_bytes(recording.read_bytes()[before:])
    bare = timed("benchmarks.bare", "replay", sent, target.port, CONNECTIONS)
    beyond = taken.wall_s - quiet_s
    ratio = beyond / bare.wall_s
    figures = f"{beyond:.2f} s beyond, {taken.told['exported']} objects, bare {bare.wall_s:.3f} s"
    return Row(f"one in a hundred changed : their writes{where}", figures, ratio, "≤ 4", ratio <= 4)


def weight(folder: Path, people: int, taken: Sequence[Taken], where: str = "") -> list[Row]:
    """Rows 10 and 11: what lies on the disk, and the most that was in memory."""
    with sqlite3.connect(folder / STORE) as store:
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        sizes = dict(store.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name"))
        (records,) = store.execute("SELECT count(*) FROM record").fetchone()
    ledger = sum(size for name, size in sizes.items() if "record" in name)
    rest = (sum(sizes.values()) - ledger) / people
    largest = sorted(((size, name) for name, size in sizes.items()), reverse=True)[:5]
    figures = ", ".join(f"{name} {size / people:.0f}" for size, name in largest)
    each = ledger / records
    peak = max(one.peak_mib for one in taken)
    return [
        Row(f"store, bytes a person{where}", figures, rest, "≤ 1024", rest <= 1024),
        Row(f"ledger, bytes a record{where}", f"{records} records", each, "≤ 614", each <= 614),
        Row(f"peak of memory, MiB{where}", f"{people} people", peak, "≤ 1024", peak <= 1024),
    ]


def preview(people: int) -> list[Row]:
    """Row 9: what an edit would change, beside reading what is stored and mapping it once."""
    with place(people) as folder, stub() as target:
        prepare(folder)
        subject(folder, target)
        ours, theirs = alternate(
            lambda: timed("benchmarks.preview", folder, "some"),
            lambda: timed("benchmarks.preview", folder, "bare"),
        )
        whole = timed("benchmarks.preview", folder, "all")
    ratio = busy(ours) / busy(theirs)
    told = ours[0].told
    figures = (
        f"{busy(ours):.2f} s for {told['examined']} objects of which {told['altered']} change, "
        f"{whole.processor_s:.2f} s where {whole.told['altered']} do, bare {busy(theirs):.2f} s"
    )
    return [Row("preview : reading and mapping", figures, ratio, "≤ 2", ratio <= 2)]


def start() -> list[Row]:
    """Row 13: `provisor status` beside an interpreter that does nothing."""
    with tempfile.TemporaryDirectory() as name:
        ours, theirs = alternate(
            lambda: timed("benchmarks.started", name, "status"),
            lambda: timed("benchmarks.started", name, "pass"),
            7,
        )
    ratio = busy(ours) / busy(theirs)
    figures = f"{busy(ours) * MS:.0f} ms of the processor, bare {busy(theirs) * MS:.0f} ms"
    return [Row("provisor status : python", figures, ratio, "≤ 10", ratio <= 10)]


def leaver(people: int) -> list[Row]:
    """Row 12: how long somebody who leaves during a first cycle keeps the account."""
    told: list[dict[str, float]] = []
    for _ in range(ROUNDS):
        with place(people) as folder, stub() as target:
            stats = f"http://127.0.0.1:{target.port}/__stats"
            command = [sys.executable, "-m", "benchmarks.leaver", str(folder), target.base, stats]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            told.append(json.loads(done.stdout))
    took = middle([one["seconds"] for one in told])
    every = ", ".join(f"{one['seconds']:.2f} s after {one['before']:.0f} requests" for one in told)
    is_reached = took <= 5 and all(one["was running"] for one in told)
    return [Row("leaver in a first cycle, seconds", every, took, "≤ 5", is_reached)]
