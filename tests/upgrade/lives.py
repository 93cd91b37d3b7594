"""What a workspace goes through whose Provisor is upgraded in the middle."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import psycopg

from provisor.store.postgresql.migrations import OLDEST, VERSION
from tests.cli.workspace import PATIENCE_S, Ended, Workspace, wait_until
from tests.worlds.databases import Postgres
from tests.worlds.faults import Fault

CROWD = [f"p{number:02}" for number in range(30)]
LEAVERS = CROWD[8:]
"""More than the guard lets go at once."""
REFUSED = "zed"
TOLD = ("status", "--json"), ("logs", "--limit", "500", "--json"), ("escrows", "--json")
GONE_ON_S = 20.0


@dataclass
class Life(Workspace):
    """A workspace whose commands are those of some version."""

    python: str = sys.executable

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self.python, "-m", "provisor", *arguments],
            cwd=self.folder,
            env={n: v for n, v in os.environ.items() if not n.startswith("PROVISOR_")}
            | self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    def say(self, *arguments: str, code: int = 0) -> Ended:
        ended = self.process(*arguments)
        assert ended.code == code, f"{arguments}: {ended}"
        return ended

    def told(self) -> list[Any]:
        return [self.say(name, "people", *more).json for name, *more in TOLD]

    def created(self) -> int:
        writes = self.server.writes()
        return sum(one.method == "POST" and one.status == 201 for one in writes)


def lived(life: Life) -> None:
    """Let an earlier version make a workspace: people, a group, somebody whom the target refuses,
    and more who leave than may leave at once."""
    life.write("members.csv", "group,member\ng1,p00\ng1,p01\ng1,p09\n")
    life.hire(*CROWD, REFUSED)
    life.edit("p01", manager="p00")
    life.server.misbehave(
        Fault(what="refuse", method="POST", path="/Users", body=f"{REFUSED}@", status=400)
    )
    life.say("init")
    life.say("apply", "provisor.yaml")
    life.say("run", "people", code=3)
    for one in LEAVERS:
        life.edit(one, accountEnabled="false")
    life.say("run", "people", code=4)


def upgraded(life: Life, before: list[Any]) -> None:
    """Go on with the present version: nothing is lost, nothing is done twice, nobody leaves who was
    not let go."""
    lacking = [*differences(before, life.told())]
    assert not lacking, f"told otherwise after the upgrade: {lacking[:5]}"
    created = life.created()
    life.say("run", "people", code=4)
    assert life.active() == {*CROWD}
    assert life.created() == created, "somebody was made again"
    life.server.misbehave()
    status = life.say("status", "people").out
    hash = status.partition("provisor approve people ")[2].split()[0].strip("`")
    life.say("approve", "people", hash)
    life.edit(REFUSED, displayName="At last")
    life.say("run", "people")
    assert life.active() == {*CROWD, REFUSED} - {*LEAVERS}
    assert life.created() == created + 1
    assert "nothing sent" in life.say("run", "people").out
    assert len(life.told()[1]["value"]) > len(before[1]["value"])


def differences(before: object, after: object, path: str = "") -> Generator[str]:
    """Yield what was told before, and is told otherwise now. More may be told."""
    if isinstance(before, dict) and isinstance(after, dict):
        now = cast(dict[str, object], after)
        for name, value in cast(dict[str, object], before).items():
            if name not in now:
                yield f"{path}/{name} is gone"
            elif not name.startswith("@"):
                yield from differences(value, now[name], f"{path}/{name}")
    elif isinstance(before, list) and isinstance(after, list):
        one, other = cast(list[object], before), cast(list[object], after)
        if len(one) != len(other):
            yield f"{path}: {len(one)} are {len(other)}"
        for number, (was, is_now) in enumerate(zip(one, other, strict=False)):
            yield from differences(was, is_now, f"{path}/{number}")
    elif before != after:
        yield f"{path}: {before!r:.80} is {after!r:.80}"


# workers of both versions


@contextmanager
def worker(life: Life, log: Path) -> Generator[subprocess.Popen[bytes]]:
    with log.open("ab") as words:
        process = subprocess.Popen(
            [life.python, "-m", "provisor", "worker", "--concurrency", "2"],
            cwd=life.folder,
            env={**os.environ, **life.environment, "PROVISOR_LEASE_S": "2.5"},
            stdout=words,
            stderr=words,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait(PATIENCE_S)


def hurried(address: str) -> None:
    """Have the job be due every second, which nobody may configure."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("SET provisor.tables = 1000")
        connection.execute("UPDATE job SET definition = replace(definition, 'PT300S', 'PT1S')")
        (said,) = connection.execute("SELECT definition FROM job").fetchone() or ("",)
    assert '"PT1S"' in said, said


