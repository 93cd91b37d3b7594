"""A command within its workspace: opened, warned about, and every failure told in a sentence."""

from __future__ import annotations

import asyncio
import getpass
import os
import sys
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path

import click

from provisor.cli.exits import Exit, WrongUse
from provisor.cli.main import Session
from provisor.cli.workspace import FILE, NoWorkspace, Workspace
from provisor.errors import AdapterError, Fenced, StoreFailed
from provisor.model.jobs import Job
from provisor.runtime.interruption import Interrupted
from provisor.runtime.lease import Busy
from provisor.runtime.runner import JobGone
from provisor.settings.applying import differs
from provisor.settings.leaves import Configuration
from provisor.settings.problems import Invalid, suggestion
from provisor.settings.stored import load_applied, load_tenant
from provisor.settings.workspace import read_workspace
from provisor.store.errors import JobUnknown, StoreTooNew
from provisor.store.keys import KeyUnusable

DEBUG_VARIABLE = "PROVISOR_DEBUG"
Work = Callable[[Workspace], Awaitable[int | None]]


def within(session: Session, work: Work, *, creates: bool = False, warns: bool = True) -> int:
    """Do the work of a command in its workspace; return how the process is to exit."""
    return guarded(lambda: asyncio.run(_within(session, work, creates, warns)))


def guarded(work: Callable[[], int]) -> int:
    """Do some work; tell what goes wrong on standard error, and return how to exit."""
    try:
        return work()
    except (KeyboardInterrupt, click.exceptions.Exit, click.ClickException, BrokenPipeError):
        raise
    except Exception as failure:  # noqa: BLE001
        return tell(failure)  # the last place where it can be told


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
        case WrongUse() | JobGone() | JobUnknown() | StoreTooNew() | KeyUnusable():
            complain(str(failure))
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


def complain(message: str) -> None:
    click.echo(f"provisor: {message}", err=True)


async def _within(session: Session, work: Work, creates: bool, warns: bool) -> int:
    async with session.open(session.folder, creates=creates, tenant=session.tenant) as workspace:
        if warns:
            await warn_of_differences(workspace)
        return await work(workspace) or Exit.SUCCEEDED


async def warn_of_differences(workspace: Workspace) -> None:
    """Say so where the file says something else than what is in force."""
    registry = workspace.parts.registry
    recorded = await load_applied(registry)
    if recorded is None:
        return
    tenant = await load_tenant(registry)

    def read(file: Path) -> Configuration:
        wanted = read_workspace(file, workspace.around, tenant.id if tenant else "")
        return wanted.configuration

    difference = await differs(recorded, workspace.folder, read)
    if difference:
        click.echo(
            f"provisor: warning: {difference}; `provisor apply {recorded.file} --dry-run` shows "
            "the difference",
            err=True,
        )


async def find_job(workspace: Workspace, name: str) -> Job:
    """Return the job of this name or id. Raises WrongUse."""
    jobs = await workspace.parts.registry.jobs()
    for job in jobs:
        if name in (job.name, job.id):
            return job
    if not jobs:
        raise WrongUse(f"there is no job yet; `provisor apply {FILE}` stores those of the file")
    raise WrongUse(f"there is no job {name}; {suggestion(name, [job.name for job in jobs])}")


def administrator() -> str:
    """Return who is at the keyboard, for the record."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}" if sys.platform != "win32" else "somebody"


def job_names(session: Session) -> list[str]:
    """Return the names of all jobs, for completion; none where there is no workspace."""

    async def names() -> list[str]:
        async with session.open(session.folder, tenant=session.tenant) as workspace:
            return [job.name for job in await workspace.parts.registry.jobs()]

    try:
        return asyncio.run(names())
    except Exception:  # noqa: BLE001
        return []  # a shell that completes is no place for errors
