"""How commands are declared: the same options, the same help, an example in each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from provisor.cli.main import WORKSPACE_VARIABLE, Session, choose_workspace

F = TypeVar("F", bound=Callable[..., Any])


def command(name: str, example: str) -> Callable[[Callable[..., Any]], click.Command]:
    """Declare a command that takes the session first; `example` has a line for each."""

    def declared(function: Callable[..., Any]) -> click.Command:
        lines = "\n".join(f"  {line}" for line in example.splitlines())
        title = "Examples" if "\n" in example else "Example"
        return click.command(name, epilog=f"\b\n{title}:\n{lines}")(
            workspace_option(click.pass_obj(function))
        )

    return declared


def workspace_option(function: F) -> F:
    return click.option(
        "--workspace",
        "-w",
        type=click.Path(file_okay=False, path_type=Path),
        expose_value=False,
        callback=choose_workspace,
        help=f"The workspace's folder. [default: {WORKSPACE_VARIABLE}, or this folder]",
    )(function)


def _jobs(ctx: click.Context, _: click.Parameter, typed: str) -> list[CompletionItem]:
    """Complete the name of a job. Whatever goes wrong, there is just nothing to offer."""
    from provisor.cli.session import job_names

    session = ctx.find_object(Session)
    names = job_names(session) if session else []
    return [CompletionItem(name) for name in names if name.startswith(typed)]


def job_argument(*, is_needed: bool = True) -> Callable[[F], F]:
    return click.argument("job", required=is_needed, shell_complete=_jobs)


def json_option(function: F) -> F:
    return click.option("--json", "as_json", is_flag=True, help="Print JSON; its form is stable.")(
        function
    )


def object_argument(function: F) -> F:
    return click.argument("object")(function)


def yes_option(function: F) -> F:
    return click.option("--yes", "is_sure", is_flag=True, help="Do it without asking again.")(
        function
    )
