"""Errors as Graph reports them (spec: graph-api 1.8, 4.16)."""

from __future__ import annotations

from msgspec import field

from provisor.graph.wire.base import Wire


class ErrorDetail(Wire, frozen=True, kw_only=True):
    code: str | None = None
    message: str | None = None
    target: str | None = None


class InnerError(Wire, frozen=True, kw_only=True):
    date: str
    """UTC, without a zone."""
    request_id: str = field(name="request-id")
    client_request_id: str = field(name="client-request-id")


class PublicFault(Wire, frozen=True, kw_only=True):
    code: str
    message: str
    target: str | None = None
    details: tuple[ErrorDetail, ...] = ()
    inner_error: InnerError


class Envelope(Wire, frozen=True, kw_only=True):
    """The body of every answer that is an error."""

    error: PublicFault


class PublicInnerError(Wire, frozen=True, kw_only=True):
    code: str | None = None
    message: str | None = None
    target: str | None = None
    details: tuple[ErrorDetail, ...] = ()


class PublicError(Wire, frozen=True, kw_only=True):
    """What an answer that itself succeeds says went wrong, as `parseExpression` does."""

    code: str | None = None
    message: str | None = None
    target: str | None = None
    details: tuple[ErrorDetail, ...] = ()
    inner_error: PublicInnerError | None = None
