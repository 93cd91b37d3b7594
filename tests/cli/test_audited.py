"""Every command that decides or changes something is on record; a new one has to say which."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import click

from provisor.cli.main import provisor
from provisor.cli.places import STORE
from tests.cli.workspace import Workspace

SECRET = "marked-of-the-commands-0001"
NEEDS_NO_RECORD = {
    **dict.fromkeys(
        ("status", "logs", "explain", "escrows", "plan", "eval", "functions", "test", "openapi",
         "schema check", "schema show", "secrets list", "token list", "tenant list", "app list",
         "completion"),
        "it only looks",
    ),
    **dict.fromkeys(("serve", "worker"), "what is asked of it is on record, and each cycle"),
    "init": "there is nothing yet",
    "demo": "it plays",
    "store copy": "it works on stores, not in a workspace; the audit is copied too",
    "store migrate": "it brings tables up to date, and decides about nobody",
}  # fmt: skip
ACTS: dict[str, tuple[str, ...]] = {
    "apply": ("provisor.yaml",),
    "probe": ("people",),
    "pause": ("people",),
    "start": ("people",),
    "restart": ("people", "--scope", "Escrows"),
    "provision": ("people", "ada"),
    "reconcile": ("people",),
    "run": ("people", "--same-system"),
    "approve": ("people", "HASH"),
    "secrets set": ("people", "target.token"),
    "token create": ("ci", "--scope", "Synchronization.Read.All"),
    "token revoke": ("ci",),
    "tenant add": ("0d6b3b5e-5a53-4d5c-9d4a-0e8a1f6f9f11",),
    "backup": ("copy.db",),
    "store backup": ("another.db",),
    "key rotate": (),
    "delete": ("people", "--yes"),
}
"""In an order in which each has something to do."""


def commands(group: click.Group, before: str = "") -> Iterator[str]:
    for name in group.list_commands(click.Context(group)):
        found = group.get_command(click.Context(group), name)
        path = f"{before} {name}".strip()
        if isinstance(found, click.Group):
            yield from commands(found, path)
        else:
            yield path


def acts(workspace: Workspace) -> list[str]:
    """Return what is on record."""
    with closing(sqlite3.connect(workspace.folder / STORE)) as store:
        return [str(row) for row in store.execute("SELECT * FROM audit ORDER BY number")]


def test_every_command_acts_and_is_on_record_or_says_why_not() -> None:
    assert sorted(commands(provisor)) == sorted((*ACTS, *NEEDS_NO_RECORD))


def test_every_act_is_on_record_and_no_secret_is(running: Workspace) -> None:
    text = (running.folder / "provisor.yaml").read_text("utf-8")
    running.configure(text.replace("schedule: PT5M", "schedule: PT7M"))
    for name, arguments in ACTS.items():
        if name == "approve":
            running.dismiss("ada", "bob", "cyd", "dan")
            held = running.provisor("run", "people").out
            found = re.search(r"provisor approve people (\w+)", held)
            assert found is not None, held
            arguments = ("people", found[1])
        before = acts(running)
        ended = running.provisor(*name.split(), *arguments, text=f"{SECRET}\n")
        assert ended.code in (0, 3, 4), (name, ended.err)
        after = acts(running)
        assert len(after) > len(before), f"{name} is not on record"
    told = "\n".join(acts(running))
    assert SECRET not in told
    assert running.server.token not in told


def test_what_an_apply_changed_is_told_with_old_and_new(running: Workspace) -> None:
    text = (running.folder / "provisor.yaml").read_text("utf-8")
    running.configure(text.replace("schedule: PT5M", "schedule: PT7M"))
    assert running.provisor("apply", "provisor.yaml").code == 0
    told = acts(running)[-1]
    assert "jobs.people.schedule" in told
    assert "PT5M" in told
    assert "PT7M" in told
