"""A firm whose jobs are run by workers, each with a wire of its own to the database; and what
befalls them.

Nobody of those who work knows of the others but through PostgreSQL. What must be so is read from
the server that they feed and from the database, past all wires.
"""

from __future__ import annotations

import asyncio
import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import psycopg

from provisor.model.cycles import Cycle, CycleResult
from provisor.model.jobs import Asked
from provisor.planner.status import Started
from tests.crash.firm import PATIENCE_S, Site
from tests.worlds import pgstores
from tests.worlds.databases import Postgres
from tests.worlds.processes import ROOT
from tests.worlds.tcp import Wire

LEASE_S = 2.5
CONVERGED_S = 180.0
LOOK_S = 0.02
WHO = """
SELECT holder, ends, clock_timestamp() FROM lease
WHERE name LIKE '%.lock' AND name <> 'schedule.lock'
"""

SEATED = "SELECT holder FROM lease WHERE name LIKE '%#%' AND ends >= clock_timestamp()"


@dataclass
class Worker:
    """A process that runs cycles, and its wire."""

    number: int
    wire: Wire
    process: subprocess.Popen[bytes]

    def send(self, number: signal.Signals) -> None:
        """Send a signal to this process and no other."""
        if self.process.poll() is None:
            self.process.send_signal(number)


@dataclass(frozen=True)
class Lease:
    """Who has the job, and until when, by the clock of the database."""

    pid: int
    ends: datetime
    now: datetime


