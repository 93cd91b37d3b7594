"""A command within its workspace: opened, warned about, and every failure told in a sentence."""

from __future__ import annotations

import asyncio
import getpass
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import click

from provisor.cli.exits import Exit, WrongUse
from provisor.cli.guard import guarded
from provisor.cli.main import Session
from provisor.cli.places import FILE
from provisor.cli.workspace import Workspace
from provisor.model.audit import Altered
from provisor.model.jobs import Job
from provisor.settings.applying import differs
from provisor.settings.leaves import Configuration
from provisor.settings.problems import suggestion
from provisor.settings.stored import load_applied, load_tenant
from provisor.settings.workspace import read_workspace

DEBUG_VARIABLE = "PROVISOR_DEBUG"
Work = Callable[[Workspace], Awaitable[int | None]]


def within(session: Session, work: Work, *, creates: bool = False, warns: bool = True) -> int:
    """Do the work of a command in its workspace; return how the process is to exit."""
    return guarded(lambda: asyncio.run(_within(session, work, creates, warns)))


async def _within(session: Session, work: Work, creates: bool, warns: bool) -> int:
    async with session.open(session.folder, creates=creates, tenant=session.tenant) as workspace:
        if warns:
            await warn_of_differences(workspace)
        return await work(workspace) or Exit.SUCCEEDED


async def audit(workspace: Workspace, activity: str, about: str, *altered: Altered) -> None:
    """Have it on record that whoever runs this command did something."""
    now = workspace.parts.clock.now()
    await workspace.parts.registry.audit(now, administrator(), activity, about, altered=altered)


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
