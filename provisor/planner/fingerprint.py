"""Hashes that tell whether what was planned still stands. Not secret, not for security."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from provisor.model.decisions import (
    Action,
    AttributeChange,
    Export,
    ReferencesChange,
    Resolution,
    Standing,
    StandingKey,
    TargetChange,
)
from provisor.model.entries import NO_ATTRIBUTES, Attributes, Value
from provisor.model.plans import PlanStep
from provisor.model.rules import ObjectMapping


def precondition(mapping: ObjectMapping, standing: Standing, resolution: Resolution) -> str:
    """Return the hash of all that a write depends on: source, target and rules (settled 16)."""
    source = standing.source.attributes if standing.source else NO_ATTRIBUTES
    base = resolution.base if isinstance(resolution, Export) else NO_ATTRIBUTES
    anchor = standing.link.target if standing.link else ""
    parts = (
        mapping.hash,
        _attributes(source),
        standing.absence,
        standing.is_assigned,
        anchor,
        _attributes(base),
    )
    return _hash(parts)


def reference_precondition(mapping: ObjectMapping, standing: Standing) -> str:
    """Return the hash of all that a change of references depends on.

    What the owner points at now shows in the changes themselves; its anchor does not count, as it
    may be created by the same plan.
    """
    source = standing.source.attributes if standing.source else NO_ATTRIBUTES
    return _hash((mapping.hash, _attributes(source), standing.absence))


def plan_hash(job: str, steps: Iterable[PlanStep]) -> str:
    """Return what names exactly these steps of this job, in whatever order they were planned."""
    return _hash((job, sorted(repr(_step(step)) for step in steps)))


def _step(step: PlanStep) -> object:
    key: StandingKey = step.key
    action: Action = step.action
    changes = [_change(change) for change in step.changes]
    return (key.mapping, key.anchor, step.is_reference_pass, action, changes, step.precondition)


def _change(change: TargetChange) -> object:
    match change:
        case AttributeChange(name, before, after):
            return (name, _value(before), _value(after))
        case ReferencesChange(name, added, removed):
            return (name, _references(added), _references(removed))


def _references(references: Iterable[object]) -> list[str]:
    return sorted(map(repr, references))


def _attributes(attributes: Attributes) -> list[tuple[str, str]]:
    return [(name, _value(attributes[name])) for name in sorted(attributes)]


def _value(value: Value | None) -> str:
    return repr(value)


def _hash(parts: object) -> str:
    return sha256(repr(parts).encode()).hexdigest()
