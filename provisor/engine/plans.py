"""Plans: made by a cycle that writes nothing, carried out by one that writes nothing else."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Sequence

from provisor.engine.cycle import run_cycle
from provisor.engine.gate import Noting, planned
from provisor.engine.work import Mandate, Ports
from provisor.model.cycles import Cycle
from provisor.model.decisions import Create, Delete, Exported, Update, Write
from provisor.model.entries import Anchor, Entry, MatchQuery, System
from provisor.model.plans import Plan
from provisor.planner.fingerprint import plan_hash
from provisor.ports import Capabilities, Clock, Entropy, Journal, Listing, Source, TargetReader


class Planning:
    """A target that answers writes as if they had been done. It holds no way to write."""

    def __init__(self, reader: TargetReader) -> None:
        self._reader = reader
        self._made = itertools.count(1)
        self._gone = set[Anchor]()

    @property
    def system(self) -> System:
        return self._reader.system

    @property
    def capabilities(self) -> Capabilities:
        return self._reader.capabilities

    async def probe(self) -> None:
        await self._reader.probe()

    async def fetch(self, kind: str, anchor: Anchor) -> Entry | None:
        return None if anchor in self._gone else await self._reader.fetch(kind, anchor)

    async def find(self, query: MatchQuery) -> Sequence[Entry]:
        found = await self._reader.find(query)
        return [entry for entry in found if entry.anchor not in self._gone]

    def list_all(self, kind: str) -> AsyncIterator[Listing]:
        return self._reader.list_all(kind)

    async def close(self) -> None:
        await self._reader.close()

    async def export(self, write: Write) -> Exported:
        match write:
            case Create():
                return Exported(Anchor(f"planned {next(self._made)}"))
            case Update(_, anchor, _, version):
                return Exported(anchor, version)
            case Delete(_, anchor):
                self._gone.add(anchor)
                return Exported(None)


async def make_plan(
    job: str,
    mandate: Mandate,
    source: Source,
    reader: TargetReader,
    overlay: Journal,
    clock: Clock,
    entropy: Entropy,
    *,
    reconciles: bool = False,
) -> Plan:
    """Return what a cycle would write now.

    `overlay` is a throw-away copy of the job's journal: source and target are read, nothing is
    remembered. A cycle that would fail gives a plan of what came before, and says so.
    """
    ports = Ports(
        source=source, target=Planning(reader), journal=overlay, clock=clock, entropy=entropy
    )
    noting, made_at = Noting(), clock.now()
    cycle = await run_cycle(
        mandate, ports, f"plan {entropy.uuid()}", reconciles=reconciles, gate=noting
    )
    steps = tuple(noting.steps)
    return Plan(job=job, made_at=made_at, steps=steps, cycle=cycle, hash=plan_hash(job, steps))


async def apply_plan(
    plan: Plan, mandate: Mandate, ports: Ports, cycle: str, *, is_approved: bool = False
) -> Cycle:
    """Carry out exactly what a plan says: each step while its precondition holds, nothing else.

    What is due beside it stays due, and the log names it. `is_approved`: the departures that the
    plan shows as staged were approved with its hash.
    """
    gate = planned(plan.steps, is_approved=is_approved)
    return await run_cycle(mandate, ports, cycle, gate=gate)


def is_intact(plan: Plan) -> bool:
    """True when the steps are those that the plan's hash names: a file may have been edited."""
    return plan_hash(plan.job, plan.steps) == plan.hash
