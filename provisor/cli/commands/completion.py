"""`completion`: what makes a shell complete commands and the names of jobs."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from provisor.cli.main import Session, provisor
from provisor.cli.render import say
from provisor.cli.shape import command


@command(
    "completion",
    'eval "$(provisor completion bash)"      in ~/.bashrc\n'
    "provisor completion fish > ~/.config/fish/completions/provisor.fish",
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(session: Session, shell: str) -> int:
    """Print what makes SHELL complete commands, options and the names of jobs."""
    completes = get_completion_class(shell)
    assert completes is not None, "click knows these shells"
    say(completes(provisor, {}, "provisor", "_PROVISOR_COMPLETE").source())
    return 0
