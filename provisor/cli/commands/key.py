"""`key`: the key that secrets are encrypted with."""

from __future__ import annotations

import click

from provisor.cli.main import Session
from provisor.cli.places import KEY
from provisor.cli.render import count, say
from provisor.cli.session import audit, within
from provisor.cli.shape import workspace_option
from provisor.cli.workspace import Workspace


@click.group(epilog="\b\nExample:\n  provisor key rotate")
def key() -> None:
    """Change the key that secrets are encrypted with."""


@key.command("rotate", epilog="\b\nExample:\n  provisor key rotate")
@workspace_option
@click.pass_obj
def rotate(session: Session) -> int:
    """Make a new key, and encrypt every secret in the vault anew under it.

    Plans that were saved before cannot be carried out any more. Back the new key up.
    """

    async def work(workspace: Workspace) -> None:
        parts = workspace.parts
        number = await parts.vault.rotate()
        await audit(workspace, "Rotate key", KEY)
        say(f"{count(number, 'secret')} encrypted anew; back up the new {KEY}")

    return within(session, work)
