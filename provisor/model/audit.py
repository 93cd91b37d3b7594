"""What administrators did: who, from where, what it was about, and what it changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Altered:
    """One thing that is now otherwise. Secrets are told apart, never told."""

    name: str
    before: str
    after: str
    """Empty: it is gone; both are texts as administrators write them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One administrative act, as it is kept."""

    at: datetime
    by: str
    activity: str
    about: str
    origin: str = ""
    """The address that it came from; empty: the command line of the machine itself."""
    altered: tuple[Altered, ...] = ()
