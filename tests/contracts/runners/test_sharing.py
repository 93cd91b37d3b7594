"""What comes of a cycle is the same, however many workers it is shared out among."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import pytest

from provisor.app.machine import OsEntropy, SystemClock
from provisor.connectors.memory import MemorySource, MemoryTarget
from provisor.engine.cycle import run_cycle
from provisor.engine.work import Mandate
from provisor.model.cycles import Cycle, CycleResult
from provisor.model.decisions import Exported, Write
from provisor.model.entries import Anchor, Entry, Reference
from provisor.model.jobs import Application, Asked, Job
from provisor.model.rules import Policy
from provisor.ports import Among, LeaseEnds, RecordQuery, alone, forever
from provisor.runtime import sharing
from provisor.runtime.interruption import Interruption
from provisor.runtime.parts import Equipment, Parts
from provisor.runtime.runner import Ready, run_once
from provisor.runtime.sharing import Table
from provisor.store.postgresql import PostgresStore
from tests.simulation.rules import NO_GUARDS, rules
from tests.unit.runtime.jobs import NoVault
from tests.worlds import pgstores

PEOPLE, GROUPS = 80, 4
PATIENCE_S = 60.0
JOB = Job(id="people", name="people", template_id="scim", application_id="app")
Told = Callable[[], Awaitable[None]]


class SlowTarget(MemoryTarget):
    """A target whose answers take a moment, so that nobody is through before others have come."""

    def __init__(self) -> None:
        super().__init__()
        self.during: dict[int, Told] = {}
        self.written = 0

    async def export(self, write: Write) -> Exported:
        self.written += 1
        told = self.during.pop(self.written, None)
        if told is not None:
            await told()
        await asyncio.sleep(0.01)
        return await super().export(write)


@dataclass
class Invitations:
    """Implements `sharing.Invitations`: whoever is invited comes at once."""

    tables: list[Table] = field(default_factory=list[Table])
    tasks: dict[int, asyncio.Task[None]] = field(default_factory=dict[int, "asyncio.Task[None]"])

    async def others(self) -> int:
        return len(self.tables)

    async def invite(self, job: str, seat: int) -> None:
        if seat not in self.tasks:
            self.tasks[seat] = asyncio.create_task(self.tables[seat].help(job))


@dataclass
class Plant:
    """One firm, and workers on a store that they share."""

    folder: Path
    address: str
    source: MemorySource = field(default_factory=lambda: MemorySource(page_size=50))
    target: SlowTarget = field(default_factory=SlowTarget)
    helped: int = 0
    """So many came when they were invited."""
    stores: list[PostgresStore] = field(default_factory=list[PostgresStore])

    def found(self) -> None:
        for number in range(PEOPLE):
            manager = {"manager": user(number // 10)} if number else {}
            said = {"name": f"User {number}", "mail": f"user{number}@x.org", "department": "Sales"}
            self.source.put(Entry("user", user(number).anchor, {**said, **manager}))
        for number in range(GROUPS):
            members = tuple(user(n) for n in range(PEOPLE) if n % GROUPS == number)
            said = {"name": f"Group {number}", "members": members}
            self.source.put(Entry("group", Anchor(f"g{number}"), said))

    async def equip(
        self,
        job: Job,
        *,
        may_change_system: bool = False,
        lease_ends: LeaseEnds = forever,
        among: Among = alone,
    ) -> Equipment:
        mandate = Mandate(
            rules=rules(disables=True),
            policy=Policy(sync_all=True, guards=NO_GUARDS, parallel_max=8),
            policy_hash="1",
        )
        return Equipment(
            mandate=mandate,
            source=lambda: self.source,
            target=lambda: self.target,
            reader=lambda: self.target,
        )

    def worker(self) -> Parts:
        store = PostgresStore(self.address)
        self.stores.append(store)
        assert store.leases is not None
        return Parts(
            folder=self.folder,
            leases=store.leases,
            registry=store,
            ledger=store.ledger,
            vault=NoVault(),
            clock=SystemClock(),
            entropy=OsEntropy(),
            equip=self.equip,
            tells=tells_nothing,
            holder=f"worker {len(self.stores)}",
        )

    async def run(self, workers: int) -> Cycle:
        """Run the first cycle on so many workers."""
        interruption = Interruption(SystemClock())
        parts = self.worker()
        await parts.registry.put_application(APPLICATION)
        await parts.registry.put_job(JOB)
        helpers = [self.worker() for _ in range(workers - 1)]
        invitations = Invitations()
        tables = [table(one, invitations, interruption) for one in (parts, *helpers)]
        invitations.tables = tables[1:]
        leading = replace(parts, leading=tables[0].lead)

        async def execute(ready: Ready) -> Cycle:
            return await run_cycle(ready.mandate, ready.ports, "c1")

        cycle = await asyncio.wait_for(run_once(leading, JOB, execute, interruption), PATIENCE_S)
        await asyncio.gather(*invitations.tasks.values())
        self.helped = len(invitations.tasks)
        return cycle

    async def said(self) -> object:
        """Return what target, ledger and status say, but for names that the target gave."""
        store = self.stores[0]
        job = await store.job(JOB.id)
        assert job is not None
        records = await store.ledger.records(RecordQuery(job=JOB.id, limit=10_000))
        status = job.status
        return (
            sorted(self.says()),
            sorted((r.key, r.action, r.verdict) for _, _, r in records),
            status.last.counts if status.last else None,
            status.last.result if status.last else None,
            await store.links(JOB.id),
        )

    def says(self) -> list[str]:
        """Return what each target object says; whom it points at, by name."""
        names = {
            anchor: str(e.attributes.get("displayName")) for anchor, e in self.entries().items()
        }

        def told(value: object) -> object:
            if isinstance(value, Reference):
                return names[value.anchor]
            if isinstance(value, (tuple, frozenset)):
                return sorted(str(told(one)) for one in cast("tuple[object, ...]", value))
            return value

        return [
            repr(sorted((name, told(value)) for name, value in e.attributes.items()))
            for e in self.entries().values()
        ]

    def entries(self) -> dict[Anchor, Entry]:
        return self.target.entries

    def close(self) -> None:
        for store in self.stores:
            store.close()


APPLICATION = Application(
    id="app",
    app_id="app",
    principal_id="principal",
    name="app",
    display_name="app",
    tenant="app",
    template_id="scim",
)


def table(parts: Parts, invitations: Invitations, interruption: Interruption) -> Table:
    store = parts.registry
    assert isinstance(store, PostgresStore)
    assert store.sharing is not None
    return Table(parts, store.sharing, invitations, interruption, shared_from=1)


async def tells_nothing(job: Job) -> bool:
    return False


def user(number: int) -> Reference:
    return Reference("user", Anchor(f"u{number:03}"))


@pytest.fixture
def made(pg_store: str, tmp_path: Path) -> Generator[Callable[[], Plant]]:
    """Return what makes the same firm with an empty store."""
    plants: list[Plant] = []

    def make() -> Plant:
        if plants:
            plants[-1].close()
            pgstores.empty(pg_store)
        plants.append(Plant(tmp_path, pg_store))
        plants[-1].found()
        return plants[-1]

    yield make
    plants[-1].close()


def test_whatever_is_shared_out_among_two_or_three_comes_to_what_one_does(
    made: Callable[[], Plant], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "OBJECTS_A_SEAT", 10)

    async def history(workers: int) -> object:
        plant = made()
        cycle = await plant.run(workers)
        assert cycle.result is CycleResult.SUCCEEDED
        assert len(plant.entries()) == PEOPLE + GROUPS
        assert plant.helped == workers - 1
        return await plant.said()

    alone_said, two_said, three_said = (asyncio.run(history(n)) for n in (1, 2, 3))

    assert two_said == alone_said
    assert three_said == alone_said


def test_a_pause_in_the_middle_stops_everybody_and_the_next_cycle_goes_on(
    made: Callable[[], Plant],
) -> None:
    async def history() -> None:
        plant = made()

        async def pause() -> None:
            await plant.stores[0].ask(JOB.id, Asked.PAUSE)

        plant.target.during[30] = pause
        cycle = await plant.run(2)
        assert cycle.is_cut_short
        assert 30 <= len(plant.entries()) < PEOPLE
        written = plant.target.written
        await asyncio.sleep(0.3)
        assert plant.target.written == written, "somebody went on"

        await plant.stores[0].ask(JOB.id, None)
        again = await plant.run(2)
        assert again.result is CycleResult.SUCCEEDED
        assert len(plant.entries()) == PEOPLE + GROUPS

    asyncio.run(history())
