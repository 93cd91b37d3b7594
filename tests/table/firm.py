"""A firm with a directory of its people, an application that they get accounts in, and the job
between the two: everything in memory, everything that is asked of the application written down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from provisor.connectors.memory import MemorySource, MemoryTarget
from provisor.engine.cycle import run_cycle
from provisor.engine.on_demand import OnDemand, provision_one
from provisor.engine.work import Mandate, Ports
from provisor.model.cycles import Cycle
from provisor.model.decisions import (
    AttributeChange,
    Create,
    Delete,
    Exported,
    Record,
    ReferencesChange,
    Standing,
    StandingKey,
    Update,
    Write,
)
from provisor.model.entries import (
    Absence,
    Anchor,
    Entry,
    EntryKey,
    MatchQuery,
    Reference,
    System,
    Value,
)
from provisor.model.jobs import Job, ResetScope, Status
from provisor.model.rules import MappingName, ObjectMapping, Policy
from provisor.planner.status import Configured, Restarted, Started
from provisor.ports import Capabilities, Listing, Referred
from provisor.store.memory import MemoryStore
from provisor.store.memory.state import JobState
from tests.table.rules import GROUPS, USERS, Chance, SteppingClock, group, people, teams, user

JOB = "people"
BYSTANDERS = 6
"""Enough of them that listing the target is cheaper than asking for each."""
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Line:
    """What the ledger says of one object in one cycle."""

    row: int
    action: str
    verdict: str
    code: str = ""


@dataclass
class Recording:
    """A target that writes down what it is asked, and fails on cue."""

    inner: MemoryTarget
    calls: list[str]
    writes: list[Write]
    failures: list[BaseException]
    """Raised by the next writes, in place of doing them."""
    losses: list[BaseException]
    """Raised by the next writes once they are done: their answers are lost."""
    refuses_all: Exception | None = None
    """Raised by the probe."""
    meanwhile: Callable[[], None] | None = None
    """Done once, while the next write is under way."""

    @property
    def system(self) -> System:
        return self.inner.system

    @property
    def capabilities(self) -> Capabilities:
        return self.inner.capabilities

    async def probe(self) -> None:
        if self.refuses_all is not None:
            raise self.refuses_all

    async def close(self) -> None:
        await self.inner.close()

    async def fetch(self, kind: str, anchor: Anchor) -> Entry | None:
        self.calls.append("fetch")
        return await self.inner.fetch(kind, anchor)

    async def find(self, query: MatchQuery) -> Sequence[Entry]:
        self.calls.append("find")
        return await self.inner.find(query)

    async def list_all(self, kind: str) -> AsyncIterator[Listing]:
        self.calls.append("list")
        async for page in self.inner.list_all(kind):
            yield page

    async def referred(
        self, kind: str, anchor: Anchor, name: str, known: frozenset[Reference]
    ) -> Referred:
        self.calls.append("referred")
        return await self.inner.referred(kind, anchor, name, known)

    async def export(self, write: Write) -> Exported:
        self.calls.append(type(write).__name__.lower())
        if self.failures:
            raise self.failures.pop(0)
        if self.meanwhile is not None:
            happens, self.meanwhile = self.meanwhile, None
            happens()
        answer = await self.inner.export(write)
        self.writes.append(write)
        if self.losses:
            raise self.losses.pop(0)
        return answer


class Firm:
    """What people do, what the job does about it, and what can be asked afterwards."""

    def __init__(
        self,
        users: ObjectMapping | None = None,
        groups: ObjectMapping | None = None,
        policy: Policy | None = None,
        *,
        lists: bool = False,
        has_changes: bool = True,
    ) -> None:
        """`lists`: the target is listed by every cycle, and not asked object by object.
        Without `has_changes` the source shows only what there is."""
        self.rules: dict[MappingName, ObjectMapping] = {
            USERS: users or people(),
            GROUPS: groups or teams(),
        }
        self.policy = replace(policy or Policy(), parallel_max=1)
        self.clock, self.chance = SteppingClock(), Chance()
        self.source = MemorySource(has_changes=has_changes)
        self.directory = MemoryTarget(lists=lists)
        self.target = Recording(self.directory, [], [], [], [])
        self.store = MemoryStore()
        self._lists = lists
        self._cycles = 0
        waits(self.store.put_job(job()))
        for n in range(BYSTANDERS if lists else 0):
            self.hire(f"bystander{n}")
            self.account(f"b{n}", userName=f"bystander{n}@x.org", displayName=f"bystander{n}")

    # what people do

    def hire(self, who: str, **attributes: Value | None) -> None:
        """Write a person down, in sales unless told otherwise; or change what stands there."""
        old = self.source.entries.get(user(who))
        fresh: dict[str, Value] = {"mail": f"{who}@x.org", "name": who, "department": "Sales"}
        said = {**(old.attributes if old else fresh), **attributes}
        kept = {name: value for name, value in said.items() if value is not None}
        self.source.put(Entry("user", Anchor(who), kept))

    def transfer(self, who: str) -> None:
        """Out of the scoping filter."""
        self.hire(who, department="Research")

    def dismiss(self, who: str) -> None:
        """Deleted in the source, for good."""
        self.source.remove(user(who), Absence.DELETED)

    def team(self, name: str, *members: str, **attributes: Value) -> None:
        listed = tuple(Reference("user", Anchor(m)) for m in members)
        said: dict[str, Value] = {"name": name, "members": listed, **attributes}
        self.source.put(Entry("group", Anchor(name), said))

    def disband(self, name: str) -> None:
        self.source.remove(group(name), Absence.DELETED)

    def assign(self, *whos: str, teams: Sequence[str] = ()) -> None:
        """Only these are assigned from now on."""
        keys: set[EntryKey] = {user(who) for who in whos} | {group(name) for name in teams}
        keys |= {user(f"bystander{n}") for n in range(BYSTANDERS if self._lists else 0)}
        self.policy = replace(self.policy, sync_all=False, assigned=frozenset(keys))

    # what others do in the application

    def account(self, anchor: str, **attributes: Value) -> None:
        said: dict[str, Value] = {"active": True, **attributes}
        self.directory.entries[Anchor(anchor)] = Entry("User", Anchor(anchor), said)

    def erase(self, anchor: str) -> None:
        del self.directory.entries[Anchor(anchor)]

    # what the job does

    def run(self, *, reconciles: bool | None = None) -> Cycle:
        """Run one cycle; what was recorded before is forgotten."""
        self.target.calls.clear()
        self.target.writes.clear()
        self._cycles += 1
        does = self._lists if reconciles is None else reconciles
        return waits(self._run(f"cycle {self._cycles}", reconciles=does))

    async def _run(self, cycle: str, *, reconciles: bool) -> Cycle:
        return await run_cycle(self.mandate, await self._ports(), cycle, reconciles=reconciles)

    def on_demand(self, who: str) -> tuple[OnDemand, ...]:
        self.target.calls.clear()
        self.target.writes.clear()
        self._cycles += 1

        async def provide() -> tuple[OnDemand, ...]:
            ports = await self._ports()
            return await provision_one(
                self.mandate, ports, user(who), f"cycle {self._cycles}", "an administrator"
            )

        return waits(provide())

    def restart(self, scope: ResetScope) -> None:
        """Forget what a restart of this scope forgets."""

        async def forget() -> None:
            journal = await self.store.open_journal(JOB, "an administrator")
            await journal.reset(scope)

        waits(forget())
        waits(self.store.note(JOB, Restarted(scope)))

    def start(self) -> None:
        """Configure the job and start it, as an administrator does."""
        waits(self.store.note(JOB, Configured(is_usable=True), Started()))

    def approve(self) -> bool:
        staged = waits(self.store.staged(JOB))
        return waits(self.store.approve(JOB, staged.hash, "admin", self.clock.now()))

    def wait(self, hours: float) -> None:
        waits(self.clock.sleep(hours * 3600))

    @property
    def mandate(self) -> Mandate:
        unassigned = replace(self.policy, assigned=frozenset[EntryKey]())
        return Mandate(rules=self.rules, policy=self.policy, policy_hash=repr(unassigned))

    async def _ports(self) -> Ports:
        journal = await self.store.open_journal(JOB, f"process {self._cycles}")
        return Ports(
            source=self.source,
            target=self.target,
            journal=journal,
            clock=self.clock,
            entropy=self.chance,
        )

    # what can be asked afterwards

    @property
    def state(self) -> JobState:
        return self.store.state.of(JOB)

    @property
    def status(self) -> Status:
        return self.state.job.status

    @property
    def calls(self) -> list[str]:
        """What the last cycle asked of the target, listings aside."""
        return [call for call in self.target.calls if call != "list"]

    @property
    def writes(self) -> list[Write]:
        return list(self.target.writes)

    def says(self, anchor: str) -> dict[str, Value]:
        return dict(self.directory.entries[Anchor(anchor)].attributes)

    def standing(self, who: str, mapping: MappingName = USERS) -> Standing | None:
        return self.state.standings.get(StandingKey(mapping, Anchor(who)))

    def link(self, who: str, mapping: MappingName = USERS) -> str:
        """Say how the link stands; `none` where there is none."""
        standing = self.standing(who, mapping)
        return str(standing.link.state) if standing and standing.link else "none"

    def records(self, who: str, mapping: MappingName = USERS) -> list[Record]:
        cycle, key = f"cycle {self._cycles}", StandingKey(mapping, Anchor(who))
        rows = self.store.state.records
        return [r for _, _, r in rows if r.cycle == cycle and r.key == key]

    def lines(self, who: str, mapping: MappingName = USERS) -> list[Line]:
        """Return what the last cycle wrote in the ledger about one object, references aside."""
        return [
            Line(r.row, str(r.action), str(r.verdict), r.code)
            for r in self.records(who, mapping)
            if not r.is_reference_pass
        ]

    def escrow(self, who: str, mapping: MappingName = USERS) -> str:
        """Return the code of the open escrow, empty where there is none."""
        standing = self.standing(who, mapping)
        return standing.escrow.code if standing and standing.escrow else ""


def job() -> Job:
    return Job(id=JOB, name=JOB, template_id="scim", application_id="app")


def waits(work: Coroutine[object, object, Answer]) -> Answer:
    return asyncio.run(work)


def asked(lists: bool, *calls: str) -> list[str]:
    """Return the calls that are due: a listing answers what would be searched for."""
    return [call for call in calls if not (lists and call == "find")]


# the writes, as a test says them


def creates(who: str, **attributes: Value) -> Create:
    """Return the create of a person's account, as the rules want it."""
    name = f"{who}@x.org"
    said: dict[str, Value] = {"userName": name, "displayName": who, "active": True, **attributes}
    return Create("User", said, (MatchQuery("User", "userName", name),))


def updates(
    anchor: str, kind: str = "User", **changes: tuple[Value | None, Value | None]
) -> Update:
    """Return an update; each change names what was, and what is to be."""
    said = tuple(AttributeChange(name, before, after) for name, (before, after) in changes.items())
    return Update(kind, Anchor(anchor), said)


def members(anchor: str, *, added: Sequence[str] = (), removed: Sequence[str] = ()) -> Update:
    """Return a change of a group's members."""
    change = ReferencesChange("members", _users(added), _users(removed))
    return Update("Group", Anchor(anchor), (change,))


def _users(anchors: Sequence[str]) -> frozenset[Reference]:
    return frozenset(Reference("User", Anchor(anchor)) for anchor in anchors)


def deletes(anchor: str, kind: str = "User") -> Delete:
    return Delete(kind, Anchor(anchor))
