"""A saved plan: a JSON document that people can read and Provisor can carry out exactly.

What a step shows is in clear; what it writes is sealed with the workspace's key, since generated
and redacted values must not lie about in a file (spec: settled 16).
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeAlias

import msgspec

from provisor.errors import AdapterError
from provisor.model.cycles import Cycle
from provisor.model.decisions import (
    Action,
    AttributeChange,
    ReferencesChange,
    Situation,
    StandingKey,
    TargetChange,
)
from provisor.model.entries import Anchor, Reference, Value
from provisor.model.plans import Plan, PlanStep
from provisor.model.rules import MappingName
from provisor.store.sql.codec import pack, unpack

VERSION = 1
Seal: TypeAlias = Callable[[bytes], bytes]


class PlanUnreadable(AdapterError):
    """The file is no plan, or not one of this workspace."""

    default_code = "PlanUnreadable"


class Change(msgspec.Struct, omit_defaults=True):
    """One attribute, as people read it."""

    attribute: str
    before: str | None = None
    after: str | None = None
    added: list[str] = []
    removed: list[str] = []


class Step(msgspec.Struct, rename="camel"):
    mapping: str
    anchor: str
    name: str
    action: str
    row: int
    situation: str
    code: str
    is_reference_pass: bool
    precondition: str
    target_name: str
    changes: list[Change]
    sealed: str


class Document(msgspec.Struct, rename="camel"):
    version: int
    job: str
    made_at: datetime
    hash: str
    cycle: Cycle
    steps: list[Step]


def encode(plan: Plan, seal: Seal) -> bytes:
    document = Document(
        version=VERSION,
        job=plan.job,
        made_at=plan.made_at,
        hash=plan.hash,
        cycle=plan.cycle,
        steps=[_encode_step(step, seal) for step in plan.steps],
    )
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def decode(content: bytes, unseal: Seal) -> Plan:
    """Return the plan. Raises PlanUnreadable; `unseal` raises what it raises for a strange key."""
    try:
        document = msgspec.json.decode(content, type=Document)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise PlanUnreadable(f"this is no saved plan: {error}") from error
    if document.version != VERSION:
        raise PlanUnreadable(f"this plan is of version {document.version}; make a new one")
    return Plan(
        job=document.job,
        made_at=document.made_at,
        steps=tuple(_decode_step(step, unseal) for step in document.steps),
        cycle=document.cycle,
        hash=document.hash,
    )


def _encode_step(step: PlanStep, seal: Seal) -> Step:
    sealed = seal(pack(_written(step.changes)))
    return Step(
        mapping=step.key.mapping,
        anchor=step.key.anchor,
        name=step.source_name,
        action=step.action.value,
        row=step.row,
        situation=step.situation.value,
        code=step.code,
        is_reference_pass=step.is_reference_pass,
        precondition=step.precondition,
        target_name=step.target_name,
        changes=[shown(change) for change in step.shown],
        sealed=b64encode(sealed).decode(),
    )


def _decode_step(step: Step, unseal: Seal) -> PlanStep:
    try:
        changes = _read(unpack(unseal(b64decode(step.sealed, validate=True))))
        action, situation = Action(step.action), Situation(step.situation)
    except ValueError as error:
        raise PlanUnreadable(f"the step of '{step.anchor}' cannot be read: {error}") from error
    return PlanStep(
        key=StandingKey(MappingName(step.mapping), Anchor(step.anchor)),
        is_reference_pass=step.is_reference_pass,
        row=step.row,
        situation=situation,
        action=action,
        code=step.code,
        changes=changes,
        shown=(),
        precondition=step.precondition,
        source_name=step.name,
        target_name=step.target_name,
    )


def _written(changes: Sequence[TargetChange]) -> list[object]:
    written: list[object] = []
    for change in changes:
        match change:
            case AttributeChange(name, before, after):
                written.append((name, before, after))
            case ReferencesChange(name, added, removed):
                sets = [sorted(references, key=str) for references in (added, removed)]
                written.append((name, *sets, True))
    return written


def _read(written: Any) -> tuple[TargetChange, ...]:
    changes: list[TargetChange] = []
    for row in written:
        if len(row) == 4:
            changes.append(ReferencesChange(row[0], frozenset(row[1]), frozenset(row[2])))
        else:
            changes.append(AttributeChange(row[0], row[1], row[2]))
    return tuple(changes)


def shown(change: TargetChange) -> Change:
    """Return one change as people read it."""
    match change:
        case AttributeChange(name, before, after):
            return Change(name, text_of(before), text_of(after))
        case ReferencesChange(name, added, removed):
            names = [sorted(r.anchor for r in references) for references in (added, removed)]
            return Change(name, added=list(names[0]), removed=list(names[1]))


def text_of(value: Value | None) -> str | None:
    """Return a value as people read it; None for no value."""
    match value:
        case None:
            return None
        case tuple():
            return ", ".join(text_of(one) or "" for one in value)
        case Reference(_, anchor):
            return anchor
        case bytes():
            return b64encode(value).decode()
        case datetime():
            return value.isoformat()
        case _:
            return str(value)
