"""A progress bar on standard error, and only where somebody looks at it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from provisor.runtime.parts import Parts

LOOK_AGAIN_S = 0.2


@asynccontextmanager
async def progress(parts: Parts, job: str) -> AsyncGenerator[None]:
    """Show how far the job's cycle has come, as long as this lasts."""
    if not sys.stderr.isatty():
        yield
        return
    task = asyncio.create_task(_show(parts, job))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def _show(parts: Parts, job: str) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=None)
        while True:
            reached = await parts.registry.running(job)
            if reached is not None and reached.units:
                total = reached.total_units or None
                bar.update(
                    task, description=reached.units, completed=reached.completed_units, total=total
                )
            await asyncio.sleep(LOOK_AGAIN_S)
