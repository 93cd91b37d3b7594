"""A process that is killed at any instant has lost nothing that it was told is stored."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from provisor.model.entries import Watermark
from provisor.ports import Observation, RecordQuery
from provisor.store.sqlite.store import SqliteStore
from tests.contracts.store.building import (
    JOB,
    RULES,
    START,
    creates,
    job,
    key,
    link,
    now_or_never,
    query,
    recalled,
    seen,
    settle,
)

KILLS = 6
PAGE = 3
WORK = "import sys; from tests.contracts.store.test_crashes import work; work(sys.argv[1])"
ROOT = Path(__file__).parents[3]


def page(number: int) -> list[Observation]:
    return [seen(key(f"{number}-{n}"), name=str(number)) for n in range(PAGE)]


def work(path: str) -> None:
    """Absorb, attempt and settle for ever, in a process of its own; say how many pages are done."""
    store = SqliteStore(Path(path))
    now_or_never(_work(store))


async def _work(store: SqliteStore) -> None:
    journal = await store.open_journal(JOB, "victim")
    await journal.adopt(RULES, "policy")
    for number in count(int(await journal.watermark() or 0) + 1):
        await journal.absorb(page(number), None, START)
        for of in (observation.key for observation in page(number)):
            create = creates(of, query(of.anchor))
            standing = await recalled(journal, of)
            if standing.link is None:
                assert await journal.attempt(standing, create, START)
                await settle(journal, of, link(f"t-{of.anchor}"))
        await journal.advance(Watermark(str(number)))
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


@pytest.mark.timeout(120)
def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    path, chance = tmp_path / "store.db", random.Random(7)
    store = SqliteStore(path)
    now_or_never(store.put_job(job()))
    store.close()
    acknowledged = 0
    for _ in range(KILLS):
        acknowledged = max(acknowledged, _kill_at_work(path, chance))
        _check(path, acknowledged)
    assert acknowledged > KILLS


def _kill_at_work(path: Path, chance: random.Random) -> int:
    """Return the last page that was said to be done."""
    with subprocess.Popen(
        [sys.executable, "-c", WORK, str(path)], cwd=ROOT, stdout=subprocess.PIPE
    ) as victim:
        assert victim.stdout is not None
        first = victim.stdout.readline()
        assert first, "it did not get to work"
        time.sleep(chance.uniform(0, 0.15))
        victim.kill()
        said = (first + victim.stdout.read()).decode()
    return max(int(line) for line in said.splitlines(keepends=True) if line.endswith("\n"))


def _check(path: Path, acknowledged: int) -> None:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    with closing(SqliteStore(path)) as store:
        assert not store.is_restored
        journal = now_or_never(store.view_journal(JOB))
        assert int(now_or_never(journal.watermark()) or 0) >= acknowledged
        keys = [o.key for n in range(1, acknowledged + 2) for o in page(n)]
        standings = now_or_never(journal.recall(keys))
        linked = [s for s in standings if s.link]
        # Each link was made with its log record, and each page was seen whole or not at all.
        logged = now_or_never(store.ledger.records(RecordQuery(limit=10**6)))
        done = {told.key for _, _, told in logged}
        assert len(logged) == len(done)
        assert {s.key for s in linked} <= done
        assert len(linked) >= acknowledged * PAGE
        assert len(standings) % PAGE == 0
