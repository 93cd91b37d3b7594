"""What a workspace is run with: the ports, and what makes a job ready to go."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, TypeAlias

from provisor.connectors.around.trace import Trace
from provisor.engine.work import Mandate
from provisor.model.jobs import Job
from provisor.ports import (
    Among,
    Clock,
    Ears,
    Entropy,
    Journal,
    LeaseEnds,
    Leases,
    Ledger,
    Registry,
    Source,
    Target,
    TargetReader,
    Vault,
    alone,
    forever,
)
from provisor.ports.shares import Shares
from provisor.telemetry.watch import Watching

WORKSPACE = "workspace"
"""Owns the documents that belong to no application and no job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipment:
    """A job that could go: what it is told, and how its two systems are reached.

    Nothing is connected to before `source`, `target` or `reader` is called.
    """

    mandate: Mandate
    source: Callable[[], Source]
    target: Callable[[], Target]
    reader: Callable[[], TargetReader]
    """A target with no way to write."""
    traced: Callable[[Trace], Target] | None = None
    """The target, with what it is asked and answers noted there; None: nothing can be."""
    ears: Callable[[], Ears] | None = None
    """What tells by itself that the source has changed; None: nothing does."""


class Equip(Protocol):
    """Make a job ready from what is stored and what its references lead to just now."""

    def __call__(
        self,
        job: Job,
        *,
        may_change_system: bool = False,
        lease_ends: LeaseEnds = forever,
        among: Among = alone,
    ) -> Awaitable[Equipment]: ...


Tells: TypeAlias = Callable[[Job], Awaitable[bool]]
"""Says whether a job's source may tell by itself that it has changed: asked of every job, so it
costs little. Only who is made ready knows it for certain."""


class Leading(Protocol):
    """Give what a cycle of a job is shared out by, once its journal is open."""

    def __call__(self, job: Job, journal: Journal, mandate: Mandate) -> Shares: ...


LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class Folding:
    """When old records are to be looked for again, as far as this process knows."""

    again_at: datetime = LONG_AGO


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """An opened workspace."""

    folder: Path
    """The workspace's: what files are named relative to."""
    leases: Leases
    registry: Registry
    ledger: Ledger
    vault: Vault
    clock: Clock
    entropy: Entropy
    equip: Equip
    tells: Tells
    holder: str
    """Who we are to others: host and process."""
    watching: Watching | None = None
    """Who is told what jobs do, for operators."""
    leading: Leading | None = None
    """What shares wide cycles out; None: each runs where it began."""
    folding: Folding = field(default_factory=Folding)
