"""When an object that failed is tried again (spec: behaviour 11)."""

from __future__ import annotations

from datetime import datetime, timedelta

from provisor.model.decisions import Escrow, Escrowed, RetryClass, Standing
from provisor.model.frozen import replace

NEXT_CYCLE_CODES = frozenset(
    {
        "TooManyRequests",
        "InternalServerError",
        "WebExceptionProtocolError",
        "InternalError",
        "Timeout",
    }
)
NEXT_CYCLE_ATTEMPTS = 3
BACK_OFF = (timedelta(hours=6), timedelta(hours=12), timedelta(hours=24))
"""After the first failure; from then on once a day."""
LIFETIME = timedelta(days=28)


def retry_class(code: str) -> RetryClass:
    return RetryClass.NEXT_CYCLE if code in NEXT_CYCLE_CODES else RetryClass.BACK_OFF


def prolong(escrow: Escrow | None, failure: Escrowed, now: datetime) -> Escrow | None:
    """Return the escrow after one more failure; None once it has lived its time."""
    first = escrow.first_failed_at if escrow else now
    attempts = escrow.attempts + 1 if escrow else 1
    if now - first >= LIFETIME:
        return None
    is_soon = retry_class(failure.code) is RetryClass.NEXT_CYCLE
    retry_at = now if is_soon and attempts <= NEXT_CYCLE_ATTEMPTS else back_off(first, now)
    return Escrow(
        code=failure.code,
        reason=failure.reason,
        first_failed_at=first,
        attempts=attempts,
        retry_at=retry_at,
    )


def back_off(first: datetime, now: datetime) -> datetime:
    """Return the next of the times 6, 12, 24, 48, 72 … hours after the first failure."""
    steps = (first + step for step in BACK_OFF)
    soon = next((at for at in steps if at > now), None)
    if soon is not None:
        return soon
    day = timedelta(days=1)
    return first + ((now - first) // day + 1) * day


def hastened(standing: Standing, now: datetime) -> Standing:
    """Return a standing whose escrows are due; what is known of the failures stays."""

    def due(escrow: Escrow | None) -> Escrow | None:
        return replace(escrow, retry_at=min(escrow.retry_at, now)) if escrow else None

    return replace(
        standing,
        escrow=due(standing.escrow),
        references_escrow=due(standing.references_escrow),
    )
