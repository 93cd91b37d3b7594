"""What a cycle would do, as a value: shown, saved, approved by its hash, applied exactly."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from provisor.model.cycles import Cycle
from provisor.model.decisions import Action, Situation, StandingKey, TargetChange


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanStep:
    """One write to the target, with the precondition that it was planned under.

    References name source objects here: their target objects may be yet to be created.
    """

    key: StandingKey
    is_reference_pass: bool
    row: int
    situation: Situation
    action: Action
    """STAGED_DELETE for a departure that the guard holds."""
    code: str
    changes: tuple[TargetChange, ...]
    """What is written, in clear; show it through `shown`."""
    shown: tuple[TargetChange, ...]
    """The same, with what must not be shown redacted."""
    precondition: str
    """A hash of the source object, of what the target says of it, and of the rules."""
    source_name: str = ""
    target_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that one cycle would write, in order."""

    job: str
    made_at: datetime
    steps: tuple[PlanStep, ...]
    cycle: Cycle
    """What the cycle would report: its counts, and why it would halt."""
    hash: str
    """Names exactly these steps."""
