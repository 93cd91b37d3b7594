"""What an answer of Graph that is no success means, by what is to be done about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from provisor.connectors.http.body import Json, get, text_of
from provisor.connectors.http.replies import Dialect, Narrator, Reply
from provisor.errors import AdapterError, Denied, Rejected, Stale, Unanswered

JSON: Final = "application/json"
NOT_FOUND: Final = frozenset({"Request_ResourceNotFound", "ResourceNotFound", "NotFound"})
WAYS_OUT: Final[Mapping[str, str]] = {
    "InvalidCredentials": "Give the connection a valid tenant, clientId and clientSecret.",
    "InsufficientRights": "Grant the application the permissions it needs, with admin consent.",
    "EntryConflict": "Another object of the tenant has this value: change it, or the matching.",
    "InvalidAnchor": "The linked object no longer exists in the tenant.",
    "UnprocessableEntity": "Change the value in the source or the mapping, as Graph says.",
    "InternalServerError": "Graph failed; it is asked again later.",
}


def error_code(content: Json) -> str:
    """Return Graph's own code: of the innermost reason, where it gives one."""
    return text_of(get(get(content, "error"), "code"))


def detail_of(content: Json) -> str:
    error = get(content, "error")
    if isinstance(error, str):  # a token endpoint
        return text_of(get(content, "error_description")) or error
    said = text_of(get(error, "message"))
    code = text_of(get(error, "code"))
    return f"{code}: {said}" if code and said else said or code


GRAPH: Final = Dialect(
    accept=JSON,
    content_type=JSON,
    invalid_credentials="InvalidCredentials",
    incompatible="UnprocessableEntity",
    ways_out=WAYS_OUT,
    detail_of=detail_of,
)


def is_conflict(reply: Reply) -> bool:
    """Tell whether somebody else has a value that must be unique: Graph says so with 400."""
    if reply.status == 409:
        return True
    details = get(get(reply.content, "error"), "details")
    codes = [text_of(get(one, "code")) for one in details] if isinstance(details, list) else []
    said = detail_of(reply.content).lower()
    return reply.status == 400 and (
        any(code in ("ObjectConflict", "ConflictingObjects") for code in codes)
        or "another object with the same value" in said
        or "conflicting object" in said
    )


def is_absent(reply: Reply) -> bool:
    """Tell whether Graph itself says that an object is not there."""
    return reply.status == 404 and error_code(reply.content) in NOT_FOUND


def code_of(reply: Reply) -> str:
    status = reply.status
    if status == 401:
        return "InvalidCredentials"
    if status == 403:
        return "InsufficientRights"
    if is_conflict(reply):
        return "EntryConflict"
    if status == 404:
        return "InvalidAnchor" if is_absent(reply) else "UnprocessableEntity"
    if status == 412:
        return "Conflict"
    return "InternalServerError" if status >= 500 else "UnprocessableEntity"


def failure_of(reply: Reply, narrator: Narrator) -> AdapterError:
    """Return what to raise for an answer that is no success."""
    code = code_of(reply)
    message, heard = narrator.message(reply, code), narrator.heard(reply)
    if code == "InvalidCredentials":
        return Denied(message, code=code, heard=heard)
    if code in ("EntryConflict", "InvalidAnchor", "Conflict"):
        return Stale(message, code=code, heard=heard)
    if code == "InternalServerError":
        return Unanswered(message, code=code, heard=heard)
    return Rejected(message, code=code, heard=heard)
