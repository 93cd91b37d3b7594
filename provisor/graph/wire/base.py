"""What all of Graph's types share: names in camelCase, and the forms of time (graph-api 1.4)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from msgspec import Struct, field

MIN_VALUE = datetime.min.replace(tzinfo=UTC)
"""`0001-01-01T00:00:00Z`: a date that is not nullable and was never set."""

NEVER = timedelta(days=10675199, hours=2, minutes=48, seconds=5, microseconds=477580)
"""The longest duration there is in .NET: no schedule."""
NEVER_TEXT = "P10675199DT2H48M5.4775807S"


class Wire(Struct, frozen=True, kw_only=True, rename="camel"):
    """One of Graph's types, closed: properties that it does not have are ignored."""


class Open(Wire, frozen=True, kw_only=True):
    """A type inside a schema: properties that Graph does not have are kept, and come back."""

    additional: dict[str, object] = field(default_factory=dict[str, object])


_DURATION = re.compile(
    r"P(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d{1,9})?)S)?)?"
)
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)?.*")


def duration_text(duration: timedelta) -> str:
    """Return the ISO 8601 form, as .NET writes it: `PT40M`, `P1DT12H`."""
    if duration >= NEVER:
        return NEVER_TEXT
    minutes, seconds = divmod(duration.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{duration.microseconds:06d}".rstrip("0").rstrip(".")
    clock = (
        (f"{hours}H" if hours else "")
        + (f"{minutes}M" if minutes else "")
        + (f"{seconds}{fraction}S" if seconds or fraction else "")
    )
    days = f"{duration.days}D" if duration.days else ""
    return f"P{days}T{clock}" if clock else f"P{days}" if days else "PT0S"


def duration_of(text: str) -> timedelta:
    """Return the duration that an ISO 8601 text says. Raises ValueError.

    Years, months and weeks have no length that a schedule could use.
    """
    found = _DURATION.fullmatch(text.strip())
    if found is None or not any(found.groupdict().values()):
        raise ValueError(f"{text!r} is no ISO 8601 duration such as PT40M")
    parts = {name: float(number) for name, number in found.groupdict("0").items()}
    try:
        return min(timedelta(**parts), NEVER)
    except OverflowError:
        return NEVER


def instant_text(instant: datetime) -> str:
    """Return the ISO 8601 form in UTC with `Z`; as many digits of a second as are needed."""
    utc = instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    text = utc.replace(tzinfo=None).isoformat()
    return f"{text.rstrip('0')}Z" if utc.microsecond else f"{text}Z"


def instant_of(text: str) -> datetime:
    """Return the instant that an ISO 8601 text says, UTC if it names no zone. Raises ValueError."""
    if _INSTANT.fullmatch(text) is None:
        raise ValueError(f"{text!r} is no ISO 8601 date such as 2026-01-31T12:00:00Z")
    instant = datetime.fromisoformat(text)
    try:
        return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    except OverflowError as error:
        raise ValueError(f"{text!r} is beyond the calendar in UTC") from error
