"""`provisor`: which commands there are. A command's own module is imported when it is typed."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from provisor.cli.workspace import Open

COMMANDS = {
    "init": ("init", "Make a workspace."),
    "apply": ("apply", "Store what a configuration file says; nothing is sent."),
    "probe": ("probe", "Test source and target of a job, and say how they will be used."),
    "plan": ("plan", "Show what a cycle would do now."),
    "run": ("run", "Run one cycle now, or cycle after cycle."),
    "status": ("status", "Show where jobs stand."),
    "logs": ("logs", "Show what was decided, object by object."),
    "explain": ("explain", "Go through every step for one object, as things are now."),
    "eval": ("evaluate", "Evaluate an expression on attributes, or many as a file has them."),
    "functions": ("functions", "Show the functions that mappings are written with."),
    "schema": ("schema", "Check a schema, or show the one that a job runs under."),
    "test": ("examples", "Run the examples that stand beside a job through its rules."),
    "provision": ("provision", "Take one object through all steps now."),
    "start": ("lifecycle", "Let the schedule run a job."),
    "pause": ("lifecycle", "Stop a job, and keep all that is remembered."),
    "restart": ("lifecycle", "Forget some of what is remembered, and start again."),
    "delete": ("lifecycle", "Forget a job. Accounts stay as they are."),
    "reconcile": ("run", "Read the target in full, and report what others changed."),
    "approve": ("approve", "Let staged departures or a saved plan pass, by their hash."),
    "escrows": ("escrows", "Show the objects that failed and wait, by cause."),
    "secrets": ("secrets", "Keep secrets in the vault instead of in files."),
    "serve": ("serve", "Serve the API, and run jobs as their schedules say."),
    "openapi": ("openapi", "Print the description of the API, for clients and tools."),
    "token": ("token", "Make, show and revoke keys for the API."),
    "tenant": ("tenant", "Keep further tenants in this workspace's store."),
    "app": ("app", "Show applications, with the ids that the API knows them by."),
    "worker": ("worker", "Run cycles beside other workers, on any number of machines."),
    "store": ("store", "Move the store elsewhere, or copy it while it is in use."),
    "backup": ("backup", "Copy the store while it is in use."),
    "key": ("key", "Change the key that secrets are encrypted with."),
    "demo": ("demo", "Watch an invented organisation flow into a real SCIM server."),
    "completion": ("completion", "Print what makes a shell complete commands."),
}
WORKSPACE_VARIABLE, TENANT_VARIABLE = "PROVISOR_WORKSPACE", "PROVISOR_TENANT"


class Session:
    """What every command is given: the workspace's folder, and how to open it."""

    def __init__(self, open: Open) -> None:
        self.open = open
        self.folder = Path(os.environ.get(WORKSPACE_VARIABLE) or ".")
        self.tenant = os.environ.get(TENANT_VARIABLE, "").lower()


class Commands(click.Group):
    """A group that knows its commands by name and imports them when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"provisor.cli.commands.{COMMANDS[cmd_name][0]}")
        found = getattr(module, cmd_name)
        assert isinstance(found, click.Command)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing one of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, short) for name, (_, short) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from provisor.settings.problems import suggestion

            raise click.UsageError(
                f"there is no command '{args[0]}'; {suggestion(args[0], COMMANDS)}", ctx
            )
        return super().resolve_command(ctx, args)


def _version(ctx: click.Context, _: click.Parameter, is_asked: bool) -> None:
    if is_asked:
        from importlib.metadata import version

        click.echo(f"provisor {version('provisor')}")
        ctx.exit()


def choose_workspace(ctx: click.Context, _: click.Parameter, folder: Path | None) -> None:
    if folder is not None and isinstance(ctx.obj, Session):
        ctx.obj.folder = folder


def choose_tenant(ctx: click.Context, _: click.Parameter, tenant: str | None) -> None:
    if tenant is not None and isinstance(ctx.obj, Session):
        ctx.obj.tenant = tenant.lower()


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="\b\nExamples:\n"
    "  provisor demo                  see it work\n"
    "  provisor init                  make a workspace in this folder\n"
    "  provisor apply provisor.yaml   store what the file says\n"
    "  provisor plan people           see what would happen\n"
    "  provisor run people            do it\n"
    "  provisor run --help            more about one command",
)
@click.option(
    "--workspace",
    "-w",
    type=click.Path(file_okay=False, path_type=Path),
    expose_value=False,
    callback=choose_workspace,
    help=f"The folder with provisor.yaml, store and key. [default: {WORKSPACE_VARIABLE}, or this]",
)
@click.option(
    "--tenant",
    expose_value=False,
    callback=choose_tenant,
    help=f"The tenant that is meant. [default: {TENANT_VARIABLE}, or the workspace's own]",
)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_version,
    help="Show the version.",
)
def provisor() -> None:
    """Keep the accounts of applications true to the directory the people come from."""


def run(arguments: Sequence[str], open: Open) -> int:
    """Run one command line; return how the process is to exit."""
    try:
        result = provisor.main(
            args=list(arguments), prog_name="provisor", standalone_mode=False, obj=Session(open)
        )
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("provisor: interrupted", err=True)
        return 130
    except click.ClickException as wrong:
        wrong.show()
        return 2
    except BrokenPipeError:
        # Whoever read our output has gone; nothing is left to say, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return result if isinstance(result, int) else 0
