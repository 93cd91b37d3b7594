"""Start, pause and restart (spec: graph-api 3.6, 3.7)."""

from __future__ import annotations

from provisor.graph.http import lifecycle
from provisor.graph.http.answers import Answer, done
from provisor.graph.http.calls import Call
from provisor.graph.http.handlers.common import job_of
from provisor.graph.wire.requests import Restart
from provisor.model.jobs import ScheduleState
from provisor.runtime.administer import start as start_job


async def start(call: Call) -> Answer:
    _, job = await job_of(call)
    is_running = job.status.schedule_state is ScheduleState.ACTIVE and not job.status.quarantine
    asked_at = call.house.parts.clock.now()
    await start_job(call.house.parts, job, call.caller.name)
    if not is_running:
        call.house.hurry(job.id, asked_at)
    return done()


async def pause(call: Call) -> Answer:
    _, job = await job_of(call)
    await lifecycle.pause(call.house, job, call.caller.name)
    return done()


async def restart(call: Call) -> Answer:
    _, job = await job_of(call)
    wanted = call.read(Restart)
    await lifecycle.restart(call.house, job, wanted.scope, call.caller.name)
    return done()
