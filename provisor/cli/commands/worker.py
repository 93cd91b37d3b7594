"""`worker`: cycles, run beside other workers."""

from __future__ import annotations

import click

from provisor.cli.main import Session
from provisor.cli.render import tell
from provisor.cli.session import within
from provisor.cli.shape import command
from provisor.cli.telling import telling_of, telling_options
from provisor.cli.workspace import Workspace
from provisor.runtime.interruption import Interruption


@command("worker", "provisor worker\nprovisor worker --concurrency 16")
@click.option(
    "--concurrency",
    default=8,
    show_default=True,
    type=click.IntRange(1, 256),
    help="So many cycles at a time.",
)
@click.option(
    "--tenant-cycles",
    type=click.IntRange(1, 10_000),
    help="So many cycles of one tenant at a time, on all workers together: say it to each.",
)
@click.option(
    "--share-from",
    "shared_from",
    type=click.IntRange(1),
    help="Share cycles with so many objects or more out among all workers: say it to each.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="Answer /health, /ready and /metrics here; 0 takes any that is free.",
)
@telling_options
def worker(
    session: Session,
    concurrency: int,
    tenant_cycles: int | None,
    shared_from: int | None,
    host: str,
    port: int | None,
    log_format: str,
    log_level: str,
    collector: str,
    traced: float,
) -> int:
    """Run started jobs when they are due, until a signal.

    Any number of workers, on any number of machines, share a store on PostgreSQL: each cycle is
    run by one of them, and by another should that one die.
    """

    telling = telling_of(log_format, log_level, collector, traced)

    async def work(workspace: Workspace) -> int:
        interruption = Interruption(workspace.parts.clock)
        with interruption.on_signals():
            tell(f"provisor: working on {workspace.store}, {concurrency} cycles at a time")
            listening = None if port is None else (host, port)
            await workspace.work(
                interruption,
                concurrency,
                tenant_cycles,
                shared_from,
                telling,
                listening,
                lambda url: tell(f"provisor: tells how it is at {url}"),
            )
        return interruption.exit_code

    return within(session, work)
