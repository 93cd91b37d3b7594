"""Every failure, told in a sentence that says what to do."""

from __future__ import annotations

import os
import traceback
from pathlib import Path

from provisor.cli.exits import Exit, WrongUse
from provisor.cli.guard import complain
from provisor.cli.places import NoWorkspace
from provisor.errors import AdapterError, Fenced, StoreFailed, StoreTooNew
from provisor.runtime.interruption import Interrupted
from provisor.runtime.lease import Busy
from provisor.runtime.runner import JobGone
from provisor.settings.problems import Invalid
from provisor.store.errors import JobUnknown, StoreTooOld
from provisor.store.keys import KeyUnusable

DEBUG_VARIABLE = "PROVISOR_DEBUG"


def tell(failure: Exception) -> Exit:
    """Say what went wrong, in a sentence that says what to do."""
    match failure:
        case Invalid(problems=problems):
            for problem in problems:
                complain(str(problem))
            return Exit.WRONG_USE
        case NoWorkspace():
            complain(
                f"{failure}. `provisor init` makes one; --workspace or PROVISOR_WORKSPACE names "
                "another folder"
            )
            return Exit.WRONG_USE
        case WrongUse() | JobGone() | JobUnknown() | KeyUnusable():
            complain(str(failure))
            return Exit.WRONG_USE
        case StoreTooNew() | StoreTooOld():
            complain(f"{failure} ({failure.code})")
            return Exit.WRONG_USE
        case Busy():
            complain(f"{failure}; try again when it has ended")
            return Exit.BUSY
        case Fenced():
            complain("another process has taken the job over; nothing more was written here")
            return Exit.BUSY
        case Interrupted():
            complain(str(failure))
            return Exit.INTERRUPTED
        case StoreFailed() | AdapterError():
            complain(f"{failure} ({failure.code})")
            return Exit.FAILED
        case _:
            return _tell_defect(failure)


def _tell_defect(failure: Exception) -> Exit:
    """A defect of ours. Its text may hold values of people, so it is shown only when asked for."""
    if os.environ.get(DEBUG_VARIABLE):
        traceback.print_exception(failure)
    place = traceback.extract_tb(failure.__traceback__)[-1:]
    where = f" at {Path(place[0].filename).name}:{place[0].lineno}" if place else ""
    complain(
        f"internal error: {type(failure).__name__}{where}. This is a defect of Provisor; with "
        f"{DEBUG_VARIABLE}=1 in the environment it tells more"
    )
    return Exit.INTERNAL_ERROR
