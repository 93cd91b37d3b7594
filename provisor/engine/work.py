"""What one cycle works with: the ports, what an administrator has set, and what it has done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from provisor.expressions.context import Context
from provisor.model.cycles import Halt, JobError
from provisor.model.decisions import StandingKey
from provisor.model.entries import EntryKey
from provisor.model.rules import MappingName, Policy, Rules
from provisor.planner.terms import Terms, terms_of
from provisor.ports import Clock, Entropy, Journal, Source, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    source: Source
    target: Target
    journal: Journal
    clock: Clock
    entropy: Entropy
    lease_ends: datetime | None = None
    """No write is sent after this: another engine may have the job by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mandate:
    """What an administrator has set: the rules in force and the policy."""

    rules: Rules
    policy: Policy
    policy_hash: str = ""
    """Changes whenever the policy does: everything is looked at again."""
    may_change_system: bool = False
    """The administrator says that source and target are still the same systems."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """The frame of one cycle."""

    cycle: str
    mandate: Mandate
    terms: Mapping[MappingName, Terms]
    """Of enabled mappings, in the order in which they run."""
    ports: Ports
    initiated_by: str = ""
    listed: set[str] = field(default_factory=set[str])
    """Target kinds of which this cycle has listed every object."""

    @property
    def stamp(self) -> str:
        return self.ports.target.capabilities.stamp

    def of(self, key: StandingKey) -> Terms:
        return self.terms[key.mapping]

    def takers(self, key: EntryKey) -> tuple[StandingKey, ...]:
        """Return the standings a source object may have, one for each mapping of its kind."""
        return tuple(
            StandingKey(name, key.anchor)
            for name, terms in self.terms.items()
            if terms.mapping.source_kind == key.kind
        )


def begin_work(mandate: Mandate, ports: Ports, cycle: str, initiated_by: str = "") -> Work:
    """Compile the rules once; the clock of expressions stands still for the whole cycle."""
    policy = mandate.policy
    context = Context(
        now=ports.clock.now(), default_domain=policy.default_domain, chance=ports.entropy
    )
    terms = {
        name: terms_of(mapping, policy, context)
        for name, mapping in mandate.rules.items()
        if mapping.is_enabled
    }
    return Work(cycle=cycle, mandate=mandate, terms=terms, ports=ports, initiated_by=initiated_by)


@dataclass(slots=True)
class Tally:
    """What a cycle has done so far; it must survive the exception that ends the cycle."""

    began: datetime
    error: JobError | None = None
    halt: Halt | None = None
    is_complete_read: bool = False
    are_escrows_pruned: bool = False
    succeeded: int = 0
    base_failures: int = 0
    """Objects in escrow now, references aside."""
    reference_failures: int = 0
    errors: Counter[str] = field(default_factory=Counter[str])
    done: int = 0
    total: int = 0
