"""What a database's refusal means, by what is to be done about it.

Drivers say it by SQLSTATE (PostgreSQL), by number (MySQL, MariaDB), by name (SQLite); where none of
these is known, by the class that the standard gives the error (PEP 249).
"""

from __future__ import annotations

import re
from typing import Final

from sqlalchemy import exc

from provisor.connectors.around.trace import heard
from provisor.errors import AdapterError, Denied, Rejected, Stale, Throttled, Unreachable

INCOMPLETE: Final = "SourceReadIncomplete"
NO_RIGHTS: Final = "InsufficientRights"
NO_PERMISSIONS: Final = "InsufficientPermissions"
UNRESOLVED: Final = "UnableToResolveReferenceAttributeValue"
RETRY_S: Final = 1.0

UNIQUE: Final = frozenset(
    {"23505", 1062, 1586, "SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"}
)
FOREIGN: Final = frozenset({"23503", 1216, 1217, 1451, 1452, "SQLITE_CONSTRAINT_FOREIGNKEY"})
MISSING: Final = frozenset({"23502", 1048, 1364, "SQLITE_CONSTRAINT_NOTNULL"})
FORBIDDEN: Final = frozenset({"42501", 1142, 1143, 1227, 1370, "SQLITE_READONLY", "25006", 1792})
BUSY: Final = frozenset({"40001", "40P01", "55P03", 1205, 1213, "SQLITE_BUSY", "SQLITE_LOCKED"})
REFUSED_LOGIN: Final = frozenset({"28000", "28P01", "3D000", 1044, 1045, 1049, 1698})
NOT_NOW: Final = frozenset({"53300", "57P03", 1040, 1203})
GONE_AWAY: Final = frozenset({2000, 2002, 2003, 2006, 2013, 2014, 2055, "57P01", "57P02", "08006"})

_LOGIN = re.compile(
    r"authentication failed|no pg_hba\.conf entry|role \"[^\"]*\" (does not exist|is not permitted)"
    r"|database \"[^\"]*\" does not exist|permission denied for database|no password supplied"
    r"|certificate verify failed|does not match host name|SSL",
    re.IGNORECASE,
)
_STARTING = re.compile(
    r"starting up|shutting down|in recovery|too many (clients|connections)", re.I
)


def code_of(error: exc.DBAPIError) -> str | int:
    """Return what the driver calls the error; empty where it has no code."""
    original: object = error.orig
    arguments: tuple[object, ...] = getattr(original, "args", ())
    if arguments and isinstance(arguments[0], int):
        return arguments[0]
    state = getattr(original, "sqlstate", None)
    if isinstance(state, str) and state:
        return state
    name = getattr(original, "sqlite_errorname", None)
    if isinstance(name, str):
        return name
    return ""


def words_of(error: exc.SQLAlchemyError) -> str:
    """Return what the database said, on one line, without statement and values.

    The second line of PostgreSQL (`DETAIL: Key (mail)=(…) already exists`) holds values.
    """
    original = error.orig if isinstance(error, exc.DBAPIError) else error
    arguments: tuple[object, ...] = getattr(original, "args", ())
    texts = [one for one in arguments if isinstance(one, str)]
    text = (texts[0] if texts else type(original).__name__).strip()
    first = text.splitlines()[0] if text else type(original).__name__
    return re.sub(r"'[^']*' for key", "a value for key", first)[:300]


def is_lost(error: exc.SQLAlchemyError) -> bool:
    """Tell whether the connection is no more."""
    if not isinstance(error, exc.DBAPIError):
        return False
    return error.connection_invalidated or code_of(error) in GONE_AWAY


def failure_of_connecting(error: exc.SQLAlchemyError, place: str) -> AdapterError:
    """Return what to raise where no connection came about."""
    words = words_of(error)
    code = code_of(error) if isinstance(error, exc.DBAPIError) else ""
    if code in NOT_NOW or _STARTING.search(words) or _STARTING.search(str(error)):
        return Unreachable(f"{place} takes no connections just now: {words}")
    if code in REFUSED_LOGIN or _LOGIN.search(str(error)):
        return Denied(f"{place} does not let us in: {_login_words(error)}")
    return Unreachable(f"{place} cannot be reached: {words}")


def _login_words(error: exc.SQLAlchemyError) -> str:
    found = re.search(r"FATAL:\s*(.+)", str(error))
    return found[1].strip()[:300] if found else words_of(error)


def failure_of_reading(error: exc.SQLAlchemyError, place: str) -> AdapterError:
    """Return what to raise where a source, or a look at a target, failed."""
    words = words_of(error)
    if isinstance(error, exc.DBAPIError) and code_of(error) in FORBIDDEN:
        return Denied(f"{place} does not let us read: {words}", code=NO_PERMISSIONS)
    return Unreachable(f"the read of {place} broke off: {words}", code=INCOMPLETE)


def failure_of_writing(error: exc.SQLAlchemyError, place: str) -> AdapterError:
    """Return what to raise where a write was refused before it was committed: it was not done."""
    words = words_of(error)
    if not isinstance(error, exc.DBAPIError):
        return Rejected(f"{place} cannot store this: {words}")
    code = code_of(error)
    told = heard(f"writing to {place}", f"{code}", error.statement or "", words)
    if is_lost(error):
        return Unreachable(f"the connection to {place} broke before anything was done: {words}")
    if code in UNIQUE:
        message = f"{place} has another object with this value: {words}"
        return Stale(message, code="EntryConflict", heard=told)
    if code in BUSY:
        return Throttled(RETRY_S, f"{place} is busy with other writers: {words}", heard=told)
    if code in FORBIDDEN:
        return Rejected(f"{place} does not let us write: {words}", code=NO_RIGHTS, heard=told)
    if code in FOREIGN:
        return Rejected(
            f"{place} misses what this points at, or needs it: {words}", code=UNRESOLVED, heard=told
        )
    if code in MISSING:
        return Rejected(f"{place} needs a value that nothing is mapped to: {words}", heard=told)
    return Rejected(f"{place} refuses this: {words}", heard=told)
