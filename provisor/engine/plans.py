"""Plans: made by a cycle that writes nothing, carried out by one that writes nothing else."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Sequence
from typing import TypeAlias

from provisor.engine.cycle import run_cycle
from provisor.engine.gate import Noting, planned
from provisor.engine.work import Mandate, Ports
from provisor.model.cycles import Cycle
from provisor.model.decisions import (
    AttributeChange,
    Create,
    Delete,
    Exported,
    TargetChange,
    Update,
    Write,
)
from provisor.model.entries import Anchor, Entry, MatchQuery, Reference, System
from provisor.model.frozen import replace
from provisor.model.plans import Plan
from provisor.planner.diff import apply
from provisor.planner.fingerprint import plan_hash
from provisor.planner.match import without_case
from provisor.ports import (
    Capabilities,
    Clock,
    Entropy,
    Journal,
    Listing,
    Referred,
    Source,
    TargetReader,
)

Place: TypeAlias = tuple[str, Anchor]
"""Kind and anchor: two kinds of object may have the same anchor, as the rows of two tables do."""


class Planning:
    """A target that answers as if every planned write had been done. It holds no way to write."""

    def __init__(self, reader: TargetReader) -> None:
        self._reader = reader
        self._numbers = itertools.count(1)
        self._made = dict[Place, Entry]()
        self._changed = dict[Place, tuple[TargetChange, ...]]()
        self._gone = set[Place]()

    @property
    def system(self) -> System:
        return self._reader.system

    @property
    def capabilities(self) -> Capabilities:
        return self._reader.capabilities

    async def probe(self) -> None:
        await self._reader.probe()

    async def fetch(self, kind: str, anchor: Anchor) -> Entry | None:
        if (kind, anchor) in self._gone:
            return None
        if (kind, anchor) in self._made:
            return self._now(self._made[kind, anchor])
        found = await self._reader.fetch(kind, anchor)
        return self._now(found) if found else None

    async def find(self, query: MatchQuery) -> Sequence[Entry]:
        """Return what would answer by now: what was made, and who was told another value."""
        found = {_place(entry): entry for entry in await self._reader.find(query)}
        found |= {place: entry for place, entry in self._made.items() if entry.kind == query.kind}
        told = [p for p, cs in self._changed.items() if any(_tells(c, query) for c in cs)]
        for place in told:
            if place not in found and place[0] == query.kind:
                renamed = await self._reader.fetch(*place)
                found |= {place: renamed} if renamed else {}
        there = (self._now(e) for place, e in found.items() if place not in self._gone)
        return [entry for entry in there if not self._is_ours(entry) or _answers(entry, query)]

    def _is_ours(self, entry: Entry) -> bool:
        """True where what an entry answers to is told by the plan and not by the target."""
        return _place(entry) in self._made or _place(entry) in self._changed

    def _now(self, entry: Entry) -> Entry:
        changes = self._changed.get(_place(entry), ())
        return replace(entry, attributes=apply(changes, entry.attributes)) if changes else entry

    def list_all(self, kind: str) -> AsyncIterator[Listing]:
        return self._reader.list_all(kind)

    async def referred(
        self, kind: str, anchor: Anchor, name: str, known: frozenset[Reference]
    ) -> Referred:
        return await self._reader.referred(kind, anchor, name, known)

    async def close(self) -> None:
        await self._reader.close()

    async def export(self, write: Write) -> Exported:
        match write:
            case Create(kind, attributes):
                anchor = Anchor(f"planned {next(self._numbers)}")
                self._made[kind, anchor] = Entry(kind, anchor, attributes)
                return Exported(anchor)
            case Update(kind, anchor, changes, version):
                before = self._changed.get((kind, anchor), ())
                self._changed[kind, anchor] = (*before, *changes)
                return Exported(anchor, version)
            case Delete(kind, anchor):
                self._gone.add((kind, anchor))
                return Exported(None)


def _place(entry: Entry) -> Place:
    return entry.kind, entry.anchor


def _tells(change: TargetChange, query: MatchQuery) -> bool:
    return isinstance(change, AttributeChange) and change.name == query.attribute


def _answers(entry: Entry, query: MatchQuery) -> bool:
    """Compares without case, as claims do: two values alike but for case are one name."""
    said = entry.attributes.get(query.attribute)
    values = said if isinstance(said, tuple) else (said,)
    return without_case(query.value) in {without_case(value) for value in values if value}


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
