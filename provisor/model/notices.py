"""What administrators are told by mail and webhook (spec: behaviour 12.2, 18)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class NoticeKind(StrEnum):
    QUARANTINED = "quarantined"
    REASON_CHANGED = "quarantineReasonChanged"
    DEPARTURES_STAGED = "departuresStaged"
    DISABLED = "jobDisabled"
    """After 28 days in quarantine."""
    ESCROWS_PRUNED = "escrowsPruned"
    CREDENTIALS_EXPIRE = "credentialsExpire"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing to be told of a job, once. It holds no value of anybody's."""

    key: str
    """Names what it is about: of one job nothing is told twice under one key."""
    kind: NoticeKind
    at: datetime
    reason: str = ""
    """Of the quarantine, in Graph's words."""
    code: str = ""
    """Of the error, as the troubleshooting pages are called."""
    count: int = 0
    """How many departures are staged."""
    expires: datetime | None = None
