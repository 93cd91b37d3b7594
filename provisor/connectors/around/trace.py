"""What was asked of a target and what it answered, for explanations: redacted, and not too much."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime

from provisor.model.decisions import Heard

EXCHANGES_MAX = 200
WHOLE_BYTES_MAX = 1 << 16
"""A longer body is not kept, nor a part of it: half a secret at its end would not be known."""
KEPT_BYTES_MAX = 1_024
"""Of a request, and of its answer, that the ledger keeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and its answer, as may be shown. Bodies are whole, without secrets."""

    at: datetime
    duration_ms: int
    method: str
    address: str
    sent: str
    status: int
    """Of HTTP; 0: no answer came, or it is told by `outcome`."""
    answered: str
    protocol: str = "HTTP"
    outcome: str = ""
    """How it ended, in the words of a protocol that has no such status: `noSuchObject (32)`."""
    is_done: bool = False

    @property
    def succeeded(self) -> bool:
        return self.is_done or 200 <= self.status < 300


@dataclass(slots=True)
class Trace:
    """The latest exchanges with one target, oldest first."""

    exchanges: deque[Exchange] = field(default_factory=lambda: deque(maxlen=EXCHANGES_MAX))

    def note(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)


def heard(asked: str, outcome: str = "", sent: str = "", answered: str = "") -> Heard:
    """Return what may be kept for good of texts that hold no secret: the beginning of each."""
    return Heard(_cut(asked), outcome, _cut(sent), _cut(answered))


def _cut(text: str) -> str:
    raw = text.encode("utf-8", "replace")
    if len(raw) <= KEPT_BYTES_MAX:
        return text
    return f"{raw[: KEPT_BYTES_MAX - 4].decode('utf-8', 'ignore')} \u2026"
