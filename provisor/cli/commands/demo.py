"""`demo`: two minutes with an invented organisation and a real SCIM server."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import click

from provisor.cli.exits import Exit
from provisor.cli.guard import complain, guarded
from provisor.cli.main import WORKSPACE_VARIABLE, Session
from provisor.cli.render import say
from provisor.cli.shape import command
from provisor.demo.show import Finished, Stage, Untrue, show
from provisor.demo.target import Target, TargetMissing, serve


@command("demo", "provisor demo\nprovisor demo --keep demo    look around in the workspace later")
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    help="Make the workspace here, and leave it. The server is stopped all the same.",
)
@click.option("--seed", default=7, show_default=True, help="Another seed, another organisation.")
def demo(session: Session, *, keep: Path | None, seed: int) -> int:
    """Watch an invented organisation flow from HR files into a real SCIM server.

    Plan, run, change, and a file that is cut short: all through these very commands, and checked
    against what the server itself says. Exits 0 only if everything was as told.
    """
    if keep is not None and keep.exists() and any(keep.iterdir()):
        raise click.UsageError(f"{keep} is not empty; name a new folder")
    return guarded(lambda: _play(keep, seed))


def _play(keep: Path | None, seed: int) -> int:
    with ExitStack() as stack:
        try:
            target = stack.enter_context(serve())
        except TargetMissing as missing:
            complain(str(missing))
            return Exit.WRONG_USE
        if keep is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="provisor-demo-")))
        else:
            keep.mkdir(parents=True, exist_ok=True)
            folder = keep.resolve()
        try:
            show(_stage(folder, target), seed)
        except Untrue as untrue:
            complain(f"{untrue}. This is a defect of Provisor")
            return Exit.INTERNAL_ERROR
    say("\nThat was it: all of it is so. The server is stopped.")
    if keep is not None:
        say(f"The workspace is in {keep}.")
    return Exit.SUCCEEDED


def _stage(folder: Path, target: Target) -> Stage:
    environment = {**os.environ, WORKSPACE_VARIABLE: str(folder)}

    def provisor(arguments: Sequence[str]) -> Finished:
        sys.stdout.flush()
        ended = subprocess.run(_line(arguments), cwd=folder, env=environment, check=False)  # noqa: S603
        return Finished(ended.returncode, "")

    def ask(arguments: Sequence[str]) -> Finished:
        ended = subprocess.run(  # noqa: S603
            _line(arguments),
            cwd=folder,
            env=environment,
            check=False,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        return Finished(ended.returncode, ended.stdout)

    return Stage(folder=folder, target=target, say=say, provisor=provisor, ask=ask)


def _line(arguments: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "provisor", *arguments]
