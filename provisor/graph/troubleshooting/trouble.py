"""What is known about one code: what it means, and the way out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Concerns(StrEnum):
    """What stands still because of it."""

    OBJECT = "one object"
    REFERENCE = "one reference of an object"
    JOB = "the whole job"
    NOTHING = "nothing"


class Retried(StrEnum):
    """When it is tried again without anybody's doing (spec: behaviour 11)."""

    NEXT_CYCLE = (
        "In each of the next three cycles, then 6, 12 and 24 hours after the first failure, then "
        "daily, for 28 days. A change of the object or of the mapping makes it due at once."
    )
    BACK_OFF = (
        "6, 12 and 24 hours after the first failure, then daily, for 28 days. A change of the "
        "object or of the mapping makes it due at once."
    )
    AS_A_JOB = (
        "By the next cycle on schedule. When the job is in quarantine: 5, 15 and 40 minutes, then "
        "1, 2, 6, 12 and 24 hours after the attempt before, then daily; after 28 days it is paused."
    )
    BY_NOBODY = "Not by itself: somebody has to decide."
    NOT_NEEDED = "There is nothing to try again. A change of the object is looked at in any case."


class Category(StrEnum):
    """Whose it is, in Graph's words (spec: graph-api 10.2)."""

    FAILURE = "failure"
    NON_SERVICE_FAILURE = "nonServiceFailure"
    SUCCESS = "success"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """One code, explained."""

    code: str
    meaning: str
    """One or two sentences an administrator understands without knowing the product."""
    advice: str
    """The first thing to do, in one sentence: what the log recommends."""
    steps: tuple[str, ...] = ()
    """What else may be done, in this order."""
    look: str = ""
    """How to see what it is about, where that is not the usual way."""
    concerns: Concerns = Concerns.OBJECT
    retried: Retried = Retried.BACK_OFF
    category: Category = Category.NON_SERVICE_FAILURE
