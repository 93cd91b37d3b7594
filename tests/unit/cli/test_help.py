"""Every command explains itself, with an example, and asking for help costs no patience."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from provisor.cli.main import COMMANDS, provisor
from provisor.cli.render import clean, count, span, table, width

HEAVY = (
    "asyncio",
    "cryptography",
    "httptools",
    "msgspec",
    "rich",
    "ruamel",
    "sqlalchemy",
    "sqlite3",
)


def commands() -> Iterator[tuple[str, click.Command]]:
    """Yield every command and every command below it, with the words that lead there."""
    context = click.Context(provisor)
    for name in COMMANDS:
        command = provisor.get_command(context, name)
        assert command is not None
        yield name, command
        if isinstance(command, click.Group):
            for inner, below in command.commands.items():
                yield f"{name} {inner}", below


@pytest.mark.parametrize("words", [words for words, _ in commands()])
def test_help_shows_an_example_that_begins_with_the_command(words: str) -> None:
    result = CliRunner().invoke(provisor, [*words.split(), "--help"])

    assert result.exit_code == 0
    example = result.output.partition("Example")[2]
    assert f"provisor {words}" in example


@pytest.mark.parametrize(("words", "command"), list(commands()))
def test_every_option_says_what_it_is_for(words: str, command: click.Command) -> None:
    silent = [p.name for p in command.params if isinstance(p, click.Option) and not p.help]
    assert not silent, f"{words}: {silent}"


def test_help_lists_the_commands_without_importing_one() -> None:
    code = (
        "import sys\n"
        "from provisor.cli.main import run\n"
        "assert run(['--help'], None) == 0\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ended.stderr.strip() == "[]"
    assert all(name in ended.stdout for name in COMMANDS)


def test_a_command_that_is_misspelled_is_guessed() -> None:
    result = CliRunner().invoke(provisor, ["staus"])

    assert result.exit_code == 2
    assert "there is no command 'staus'; did you mean status?" in result.output


def test_tables_line_up_whatever_letters_are_in_them() -> None:
    rows = table([("A", "B"), ("京都", "x"), ("e\u0301", "y")])

    assert rows.splitlines() == ["A     B", "京都  x", "e\u0301     y"]
    assert width("京都") == 4


def test_nothing_from_outside_steers_the_terminal() -> None:
    assert clean("a\x1b[31mb\r\n\x9b") == "a�[31mb���"


def test_numbers_are_words() -> None:
    from datetime import timedelta

    assert count(1, "object") == "1 object"
    assert count(2000, "object") == "2,000 objects"
    assert span(timedelta(seconds=1.25)) == "1.2 s"
    assert span(timedelta(minutes=5)) == "5 min"
    assert span(timedelta(days=1, hours=2, minutes=3)) == "1 d 2 h"
