"""When failures of single objects become a failure of the job (spec: behaviour 12.1)."""

from __future__ import annotations

from provisor.model.cycles import Halt, JobError, QuarantineReason, Side
from provisor.model.rules import Thresholds


def exceeded(thresholds: Thresholds, base: int, references: int, succeeded: int) -> Halt | None:
    """Return why the job is to be quarantined.

    `base` objects and `references` are in escrow; `succeeded` objects went through. Checked in
    the order base, total, proportion; below `failures_min` the proportion says nothing.
    """
    total = base + references
    if base > thresholds.base:
        reason, limit = QuarantineReason.BASE_ESCROW, f"{thresholds.base} objects"
    elif total > thresholds.total:
        reason, limit = QuarantineReason.TOTAL_ESCROW, f"{thresholds.total} in all"
    elif base >= thresholds.failures_min and base > thresholds.proportion * (base + succeeded):
        reason = QuarantineReason.ESCROW_PROPORTION
        limit = f"{thresholds.proportion:.0%} of all"
    else:
        return None
    message = (
        f"{base} objects and {references} references failed, more than {limit}: see the escrows, "
        f"grouped by cause, and mend the commonest first"
    )
    return Halt(reason, JobError(code=reason.value, message=message, side=Side.ENGINE))
