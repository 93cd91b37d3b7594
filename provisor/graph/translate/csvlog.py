"""The provisioning log as three CSV files in one archive (spec: behaviour 17.2, settled 29)."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Sequence

from provisor.graph.wire.base import instant_text
from provisor.graph.wire.logs import ProvisioningObjectSummary, ProvisioningStatusInfo

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would work out instead of showing it."""

LOGS, STEPS, PROPERTIES = (
    "ProvisioningLogs.csv",
    "ProvisioningLogs_ProvisioningSteps.csv",
    "ProvisioningLogs_ModifiedProperties.csv",
)
LOG_COLUMNS = (
    "id",
    "activityDateTime",
    "tenantId",
    "jobId",
    "cycleId",
    "changeId",
    "action",
    "durationInMilliseconds",
    "status",
    "errorCode",
    "reason",
    "errorCategory",
    "recommendedAction",
    "servicePrincipalId",
    "servicePrincipalDisplayName",
    "sourceSystem",
    "sourceIdentityId",
    "sourceIdentityDisplayName",
    "sourceIdentityType",
    "targetSystem",
    "targetIdentityId",
    "targetIdentityDisplayName",
    "targetIdentityType",
    "initiatedBy",
)
STEP_COLUMNS = ("id", "changeId", "number", "name", "type", "status", "description", "details")
PROPERTY_COLUMNS = ("id", "changeId", "displayName", "oldValue", "newValue")
ZIP_TIME = (1980, 1, 1, 0, 0, 0)
"""The same log is the same archive, byte for byte."""


def to_archive(summaries: Sequence[ProvisioningObjectSummary]) -> bytes:
    """Return the zip with the three files; their rows belong together by `changeId`."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, columns, rows in (
            (LOGS, LOG_COLUMNS, map(_log_row, summaries)),
            (STEPS, STEP_COLUMNS, _step_rows(summaries)),
            (PROPERTIES, PROPERTY_COLUMNS, _property_rows(summaries)),
        ):
            entry = zipfile.ZipInfo(name, ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, _file(columns, rows))
    return content.getvalue()


def cell(value: object) -> str:
    """Return a value as a cell that no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def _file(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([cell(value) for value in row] for row in rows)
    # With a byte order mark spreadsheets read names as they are written.
    return text.getvalue().encode("utf-8-sig")


def _log_row(summary: ProvisioningObjectSummary) -> Sequence[object]:
    info = summary.provisioning_status_info or ProvisioningStatusInfo()
    error = info.error_information
    principal, initiator = summary.service_principal, summary.initiated_by
    source, target = summary.source_identity, summary.target_identity
    return (
        summary.id,
        instant_text(summary.activity_date_time),
        summary.tenant_id,
        summary.job_id,
        summary.cycle_id,
        summary.change_id,
        summary.provisioning_action.value,
        summary.duration_in_milliseconds,
        info.status.value,
        error and error.error_code,
        error and error.reason,
        error and error.error_category and error.error_category.value,
        error and error.recommended_action,
        principal and principal.id,
        principal and principal.display_name,
        summary.source_system and summary.source_system.display_name,
        source and source.id,
        source and source.display_name,
        source and source.identity_type,
        summary.target_system and summary.target_system.display_name,
        target and target.id,
        target and target.display_name,
        target and target.identity_type,
        initiator and initiator.display_name,
    )


def _step_rows(summaries: Iterable[ProvisioningObjectSummary]) -> Iterable[Sequence[object]]:
    for summary in summaries:
        for number, step in enumerate(summary.provisioning_steps, 1):
            details = "; ".join(f"{name}={value}" for name, value in step.details.items())
            kind, status = step.provisioning_step_type.value, step.status.value
            yield (
                summary.id,
                summary.change_id,
                number,
                step.name,
                kind,
                status,
                step.description,
                details,
            )


def _property_rows(summaries: Iterable[ProvisioningObjectSummary]) -> Iterable[Sequence[object]]:
    for summary in summaries:
        for one in summary.modified_properties:
            yield (summary.id, summary.change_id, one.display_name, one.old_value, one.new_value)
