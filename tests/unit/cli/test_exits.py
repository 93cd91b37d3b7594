"""How a command ends: failed before quarantined before entry errors, and each failure its code."""

from __future__ import annotations

from datetime import UTC, datetime

import click
import pytest

from provisor.cli.exits import Exit, WrongUse, of_cycle
from provisor.cli.guard import guarded
from provisor.cli.places import NoWorkspace
from provisor.errors import Denied, Fenced, StoreFailed, StoreTooNew, Unreachable
from provisor.model.cycles import (
    Counts,
    Cycle,
    CycleKind,
    CycleResult,
    Halt,
    JobError,
    QuarantineReason,
)
from provisor.runtime.lease import Busy
from provisor.runtime.runner import JobGone
from provisor.settings.problems import Invalid, Problem
from provisor.store.errors import JobUnknown

AT = datetime(2026, 1, 1, tzinfo=UTC)
ERROR = JobError(code="TooManyDeletes", message="many")
HALT = Halt(QuarantineReason.TOO_MANY_DELETES, ERROR)


@pytest.mark.parametrize(
    ("result", "halt", "exit"),
    [
        (CycleResult.SUCCEEDED, None, Exit.SUCCEEDED),
        (CycleResult.ENTRY_LEVEL_ERRORS, None, Exit.ENTRY_ERRORS),
        (CycleResult.SUCCEEDED, HALT, Exit.QUARANTINED),
        (CycleResult.ENTRY_LEVEL_ERRORS, HALT, Exit.QUARANTINED),
        (CycleResult.FAILED, None, Exit.FAILED),
        (CycleResult.FAILED, HALT, Exit.FAILED),
    ],
)
def test_a_cycle(result: CycleResult, halt: Halt | None, exit: Exit) -> None:
    cycle = Cycle(
        id="c",
        kind=CycleKind.INCREMENTAL,
        began=AT,
        ended=AT,
        result=result,
        counts=Counts(),
        halt=halt,
    )

    assert of_cycle(cycle) is exit


def raises(failure: Exception) -> int:
    def work() -> int:
        raise failure

    return guarded(work)


@pytest.mark.parametrize(
    ("failure", "exit"),
    [
        (Invalid([Problem("f", 1, "a.b", "is wrong")]), 2),
        (NoWorkspace("x is no workspace"), 2),
        (WrongUse("say which"), 2),
        (JobGone("gone"), 2),
        (JobUnknown("unknown"), 2),
        (StoreTooNew("too new"), 2),
        (Busy("a cycle is running"), 6),
        (Fenced(), 6),
        (StoreFailed("no room"), 5),
        (Unreachable("no route"), 5),
        (Denied("wrong token"), 5),
        (ValueError("ours"), 1),
    ],
)
def test_a_failure(failure: Exception, exit: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert raises(failure) == exit

    said = capsys.readouterr()
    assert not said.out
    assert said.err.startswith("provisor: ")


def test_a_defect_shows_no_values_of_people(capsys: pytest.CaptureFixture[str]) -> None:
    raises(KeyError("ada@example.com"))

    said = capsys.readouterr().err
    assert "ada@example.com" not in said
    assert "internal error: KeyError at test_exits.py:" in said


def test_what_click_raises_is_left_to_click() -> None:
    with pytest.raises(click.UsageError):
        raises(click.UsageError("wrong"))
