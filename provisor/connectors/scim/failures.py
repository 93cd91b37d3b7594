"""What an answer that is no success means, by what is to be done about it (scim-target 9.3)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto

from provisor.connectors.http.replies import Dialect, Narrator, Reply
from provisor.connectors.scim.wire import error_answer
from provisor.errors import AdapterError, Denied, Rejected, Stale, Unanswered

INCOMPATIBLE = "SystemForCrossDomainIdentityManagementServiceIncompatible"
INVALID_CREDENTIALS = "SystemForCrossDomainIdentityManagementInvalidCredentials"
MULTIPLE_ENTRIES = "SystemForCrossDomainIdentityManagementMultipleEntriesInResponse"
UNRESOLVED = "UnableToResolveReferenceAttributeValue"


class Asked(Enum):
    """What a request is for: the same status means different things."""

    PROBE = auto()
    QUERY = auto()
    READ = auto()
    LIST = auto()
    CREATE = auto()
    CHANGE = auto()
    DELETE = auto()

    @property
    def is_write(self) -> bool:
        return self in (Asked.CREATE, Asked.CHANGE, Asked.DELETE)


WAYS_OUT: Mapping[str, str] = {
    INCOMPATIBLE: "Check that the tenant URL is the base of a SCIM 2.0 service.",
    INVALID_CREDENTIALS: "Give the job a valid token or other credentials of the target.",
    "InsufficientRights": "Allow the account that provisions to do this in the target.",
    "EntryConflict": "Another object of the target has this value: change it, or the matching.",
    "Conflict": "The object was changed meanwhile; it is looked at again.",
    "InvalidAnchor": "The linked object no longer exists in the target.",
    "UnprocessableEntity": "Change the value in the source or the mapping, as the target says.",
    "SchemaAttributeNotFound": "Take the attribute out of the mapping, or add it in the target.",
    "NotPermitted": "The target does not let this attribute be changed: map it at creation only.",
    "MethodNotAllowed": "The target does not offer this operation.",
    "NotImplemented": "The target does not offer this operation.",
    "LicenseLimitExceeded": "Free or buy a licence in the target.",
    "DuplicateTargetEntries": "Several objects match: make the value unique in the target.",
    "InternalServerError": "The target failed; it is asked again later.",
    "Timeout": "The target did not answer in time; it is asked again later.",
    "WebExceptionProtocolError": "The connection broke; the target is asked again later.",
    MULTIPLE_ENTRIES: "The target answers a request for one object with several.",
}

SCIM = Dialect(
    accept="application/scim+json, application/json",
    content_type="application/scim+json",
    invalid_credentials=INVALID_CREDENTIALS,
    incompatible=INCOMPATIBLE,
    ways_out=WAYS_OUT,
    detail_of=lambda content: error_answer(content).detail,
)

CODES: Mapping[int, str] = {
    402: "LicenseLimitExceeded",
    403: "InsufficientRights",
    405: "MethodNotAllowed",
    415: INCOMPATIBLE,
    501: "NotImplemented",
}
"""Statuses that mean the same whatever was asked."""

BAD_REQUEST_CODES: Mapping[str, str] = {
    "invalidFilter": INCOMPATIBLE,
    "invalidPath": "SchemaAttributeNotFound",
    "mutability": "NotPermitted",
    "tooMany": "DuplicateTargetEntries",
    "uniqueness": "EntryConflict",
}


def scim_type_of(reply: Reply) -> str:
    return error_answer(reply.content).scim_type


def code_of(reply: Reply, asked: Asked) -> str:
    """Return the stable code of a refusal or failure (spec: behaviour 17.5)."""
    status = reply.status
    if status in CODES:
        return CODES[status]
    if status in (404, 410):
        # Looked for by id, the object is gone; looked for otherwise, the address is wrong.
        by_id = asked in (Asked.READ, Asked.CHANGE, Asked.DELETE)
        return "InvalidAnchor" if by_id else INCOMPATIBLE
    if status == 401:
        return INVALID_CREDENTIALS
    if status == 408:
        return "Timeout"
    if status == 409:
        return "EntryConflict"
    if status in (412, 428):
        return "Conflict"
    if status >= 500:
        return "InternalServerError"
    if status == 400:
        return BAD_REQUEST_CODES.get(scim_type_of(reply), "UnprocessableEntity")
    return INCOMPATIBLE if status < 400 else "UnprocessableEntity"


def failure_of(reply: Reply, asked: Asked, narrator: Narrator) -> AdapterError:
    """Return what to raise for an answer that is no success.

    401 and 429 do not get here unless refreshing and waiting were of no avail.
    """
    code = code_of(reply, asked)
    message, heard = narrator.message(reply, code), narrator.heard(reply)
    if reply.status == 401 or (asked is Asked.PROBE and reply.status < 500):
        return Denied(message, code=code, heard=heard)
    if code in ("EntryConflict", "InvalidAnchor", "Conflict"):
        return Stale(message, code=code, heard=heard)
    if code in ("InternalServerError", "Timeout"):
        return Unanswered(message, code=code, heard=heard)
    return Rejected(message, code=code, heard=heard)


def incompatible(reply: Reply, asked: Asked, narrator: Narrator, what: str) -> AdapterError:
    """Return what to raise for a success that cannot be understood."""
    message = f"{narrator.target} {what}. {WAYS_OUT[INCOMPATIBLE]}"
    heard = narrator.heard(reply)
    if asked is Asked.PROBE:
        return Denied(message, code=INCOMPATIBLE, heard=heard)
    return Rejected(message, code=INCOMPATIBLE, heard=heard)
