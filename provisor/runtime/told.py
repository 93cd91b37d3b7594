"""Plans and explanations as documents: what the command line prints as JSON and the API answers.

Their form is stable, and described in docs/command-line.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from provisor.engine.on_demand import Explained, Explanation
from provisor.engine.whatif import WhatIf
from provisor.expressions.context import Answer
from provisor.model.decisions import Decision, Escrow, Standing, TargetChange
from provisor.model.directories import Probed
from provisor.model.entries import NO_ATTRIBUTES, Value
from provisor.model.expressions import attributes_of
from provisor.model.jobs import Job
from provisor.model.plans import Plan, PlanStep
from provisor.model.rules import ObjectMapping
from provisor.planner.diff import redact
from provisor.planner.record import changes_of, name_of
from provisor.store.planfile import shown, text_of

REDACTED = "[Redact]"


def changes(made: Iterable[TargetChange]) -> list[dict[str, object]]:
    """Return what is changed, values as texts."""
    return [
        {
            "attribute": change.attribute,
            "before": change.before,
            "after": change.after,
            "added": change.added,
            "removed": change.removed,
        }
        for change in map(shown, made)
    ]


def visible_changes(decision: Decision, mapping: ObjectMapping) -> tuple[TargetChange, ...]:
    """Return what a decision changes, without values that must not be shown."""
    hidden = {m.target.name for m in mapping.attributes if m.is_redacted}
    return redact(changes_of(decision), hidden.__contains__)


def is_redacted(mapping: ObjectMapping, target: str) -> bool:
    return any(m.is_redacted for m in mapping.attributes if m.target.name == target)


def plan_document(job: Job, made: Plan, *, is_restored: bool) -> dict[str, object]:
    """Return a plan as it is told; it may be of a store that was restored, whose next cycle looks
    at everything anew."""
    counts = Counter(step.action.value for step in made.steps if not step.is_reference_pass)
    counts["references"] = sum(step.is_reference_pass for step in made.steps)
    cycle = made.cycle
    error = cycle.error or (cycle.halt.error if cycle.halt else None)
    return {
        "job": job.name,
        "jobId": job.id,
        "madeAt": made.made_at,
        "hash": made.hash,
        "isStoreRestored": is_restored,
        "counts": {name: number for name, number in sorted(counts.items()) if number},
        "failed": cycle.counts.failed,
        "error": {"code": error.code, "message": error.message} if error else None,
        "steps": [_step(step) for step in made.steps],
    }


def whatif_document(job: Job, told: WhatIf) -> dict[str, object]:
    """Return what other rules would change (docs/mappings.md)."""
    counts = Counter(one.effect.value for one in told.altered)
    return {
        "job": job.name,
        "jobId": job.id,
        "examined": told.examined,
        "changedMappings": told.changed,
        "counts": dict(sorted(counts.items())),
        "inDoubt": told.in_doubt,
        "droppedMappings": told.dropped,
        "unseenAttributes": told.unseen,
        "unknownAttributes": told.unshown,
        "error": {"code": told.error.code, "message": told.error.message} if told.error else None,
        "objects": [
            {
                "effect": one.effect.value,
                "objectMapping": one.key.mapping,
                "object": {"id": one.key.anchor, "name": one.name},
                "code": one.code,
                "reason": one.reason,
                "changes": changes(one.changes),
            }
            for one in told.altered
        ],
    }


def _step(step: PlanStep) -> dict[str, object]:
    return {
        "action": step.action.value,
        "isReferences": step.is_reference_pass,
        "objectMapping": step.key.mapping,
        "object": {"id": step.key.anchor, "name": step.source_name},
        "situation": step.situation.value,
        "row": step.row,
        "code": step.code,
        "changes": changes(step.shown),
    }


def explanation(
    told: Explanation, mapping: ObjectMapping, answer: Callable[[Answer], str]
) -> dict[str, object]:
    """Return every step for one object; `answer` says how values of expressions are told."""
    standing, decision = told.standing, told.decision
    facts = decision.facts if decision else None
    return {
        "objectMapping": mapping.name,
        "object": {
            "kind": mapping.source_kind,
            "id": standing.key.anchor,
            "name": name_of(standing.source.attributes) if standing.source else "",
        },
        "isInSource": standing.source is not None and standing.absence is None,
        "source": _source(standing, mapping),
        "scope": {
            "isActive": facts.is_active,
            "isAssigned": facts.is_assigned,
            "passesFilter": facts.passes_filter,
            "clauses": [
                {"clause": clause, "holds": holds, "attribute": attribute}
                for clause, holds, attribute in told.clauses
            ],
        }
        if facts
        else None,
        "match": {
            "linkedTo": standing.link.target if standing.link else None,
            "linkState": standing.link.state.value if standing.link else None,
            "queries": [
                {"attribute": query.attribute, "value": text_of(query.value)}
                for query in told.queries
            ],
            "found": [entry.anchor for entry in told.sighting.found],
            "attributes": [m.target.name for m in mapping.attributes if m.matching_priority],
            "takenBy": told.sighting.taken_by.anchor if told.sighting.taken_by else None,
        },
        "values": [_value(one, is_redacted(mapping, one.target), answer) for one in told.values],
        "decision": {
            "action": decision.action.value,
            "row": decision.row,
            "situation": decision.situation.value,
            "code": decision.code,
            "changes": changes(visible_changes(decision, mapping)),
        }
        if decision
        else None,
        "problem": told.problem,
        "references": changes(told.references),
        "escrow": _escrow(standing.escrow),
        "referencesEscrow": _escrow(standing.references_escrow),
    }


def _source(standing: Standing, mapping: ObjectMapping) -> dict[str, object]:
    """Return what the source says, without what feeds a value that must not be shown."""
    hidden = frozenset[str]().union(
        *(attributes_of(m.source) for m in mapping.attributes if m.source and m.is_redacted)
    )
    said = standing.source.attributes if standing.source else NO_ATTRIBUTES
    return {name: REDACTED if name in hidden else _plain(value) for name, value in said.items()}


def _plain(value: Value) -> object:
    """Return a value as JSON has it; what JSON has no form for, as text."""
    match value:
        case bool() | int() | str():
            return value
        case tuple():
            return [_plain(one) for one in value]
        case _:
            return text_of(value)


def _value(
    explained: Explained, is_redacted: bool, answer: Callable[[Answer], str]
) -> dict[str, object]:
    steps = [
        {
            "expression": step.text,
            "level": step.level,
            "value": REDACTED if is_redacted else answer(step.value),
            "error": str(step.error) if step.error else None,
        }
        for step in explained.steps
    ]
    return {"target": explained.target, "expression": explained.expression, "steps": steps}


def _escrow(escrow: Escrow | None) -> dict[str, object] | None:
    if escrow is None:
        return None
    return {
        "code": escrow.code,
        "reason": escrow.reason,
        "attempts": escrow.attempts,
        "firstFailedAt": escrow.first_failed_at,
        "retryAt": escrow.retry_at,
    }


def probe_document(probed: Mapping[str, Probed]) -> dict[str, object]:
    """Return what was found out of each side (docs/command-line.md)."""
    return {side: _probed(one) for side, one in probed.items()}


def _probed(one: Probed) -> dict[str, object]:
    told = one.report
    return {
        "connector": one.connector,
        "system": told.system.identity,
        "view": told.system.view,
        "isUsable": told.is_usable,
        "findings": [
            {
                "topic": finding.topic.value,
                "code": finding.code,
                "weight": finding.weight.value,
                "message": finding.message,
                "remedy": finding.remedy,
            }
            for finding in told.findings
        ],
        "learned": dict(told.learned),
    }
