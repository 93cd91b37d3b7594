"""What a command may know that only lists jobs: it loads nothing of what a cycle needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from provisor.model.jobs import Job


@dataclass(frozen=True, slots=True)
class Glimpse:
    jobs: Sequence[Job]
    now: datetime
