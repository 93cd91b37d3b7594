"""Result codes, by the names that the standard gives them (RFC 4511, appendix A; IANA's list)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from provisor.connectors.around.trace import heard
from provisor.connectors.ldapwire.controls import Control
from provisor.errors import (
    AdapterError,
    Denied,
    Rejected,
    Stale,
    Throttled,
    Unanswered,
    Unreachable,
)
from provisor.model.decisions import Heard

MESSAGE_MAX: Final = 300
BUSY_RETRY_S: Final = 30.0


class Code(IntEnum):
    """What a server may answer."""

    SUCCESS = 0
    OPERATIONS_ERROR = 1
    PROTOCOL_ERROR = 2
    TIME_LIMIT_EXCEEDED = 3
    SIZE_LIMIT_EXCEEDED = 4
    COMPARE_FALSE = 5
    COMPARE_TRUE = 6
    AUTH_METHOD_NOT_SUPPORTED = 7
    STRONGER_AUTH_REQUIRED = 8
    REFERRAL = 10
    ADMIN_LIMIT_EXCEEDED = 11
    UNAVAILABLE_CRITICAL_EXTENSION = 12
    CONFIDENTIALITY_REQUIRED = 13
    SASL_BIND_IN_PROGRESS = 14
    NO_SUCH_ATTRIBUTE = 16
    UNDEFINED_ATTRIBUTE_TYPE = 17
    INAPPROPRIATE_MATCHING = 18
    CONSTRAINT_VIOLATION = 19
    ATTRIBUTE_OR_VALUE_EXISTS = 20
    INVALID_ATTRIBUTE_SYNTAX = 21
    NO_SUCH_OBJECT = 32
    ALIAS_PROBLEM = 33
    INVALID_DN_SYNTAX = 34
    ALIAS_DEREFERENCING_PROBLEM = 36
    INAPPROPRIATE_AUTHENTICATION = 48
    INVALID_CREDENTIALS = 49
    INSUFFICIENT_ACCESS_RIGHTS = 50
    BUSY = 51
    UNAVAILABLE = 52
    UNWILLING_TO_PERFORM = 53
    LOOP_DETECT = 54
    NAMING_VIOLATION = 64
    OBJECT_CLASS_VIOLATION = 65
    NOT_ALLOWED_ON_NON_LEAF = 66
    NOT_ALLOWED_ON_RDN = 67
    ENTRY_ALREADY_EXISTS = 68
    OBJECT_CLASS_MODS_PROHIBITED = 69
    AFFECTS_MULTIPLE_DSAS = 71
    OTHER = 80
    CANCELED = 118
    NO_SUCH_OPERATION = 119
    ASSERTION_FAILED = 122
    SYNC_REFRESH_REQUIRED = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How an operation ended."""

    code: int
    matched: str = ""
    message: str = ""
    referrals: tuple[str, ...] = ()
    controls: tuple[Control, ...] = field(default=())

    @property
    def is_success(self) -> bool:
        return self.code == Code.SUCCESS

    @property
    def name(self) -> str:
        """Return the code as the standard spells it: `sizeLimitExceeded`."""
        return name_of(self.code)

    def __str__(self) -> str:
        said = " ".join(self.message.split())[:MESSAGE_MAX].replace("\0", "")
        return f"{self.name} ({self.code})" + (f": {said}" if said else "")


def name_of(code: int) -> str:
    try:
        first, *others = Code(code).name.lower().split("_")
    except ValueError:
        return f"result {code}"
    return first + "".join(word.capitalize() for word in others)


DENIED: Final = frozenset(
    {
        Code.AUTH_METHOD_NOT_SUPPORTED,
        Code.STRONGER_AUTH_REQUIRED,
        Code.CONFIDENTIALITY_REQUIRED,
        Code.INAPPROPRIATE_AUTHENTICATION,
        Code.INVALID_CREDENTIALS,
        Code.INSUFFICIENT_ACCESS_RIGHTS,
    }
)
INCOMPLETE: Final = "SourceReadIncomplete"


def read_failure(result: Result, what: str) -> AdapterError:
    """Return what a search that did not succeed means: whatever it showed, it is not all.

    `what` names the read: `the search below dc=example,dc=com at ldap://…`.
    """
    message = f"{what} ended with {result}"
    if result.code in DENIED:
        code = "" if result.code != Code.INSUFFICIENT_ACCESS_RIGHTS else "InsufficientPermissions"
        return Denied(message, code=code)
    if result.code in (Code.SIZE_LIMIT_EXCEEDED, Code.TIME_LIMIT_EXCEEDED):
        message += "; raise the server's limit for the account that reads"
    if result.code == Code.NO_SUCH_OBJECT:
        message += "; check the base, and that the account may see it"
    return Unreachable(message, code=INCOMPLETE)


REJECTED: Final[Mapping[int, str]] = {
    Code.UNDEFINED_ATTRIBUTE_TYPE: "SchemaAttributeNotFound",
    Code.NOT_ALLOWED_ON_RDN: "NotPermitted",
    Code.NOT_ALLOWED_ON_NON_LEAF: "NotPermitted",
    Code.OBJECT_CLASS_MODS_PROHIBITED: "NotPermitted",
    Code.INSUFFICIENT_ACCESS_RIGHTS: "InsufficientRights",
}
"""What refuses one object, by the code that the log knows; everything else is its values' fault."""


def write_failure(result: Result, what: str) -> AdapterError:
    """Return what a write that did not succeed means. `what` names it: `adding uid=ada,…`."""
    message = f"{what}: {result}"
    told = heard_of(result, what)
    match result.code:
        case Code.ENTRY_ALREADY_EXISTS:
            return Stale(message, code="EntryConflict", heard=told)
        case Code.NO_SUCH_OBJECT:
            return Stale(message, code="InvalidAnchor", heard=told)
        case Code.ASSERTION_FAILED:
            return Stale(message, heard=told)
        case Code.BUSY:
            return Throttled(BUSY_RETRY_S, message, heard=told)
        case Code.UNAVAILABLE | Code.OPERATIONS_ERROR | Code.OTHER | Code.TIME_LIMIT_EXCEEDED:
            # Done in part, perhaps: a server that fails amidst a write says no more than this.
            return Unanswered(message, code="InternalServerError", heard=told)
        case code if code in DENIED and code != Code.INSUFFICIENT_ACCESS_RIGHTS:
            return Denied(message)
        case Code.REFERRAL:
            elsewhere = ", ".join(result.referrals) or "another server"
            said = f"{message}; write to {elsewhere} instead"
            return Rejected(said, code="NotPermitted", heard=told)
        case code:
            return Rejected(message, code=REJECTED.get(code, ""), heard=told)


def heard_of(result: Result, what: str) -> Heard:
    """Return what the log keeps of a refusal: what was done, and the server's own words."""
    return heard(what, f"{result.name} ({result.code})", "", result.message)
