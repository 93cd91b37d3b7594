"""What the ledger says of one decision and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from hashlib import sha1
from uuid import UUID, uuid5

from provisor.model.decisions import (
    Action,
    AttributeChange,
    Create,
    Decision,
    Delete,
    Escrowed,
    Export,
    Facts,
    Heard,
    Keep,
    Link,
    Outcome,
    Record,
    ReferencesChange,
    Refuse,
    Situation,
    Stage,
    Standing,
    StandingKey,
    TargetChange,
    Update,
    Verdict,
    Write,
)
from provisor.model.entries import (
    NO_ATTRIBUTES,
    Anchor,
    Attributes,
    Entry,
    MatchQuery,
    ReadFault,
    Reference,
)
from provisor.model.rules import Mutability
from provisor.planner.diff import redact, same
from provisor.planner.terms import Terms

CHANGES = UUID("8d5f2f8e-3f0c-4b8e-9d5a-5a0b6f7c1e42")
"""The name space of change ids: the same change of the same cycle has the same id."""
LEFT_OUT = "(left out: the mapping redacts values)"
TOLD_MAX = 100
"""References of one object that a record of drift names."""
NAMES = ("displayName", "userPrincipalName", "userName", "mail")
"""Attributes by which people know an object, and look for it."""


def record_of(
    terms: Terms,
    standing: Standing,
    decision: Decision,
    outcome: Outcome | None,
    *,
    cycle: str,
    began: datetime,
    ended: datetime,
    matched_by: MatchQuery | None = None,
    initiated_by: str = "",
) -> Record:
    """Return the log record of one decision. Without an outcome it was only announced."""
    verdict = _verdict(decision, outcome)
    is_escrowed = isinstance(outcome, Escrowed)
    return Record(
        cycle=cycle,
        change=change_id(cycle, standing, ""),
        at=ended,
        duration_ms=int((ended - began).total_seconds() * 1000),
        key=standing.key,
        row=decision.row,
        situation=decision.situation,
        action=decision.action,
        verdict=verdict,
        code=outcome.code if is_escrowed else decision.code,
        reason=outcome.reason if is_escrowed else "",
        is_exported=not is_escrowed and verdict is Verdict.SUCCESS,
        is_export_due=isinstance(decision.resolution, Export),
        facts=decision.facts,
        source_name=name_of(standing.source.attributes if standing.source else {}),
        target=_target(standing, decision, outcome),
        changes=_told(terms, decision),
        matched_by=matched_by,
        initiated_by=initiated_by,
        heard=_kept(terms, outcome.heard) if outcome is not None else None,
    )


def reference_record(
    standing: Standing,
    decision: Decision,
    changes: tuple[TargetChange, ...],
    outcome: Outcome,
    *,
    cycle: str,
    began: datetime,
    ended: datetime,
    is_exported: bool,
) -> Record:
    """Return the log record of one object's references; some may be done, others refused."""
    is_refused = isinstance(outcome, Escrowed)
    return Record(
        cycle=cycle,
        change=change_id(cycle, standing, "references"),
        at=ended,
        duration_ms=int((ended - began).total_seconds() * 1000),
        key=standing.key,
        row=decision.row,
        situation=decision.situation,
        action=decision.action,
        verdict=Verdict.FAILURE if is_refused else Verdict.SUCCESS,
        code=outcome.code if is_refused else "",
        reason=outcome.reason if is_refused else "",
        is_exported=is_exported,
        is_export_due=bool(changes),
        facts=decision.facts,
        source_name=name_of(standing.source.attributes if standing.source else {}),
        target=standing.link.target if standing.link else None,
        changes=changes,
        is_reference_pass=True,
        heard=outcome.heard,
    )


def drift_record(
    terms: Terms, key: StandingKey, link: Link, now: Entry, *, cycle: str, at: datetime
) -> Record | None:
    """Return the log record of what others changed in a target object; None where they changed
    nothing that is ours: what no mapping names, what points elsewhere, what cannot be read."""
    before = link.image.attributes if link.image else NO_ATTRIBUTES
    told = (m.target for m in terms.plain if m.target.mutability is not Mutability.WRITE_ONLY)
    pairs = ((d, before.get(d.name), now.attributes.get(d.name)) for d in told)
    changes = tuple(AttributeChange(d.name, a, b) for d, a, b in pairs if not same(d, a, b))
    if not changes:
        return None
    return Record(
        cycle=cycle,
        change=str(uuid5(CHANGES, f"{cycle}|{key.mapping}|{key.anchor}|drift")),
        at=at,
        duration_ms=0,
        key=key,
        row=0,
        situation=Situation.CONFIRMED,
        action=Action.OTHER,
        verdict=Verdict.WARNING,
        code="Drift",
        facts=Facts(is_assigned=True, is_active=True, passes_filter=True),
        target=link.target,
        target_name=name_of(now.attributes),
        changes=redact(changes, redacted_by(terms)),
    )


