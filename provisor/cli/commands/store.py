"""`store`: the store as a whole, moved and backed up."""

from __future__ import annotations

import os

import click

from provisor.cli.commands.backup import writing_a_copy
from provisor.cli.guard import guarded
from provisor.cli.main import Session
from provisor.cli.places import NoWorkspace
from provisor.cli.render import say, tell
from provisor.cli.shape import command
from provisor.store.moving import move
from provisor.store.opened import bring_up_to_date, is_there
from provisor.store.place import parse_place, place_of, shown


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


@command("migrate", "provisor store migrate")
def migrate(session: Session) -> int:
    """Bring the workspace's store up to date, for this version of Provisor.

    Most upgrades need no such thing: whoever opens the store does it. Where it would take the store
    from others who may be at work, it is left to you, and every command says so. Make a backup
    first; an older Provisor does not open the store again.
    """

    def work() -> int:
        place = place_of(session.folder, os.environ)
        if not is_there(place):
            raise NoWorkspace(f"there is no store at {shown(place)}")
        before, now = bring_up_to_date(place)
        if before == now:
            say(f"{shown(place)} is up to date (its tables are of version {now})")
        else:
            say(f"{shown(place)} is of version {now} now; it was of version {before}")
        return 0

    return guarded(work)


store.add_command(copy)
store.add_command(migrate)
store.add_command(writing_a_copy("provisor store backup /backups/provisor-2026-01-31.db"))