@dataclass
class Hall:
    """The firm's workers and their database."""

    site: Site
    server: Postgres
    address: str
    """Of the store, without a wire."""
    shared_from: int = 20_000
    """Cycles with so many objects are shared out."""
    workers: list[Worker] = field(default_factory=list[Worker])
    takeovers: list[float] = field(default_factory=list[float])
    """Seconds from the end of a lease to somebody else's."""
    pauses: list[float] = field(default_factory=list[float])
    """Seconds from a pause that was asked for to its effect."""
    replicas: list[Postgres] = field(default_factory=list[Postgres])

    @property
    def is_shared(self) -> bool:
        """True where cycles are shared out, however small."""
        return self.shared_from == 1

    # who works

    def engage(self, count: int) -> None:
        for _ in range(count):
            wire = Wire(self.server.port)
            self.workers.append(
                Worker(len(self.workers), wire, self._begin(wire, len(self.workers)))
            )

    def replace(self, worker: Worker) -> None:
        """Begin another in the place of one that has died."""
        worker.process.wait(PATIENCE_S)
        worker.process = self._begin(worker.wire, worker.number)

    def _begin(self, wire: Wire, number: int) -> subprocess.Popen[bytes]:
        store = self.address.replace(f":{self.server.port}/", f":{wire.port}/")
        with (self.site.folder / f"worker{number}.log").open("ab") as log:
            return subprocess.Popen(
                [
                    sys.executable, "-m", "provisor", "--workspace", str(self.site.folder),
                    "worker", "--concurrency", "2", "--share-from", str(self.shared_from),
                ],
                cwd=ROOT,
                env=os.environ | {"PROVISOR_STORE": store, "PROVISOR_LEASE_S": str(LEASE_S)},
                stdout=log,
                stderr=log,
            )  # fmt: skip

    def dismiss(self) -> None:
        for worker in self.workers:
            worker.process.kill()
        for worker in self.workers:
            worker.process.wait(PATIENCE_S)
            worker.wire.close()
        for replica in self.replicas:
            replica.stop()

    # what the database says

    def lease(self) -> Lease | None:
        """Return who has the job."""
        with psycopg.connect(self.address, autocommit=True) as connection:
            row = connection.execute(WHO.encode()).fetchone()
        if row is None:
            return None
        return Lease(int(row[0].rpartition(":")[2]), row[1], row[2])

    def last_cycle(self) -> Cycle | None:
        with pgstores.opened(self.address) as store:
            (job,) = asyncio.run(store.jobs())
        return job.status.last

    def at_work(self, writes: int) -> Worker:
        """Wait until a cycle has written so often since now; return who runs it."""
        mark = self.site.mark
        until(lambda: len(self.site.effects(mark)) >= writes)
        found: list[Worker] = []

        def is_had() -> bool:
            lease = self.lease()
            pid = lease.pid if lease is not None else 0
            found.extend(w for w in self.workers if w.process.pid == pid)
            return bool(found)

        until(is_had)
        return found[0]

    def see_taken_over(self, victim: Worker) -> bool:
        """Wait until somebody else has the victim's job, or nobody needs to; return whether there
        was something to take over, and note how long it took."""
        lease = self.lease()
        if lease is None or lease.pid != victim.process.pid:
            return False  # the cycle had just ended
        ends = lease.ends
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            lease = self.lease()
            if lease is None:
                return False
            if lease.pid != victim.process.pid:
                self.takeovers.append(max(0.0, (lease.now - ends).total_seconds()))
                return True
            ends = lease.ends
            time.sleep(LOOK_S)
        raise AssertionError("nobody took the job over")

    # what befalls them

    def kill(self, victim: Worker) -> None:
        victim.send(signal.SIGKILL)
        self.see_taken_over(victim)
        self.replace(victim)

    def freeze(self, victim: Worker) -> None:
        victim.send(signal.SIGSTOP)
        self.see_taken_over(victim)
        victim.send(signal.SIGCONT)

    def kill_member(self, leader: Worker) -> None:
        """Kill somebody who works along, if anybody does, and not the one who leads."""
        member = self._member(leader)
        member.send(signal.SIGKILL)
        self.replace(member)

    def freeze_member(self, leader: Worker) -> None:
        """Freeze somebody who works along for longer than what he has is his."""
        member = self._member(leader)
        member.send(signal.SIGSTOP)
        until(lambda: member.process.pid not in self.seated())
        member.send(signal.SIGCONT)

    def _member(self, leader: Worker) -> Worker:
        seated = self.seated()
        others = [worker for worker in self.workers if worker is not leader]
        return next((one for one in others if one.process.pid in seated), others[0])

    def seated(self) -> frozenset[int]:
        """Return the processes that have a seat at a cycle that is shared out."""
        with psycopg.connect(self.address, autocommit=True) as connection:
            rows = connection.execute(SEATED.encode()).fetchall()
        return frozenset(int(holder.rpartition(":")[2]) for (holder,) in rows)

    def cut_off(self, victim: Worker) -> None:
        """Let nothing pass between a worker and the database until it has lost its job; then the
        wire is there again, and what was on it is lost."""
        victim.wire.fall_silent()
        self.see_taken_over(victim)
        victim.wire.break_all()
        victim.wire.heal()

    def break_wire(self, victim: Worker) -> None:
        """Break what a worker has open, in the middle of an answer: it may come back at once."""
        victim.wire.cut_after(200)
        until(lambda: victim.wire.cuts > 0 or victim.process.poll() is not None)
        victim.wire.heal()

    def pause(self, victim: Worker) -> None:
        """Ask for a pause, as an administrator does, and see how soon it is heard."""
        with pgstores.opened(self.address) as store:
            (job,) = asyncio.run(store.jobs())
            began = time.monotonic()
            asyncio.run(store.ask(job.id, Asked.PAUSE))
            until(lambda: (lease := self.lease()) is None or lease.pid != victim.process.pid)
            self.pauses.append(time.monotonic() - began)
            asyncio.run(store.ask(job.id, None))

    def restart_database(self, victim: Worker) -> None:
        self.server.kill()
        self.server.start()

    def promote_replica(self, victim: Worker) -> None:
        """The database dies, and a replica of it takes its place: what was acknowledged last may
        not have reached it."""
        replica = self.server.replica()
        self.replicas.append(replica)
        self.site.firm.change()
        self.at_work(1)
        self.server.kill()
        replica.promote()
        before, self.server = self.server.port, replica
        self.address = self.address.replace(f":{before}/", f":{replica.port}/")
        for worker in self.workers:
            worker.wire.lead_to(replica.port)

    # what must be so

    def check(self) -> None:
        """All is as it should be in the end: everybody is there once, was made once, and cycles
        write nothing more."""
        self._until_it_holds(self.site.check)
        ended = self._cycle_after(None)
        mark = self.site.mark
        self._cycle_after(ended)
        assert self.site.effects(mark) == [], "what is as it should be was written to"
        self.site.check()
        users = self.site.says("Users")
        made = Counter(e.what for e in self.site.effects() if e.endpoint == "Users")["created"]
        assert made == len(users), f"{made} were made, {len(users)} are there"
        assert [w.process.poll() for w in self.workers] == [None] * len(self.workers)

    def _cycle_after(self, earlier: Cycle | None) -> Cycle:
        """Wait for a cycle to end well that began after another, or after now."""
        before = earlier or self.last_cycle()
        found: list[Cycle] = []

        def has_ended() -> bool:
            last = self.last_cycle()
            is_next = last is not None and (before is None or last.began >= before.ended)
            if is_next and last is not None and last.result is CycleResult.SUCCEEDED:
                found.append(last)
            return bool(found)

        until(has_ended, CONVERGED_S)
        return found[0]

    def _until_it_holds(self, check: Callable[[], None]) -> None:
        deadline = time.monotonic() + CONVERGED_S
        while time.monotonic() < deadline:
            with suppress(AssertionError):
                check()
                return
            time.sleep(0.2)
        check()


def until(is_so: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + patience_s
    while not is_so():
        assert time.monotonic() < deadline, "this never happened"
        time.sleep(LOOK_S)


@contextmanager
def hall(
    folder: Path, seed: int, server: Postgres, count: int, shared_from: int = 20_000
) -> Generator[Hall]:
    """Provide a firm with so many workers, and a job that is due every second."""
    address = pgstores.make(server)
    site = Site(folder, seed)
    made = Hall(site, server, address, shared_from)
    try:
        (folder / "provisor.store").write_text(address, "utf-8")
        site.set_up()
        with pgstores.opened(address) as store:  # nobody may configure less than a minute
            (job,) = asyncio.run(store.jobs())
            asyncio.run(store.put_job(dataclasses.replace(job, schedule=timedelta(seconds=1))))
            asyncio.run(store.note(job.id, Started()))
        made.engage(count)
        yield made
    finally:
        made.dismiss()
        site.server.stop()
