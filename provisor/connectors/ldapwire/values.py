"""Values as they go over the wire, and what they mean."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final
from uuid import UUID

_TIME: Final = re.compile(
    r"(\d{4})(\d\d)(\d\d)(\d\d)(?:(\d\d)(\d\d)?)?(?:[.,](\d+))?(Z|[+-]\d\d(?:\d\d)?)"
)


class NotAValue(ValueError):
    """Octets that do not mean what they should."""


def text(value: bytes) -> str:
    """Raises NotAValue."""
    try:
        return value.decode()
    except UnicodeDecodeError as odd:
        raise NotAValue("it is not UTF-8") from odd


def boolean(value: bytes) -> bool:
    match value.upper():
        case b"TRUE":
            return True
        case b"FALSE":
            return False
        case _:
            raise NotAValue("it is neither TRUE nor FALSE")


def time(value: bytes | str) -> datetime:
    """Return a generalized time (RFC 4517, 3.3.13). Raises NotAValue."""
    said = value if isinstance(value, str) else text(value)
    found = _TIME.fullmatch(said.strip())
    if found is None:
        raise NotAValue(f"'{said}' is no generalized time")
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    unit = (
        timedelta(seconds=1) if second else timedelta(minutes=1) if minute else timedelta(hours=1)
    )
    try:
        whole = datetime(
            int(year), int(month), int(day), int(hour), int(minute or 0), min(int(second or 0), 59),
            tzinfo=_zone(zone),
        )  # fmt: skip
    except ValueError as odd:
        raise NotAValue(f"'{said}' is no generalized time") from odd
    if fraction:
        whole += unit * (int(fraction) / 10 ** len(fraction))
    return whole.astimezone(UTC)


def _zone(said: str) -> timezone:
    if said == "Z":
        return UTC
    offset = timedelta(hours=int(said[1:3]), minutes=int(said[3:5] or 0))
    return timezone(offset if said[0] == "+" else -offset)


def time_text(moment: datetime) -> str:
    """Return a generalized time in UTC; with fractions only where there are any."""
    utc = moment.astimezone(UTC)
    fraction = f".{utc.microsecond:06d}".rstrip("0") if utc.microsecond else ""
    return f"{utc:%Y%m%d%H%M%S}{fraction}Z"


def uuid(value: bytes) -> UUID:
    """Return a UUID: 16 octets in order, or its text. Raises NotAValue."""
    if len(value) == 16:
        return UUID(bytes=value)
    try:
        return UUID(text(value))
    except ValueError as odd:
        raise NotAValue("it is no UUID") from odd


def guid(value: bytes) -> UUID:
    """Return a GUID as Active Directory stores it: the first three fields turned around."""
    if len(value) != 16:
        raise NotAValue("it is no GUID")
    return UUID(bytes_le=value)
