"""What came of one object provisioned on demand (spec: graph-api 9, behaviour 16)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from provisor.connectors.around.trace import Exchange
from provisor.graph.translate.log import LogContext, action_title, error_information
from provisor.graph.translate.narrate import Step, evaluation, identifier, narrate
from provisor.graph.translate.values import modified_property, texts, value_text
from provisor.graph.wire.coding import encode
from provisor.graph.wire.logs import ModifiedProperty, ProvisioningStepType
from provisor.graph.wire.on_demand import (
    OnDemandExchange,
    OnDemandFailure,
    OnDemandIdentity,
    OnDemandOutcome,
    OnDemandResult,
    OnDemandStatus,
    OnDemandStep,
    OnDemandSystem,
)
from provisor.graph.wire.pairs import TextPair
from provisor.model.decisions import Record, Verdict
from provisor.model.entries import Attributes, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Performed:
    """One object as it was provisioned."""

    record: Record
    began: datetime
    source: Attributes = field(default_factory=dict[str, Value])
    """What the source says of it; values to be hidden are hidden already."""
    target: Attributes = field(default_factory=dict[str, Value])
    """What the target said of it before."""
    exchanges: tuple[Exchange, ...] = ()
    """What the target was asked and answered; values to be hidden are hidden already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotPerformed:
    """It did not come to a decision: not found in the source, or a connection failed."""

    code: str
    message: str
    exchanges: tuple[Exchange, ...] = ()
    """What the target was asked and answered; values to be hidden are hidden already."""


def to_answer(performed: Performed, context: LogContext) -> TextPair:
    """Return `key` and `value`, each JSON in a text. A failure of the object is an answer, too."""
    result = OnDemandResult(
        result=_title(performed.record.verdict), details=_details(performed.record, context)
    )
    outcome = to_outcome(performed, context)
    return TextPair(key=encode(result).decode(), value=encode(outcome).decode())


def to_refusal(failed: NotPerformed) -> TextPair:
    details = {"errorCode": failed.code, "errorMessage": failed.message}
    result = OnDemandResult(result=_title(Verdict.FAILURE), details=details)
    told = OnDemandFailure(target_exchanges=tuple(_exchange(one) for one in failed.exchanges))
    value = encode(told).decode() if told.target_exchanges else "{}"
    return TextPair(key=encode(result).decode(), value=value)


def to_outcome(performed: Performed, context: LogContext) -> OnDemandOutcome:
    record = performed.record
    names = context.names(record)
    steps = [_detailed(step, performed) for step in narrate(record, names)]
    return OnDemandOutcome(
        action=action_title(record),
        change_id=record.change,
        end_time=record.at,
        modified_properties=tuple(_modified(performed)),
        provisioning_steps=tuple(_step(step, performed) for step in _ordered(steps)),
        reportable_identifier=identifier(record),
        start_time=performed.began,
        status_info=_status(record, context),
        source_identity=OnDemandIdentity(
            id=record.key.anchor, type=names.source_kind, display_name=record.source_name or None
        ),
        source_system=OnDemandSystem(id=context.source_id, name=context.source),
        target_identity=OnDemandIdentity(
            id=record.target or None,
            type=names.target_kind,
            display_name=record.target_name or None,
        ),
        target_system=OnDemandSystem(id=context.target_id, name=context.target),
        target_exchanges=tuple(_exchange(one) for one in performed.exchanges),
    )


def _exchange(one: Exchange) -> OnDemandExchange:
    return OnDemandExchange(
        protocol=one.protocol,
        outcome=one.outcome,
        succeeded=one.succeeded,
        timestamp=one.at,
        duration_in_milliseconds=one.duration_ms,
        method=one.method,
        address=one.address,
        request=one.sent,
        status=one.status,
        reply=one.answered,
    )


def _details(record: Record, context: LogContext) -> dict[str, str]:
    error = error_information(record, context.names(record))
    if error is None:
        return {}
    return {"errorCode": error.error_code or "", "errorMessage": error.reason or ""}


def _status(record: Record, context: LogContext) -> OnDemandStatus:
    error = error_information(record, context.names(record))
    status = _title(record.verdict)
    if error is None:
        return OnDemandStatus(status=status)
    category = error.error_category.value if error.error_category is not None else ""
    return OnDemandStatus(
        status=status,
        error_code=error.error_code,
        reason=error.reason,
        additional_details=error.additional_details,
        error_category=_pascal(category) or None,
        recommended_action=error.recommended_action,
    )


def _modified(performed: Performed) -> Iterator[ModifiedProperty]:
    """Nothing to change: every attribute of the source is shown, as the live service does."""
    record = performed.record
    if record.changes or record.verdict is not Verdict.SKIPPED:
        yield from (modified_property(change) for change in record.changes)
        return
    for name, value in performed.source.items():
        yield ModifiedProperty(display_name=name, new_value=value_text(value))


def _detailed(step: Step, performed: Performed) -> Step:
    """Add what was read, and say what was found out about the scope in the older words."""
    facts = performed.record.facts
    match step.type:
        case ProvisioningStepType.IMPORT:
            return replace(step, details=texts(performed.source))
        case ProvisioningStepType.MATCHING if is_look(step):
            return replace(step, details=texts(performed.target))
        case ProvisioningStepType.SCOPING:
            details = {
                "IsActive": str(facts.is_active),
                "Assigned": str(facts.is_assigned),
                "IsEffectivelyEntitledForProvisioning": str(facts.is_effectively_entitled),
                "IsInProvisioningScopeDisplayName": str(facts.passes_filter),
                "ScopeEvaluationResult": evaluation(facts),
            }
            return replace(step, details=details)
        case _:
            return step


def _ordered(steps: list[Step]) -> list[Step]:
    """On demand the target is looked at before the scope is told."""
    looks = [s for s in steps if is_look(s)]
    rest = [s for s in steps if not is_look(s)]
    return [*rest[:1], *looks, *rest[1:]]


def is_look(step: Step) -> bool:
    return step.type is ProvisioningStepType.MATCHING and step.name == "EntryImport"


def _step(step: Step, performed: Performed) -> OnDemandStep:
    is_read = step.type is ProvisioningStepType.IMPORT
    return OnDemandStep(
        name=step.name,
        type=_pascal(step.type.value),
        status=_title(step.status),
        description=step.description,
        timestamp=performed.began if is_read else performed.record.at,
        details=dict(step.details),
    )


def _title(verdict: Verdict) -> str:
    return _pascal(verdict.value)


def _pascal(word: str) -> str:
    return f"{word[:1].upper()}{word[1:]}"
