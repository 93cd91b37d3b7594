"""A job in a store in memory, and a workspace around it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from provisor.connectors.memory import MemorySource, MemoryTarget
from provisor.engine.work import Mandate
from provisor.model.cycles import Counts, Cycle, CycleKind, CycleResult
from provisor.model.jobs import Job
from provisor.model.rules import Policy
from provisor.planner.status import Started
from provisor.ports import Among, LeaseEnds, alone, forever
from provisor.runtime.lease import FileLeases
from provisor.runtime.parts import Equipment, Parts
from provisor.runtime.runner import Ready
from provisor.store.memory import MemoryStore

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


async def put_job(store: MemoryStore, *, is_started: bool = True) -> Job:
    """Put a job of the id `job` into a store."""
    job = Job(
        id="job",
        name="people",
        template_id="scim",
        application_id="app",
        schedule=timedelta(minutes=5),
    )
    await store.put_job(job)
    if is_started:
        await store.note(job.id, Started())
    found = await store.job(job.id)
    assert found is not None
    return found


class Clock:
    """Time that passes when somebody waits."""

    def __init__(self) -> None:
        self.time = BEGAN

    def now(self) -> datetime:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)
        await asyncio.sleep(0)


class Entropy:
    """Names without chance."""

    def __init__(self) -> None:
        self._count = 0

    def uuid(self) -> str:
        self._count += 1
        return f"id {self._count}"

    def below(self, limit: int) -> int:
        return 0


class NoVault:
    """A vault with nothing in it."""

    async def put(self, owner: str, name: str, value: str) -> None:
        raise AssertionError("nobody puts secrets here")

    async def get(self, owner: str, name: str) -> str | None:
        return None

    async def names(self, owner: str) -> list[str]:
        return []

    async def delete(self, owner: str, name: str) -> None:
        return None

    async def rotate(self) -> int:
        return 0


@dataclass
class World:
    """A workspace in memory, and the cycles that ran in it."""

    folder: Path
    store: MemoryStore = field(default_factory=MemoryStore)
    clock: Clock = field(default_factory=Clock)
    cycles: list[datetime] = field(default_factory=list[datetime])
    result: CycleResult = CycleResult.SUCCEEDED

    @property
    def parts(self) -> Parts:
        return Parts(
            folder=self.folder,
            leases=FileLeases(self.folder),
            registry=self.store,
            ledger=self.store.ledger,
            vault=NoVault(),
            clock=self.clock,
            entropy=Entropy(),
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
        mandate = Mandate(rules={}, policy=Policy(), may_change_system=may_change_system)
        return Equipment(
            mandate=mandate, source=MemorySource, target=MemoryTarget, reader=MemoryTarget
        )

    async def tells(self, job: Job) -> bool:
        return False

    async def execute(self, ready: Ready) -> Cycle:
        """Run what stands for a cycle: it takes a minute, and says how it went."""
        began = self.clock.now()
        self.cycles.append(began)
        journal = ready.ports.journal
        await journal.begin_cycle(f"cycle {len(self.cycles)}", CycleKind.INCREMENTAL, began)
        self.clock.time += timedelta(minutes=1)
        cycle = Cycle(
            id=f"cycle {len(self.cycles)}",
            kind=CycleKind.INCREMENTAL,
            began=began,
            ended=self.clock.now(),
            result=self.result,
            counts=Counts(),
        )
        await journal.end_cycle(cycle)
        return replace(cycle)