def holders(address: str) -> set[int]:
    with psycopg.connect(address, autocommit=True) as connection:
        rows = connection.execute(
            "SELECT holder FROM lease WHERE name LIKE '%.lock' AND name <> 'schedule.lock'"
            " AND ends >= clock_timestamp()"
        )
        return {int(holder.rpartition(":")[2]) for (holder,) in rows}


def served(life: Life, *ids: str) -> None:
    """See that somebody who was hired is there, and nobody was made twice."""
    life.hire(*ids)
    wait_until(lambda: life.active() == {*life.people})


def rolled(life: Life, new: Life, address: str, version: int) -> str:
    """Upgrade workers one after the other, or all at once where they cannot work side by side;
    return what happened."""
    old_log, new_log = life.folder / "old.log", life.folder / "new.log"
    hurried(address)
    with worker(life, old_log) as old, worker(life, old_log) as other:
        served(life, "q01")
        if version < OLDEST:
            return _asked(life, new, old_log, (old, other))
        with worker(new, new_log) as first:
            seen: Counter[int] = Counter()
            number, end = 0, time.monotonic() + GONE_ON_S
            while time.monotonic() < end or not {old.pid, first.pid} <= {*seen}:
                assert time.monotonic() < end + PATIENCE_S, f"{seen}: one of them does nothing"
                number += 1
                served(life, f"r{number:02}")
                seen.update(holders(address))
                life.edit(f"r{number:02}", displayName=f"Changed {number}")
            old.send_signal(signal.SIGTERM)
            old.wait(PATIENCE_S)
            with worker(new, new_log):
                served(life, "s01")
        assert meta(address) == {"version": str(VERSION), "needs": str(OLDEST)}
    _ends_well(life, new)
    return f"{number} changes while old and new worked side by side"


def _asked(life: Life, new: Life, log: Path, forgotten: Sequence[subprocess.Popen[bytes]]) -> str:
    """Bring the store up to date while nobody has thought of ending the old workers."""
    refused = new.say("worker", code=2).err
    assert "StoreTooOld" in refused
    served(life, "r01")
    asked = new.say("store", "migrate").out
    life.hire("r02")
    wait_until(lambda: "StoreFailed" in log.read_text("utf-8", "replace"))
    assert "r02" not in life.active()
    for one in forgotten:
        assert one.poll() is None
        one.send_signal(signal.SIGTERM)
        one.wait(PATIENCE_S)
    with worker(new, life.folder / "new.log"):
        served(life, "r03")
        _ends_well(life, new)
    return asked.strip()


def meta(address: str) -> dict[str, str]:
    with psycopg.connect(address, autocommit=True) as connection:
        return dict(
            connection.execute("SELECT name, value FROM meta WHERE name IN ('version', 'needs')")
        )


def _ends_well(life: Life, new: Life) -> None:
    wait_until(lambda: new.status()["status"]["lastExecution"]["state"] == "Succeeded")
    assert life.active() == {*life.people}
    users = life.server.says("User")
    created = sum(
        one.method == "POST" and one.path.endswith("/Users") and one.status == 201
        for one in life.server.writes()
    )
    assert created == len(users), f"{created} were made, {len(users)} are there"
    new.say("logs", "people", "--limit", "500", "--json")


def database(server: Postgres) -> str:
    """Make an empty database; return its address."""
    name = f"upgrade{next(server.numbers)}"
    with server.root() as root:
        root.execute(f"CREATE DATABASE {name} OWNER hr".encode())
    return f"postgresql://hr:hr-password@127.0.0.1:{server.port}/{name}"
