"""Durations as ISO 8601 writes them: `PT5M`, `P30D`."""

from __future__ import annotations

import re
from datetime import timedelta

_FORM = re.compile(
    r"P(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?"
)
DAYS_MAX = 36_500


def parse_duration(text: str) -> timedelta | None:
    """Return what `text` says; None if it is no duration, or longer than anybody lives."""
    found = _FORM.fullmatch(text.strip().upper())
    if found is None:
        return None
    parts = {unit: int(number) for unit, number in found.groupdict().items() if number}
    if not parts or any(number > DAYS_MAX * 86_400 for number in parts.values()):
        return None
    duration = timedelta(**parts)
    return duration if duration <= timedelta(days=DAYS_MAX) else None


def duration_text(duration: timedelta) -> str:
    """Return the one form in which a duration is stored and compared."""
    minutes, seconds = divmod(duration.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    clock = "".join(
        f"{number}{unit}"
        for number, unit in ((hours, "H"), (minutes, "M"), (seconds, "S"))
        if number
    )
    days = f"{duration.days}D" if duration.days else ""
    if not days and not clock:
        return "PT0S"
    return f"P{days}T{clock}" if clock else f"P{days}"
