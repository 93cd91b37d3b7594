"""What is wrong with settings, said alike by whoever reads them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in the settings, where it is, and the way out."""

    path: str
    message: str


@dataclass(frozen=True, slots=True)
class Invalid:
    """Settings that cannot be used, with everything that is wrong with them."""

    problems: tuple[Problem, ...]


def no_such_setting(key: str, allowed: Sequence[str]) -> str:
    """Return what to say of a setting that there is not: most often it is misspelt."""
    near = get_close_matches(key, allowed, 1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(allowed)}"
    return f"there is no such setting; {hint}"


def duration_s(text: str) -> float | None:
    """Return the seconds of an ISO 8601 duration of days and less (`PT5M`); None if it is none."""
    found = _DURATION.fullmatch(text)
    if found is None or not any(found.groups()):
        return None
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
