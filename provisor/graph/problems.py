"""What is wrong with a request: one thing at a time, and all of it as Graph reports it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum

from provisor.graph.schema.codes import USUAL_REMEDIES
from provisor.graph.wire.errors import Envelope, ErrorDetail, InnerError, PublicFault

MESSAGES_MAX = 20
"""More than these are counted, not printed, in the message; `details` has them all."""


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong in a document, where it is, and the way out."""

    code: str
    """Stable; `schema.codes.Code`, or one of `expressions.check`."""
    path: str
    """Where: `synchronizationRules[0].objectMappings[1].scope`; empty for the whole."""
    message: str
    remedy: str = ""
    position: int | None = None
    """Inside the text at `path`, counted from 0."""
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        at = f", character {self.position + 1}" if self.position is not None else ""
        where = f"{self.path}{at}: " if self.path else ""
        return f"{where}{self.message}{' ' + self.remedy if self.remedy else ''}"


@dataclass(slots=True)
class Problems:
    """Collects what is wrong while a document is walked. `at` goes one step down."""

    found: list[Problem] = field(default_factory=list[Problem])
    path: str = ""

    def at(self, step: str | int) -> Problems:
        """Return a collector for a property or an element; what it finds is found here."""
        if isinstance(step, int):
            return Problems(self.found, f"{self.path}[{step}]")
        return Problems(self.found, f"{self.path}.{step}" if self.path else step)

    def note(self, problem: Problem) -> None:
        self.found.append(problem)

    def error(self, code: str, message: str, remedy: str = "", position: int | None = None) -> None:
        remedy = remedy or USUAL_REMEDIES.get(code, "")
        self.note(
            Problem(code=code, path=self.path, message=message, remedy=remedy, position=position)
        )

    def warn(self, code: str, message: str, remedy: str = "", position: int | None = None) -> None:
        remedy = remedy or USUAL_REMEDIES.get(code, "")
        problem = Problem(
            code=code, path=self.path, message=message, remedy=remedy, position=position
        )
        self.note(replace(problem, severity=Severity.WARNING))


def errors(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(p for p in problems if p.severity is Severity.ERROR)


@dataclass(frozen=True, slots=True)
class RequestIds:
    """What names one request in its answer: headers and error body carry the same two."""

    request: str
    client: str


def envelope(code: str, message: str, ids: RequestIds, at: datetime) -> Envelope:
    """Return Graph's error body (spec: graph-api 1.8)."""
    return Envelope(error=PublicFault(code=code, message=message, inner_error=_inner(ids, at)))


def invalid(
    problems: Sequence[Problem],
    ids: RequestIds,
    at: datetime,
    code: str = "RequestParameterInvalid",
) -> Envelope:
    """Return the error body that names everything that is wrong with a document."""
    wrong = errors(problems)
    shown = [str(problem) for problem in wrong[:MESSAGES_MAX]]
    if len(wrong) > MESSAGES_MAX:
        shown.append(f"and {len(wrong) - MESSAGES_MAX} more")
    fault = PublicFault(
        code=code,
        message="\n".join(shown),
        target=wrong[0].path if wrong else None,
        details=tuple(ErrorDetail(code=p.code, message=str(p), target=p.path) for p in wrong),
        inner_error=_inner(ids, at),
    )
    return Envelope(error=fault)


def _inner(ids: RequestIds, at: datetime) -> InnerError:
    utc = at.astimezone(UTC).replace(tzinfo=None, microsecond=0)
    return InnerError(date=utc.isoformat(), request_id=ids.request, client_request_id=ids.client)
