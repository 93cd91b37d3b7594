"""Provisioning log entries (spec: graph-api 4.19, 10)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from msgspec import field

from provisor.graph.wire.base import Wire

REQUEST, REQUEST_BODY, REPLY, REPLY_BODY = "Request", "RequestBody", "Reply", "ReplyBody"
"""In the details of a step: how the target was asked last, and how it answered."""
NO_ANSWER = "no answer"
"""Stands for a reply that did not come."""


class ProvisioningAction(StrEnum):
    OTHER = "other"
    CREATE = "create"
    DELETE = "delete"
    DISABLE = "disable"
    UPDATE = "update"
    STAGED_DELETE = "stagedDelete"
    UNKNOWN_FUTURE_VALUE = "unknownFutureValue"


class ProvisioningResult(StrEnum):
    SUCCESS = "success"
    FAILURE = "failure"
    SKIPPED = "skipped"
    WARNING = "warning"
    UNKNOWN_FUTURE_VALUE = "unknownFutureValue"


class ProvisioningStepType(StrEnum):
    IMPORT = "import"
    SCOPING = "scoping"
    MATCHING = "matching"
    PROCESSING = "processing"
    REFERENCE_RESOLUTION = "referenceResolution"
    EXPORT = "export"
    UNKNOWN_FUTURE_VALUE = "unknownFutureValue"


class ErrorCategory(StrEnum):
    FAILURE = "failure"
    NON_SERVICE_FAILURE = "nonServiceFailure"
    SUCCESS = "success"
    UNKNOWN_FUTURE_VALUE = "unknownFutureValue"


class InitiatorType(StrEnum):
    USER = "user"
    APPLICATION = "application"
    SYSTEM = "system"
    UNKNOWN_FUTURE_VALUE = "unknownFutureValue"


class ModifiedProperty(Wire, frozen=True, kw_only=True):
    display_name: str | None = None
    old_value: str | None = None
    new_value: str | None = None


class ProvisioningStep(Wire, frozen=True, kw_only=True):
    name: str | None = None
    provisioning_step_type: ProvisioningStepType = ProvisioningStepType.UNKNOWN_FUTURE_VALUE
    status: ProvisioningResult = ProvisioningResult.UNKNOWN_FUTURE_VALUE
    description: str | None = None
    details: dict[str, str] = field(default_factory=dict[str, str])


class ProvisioningErrorInfo(Wire, frozen=True, kw_only=True):
    error_code: str | None = None
    reason: str | None = None
    additional_details: str | None = None
    error_category: ErrorCategory | None = None
    recommended_action: str | None = None


class ProvisioningStatusInfo(Wire, frozen=True, kw_only=True):
    status: ProvisioningResult = ProvisioningResult.UNKNOWN_FUTURE_VALUE
    error_information: ProvisioningErrorInfo | None = None


class StatusDetails(Wire, frozen=True, kw_only=True):
    """`statusInfo` of beta: deprecated, and the one type that names itself."""

    odata_type: str = field(name="@odata.type", default="#microsoft.graph.statusDetails")
    status: ProvisioningResult = ProvisioningResult.UNKNOWN_FUTURE_VALUE
    error_code: str | None = None
    reason: str | None = None
    additional_details: str | None = None
    error_category: ErrorCategory | None = None
    recommended_action: str | None = None


class ServicePrincipal(Wire, frozen=True, kw_only=True):
    id: str | None = None
    display_name: str | None = None


class ProvisioningSystem(Wire, frozen=True, kw_only=True):
    id: str | None = None
    display_name: str | None = None
    details: dict[str, str] = field(default_factory=dict[str, str])


class ProvisionedIdentity(Wire, frozen=True, kw_only=True):
    id: str | None = None
    display_name: str | None = None
    identity_type: str | None = None
    details: dict[str, str] = field(default_factory=dict[str, str])


class Initiator(Wire, frozen=True, kw_only=True):
    id: str | None = None
    display_name: str | None = None
    initiator_type: InitiatorType = InitiatorType.SYSTEM


class ProvisioningObjectSummary(Wire, frozen=True, kw_only=True):
    """One decision with what came of it, as v1.0 tells it."""

    id: str
    activity_date_time: datetime
    tenant_id: str | None = None
    job_id: str | None = None
    cycle_id: str | None = None
    change_id: str | None = None
    provisioning_action: ProvisioningAction = ProvisioningAction.OTHER
    duration_in_milliseconds: int | None = None
    provisioning_status_info: ProvisioningStatusInfo | None = None
    provisioning_steps: tuple[ProvisioningStep, ...] = ()
    modified_properties: tuple[ModifiedProperty, ...] = ()
    service_principal: ServicePrincipal | None = None
    source_system: ProvisioningSystem | None = None
    target_system: ProvisioningSystem | None = None
    source_identity: ProvisionedIdentity | None = None
    target_identity: ProvisionedIdentity | None = None
    initiated_by: Initiator | None = None


class BetaObjectSummary(ProvisioningObjectSummary, frozen=True, kw_only=True):
    """As beta tells it: with two forms that are deprecated there."""

    action: str | None = None
    status_info: StatusDetails | None = None
