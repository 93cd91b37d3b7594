"""Answers that are errors: raised wherever they are found out, written in one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from provisor.graph.problems import Problem, errors


class Fault(Exception):
    """A request that is refused, as Graph reports it (spec: graph-api 1.8)."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        problems: Sequence[Problem] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.problems = errors(problems)
        self.headers = headers or {}


def bad_request(message: str, *, code: str = "BadRequest") -> Fault:
    return Fault(400, code, message)


def invalid(problems: Sequence[Problem]) -> Fault:
    """A document with something wrong in it; every problem is named with its place."""
    return Fault(400, "RequestParameterInvalid", "", problems=problems)


def beyond(code: str, target: str, message: str) -> Fault:
    """More was asked for than is done at once; the code says of what."""
    return Fault(400, "BadRequest", "", problems=[Problem(code=code, path=target, message=message)])


def too_slow(seconds: int) -> Fault:
    message = f"The request was not whole after {seconds} seconds."
    return Fault(408, "RequestTimeout", message, headers={"Connection": "close"})


def unauthenticated(message: str) -> Fault:
    headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
    return Fault(401, "InvalidAuthenticationToken", message, headers=headers)


def forbidden() -> Fault:
    message = "Insufficient privileges to complete the operation."
    return Fault(403, "Authorization_RequestDenied", message)


def no_directory_object(id: str) -> Fault:
    """Nobody knows this principal, application or assignment."""
    return Fault(
        404,
        "Request_ResourceNotFound",
        f"Resource '{id}' does not exist or one of its queried reference-property objects are "
        "not present.",
    )


def not_found(what: str, id: str) -> Fault:
    return Fault(404, "ResourceNotFound", f"There is no {what} '{id}'.")


def conflict(message: str) -> Fault:
    return Fault(409, "Conflict", message)


def too_many(retry_after_s: int) -> Fault:
    return Fault(
        429,
        "TooManyRequests",
        f"There were too many requests of this kind; try again in {retry_after_s} seconds.",
        headers={"Retry-After": str(retry_after_s)},
    )


def unavailable(message: str, retry_after_s: int = 5) -> Fault:
    headers = {"Retry-After": str(retry_after_s)}
    return Fault(503, "ServiceUnavailable", message, headers=headers)


def too_long(limit: int) -> Fault:
    closing = {"Connection": "close"}  # the rest of it is not read
    message = f"More than {limit} bytes were sent."
    return Fault(413, "RequestEntityTooLarge", message, headers=closing)
