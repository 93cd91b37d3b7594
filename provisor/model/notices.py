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
    """Those of a job, for one of its sides."""
    KEY_EXPIRES = "keyExpires"
    """An API key of ours: of the whole tenant, and of no job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing to be told of a job or a tenant, once. It holds no value of anybody's."""

    key: str
    """Names what it is about: of one job nothing is told twice under one key, nor of a tenant."""
    kind: NoticeKind
    at: datetime
    reason: str = ""
    """Of the quarantine, in Graph's words."""
    code: str = ""
    """Of the error, as the troubleshooting pages are called."""
    count: int = 0
    """How many departures are staged."""
    expires: datetime | None = None
    whose: str = ""
    """What expires: the API key of this name, or a job's credentials for its "source"; "" for its
    target."""
    tenant: str = ""
    """Of whom this is told, where it is of no job."""

    def is_remembered(self, now: datetime) -> bool:
        """Tell whether this may come up again, so that it has to be known that it was told. All
        else comes up in one transaction alone."""
        return self.expires is not None and self.expires >= now
