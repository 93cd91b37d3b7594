"""A line of the ledger as Graph's provisioningObjectSummary (spec: graph-api 4.19, 10)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from provisor.graph.translate.narrate import Names, Step, identifier, narrate, skip_text
from provisor.graph.translate.values import modified_property
from provisor.graph.troubleshooting import trouble_of
from provisor.graph.wire.logs import (
    BetaObjectSummary,
    ErrorCategory,
    Initiator,
    InitiatorType,
    ProvisionedIdentity,
    ProvisioningAction,
    ProvisioningErrorInfo,
    ProvisioningObjectSummary,
    ProvisioningResult,
    ProvisioningStatusInfo,
    ProvisioningStep,
    ProvisioningSystem,
    ServicePrincipal,
    StatusDetails,
)
from provisor.model.decisions import Record, Situation, Verdict
from provisor.model.rules import MappingName

POSITION_BITS = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class LogContext:
    """What every record of one job has in common."""

    tenant_id: str
    job_id: str
    principal_id: str
    app_id: str
    application: str
    """The application's display name."""
    source_id: str
    source: str
    """What the source is called."""
    target_id: str
    target: str
    kinds: Mapping[MappingName, tuple[str, str]] = field(
        default_factory=dict[MappingName, tuple[str, str]]
    )
    """What the objects of each mapping are called in source and target."""

    def names(self, record: Record) -> Names:
        """A mapping that is no more is known by its name, which says both kinds."""
        mapping = record.key.mapping
        source, _, target = mapping.partition(" to ")
        source_kind, target_kind = self.kinds.get(mapping, (source, target.partition(" (")[0]))
        return Names(
            source=self.source,
            target=self.target,
            source_kind=source_kind,
            target_kind=target_kind,
        )


def is_shown(record: Record) -> bool:
    """False for those who never had an account and are not to have one (spec: settled 29)."""
    is_never_linked = record.situation is Situation.IGNORED
    is_quiet = is_never_linked and record.code == "NotEffectivelyEntitled"
    return not is_quiet or bool(record.initiated_by)


def entry_id(position: int, job: str) -> str:
    """Return the id of a log entry: unique, the same for ever, and leading back to its position."""
    name = int.from_bytes(hashlib.sha256(job.encode()).digest()[:10], "big")
    number = (name << POSITION_BITS) | position
    return str(UUID(int=number, version=5))


def position_of(id: str) -> int | None:
    """Return the position in the ledger that an id of a log entry names."""
    try:
        return UUID(id).int & ((1 << POSITION_BITS) - 1)
    except ValueError:
        return None


def to_summary(position: int, record: Record, context: LogContext) -> ProvisioningObjectSummary:
    """Return the entry as v1.0 tells it."""
    names = context.names(record)
    return ProvisioningObjectSummary(
        id=entry_id(position, context.job_id),
        activity_date_time=record.at,
        tenant_id=context.tenant_id,
        job_id=context.job_id,
        cycle_id=record.cycle,
        change_id=record.change,
        provisioning_action=ProvisioningAction(record.action.value),
        duration_in_milliseconds=record.duration_ms,
        provisioning_status_info=_status_info(record, names),
        provisioning_steps=tuple(_step(step) for step in narrate(record, names)),
        modified_properties=tuple(modified_property(change) for change in record.changes),
        service_principal=ServicePrincipal(
            id=context.principal_id, display_name=context.application
        ),
        source_system=ProvisioningSystem(id=context.source_id, display_name=context.source),
        target_system=ProvisioningSystem(
            id=context.target_id,
            display_name=context.target,
            details={
                "ApplicationId": context.app_id,
                "ServicePrincipalId": context.principal_id,
                "ServicePrincipalDisplayName": context.application,
            },
        ),
        source_identity=_source(record, names),
        target_identity=_target(record, names),
        initiated_by=_initiator(record),
    )


def to_beta_summary(position: int, record: Record, context: LogContext) -> BetaObjectSummary:
    """Return the entry as beta tells it."""
    summary = to_summary(position, record, context)
    given = {name: getattr(summary, name) for name in summary.__struct_fields__}
    info = summary.provisioning_status_info or ProvisioningStatusInfo()
    error = info.error_information or ProvisioningErrorInfo()
    details = StatusDetails(
        status=info.status,
        error_code=error.error_code,
        reason=error.reason,
        additional_details=error.additional_details,
        error_category=error.error_category,
        recommended_action=error.recommended_action,
    )
    return BetaObjectSummary(**given, action=action_title(record), status_info=details)


def action_title(record: Record) -> str:
    """Return the action with a capital, as the older forms spell it."""
    action = record.action.value
    return f"{action[0].upper()}{action[1:]}"


def _step(step: Step) -> ProvisioningStep:
    return ProvisioningStep(
        name=step.name,
        provisioning_step_type=step.type,
        status=ProvisioningResult(step.status.value),
        description=step.description,
        details=dict(step.details),
    )


def _status_info(record: Record, names: Names) -> ProvisioningStatusInfo:
    return ProvisioningStatusInfo(
        status=ProvisioningResult(record.verdict.value),
        error_information=error_information(record, names),
    )


def error_information(record: Record, names: Names) -> ProvisioningErrorInfo | None:
    """Return what a record that is no success has to explain; None for a success."""
    if record.verdict is Verdict.SUCCESS or not record.code:
        return None
    known = trouble_of(record.code)
    reason = record.reason
    if not reason and record.verdict is Verdict.SKIPPED:
        reason = skip_text(record, names)
    return ProvisioningErrorInfo(
        error_code=record.code,
        reason=reason or (known.meaning if known else record.code),
        additional_details=None,
        error_category=ErrorCategory(known.category)
        if known
        else ErrorCategory.NON_SERVICE_FAILURE,
        recommended_action=known.advice if known else None,
    )


def _source(record: Record, names: Names) -> ProvisionedIdentity:
    name = identifier(record)
    return ProvisionedIdentity(
        id=record.key.anchor,
        display_name=record.source_name,
        identity_type=names.source_kind,
        details={"id": record.key.anchor, "odatatype": names.source_kind, "DisplayName": name},
    )


def _target(record: Record, names: Names) -> ProvisionedIdentity:
    return ProvisionedIdentity(
        id=record.target or "",
        display_name=record.target_name,
        identity_type=names.target_kind,
    )


def _initiator(record: Record) -> Initiator:
    if record.initiated_by:
        return Initiator(
            id=record.initiated_by,
            display_name=record.initiated_by,
            initiator_type=InitiatorType.USER,
        )
    return Initiator(id="", display_name="Provisor", initiator_type=InitiatorType.SYSTEM)
