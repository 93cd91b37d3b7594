"""What an object costs on PostgreSQL, beside the same on SQLite: `python -m benchmarks.pgstore
20000`.

Time of the wall, since two processes share the work; objects go side by side, as they do in a
cycle, so that their steps share transactions. Each store is set as it is when nobody sets anything.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from benchmarks.store import NOW, carry, carry_change, now_or_never, read_all, rules
from provisor.model.cycles import CycleKind
from provisor.model.decisions import Standing, StandingKey
from provisor.model.jobs import Job
from provisor.ports import Journal
from provisor.store.postgresql import PostgresStore
from provisor.store.sql.registry import SqlStore
from provisor.store.sqlite.store import SqliteStore
from tests.worlds import pgstores
from tests.worlds.databases import NO_POSTGRES, POSTGRES, Postgres

OBJECTS, SETTLED, SIDE_BY_SIDE, RECALLED = 20_000, 5_000, 32, 200
Step: TypeAlias = Callable[[Journal, Standing], Coroutine[None, None, None]]


@dataclass
class Side:
    """Microseconds an object, by what was done."""

    name: str
    taken: dict[str, float] = field(default_factory=dict[str, float])

    @contextmanager
    def measure(self, what: str, objects: int) -> Generator[None]:
        began = time.perf_counter()
        yield
        self.taken[what] = (time.perf_counter() - began) / objects * 1e6


async def carry_all(journal: Journal, keys: list[StandingKey], step: Step) -> None:
    """Carry objects through, several at a time."""
    waiting: list[Standing] = []
    left = list(reversed(keys))

    async def drain() -> None:
        while left or waiting:
            if not waiting:
                batch = [left.pop() for _ in range(min(RECALLED, len(left)))]
                waiting.extend(await journal.recall(batch))
            await step(journal, waiting.pop())

    async with asyncio.TaskGroup() as group:
        for _ in range(SIDE_BY_SIDE):
            group.create_task(drain())


def play(side: Side, store: SqlStore, objects: int) -> None:
    now_or_never(store.put_job(Job(id="j", name="j", template_id="scim", application_id="a")))
    journal = now_or_never(store.open_journal("j", "bench"))
    now_or_never(journal.adopt(rules(), "policy"))
    now_or_never(journal.begin_cycle("c1", CycleKind.INITIAL, NOW))
    absorb = read_all(journal, list(range(objects)))
    with side.measure("absorb: new objects", objects):
        absorb()
    with side.measure("absorb: unchanged", objects):
        absorb()
    with side.measure("due", objects):
        keys = [*now_or_never(journal.due(NOW))][: min(objects, SETTLED)]
    with side.measure("recall", len(keys)):
        for first in range(0, len(keys), RECALLED):
            now_or_never(journal.recall(keys[first : first + RECALLED]))
    with side.measure("attempt and settle a create", len(keys)):
        asyncio.run(carry_all(journal, keys, carry))
    with side.measure("attempt and settle an update", len(keys)):
        asyncio.run(carry_all(journal, keys, carry_change))
    with side.measure("recount", objects):
        now_or_never(journal.recount())


def main(objects: int) -> int:
    if not POSTGRES:
        print(NO_POSTGRES)
        return 0
    file, server = Side("SQLite"), Side("PostgreSQL")
    with tempfile.TemporaryDirectory() as folder:
        on_file = SqliteStore(Path(folder) / "store.db")
        play(file, on_file, objects)
        on_file.close()
    with Postgres.run(settings=()) as running:
        on_server = PostgresStore(pgstores.make(running))
        play(server, on_server, objects)
        on_server.close()
    print(f"{'µs of the wall an object':<32}{file.name:>10}{server.name:>13}{'times':>8}")
    for what, micros in file.taken.items():
        theirs = server.taken[what]
        print(f"{what:<32}{micros:>10.1f}{theirs:>13.1f}{theirs / micros:>8.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else OBJECTS))
