"""`backup`: a copy of the store that is whole, while others go on writing."""

from __future__ import annotations

from pathlib import Path

import click

from provisor.cli.exits import WrongUse
from provisor.cli.main import Session
from provisor.cli.places import KEY, STORE
from provisor.cli.render import say
from provisor.cli.session import audit, within
from provisor.cli.shape import command
from provisor.cli.workspace import Workspace


def writing_a_copy(example: str) -> click.Command:
    """Return the command, which is known by two names."""

    @command("backup", example)
    @click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
    @click.option("--force", is_flag=True, help="Replace the file if it is there.")
    def backup(session: Session, file: Path, *, force: bool) -> int:
        """Copy the store to FILE, while cycles may be running.

        The key is not in it, nor is provisor.yaml: keep a copy of each, the key in another place.
        """

        async def work(workspace: Workspace) -> None:
            _check(file, workspace, force)
            await workspace.backup(file)
            await audit(workspace, "Back up the store", str(file))
            say(f"the store was copied to {file}; keep {KEY} as well, in another place")

        return within(session, work)

    return backup


backup = writing_a_copy("provisor backup /backups/provisor-2026-01-31.db")


def _check(file: Path, workspace: Workspace, force: bool) -> None:
    if file.resolve() == (workspace.folder / STORE).resolve():
        raise WrongUse("that is the store itself; name another file")
    if file.exists() and not force:
        raise WrongUse(f"{file} is there already; name another file, or say --force")
