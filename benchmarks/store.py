"""What the store costs an object, beside what SQLite alone costs.

`python -m benchmarks.store 100000` measures with so many objects, in time of the processor.

The ratios are what counts; absolute numbers belong to the machine. On no change a cycle costs
what the two lines about unchanged pages say.
"""

from __future__ import annotations

import random
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from provisor.model.cycles import CycleKind
from provisor.model.decisions import (
    Action,
    Create,
    Decision,
    Export,
    Facts,
    Image,
    Link,
    Record,
    Settled,
    Situation,
    Standing,
    StandingKey,
    Update,
    Verdict,
)
from provisor.model.entries import Anchor, Entry, MatchQuery, Reference, Seen
from provisor.model.jobs import Job, ResetScope
from provisor.model.rules import (
    AttributeDefinition,
    AttributeMapping,
    MappingName,
    ObjectMapping,
    Rules,
)
from provisor.ports import Journal, Observation
from provisor.store.sqlite.store import SqliteStore

T = TypeVar("T")
OBJECTS, PAGE, SETTLED = 100_000, 1_000, 5_000
NOW = datetime(2026, 1, 1, tzinfo=UTC)
USERS = MappingName("User to User")
FACTS = Facts(is_assigned=True, is_active=True, passes_filter=True)


@dataclass
class Report:
    """Lines as they come."""

    lines: list[tuple[str, float]] = field(default_factory=list[tuple[str, float]])

    @contextmanager
    def measure(self, name: str, objects: int) -> Generator[None]:
        began = time.process_time()
        yield
        micros = (time.process_time() - began) / objects * 1e6
        self.lines.append((name, micros))
        print(f"{name:<46} {micros:9.2f} µs each   {1e6 / micros:12,.0f} a second", flush=True)

    def compare(self, name: str, baseline: str) -> None:
        found = dict(self.lines)
        ratio = found[name] / found[baseline]
        print(f"{ratio:6.1f} times as much as SQLite alone: {name}")


def now_or_never(coroutine: Coroutine[Any, Any, T]) -> T:
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("a store does not wait")


def key(number: int) -> StandingKey:
    return StandingKey(USERS, Anchor(f"{number * 2654435761 % 2**32:08x}-4000-{number:012x}"))


