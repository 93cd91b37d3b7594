"""How a command ends (settled 37)."""

from __future__ import annotations

from enum import IntEnum

from provisor.model.cycles import Cycle, CycleResult


class Exit(IntEnum):
    SUCCEEDED = 0
    INTERNAL_ERROR = 1
    WRONG_USE = 2
    ENTRY_ERRORS = 3
    QUARANTINED = 4
    FAILED = 5
    BUSY = 6
    CHANGES = 7
    """`plan --detailed-exitcode` found something to do."""
    INTERRUPTED = 130


class WrongUse(Exception):
    """What was asked for cannot be meant; the message says the way out."""


def of_cycle(cycle: Cycle) -> Exit:
    """Return how a run ends that ran this cycle: failed before quarantined before entry errors."""
    if cycle.result is CycleResult.FAILED:
        return Exit.FAILED
    if cycle.halt is not None:
        return Exit.QUARANTINED
    if cycle.result is CycleResult.ENTRY_LEVEL_ERRORS:
        return Exit.ENTRY_ERRORS
    return Exit.SUCCEEDED
