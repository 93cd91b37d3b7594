"""The last place where a failure can be told. How each is told is loaded when there is one."""

from __future__ import annotations

from collections.abc import Callable

import click


def guarded(work: Callable[[], int]) -> int:
    """Do some work; tell what goes wrong on standard error, and return how to exit."""
    try:
        return work()
    except (KeyboardInterrupt, click.exceptions.Exit, click.ClickException, BrokenPipeError):
        raise
    except Exception as failure:  # noqa: BLE001
        from provisor.cli.failures import tell

        return tell(failure)


def complain(message: str) -> None:
    click.echo(f"provisor: {message}", err=True)
