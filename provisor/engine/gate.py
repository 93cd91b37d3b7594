"""What may pass from a decision to the target: everything in a cycle, what is in it under a plan.

A plan is made by the very engine that runs cycles, on a throw-away journal and a target that only
records; that is why a plan and its cycle cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import assert_never

from provisor.engine.work import NotAdmitted, Work
from provisor.model.decisions import (
    Action,
    AttributeChange,
    Create,
    Decision,
    Delete,
    Export,
    ReferencesChange,
    Situation,
    Standing,
    StandingKey,
    TargetChange,
    Update,
)
from provisor.model.entries import Entry, Reference, Value
from provisor.model.frozen import replace
from provisor.model.plans import PlanStep
from provisor.planner.diff import as_set, is_reference, redact
from provisor.planner.fingerprint import precondition, reference_precondition
from provisor.planner.record import changes_of, name_of, redacted_by


@dataclass(slots=True)
class Noting:
    """Lets everything pass, and notes it as the steps of a plan."""

    steps: list[PlanStep] = field(default_factory=list[PlanStep])

    async def admit(self, work: Work, standing: Standing, decision: Decision) -> Decision:
        self.steps.append(await step_of(work, standing, decision))
        return decision

    async def admit_references(
        self, work: Work, standing: Standing, changes: tuple[TargetChange, ...]
    ) -> None:
        self.steps.append(await reference_step_of(work, standing, changes))

    async def announce(self, work: Work, standing: Standing, decision: Decision) -> None:
        self.steps.append(await step_of(work, standing, decision))

    def approves(self, work: Work, standing: Standing) -> bool:
        return False


@dataclass(slots=True)
class Planned:
    """Lets pass exactly what a plan says, each step while its precondition holds."""

    steps: Mapping[tuple[StandingKey, bool], PlanStep]
    is_approved: bool = False
    """Its staged departures were approved with it."""

    async def admit(self, work: Work, standing: Standing, decision: Decision) -> Decision:
        step = self._find(standing, is_reference_pass=False)
        now = precondition(work.of(standing.key).mapping, standing, decision.resolution)
        if step.action is not Action.STAGED_DELETE and step.action is not decision.action:
            raise _differs(standing, "another action is due now")
        if step.action is not Action.STAGED_DELETE and step.precondition != now:
            raise _differs(standing, "the source, the target or the rules have changed")
        return _as_planned(decision, step)

    async def admit_references(
        self, work: Work, standing: Standing, changes: tuple[TargetChange, ...]
    ) -> None:
        step = self._find(standing, is_reference_pass=True)
        now = reference_precondition(work.of(standing.key).mapping, standing)
        if step.precondition != now or step.changes != await in_source_terms(work, changes):
            raise _differs(standing, "other references are due now")

    async def announce(self, work: Work, standing: Standing, decision: Decision) -> None:
        return None

    def approves(self, work: Work, standing: Standing) -> bool:
        step = self.steps.get((standing.key, False))
        if not self.is_approved or step is None or step.action is not Action.STAGED_DELETE:
            return False
        now = announced_precondition(work, standing)
        return step.precondition == now

    def _find(self, standing: Standing, *, is_reference_pass: bool) -> PlanStep:
        step = self.steps.get((standing.key, is_reference_pass))
        if step is None:
            raise NotAdmitted("NotInPlan", f"'{standing.key.anchor}' is not in the plan")
        return step


def _differs(standing: Standing, why: str) -> NotAdmitted:
    message = f"'{standing.key.anchor}' is not as it was planned: {why}; make a new plan"
    return NotAdmitted("PlanOutdated", message)


def planned(steps: Sequence[PlanStep], *, is_approved: bool) -> Planned:
    return Planned({(s.key, s.is_reference_pass): s for s in steps}, is_approved)


def _as_planned(decision: Decision, step: PlanStep) -> Decision:
    """Return the decision with the planned values: what was drawn by chance is not drawn anew."""
    resolution = decision.resolution
    if not isinstance(resolution, Export) or step.action is Action.STAGED_DELETE:
        return decision
    values = {c.name: c for c in step.changes if isinstance(c, AttributeChange)}
    match resolution.write:
        case Create() as write:
            attributes = {n: _planned_value(n, v, values) for n, v in write.attributes.items()}
            queries = tuple(
                replace(q, value=attributes.get(q.attribute, q.value)) for q in write.answers_to
            )
            planned_write = replace(write, attributes=attributes, answers_to=queries)
        case Update() as write:
            admitted = [c for c in write.changes if c.name in values or not is_reference(c)]
            planned_write = replace(write, changes=tuple(_kept(c, values) for c in admitted))
        case Delete() as write:
            planned_write = write
        case _:
            assert_never(resolution.write)
    return replace(decision, resolution=replace(resolution, write=planned_write))


def _planned_value(name: str, value: Value, values: Mapping[str, AttributeChange]) -> Value:
    """Return the planned value of an attribute; references are resolved when they are written."""
    told = values.get(name)
    if told is None or told.after is None or as_set(value):
        return value
    return told.after


def _kept(change: TargetChange, values: Mapping[str, AttributeChange]) -> TargetChange:
    """Return a change with its planned value; references are resolved when they are written."""
    if isinstance(change, ReferencesChange) or change.name not in values or is_reference(change):
        return change
    return replace(change, after=values[change.name].after)


# steps


async def step_of(work: Work, standing: Standing, decision: Decision) -> PlanStep:
    terms = work.of(standing.key)
    changes = await in_source_terms(work, changes_of(decision))
    is_held = decision.action is Action.STAGED_DELETE
    condition = (
        announced_precondition(work, standing)
        if is_held
        else precondition(terms.mapping, standing, decision.resolution)
    )
    return PlanStep(
        key=standing.key,
        is_reference_pass=False,
        row=decision.row,
        situation=decision.situation,
        action=decision.action,
        code=decision.code,
        changes=changes,
        shown=redact(changes, redacted_by(terms)),
        precondition=condition,
        source_name=_source_name(standing),
        target_name=_target_name(decision),
    )


async def reference_step_of(
    work: Work, standing: Standing, changes: tuple[TargetChange, ...]
) -> PlanStep:
    told = await in_source_terms(work, changes)
    return PlanStep(
        key=standing.key,
        is_reference_pass=True,
        row=9,
        situation=Situation.CONFIRMED,
        action=Action.UPDATE,
        code="",
        changes=told,
        shown=told,
        precondition=reference_precondition(work.of(standing.key).mapping, standing),
        source_name=_source_name(standing),
    )


def announced_precondition(work: Work, standing: Standing) -> str:
    """A departure is announced before anybody looks: it depends on source and rules alone."""
    return reference_precondition(work.of(standing.key).mapping, standing)


def _source_name(standing: Standing) -> str:
    return name_of(standing.source.attributes) if standing.source else ""


def _target_name(decision: Decision) -> str:
    resolution = decision.resolution
    return name_of(resolution.base) if isinstance(resolution, Export) else ""


async def in_source_terms(work: Work, changes: Iterable[TargetChange]) -> tuple[TargetChange, ...]:
    """Return the changes with references to source objects in place of target objects."""
    told: list[TargetChange] = []
    for change in changes:
        match change:
            case AttributeChange(name, before, after):
                values = [await _told_value(work, value) for value in (before, after)]
                told.append(AttributeChange(name, values[0], values[1]))
            case ReferencesChange(name, added, removed):
                sets = [await _told(work, references) for references in (added, removed)]
                told.append(ReferencesChange(name, sets[0], sets[1]))
            case _:
                assert_never(change)
    return tuple(told)


async def _told_value(work: Work, value: Value | None) -> Value | None:
    if isinstance(value, Reference):
        return next(iter(await _told(work, {value})))
    return value


async def _told(work: Work, references: Iterable[Reference]) -> frozenset[Reference]:
    told: set[Reference] = set()
    for reference in references:
        found = Entry(reference.kind, reference.anchor, {})
        owner = await work.ports.journal.owner(found, ())
        is_known = owner is not None and owner.mapping in work.terms
        kind = work.of(owner).mapping.source_kind if owner and is_known else reference.kind
        told.add(Reference(kind, owner.anchor) if owner and is_known else reference)
    return frozenset(told)
