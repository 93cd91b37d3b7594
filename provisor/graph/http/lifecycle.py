"""Stopping a job that may be running: asked for at once, answered when it shows or soon after.

A cycle stops at its next object, and what it has on the wire is awaited first. That can take
longer than a client waits: then it goes on behind the answer (spec: graph-api 1.10).
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from provisor.graph.http.faults import Fault
from provisor.graph.http.house import House
from provisor.model.jobs import Job, ResetScope
from provisor.runtime import administer
from provisor.runtime.lease import Busy

PATIENCE_S = 20.0


async def pause(house: House, job: Job, by: str) -> None:
    await _begun(house, administer.pause(house.parts, job, by, _nothing))


async def restart(house: House, job: Job, scope: ResetScope, by: str) -> None:
    async def work() -> None:
        asked_at = house.parts.clock.now()
        await administer.restart(house.parts, job, scope, by, _nothing)
        house.hurry(job.id, asked_at)

    await _begun(house, work())


async def delete(house: House, job: Job, by: str) -> None:
    await _begun(house, administer.delete(house.parts, job, by, _nothing))


def _nothing() -> None:
    """Nobody looks on."""


async def _begun(house: House, work: Coroutine[Any, Any, None]) -> None:
    """Do the work, and wait for it as long as a client would. Raises Fault."""
    task = asyncio.create_task(work)
    patience = asyncio.create_task(house.parts.clock.sleep(PATIENCE_S))
    house.keep_going(task)
    try:
        await asyncio.wait({task, patience}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        patience.cancel()
    if task.done():
        try:
            task.result()
        except Busy as busy:
            raise Fault(
                503, "ServiceUnavailable", str(busy), headers={"Retry-After": "2"}
            ) from busy
