"""What one cycle works with: the ports, what an administrator has set, and what it has done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from provisor.expressions.context import Context, FixedChance
from provisor.model.cycles import Halt, JobError, Spent
from provisor.model.decisions import Decision, Standing, StandingKey, TargetChange
from provisor.model.entries import EntryKey, MatchQuery
from provisor.model.rules import MappingName, Policy, Rules
from provisor.planner.terms import Terms, terms_of
from provisor.ports import Clock, Entropy, Journal, LeaseEnds, Source, Target, forever
from provisor.ports.shares import Shares


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    source: Source
    target: Target
    journal: Journal
    clock: Clock
    entropy: Entropy
    lease_ends: LeaseEnds = forever
    """No write is sent after this: another engine may have the job by then."""
    spent: Callable[[], Spent | None] = lambda: None
    """Where the time of this cycle has gone so far; None where nobody holds the watch."""
    shares: Shares | None = None
    """What a wide cycle is shared out by; None where nobody is to help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mandate:
    """What an administrator has set: the rules in force and the policy."""

    rules: Rules
    policy: Policy
    policy_hash: str = ""
    """Changes whenever the policy does: everything is looked at again."""
    may_change_system: bool = False
    """The administrator says that source and target are still the same systems."""


class Stopped(Exception):
    """The job was paused, restarted or deleted: stop at this boundary."""


class NotAdmitted(Exception):
    """A write is not in the plan that is carried out, or not as it was planned."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Gate(Protocol):
    """What may pass from a decision to the target. Each write passes once, before it is claimed."""

    async def admit(self, work: Work, standing: Standing, decision: Decision) -> Decision:
        """Return the decision as it is carried out. Raises NotAdmitted."""
        ...

    async def admit_references(
        self, work: Work, standing: Standing, changes: tuple[TargetChange, ...]
    ) -> None:
        """Let a change of references pass, or raise NotAdmitted."""
        ...

    async def announce(self, work: Work, standing: Standing, decision: Decision) -> None:
        """Take note of a departure that is held."""
        ...

    def approves(self, work: Work, standing: Standing) -> bool:
        """True when a departure was approved with the plan that is carried out."""
        ...


class Open:
    """Lets everything pass: a cycle without a plan."""

    async def admit(self, work: Work, standing: Standing, decision: Decision) -> Decision:
        return decision

    async def admit_references(
        self, work: Work, standing: Standing, changes: tuple[TargetChange, ...]
    ) -> None:
        return None

    async def announce(self, work: Work, standing: Standing, decision: Decision) -> None:
        return None

    def approves(self, work: Work, standing: Standing) -> bool:
        return False


class Outdated(Protocol):
    """What a listing of this cycle says no longer: it is older than what was written since."""

    def note(self, queries: Iterable[MatchQuery]) -> None:
        """Take note of normalised queries that objects answer to since a write, or did before."""
        ...

    def has(self, query: MatchQuery) -> bool: ...

    @property
    def is_any(self) -> bool: ...


class Remembered:
    """Implements `Outdated`, for who writes alone."""

    def __init__(self) -> None:
        self._hashes = set[int]()

    def note(self, queries: Iterable[MatchQuery]) -> None:
        self._hashes.update(map(hash, queries))

    def has(self, query: MatchQuery) -> bool:
        return hash(query) in self._hashes

    @property
    def is_any(self) -> bool:
        return bool(self._hashes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """The frame of one cycle."""

    cycle: str
    mandate: Mandate
    terms: Mapping[MappingName, Terms]
    """Of enabled mappings, in the order in which they run."""
    ports: Ports
    at: datetime
    """The time at which the clock of expressions stands."""
    initiated_by: str = ""
    gate: Gate = field(default_factory=Open)
    listed: set[str] = field(default_factory=set[str])
    """Target kinds of which this cycle has listed every object."""
    outdated: Outdated = field(default_factory=Remembered)
    """Which of it is no longer so."""
    doubts: list[str] = field(default_factory=list[str])
    """Why what was read of the source in this cycle proves nothing, by code: nobody is let go of
    for it."""

    @property
    def stamp(self) -> str:
        return self.ports.target.capabilities.stamp

    def of(self, key: StandingKey) -> Terms:
        return self.terms[key.mapping]

    def takers(self, key: EntryKey) -> tuple[StandingKey, ...]:
        """Return the standings a source object may have, one for each mapping of its kind."""
        return tuple(StandingKey(name, key.anchor) for name in self.mappings_of(key.kind))

    def mappings_of(self, kind: str) -> tuple[MappingName, ...]:
        """Return the mappings that take source objects of a kind."""
        return tuple(n for n, terms in self.terms.items() if terms.mapping.source_kind == kind)


def still_terms(mandate: Mandate, now: datetime) -> Mapping[MappingName, Terms]:
    """Compile the rules with chance that repeats itself: what is drawn is no difference."""
    context = Context(now, mandate.policy.default_domain, FixedChance())
    return {
        name: terms_of(mapping, mandate.policy, context)
        for name, mapping in mandate.rules.items()
        if mapping.is_enabled
    }


async def mind(work: Work) -> None:
    """Go on, unless somebody has asked to stop. Raises Stopped."""
    if not await work.ports.journal.is_wanted():
        raise Stopped


def begin_work(
    mandate: Mandate,
    ports: Ports,
    cycle: str,
    *,
    initiated_by: str = "",
    gate: Gate | None = None,
    at: datetime | None = None,
) -> Work:
    """Compile the rules once; the clock of expressions stands still for the whole cycle, at the
    time that is given, or now."""
    policy, now = mandate.policy, at or ports.clock.now()
    context = Context(now=now, default_domain=policy.default_domain, chance=ports.entropy)
    terms = {
        name: terms_of(mapping, policy, context)
        for name, mapping in mandate.rules.items()
        if mapping.is_enabled
    }
    return Work(
        cycle=cycle,
        mandate=mandate,
        terms=terms,
        ports=ports,
        initiated_by=initiated_by,
        gate=gate or Open(),
        at=now,
    )


@dataclass(slots=True)
class Tally:
    """What a cycle has done so far; it must survive the exception that ends the cycle."""

    began: datetime
    error: JobError | None = None
    halt: Halt | None = None
    is_complete_read: bool = False
    is_unvouched: bool = False
    """It was read from files that no manifest vouches for."""
    are_escrows_pruned: bool = False
    is_cut_short: bool = False
    succeeded: int = 0
    base_failures: int = 0
    """Objects in escrow now, references aside."""
    reference_failures: int = 0
    errors: Counter[str] = field(default_factory=Counter[str])
    done: int = 0
    total: int = 0