def person(number: int) -> Observation:
    of = key(number)
    attributes = {
        "userPrincipalName": f"person{number}@contoso.example",
        "displayName": f"Person Number {number}",
        "givenName": "Person",
        "surname": f"Number {number}",
        "mail": f"person{number}@contoso.example",
        "department": f"Department {number % 40}",
        "jobTitle": "Engineer",
        "telephoneNumber": f"+1 555 {number:08d}",
        "employeeId": f"{number:08d}",
        "accountEnabled": True,
        "manager": Reference("user", key(number // 10).anchor),
    }
    return Observation(of, Seen(Entry("user", of.anchor, attributes)))


def pages(numbers: Sequence[int]) -> Iterator[list[Observation]]:
    for first in range(0, len(numbers), PAGE):
        yield [person(number) for number in numbers[first : first + PAGE]]


def read_all(journal: Journal, numbers: Sequence[int]) -> Callable[[], None]:
    """Return what absorbs a whole snapshot; making its pages is no part of it."""
    made = list(pages(numbers))

    def absorb() -> None:
        now_or_never(journal.begin_snapshot())
        for page in made:
            now_or_never(journal.absorb(page, None, NOW))

    return absorb


async def carry(journal: Journal, standing: Standing) -> None:
    """Attempt and settle a create, as a cycle does."""
    assert standing.source is not None
    attributes = dict(standing.source.attributes)
    attributes.pop("manager", None)
    query = MatchQuery("User", "userName", attributes["userPrincipalName"])
    decision = Decision(
        key=standing.key,
        row=1,
        situation=Situation.ABSENT,
        resolution=Export(Create("User", attributes, (query,)), {}),
        facts=FACTS,
        action=Action.CREATE,
    )
    assert await journal.attempt(standing, decision, NOW)
    link = Link(Anchor(f"t-{standing.key.anchor}"), Image(attributes, "v1"))
    await _settle(journal, standing, link, decision)


async def carry_change(journal: Journal, standing: Standing) -> None:
    """Attempt and settle an update, as a cycle does."""
    assert standing.link is not None
    assert standing.link.image is not None
    write = Update("User", standing.link.target, ())
    decision = Decision(
        key=standing.key,
        row=9,
        situation=Situation.CONFIRMED,
        resolution=Export(write, {}),
        facts=FACTS,
        action=Action.UPDATE,
    )
    assert await journal.attempt(standing, decision, NOW)
    attributes = {**standing.link.image.attributes, "displayName": "Somebody Else"}
    link = Link(standing.link.target, Image(attributes, "v2"))
    await _settle(journal, standing, link, decision)


async def _settle(journal: Journal, standing: Standing, link: Link, decision: Decision) -> None:
    record = Record(
        cycle="c1",
        change=standing.key.anchor,
        at=NOW,
        duration_ms=5,
        key=standing.key,
        row=decision.row,
        situation=decision.situation,
        action=decision.action,
        verdict=Verdict.SUCCESS,
        is_export_due=True,
        is_exported=True,
        facts=FACTS,
        source_name="Somebody",
        target=link.target,
    )
    await journal.settle(standing, Settled(link), None, record, keeps_attempt=False)


def export(journal: Journal, keys: Sequence[StandingKey]) -> None:
    """Carry each through, one after the other."""
    for first in range(0, len(keys), 200):
        for standing in now_or_never(journal.recall(keys[first : first + 200])):
            now_or_never(carry(journal, standing))


def bare(folder: Path, report: Report, objects: int) -> None:
    """What SQLite itself takes for rows and commits, with nothing around them."""
    with closing(sqlite3.connect(folder / "bare.db", isolation_level=None)) as connection:
        run = connection.execute
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = NORMAL")
        run("CREATE TABLE t (number INTEGER PRIMARY KEY, anchor TEXT UNIQUE, content BLOB)")
        content = b"x" * 250
        with report.measure("SQLite alone: insert a row", objects):
            for first in range(0, objects, PAGE):
                rows = [(n, key(n).anchor, content) for n in range(first, first + PAGE)]
                run("BEGIN IMMEDIATE")
                connection.executemany("INSERT INTO t VALUES (?, ?, ?)", rows)
                run("COMMIT")
        with report.measure("SQLite alone: look a row up", objects):
            for number in range(objects):
                run("SELECT number FROM t WHERE anchor = ?", (key(number).anchor,)).fetchone()
        with report.measure("SQLite alone: two transactions of one row", SETTLED):
            for number in range(SETTLED * 2):
                run("BEGIN IMMEDIATE")
                run("UPDATE t SET content = ? WHERE number = ?", (content, number % objects))
                run("COMMIT")


def rules() -> Rules:
    definition = AttributeMapping(target=AttributeDefinition(name="userName"), source=None)
    mapping = ObjectMapping(
        name=USERS, source_kind="user", target_kind="User", attributes=(definition,), hash="1"
    )
    return {USERS: mapping}


def measure(folder: Path, objects: int) -> None:
    report = Report()
    bare(folder, report, objects)
    store = SqliteStore(folder / "store.db")
    now_or_never(store.put_job(Job(id="j", name="j", template_id="scim", application_id="a")))
    journal = now_or_never(store.open_journal("j", "bench"))
    now_or_never(journal.adopt(rules(), "policy"))
    now_or_never(journal.begin_cycle("c1", CycleKind.INITIAL, NOW))
    numbers = list(range(objects))
    measure_reads(report, journal, numbers)
    measure_objects(report, store, journal, numbers)
    print()
    report.compare("absorb: new objects", "SQLite alone: insert a row")
    report.compare("absorb: unchanged, as they were first read", "SQLite alone: look a row up")
    report.compare("attempt and settle a create", "SQLite alone: two transactions of one row")
    size = (folder / "store.db").stat().st_size / objects
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{size:,.0f} bytes an object in the file; {peak:,.0f} MB of memory at most")
    store.close()


def measure_reads(report: Report, journal: Journal, numbers: list[int]) -> None:
    absorb = read_all(journal, numbers)
    with report.measure("absorb: new objects", len(numbers)):
        absorb()
    with report.measure("absorb: unchanged, as they were first read", len(numbers)):
        absorb()
    shuffled = random.Random(1).sample(numbers, len(numbers))
    absorb = read_all(journal, shuffled)
    with report.measure("absorb: unchanged, in any order", len(numbers)):
        absorb()
    with report.measure("shown, population, missing", len(numbers)):
        now_or_never(journal.shown())
        now_or_never(journal.population())
        assert not now_or_never(journal.missing())


def measure_objects(
    report: Report, store: SqliteStore, journal: Journal, numbers: list[int]
) -> None:
    with report.measure("due", len(numbers)):
        keys = now_or_never(journal.due(NOW))
    with report.measure("superiors", len(numbers)):
        now_or_never(journal.superiors(NOW))
    with report.measure("recall", SETTLED):
        now_or_never(journal.recall(keys[:SETTLED]))
    with report.measure("attempt and settle a create", SETTLED):
        export(journal, keys[:SETTLED])
    with report.measure("recount", len(numbers)):
        now_or_never(journal.recount())
    with report.measure("anchors", SETTLED):
        now_or_never(journal.anchors(keys[:SETTLED]))
    with report.measure("look a name up (a scan)", len(numbers)):
        now_or_never(journal.lookup("Person Number 7", 5))
    with report.measure("overlay", len(numbers)):
        now_or_never(store.overlay_journal("j"))
    with report.measure("restart of scope Full", len(numbers)):
        now_or_never(journal.reset(ResetScope.FULL))


if __name__ == "__main__":
    chosen = int(sys.argv[1]) if len(sys.argv) > 1 else OBJECTS
    with tempfile.TemporaryDirectory() as made:
        measure(Path(made), chosen)
