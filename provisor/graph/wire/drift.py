"""What others changed in the target, and a word about it: beside Graph's own types."""

from __future__ import annotations

from datetime import datetime

from provisor.graph.wire.base import Wire
from provisor.planner.drift import DriftState


class DriftedAttribute(Wire, frozen=True, kw_only=True):
    name: str
    before: str | None = None
    """What the target had been left with."""
    found: str | None = None
    """What others had made of it when it was found."""
    state: DriftState
    may_accept: bool = False
    """Whom a group lacks can only be put there again."""


class DriftedObject(Wire, frozen=True, kw_only=True):
    object_mapping: str
    id: str
    """In the source."""
    name: str = ""
    target_id: str | None = None
    attributes: tuple[DriftedAttribute, ...]


class DriftReport(Wire, frozen=True, kw_only=True):
    """What the latest reconcile found, and how it stands with it now."""

    cycle: str | None
    """Of that reconcile; null where there was none among the latest cycles."""
    ended: datetime | None
    repairs: bool
    """A reconcile puts right what it finds; else it only tells of it."""
    is_whole: bool
    """False where there is more than was looked at."""
    count: int
    """Objects that were asked for."""
    states: dict[str, int]
    """How many attributes stand how, of all that was found."""
    attributes: dict[str, int]
    """How many objects each attribute was changed of, of all that was found."""
    value: tuple[DriftedObject, ...]


class DriftChoice(Wire, frozen=True, kw_only=True):
    """What a word is about: all that stands of a reconcile, an attribute, an object, or both."""

    cycle: str
    """The reconcile that was looked at: a later one may have found something else."""
    attribute: str | None = None
    object_mapping: str | None = None
    object: str | None = None


class Taken(Wire, frozen=True, kw_only=True):
    count: int
    """Attributes that were accepted; objects that the next cycle puts right."""
