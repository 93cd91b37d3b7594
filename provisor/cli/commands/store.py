"""`store`: the store as a whole, moved and backed up."""

from __future__ import annotations

import click

from provisor.cli.commands.backup import writing_a_copy
from provisor.cli.guard import guarded
from provisor.cli.main import Session
from provisor.cli.render import say, tell
from provisor.cli.shape import command
from provisor.store.moving import move
from provisor.store.place import parse_place, shown


@click.group(
    "store",
    epilog="\b\nExample:\n  provisor store copy provisor.db postgresql://db.example.com/provisor",
)
def store() -> None:
    """Move the store elsewhere, or copy it while it is in use."""


@command(
    "copy",
    "provisor store copy provisor.db postgresql://provisor@db.example.com/provisor\n"
    "provisor store copy postgresql://provisor@db.example.com/provisor provisor.db",
)
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
def copy(session: Session, source: str, target: str) -> int:
    """Copy the store at FROM to TO, where there is none: a file, or the address of a database.

    Stop what works on it first. Broken off, the same command goes on where it was. In the end both
    are read in full and compared. The key is not part of it.
    """

    def work() -> int:
        one, other = parse_place(source), parse_place(target)
        known_by = move(one, other, _tell)
        say(f"{shown(other)} holds what {shown(one)} holds, compared row by row ({known_by})")
        return 0

    return guarded(work)


def _tell(table: str, rows: int) -> None:
    if rows:
        tell(f"provisor: {table}: {rows} rows")


store.add_command(copy)
store.add_command(writing_a_copy("provisor store backup /backups/provisor-2026-01-31.db"))
