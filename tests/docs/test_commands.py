"""Every command that the documentation shows is one that there is, with options that it has."""

from __future__ import annotations

import click
import pytest

from provisor.__main__ import open_lazily
from provisor.cli.main import Session, provisor
from tests.docs.pages import commands, words
from tests.tidy.repository import files, text

PAGES = [n for n in files() if n == "README.md" or (n.startswith("docs/") and n.endswith(".md"))]
HELP = ("-h", "--help")
ANY = ("COMMAND", "…")
"""Stand for whatever command it may be."""
SHOWN = sorted({(page, typed) for page in PAGES for typed in commands(text(page))})


def found(context: click.Context, rest: list[str]) -> tuple[click.Context, list[str]]:
    """Return the command that words name, and the words after its name."""
    command = context.command
    while isinstance(command, click.Group):
        while rest and rest[0].startswith("-") and rest[0] not in HELP:
            option = next((p for p in command.params if rest[0].split("=")[0] in p.opts), None)
            assert option is not None, f"there is no option {rest[0]}"
            is_alone = "=" in rest[0] or (isinstance(option, click.Option) and option.is_flag)
            rest = rest[1 if is_alone else 2 :]
        if not rest or rest[0] in ANY or rest[0] in HELP:
            break
        inner = command.get_command(context, rest[0])
        assert inner is not None, f"there is no command {rest[0]}"
        context = click.Context(inner, info_name=rest[0], parent=context)
        command, rest = inner, rest[1:]
    return context, rest


@pytest.mark.parametrize(("page", "typed"), SHOWN)
def test_a_command_that_is_shown_is_there(page: str, typed: str) -> None:
    root = click.Context(provisor, obj=Session(open_lazily))
    context, rest = found(root, [word.strip("[],.;") for word in words(typed)[1:]])
    known = {name for p in context.command.params for name in (*p.opts, *p.secondary_opts)}
    known |= set(HELP)
    for word in rest:
        if word.startswith("--"):
            assert word.partition("=")[0] in known, f"{page}: {typed}: there is no {word}"
    arguments = [p for p in context.command.params if isinstance(p, click.Argument)]
    assert (
        arguments or not rest or rest[0].startswith("-") or isinstance(context.command, click.Group)
    ), f"{page}: {typed} takes no arguments"


def test_the_test_sees_commands() -> None:
    assert len(SHOWN) > 60
    assert ("docs/quick-start.md", "provisor plan people") in SHOWN
