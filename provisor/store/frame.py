"""What a store remembers of a job besides its objects. Values, the same for every store."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from provisor.model.audit import Altered
from provisor.model.cycles import Counts, Cycle, CycleKind, CycleResult, JobError, Side
from provisor.model.decisions import StandingKey
from provisor.model.entries import MatchQuery
from provisor.model.jobs import Progress
from provisor.model.rules import ObjectMapping, Refers
from provisor.ports import StagedView


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCycle:
    """A cycle that has not ended, with what it has read so far."""

    id: str
    kind: CycleKind
    began: datetime
    read: int = 0
    """Objects that its reads showed, each once."""
    deltas: int = 0
    reference_deltas: int = 0
    progress: Progress | None = None

    def how_far(self) -> Progress:
        nothing_yet = Progress(completed_units=0, total_units=0, units="", observed_at=self.began)
        return self.progress or nothing_yet


@dataclass(frozen=True, slots=True)
class MappingNote:
    """What is remembered of an object mapping, also when the rules have it no more."""

    target_kind: str
    hash: str | None
    """Of the rules in force; None while they do not have it."""
    is_enabled: bool
    pointing_at_many: frozenset[str] = frozenset()
    """Target attributes that hold any number of references."""
    shown: Mapping[str, str] = field(default_factory=dict[str, str])
    """What its images show; see `ObjectMapping.shown`."""

    @classmethod
    def of(cls, mapping: ObjectMapping) -> MappingNote:
        attributes = mapping.attributes
        return cls(
            mapping.target_kind,
            mapping.hash,
            mapping.is_enabled,
            frozenset(m.target.name for m in attributes if m.refers is Refers.TO_MANY),
            mapping.shown,
        )

    def shows_all_of(self, other: MappingNote) -> bool:
        """True when images that were taken under this one will do for the other.

        While a mapping is disabled or gone others may look after its objects.
        """
        is_in_force = self.is_enabled and self.hash is not None
        is_same_kind = self.target_kind == other.target_kind
        return is_in_force and is_same_kind and self.shown.items() >= other.shown.items()


UNKNOWN_MAPPING = MappingNote(target_kind="", hash=None, is_enabled=True)
"""Of a mapping that no rules named yet."""


def spell(query: MatchQuery) -> str:
    """Return a query as text that is another for another query: 1 is not True, nor "1"."""
    return repr((query.kind, query.attribute, query.value))


@dataclass(frozen=True, slots=True)
class HeldSnapshot:
    """A snapshot that proves no absence until an administrator says so."""

    digest: str
    why: str
    at: datetime
    is_approved: bool = False

    def is_let(self, digest: str) -> bool:
        """True if this very content was approved; what has no name cannot have been."""
        return self.is_approved and digest == self.digest != ""


def spell_claim(query: MatchQuery) -> str:
    """Return a query as claims are compared: values alike but for case are one name."""
    value = query.value
    if isinstance(value, str):
        value = value.casefold()
    return repr((query.kind, query.attribute, value))


def hold(held: HeldSnapshot | None, digest: str, why: str, now: datetime) -> HeldSnapshot:
    """Return the hold on a snapshot: the same content waits since it was first held."""
    is_same = held is not None and held.digest == digest
    return replace(held, why=why) if held and is_same else HeldSnapshot(digest, why, now)


def interrupted(cycle: OpenCycle, ended: datetime, counts: Counts) -> Cycle:
    """Return the record of a cycle whose process did not live to write it."""
    error = JobError(
        code="CycleInterrupted",
        message="The process that ran this cycle ended before it did. The next cycle goes on "
        "from what was remembered.",
        is_tenant_actionable=False,
        side=Side.ENGINE,
    )
    return Cycle(
        id=cycle.id,
        kind=cycle.kind,
        began=cycle.began,
        ended=ended,
        result=CycleResult.FAILED,
        counts=counts,
        error=error,
    )


def imported(kind: CycleKind, read: int, deltas: int, reference_deltas: int) -> Counts:
    """Return what a cycle has read (spec: settled 24); see `OpenCycle`."""
    return Counts(
        imported=read if kind is CycleKind.INITIAL else deltas,
        imported_deltas=deltas,
        imported_reference_deltas=reference_deltas,
    )


def released(view: StagedView) -> tuple[Altered, ...]:
    """Return what an approval lets pass, as the audit tells it."""
    counts = {
        "staged departures": len(view.departures),
        "staged removals of members": len(view.members),
        "held snapshots": int(bool(view.snapshot)),
    }
    return tuple(Altered(name, str(count), "0") for name, count in counts.items() if count)


def staged_view(
    departures: Mapping[StandingKey, int],
    members: Mapping[StandingKey, int],
    held: HeldSnapshot | None,
) -> StagedView:
    """Return what waits for an administrator, under a hash that names exactly this."""
    waits = held is not None and not held.is_approved
    parts = [
        *(("departure", k.mapping, k.anchor, str(departures[k])) for k in sorted(departures)),
        *(("members", k.mapping, k.anchor, str(members[k])) for k in sorted(members)),
        *([("snapshot", held.digest)] if held and waits else []),
    ]
    # Lengths go before the texts, so that no text can look like two.
    text = "".join(f"{len(word)}:{word}" for part in parts for word in part)
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return StagedView(
        hash=digest if parts else "",
        departures=tuple(sorted(departures)),
        members=tuple(sorted(members)),
        snapshot=held.why if held and waits else "",
    )
