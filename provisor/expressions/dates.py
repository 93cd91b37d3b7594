"""Moments, and the forms in which a text may name one freely (spec: expression 7.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from provisor.expressions.errors import ExpressionError

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
OFFSET_MAX = timedelta(hours=14)
WHITE = " \t\n\v\f\r\x85\xa0\u2028\u2029"


@dataclass(frozen=True, slots=True)
class Moment:
    """A date and time as it was written: what the clock on the wall showed, and where."""

    wall: datetime
    """Without a time zone."""
    offset: timedelta | None = None
    """Ahead of UTC; None where the text did not say."""
    tenth: int = 0
    """Tenths of a microsecond: .NET counts those, Python does not."""

    @property
    def utc(self) -> datetime:
        """The instant; without an offset the wall clock counts as UTC."""
        return (self.wall - (self.offset or timedelta())).replace(tzinfo=UTC)


_YEAR, _MONTH, _DAY = r"(?P<year>\d{4})", r"(?P<month>\d{1,2})", r"(?P<day>\d{1,2})"
_TIME = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.(?P<fraction>\d{1,9}))?)?"
_HALF = r"(?:\s*(?P<half>[AaPp])\.?[Mm]\.?)?"
_ZONE = r"(?:\s*(?P<zone>[Zz]|GMT|UTC|[+-]\d{1,2}(?::?\d{2})?))?"
_FREE = tuple(
    re.compile(pattern, re.ASCII)
    for pattern in (
        rf"{_YEAR}-{_MONTH}-{_DAY}(?:(?:[Tt]|\s+){_TIME}{_HALF})?{_ZONE}",
        rf"{_MONTH}/{_DAY}/{_YEAR}(?:\s+{_TIME}{_HALF})?{_ZONE}",
        rf"(?:[A-Za-z]{{3}},\s*)?{_DAY}\s+(?P<name>[A-Za-z]{{3}})\s+{_YEAR}\s+{_TIME}{_HALF}{_ZONE}",
    )
)


def parse_free(text: str) -> datetime:
    """Return the instant that the text names, in UTC (spec: expression 7.1).

    Takes ISO 8601, US dates (month first) and RFC 1123. Raises ExpressionError for all else.
    """
    return parse_moment(text).utc


def parse_moment(text: str) -> Moment:
    """Return the wall clock and offset that the text names; forms and errors as parse_free."""
    trimmed = text.strip(WHITE)
    if len(trimmed) > 64:
        raise _unreadable(text)
    for form in _FREE:
        match = form.fullmatch(trimmed)
        if match:
            try:
                moment = _free_moment(match.groupdict())
                _ = moment.utc
            except (ValueError, OverflowError) as error:
                raise _unreadable(text) from error
            return moment
    raise _unreadable(text)


def _unreadable(text: str) -> ExpressionError:
    shown = text if len(text) <= 60 else f"{text[:57]}..."
    return ExpressionError(f'"{shown}" is no date and time')


def _free_moment(part: Mapping[str, str | None]) -> Moment:
    name = part.get("name")
    month = _month_named(name) if name else int(part["month"] or 1)
    hour = int(part["hour"] or 0)
    half = part["half"]
    if half:
        if not 1 <= hour <= 12:
            raise ValueError("an hour with AM or PM runs from 1 to 12")
        hour = hour % 12 + (12 if half in "Pp" else 0)
    ticks = int((part["fraction"] or "0")[:7].ljust(7, "0"))
    wall = datetime(  # noqa: DTZ001  # the wall clock has no zone; the offset is kept beside it
        int(part["year"] or 1),
        month,
        int(part["day"] or 1),
        hour,
        int(part["minute"] or 0),
        int(part["second"] or 0),
        ticks // 10,
    )
    return Moment(wall, _zone(part["zone"]), ticks % 10)


def _month_named(name: str) -> int:
    short = [month[:3].lower() for month in MONTHS]
    return short.index(name.lower()) + 1


def _zone(text: str | None) -> timedelta | None:
    if text is None:
        return None
    if text in ("Z", "z", "GMT", "UTC"):
        return timedelta()
    digits = text[1:].replace(":", "")
    hours, minutes = (digits[:-2], digits[-2:]) if len(digits) > 2 else (digits, "0")
    return offset_of(text[0], int(hours), int(minutes))


def offset_of(sign: str, hours: int, minutes: int) -> timedelta:
    """Return how far ahead of UTC that is. Raises ValueError beyond 14 hours."""
    offset = timedelta(hours=hours, minutes=minutes)
    if minutes > 59 or offset > OFFSET_MAX:
        raise ValueError("an offset from UTC is at most 14 hours")
    return -offset if sign == "-" else offset


def write_default(instant: datetime) -> str:
    """Return the instant as the language shows it: `1/31/2025 4:05:06 PM`."""
    half = "AM" if instant.hour < 12 else "PM"
    return (
        f"{instant.month}/{instant.day}/{instant.year:04d} "
        f"{(instant.hour + 11) % 12 + 1}:{instant.minute:02d}:{instant.second:02d} {half}"
    )