def roll_record(
    standing: Standing,
    name: str,
    missing: frozenset[Reference],
    others: frozenset[Reference],
    *,
    cycle: str,
    at: datetime,
) -> Record:
    """Return the log record of what others changed in whom a target object points at."""
    told = [f"{len(missing)} of {name} are not there any more"] if missing else []
    told += [f"{len(others)} were added by others, and stay"] if others else []
    change = ReferencesChange(name, _some(others), _some(missing))
    return Record(
        cycle=cycle,
        change=str(uuid5(CHANGES, f"{cycle}|{standing.key.mapping}|{standing.key.anchor}|{name}")),
        at=at,
        duration_ms=0,
        key=standing.key,
        row=0,
        situation=Situation.CONFIRMED,
        action=Action.OTHER,
        verdict=Verdict.WARNING,
        code="Drift",
        reason="; ".join(told),
        facts=Facts(is_assigned=True, is_active=True, passes_filter=True),
        source_name=name_of(standing.source.attributes if standing.source else {}),
        target=standing.link.target if standing.link else None,
        changes=(change,),
        is_reference_pass=True,
    )


def _some(references: frozenset[Reference]) -> frozenset[Reference]:
    """Return so many as people look through."""
    if len(references) <= TOLD_MAX:
        return references
    return frozenset(sorted(references, key=lambda one: (one.kind, one.anchor))[:TOLD_MAX])


def fault_record(key: StandingKey, fault: ReadFault, *, cycle: str, at: datetime) -> Record:
    """Return the log record of a source row that could not be read."""
    return Record(
        cycle=cycle,
        change=str(uuid5(CHANGES, f"{cycle}|{key.mapping}|{fault.where}|fault")),
        at=at,
        duration_ms=0,
        key=key,
        row=0,
        situation=Situation.UNKNOWN,
        action=Action.OTHER,
        verdict=Verdict.FAILURE,
        code="SourceRowInvalid",
        reason=f"{fault.where}: {fault.message}",
        facts=Facts(is_assigned=False, is_active=False, passes_filter=False),
    )


def change_id(cycle: str, standing: Standing, part: str) -> str:
    """Return the id of a change: an object's references are a change of their own."""
    attempts = standing.escrow.attempts if standing.escrow else 0
    key = standing.key
    return _named(f"{cycle}|{key.mapping}|{key.anchor}|{part}|{attempts}")


def _named(name: str) -> str:
    """Return `uuid5(CHANGES, name)` as text: the same without the ceremony."""
    text = sha1(CHANGES.bytes + name.encode(), usedforsecurity=False).hexdigest()
    variant = "89ab"[int(text[16], 16) & 3]
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{variant}{text[17:20]}-{text[20:32]}"


def name_of(attributes: Attributes) -> str:
    """Return the name by which people know an object."""
    return next((str(attributes[n]) for n in NAMES if attributes.get(n)), "")


def redacted_by(terms: Terms) -> Callable[[str], bool]:
    return terms.redacted.__contains__


def _told(terms: Terms, decision: Decision) -> tuple[TargetChange, ...]:
    changes = changes_of(decision)
    return redact(changes, redacted_by(terms)) if terms.redacted else changes


def _kept(terms: Terms, heard: Heard | None) -> Heard | None:
    """Return what was asked and answered without anything in which a value may be that a mapping
    redacts, be it in a name: which of its letters it is nobody can tell any more."""
    if heard is None or not terms.blackens:
        return heard
    verb, told = heard.asked.partition(" ")[0], heard.sent or heard.answered
    return Heard(f"{verb} {LEFT_OUT}", heard.outcome, *((LEFT_OUT, LEFT_OUT) if told else ()))


def changes_of(decision: Decision) -> tuple[TargetChange, ...]:
    """Return what a decision changes in the target, value by value."""
    if not isinstance(decision.resolution, Export):
        return ()
    return write_changes(decision.resolution.write)


def write_changes(write: Write) -> tuple[TargetChange, ...]:
    match write:
        case Create(_, attributes, _):
            return tuple(AttributeChange(n, None, v) for n, v in attributes.items())
        case Update(_, _, changes, _):
            return changes
        case Delete():
            return ()


def _verdict(decision: Decision, outcome: Outcome | None) -> Verdict:
    if isinstance(outcome, Escrowed):
        return Verdict.FAILURE
    match decision.resolution:
        case Export():
            return Verdict.SUCCESS
        case Keep():
            return Verdict.SKIPPED
        case Stage():
            return Verdict.WARNING
        case Refuse():
            return Verdict.FAILURE


def _target(standing: Standing, decision: Decision, outcome: Outcome | None) -> Anchor | None:
    if outcome is not None and not isinstance(outcome, Escrowed) and outcome.link is not None:
        return outcome.link.target
    if isinstance(decision.resolution, Keep) and decision.resolution.link is not None:
        return decision.resolution.link.target
    return standing.link.target if standing.link else None
