"""Whatever runs the cycles, in this process or shared out among workers, keeps to the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from provisor.app.machine import OsEntropy, SystemClock
from provisor.connectors.memory import MemorySource, MemoryTarget
from provisor.engine.work import Mandate
from provisor.model.cycles import Counts, Cycle, CycleKind, CycleResult
from provisor.model.jobs import Application, Job
from provisor.model.rules import Policy
from provisor.planner.status import Started, Stopped
from provisor.ports import Among, LeaseEnds, Leases, alone, forever
from provisor.runtime.distributed import Crew, Elsewhere, Errand
from provisor.runtime.interruption import Interruption
from provisor.runtime.lease import FileLeases
from provisor.runtime.parts import Equipment, Parts
from provisor.runtime.procrastination import ProcrastinateQueue
from provisor.runtime.runner import Ready
from provisor.runtime.scheduler import Scheduler
from provisor.runtime.turns import Turns
from provisor.store.postgresql import PostgresStore
from tests.unit.runtime.jobs import NoVault

PATIENCE_S = 20.0
TAKES_S = 0.3
RUNNERS = ("embedded", "procrastinate")


@dataclass
class Office:
    """A store with jobs in it, and what their cycles do."""

    store: PostgresStore
    folder: Path
    address: str
    began: list[str] = field(default_factory=list[str])
    """The ids of jobs, in the order in which cycles of them began."""
    ended: list[str] = field(default_factory=list[str])
    failed: list[str] = field(default_factory=list[str])
    """Those that could not begin."""
    broken: set[str] = field(default_factory=set[str])
    at_work: set[str] = field(default_factory=set[str])
    side_by_side: int = 0
    """So many cycles at most of jobs whose names begin alike."""

    async def open(
        self, *ids: str, schedule: timedelta = timedelta(hours=1), tenant: str = "app"
    ) -> None:
        await self.store.put_application(
            Application(
                id=tenant, app_id=f"{tenant} app", principal_id=f"{tenant} principal",
                name=tenant, display_name=tenant, template_id="scim", tenant=tenant,
            )
        )  # fmt: skip
        for id in ids:
            await self.store.put_job(
                Job(id=id, name=id, template_id="scim", application_id=tenant, schedule=schedule)
            )
            await self.store.note(id, Started())

    def parts(self, leases: Leases) -> Parts:
        return Parts(
            folder=self.folder,
            leases=leases,
            registry=self.store,
            ledger=self.store.ledger,
            vault=NoVault(),
            clock=SystemClock(),
            entropy=OsEntropy(),
            equip=self.equip,
            tells=self.tells,
            holder="test",
        )

    async def equip(
        self,
        job: Job,
        *,
        may_change_system: bool = False,
        lease_ends: LeaseEnds = forever,
        among: Among = alone,
    ) -> Equipment:
        if job.id in self.broken:
            raise RuntimeError("it cannot be made ready")
        return Equipment(
            mandate=Mandate(rules={}, policy=Policy(), policy_hash=job.id),
            source=MemorySource,
            target=MemoryTarget,
            reader=MemoryTarget,
        )

    async def tells(self, job: Job) -> bool:
        return False

    async def execute(self, ready: Ready) -> Cycle:
        id, journal = ready.mandate.policy_hash, ready.ports.journal
        assert id not in self.at_work, "two cycles of a job at a time"
        self.at_work.add(id)
        self.side_by_side = max(self.side_by_side, sum(one[0] == id[0] for one in self.at_work))
        self.began.append(id)
        began, number = ready.ports.clock.now(), f"{id} {len(self.began)}"
        await journal.begin_cycle(number, CycleKind.INCREMENTAL, began)
        await asyncio.sleep(TAKES_S)
        cycle = Cycle(
            id=number,
            kind=CycleKind.INCREMENTAL,
            began=began,
            ended=ready.ports.clock.now(),
            result=CycleResult.SUCCEEDED,
            counts=Counts(),
        )
        await journal.end_cycle(cycle)
        self.at_work.discard(id)
        self.ended.append(id)
        return cycle


@dataclass
class Watching:
    failures: list[str]

    def ended(self, job: Job, cycle: Cycle) -> None:
        """That is known by whoever ran it."""

    def failed(self, job: Job, failure: Exception) -> None:
        self.failures.append(job.id)


@dataclass
class Runner:
    """What runs cycles, as who asks for them sees it."""

    hurry: Callable[[str], object]
    reconcile: Callable[[str], object]
    stop: Callable[[], Awaitable[None]]


@asynccontextmanager
async def running(
    name: str, office: Office, tenant_cycles: int | None = None
) -> AsyncGenerator[Runner]:
    interruption, clock = Interruption(SystemClock()), SystemClock()
    leases = FileLeases(office.folder) if name == "embedded" else office.store.leases
    assert leases is not None
    turns = Turns(
        parts=office.parts(leases),
        execute=office.execute,
        reconcile=office.execute,
        refusal=lambda _: None,
        interruption=interruption,
        told=Watching(office.failed),
    )
    if name == "embedded":
        scheduler = Scheduler(turns=turns)
        hurry, reconcile, wake = scheduler.hurry, scheduler.reconcile_soon, scheduler.wake
        works = [scheduler.run()]
    else:
        queue = ProcrastinateQueue(office.address, 5.0)
        crew = Crew(turns=turns, queue=queue, concurrency=4, tenant_cycles=tenant_cycles)
        elsewhere = Elsewhere(ProcrastinateQueue(office.address, 5.0), interruption)
        hurry, reconcile, wake = elsewhere.hurry, elsewhere.reconcile, elsewhere.wake
        works = [crew.run(), elsewhere.run()]
    tasks = [asyncio.create_task(work) for work in works]

    async def stop() -> None:
        interruption.ask(15)
        wake()
        await asyncio.wait_for(asyncio.gather(*tasks), PATIENCE_S)

    try:
        yield Runner(lambda job: hurry(job, clock.now()), reconcile, stop)
    finally:
        with suppress(asyncio.CancelledError):
            await stop()


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not is_so():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


@contextmanager
def opened(address: str, folder: Path) -> Generator[Office]:
    store = PostgresStore(address)
    try:
        yield Office(store, folder, address)
    finally:
        store.close()


@pytest.fixture
def office(pg_store: str, tmp_path: Path) -> Generator[Office]:
    with opened(pg_store, tmp_path) as made:
        yield made


pytestmark = pytest.mark.parametrize("runner", RUNNERS)


def test_what_is_due_runs_once_and_waits_for_its_next_time(runner: str, office: Office) -> None:
    async def history() -> None:
        await office.open("one", "two", "three")
        async with running(runner, office):
            await until(lambda: len(office.ended) == 3)
            await asyncio.sleep(1.5)
        assert sorted(office.began) == ["one", "three", "two"]

    asyncio.run(history())


def test_a_tenant_has_no_more_cycles_at_a_time_than_its_quota(runner: str, office: Office) -> None:
    if runner == "embedded":
        pytest.skip("one process serves whoever has been due for longest")

    async def history() -> None:
        await office.open("a1", "a2", "a3", "a4", tenant="one")
        await office.open("b1", tenant="another")
        async with running(runner, office, tenant_cycles=1):
            await until(lambda: len(office.ended) == 5)
        assert office.side_by_side == 1
        assert office.began.index("b1") <= 1, "it waited for all of the other tenant's"

    asyncio.run(history())


def test_it_runs_again_when_its_time_has_come(runner: str, office: Office) -> None:
    async def history() -> None:
        await office.open("one", schedule=timedelta(seconds=1))
        async with running(runner, office):
            await until(lambda: len(office.ended) >= 3)

    asyncio.run(history())


def test_what_somebody_waits_for_runs_before_its_time(runner: str, office: Office) -> None:
    async def history() -> None:
        await office.open("one")
        async with running(runner, office) as told:
            await until(lambda: office.ended == ["one"])
            told.hurry("one")
            await until(lambda: office.ended == ["one", "one"])
            told.reconcile("one")
            await until(lambda: office.ended == ["one", "one", "one"])

    asyncio.run(history())


def test_a_job_that_a_worker_of_an_older_version_has_started_is_found(
    runner: str, office: Office
) -> None:
    """It keeps the status, and not when the job is due."""

    async def history() -> None:
        await office.open("one")
        with psycopg.connect(office.address, autocommit=True) as older:
            older.execute("UPDATE job SET due_at = NULL")
        async with running(runner, office):
            await until(lambda: office.ended == ["one"])

    asyncio.run(history())


def test_however_often_it_is_asked_for_there_is_one_cycle_at_a_time(
    runner: str, office: Office
) -> None:
    async def history() -> None:
        await office.open("one")
        async with running(runner, office) as told:
            for _ in range(5):
                told.hurry("one")
                await asyncio.sleep(0.1)
            await until(lambda: len(office.ended) >= 1 and not office.at_work)

    asyncio.run(history())


def test_what_is_paused_does_not_run_even_when_asked_for(runner: str, office: Office) -> None:
    async def history() -> None:
        await office.open("one", "paused")
        await office.store.note("paused", Stopped())
        async with running(runner, office) as told:
            told.hurry("paused")
            await until(lambda: office.ended == ["one"])
            await asyncio.sleep(1.5)
        assert "paused" not in office.ended

    asyncio.run(history())


def test_one_that_cannot_go_keeps_nobody_from_going(runner: str, office: Office) -> None:
    async def history() -> None:
        await office.open("broken", "one", "two")
        office.broken.add("broken")
        async with running(runner, office):
            await until(lambda: sorted(office.ended) == ["one", "two"])
            await asyncio.sleep(2.5)
        assert office.failed == ["broken"], "it is left in peace for a while"

    asyncio.run(history())


def test_who_is_asked_to_stop_settles_what_it_is_at(runner: str, office: Office) -> None:
    async def history() -> None:
        await office.open("one")
        async with running(runner, office) as told:
            await until(lambda: bool(office.at_work))
            await told.stop()
            assert office.ended == ["one"]

    asyncio.run(history())


def test_what_waits_already_keeps_nothing_else_from_being_handed_out(
    runner: str, office: Office
) -> None:
    """What is due is handed out in one statement, and what could not begin waits for another try
    beside it: nobody is told of that."""
    if runner == "embedded":
        pytest.skip("nothing is queued")

    async def history() -> None:
        await office.open("one", "two", "three", "broken")
        queue = ProcrastinateQueue(office.address, 5.0)
        later = datetime.now(UTC) + timedelta(hours=1)
        async with queue.opened():
            await queue.put([Errand(job="broken", not_before=later)])
            await queue.put([Errand(job=job) for job in ("one", "broken", "two", "three")])
            assert await queue.outstanding() == {"one", "two", "three"}

    asyncio.run(history())


def test_a_connection_that_the_server_has_closed_is_replaced(runner: str, office: Office) -> None:
    if runner == "embedded":
        pytest.skip("nothing is queued")

    async def history() -> None:
        await office.open("one")
        queue = ProcrastinateQueue(office.address, 5.0)
        async with queue.opened():
            await queue.outstanding()
            with psycopg.connect(office.address, autocommit=True) as other:
                other.execute(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                    " WHERE application_name = 'provisor-queue'"
                )
            await queue.put([Errand(job="one")])
            assert await queue.outstanding() == {"one"}

    asyncio.run(history())
