"""How a job stands, as server-sent events, for who would otherwise ask again and again.

Each event is the whole state, so that nothing is lost with a connection: who comes back with the
`Last-Event-ID` of what he saw last hears nothing until something is different. The token is in the
header, as everywhere, and is looked at again all the time: with it, the stream ends.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator

import msgspec

from provisor.graph.http.answers import Answer, document
from provisor.graph.http.calls import Call
from provisor.graph.http.faults import Fault, unavailable
from provisor.graph.http.handlers.common import application_of, job_of
from provisor.graph.http.handlers.jobs import view_of
from provisor.graph.translate.job import to_job
from provisor.model.jobs import Job
from provisor.planner.schedule import next_start

MEDIA = "text/event-stream"
LOOK_AGAIN_S, HEARTBEAT_S = 0.5, 15.0
STREAMS_MAX = 200
"""Each asks the store twice a second."""
RETRY_MS = 2_000


async def events(call: Call) -> Answer:
    _, job = await job_of(call)
    house = call.house
    if len(house.streams) >= STREAMS_MAX:
        raise unavailable("There are too many event streams.")
    return Answer(
        media=MEDIA,
        stream=_stream(call, job.id, call.headers.get("last-event-id", "")),
        headers={"X-Accel-Buffering": "no"},
    )


async def _stream(call: Call, id: str, seen: str) -> AsyncGenerator[bytes]:
    house, clock = call.house, call.house.parts.clock
    mine = object()
    house.streams.add(mine)
    try:
        yield f"retry: {RETRY_MS}\n\n".encode()
        quiet_since = clock.now()
        while True:
            end = await _end(call, id)
            if end:
                yield f"event: end\ndata: {end}\n\n".encode()
                return
            job = await house.parts.registry.job(id)
            if job is not None:
                told = await _told(call, job)
                name = hashlib.sha256(told).hexdigest()[:16]
                if name != seen:
                    seen, quiet_since = name, clock.now()
                    yield b"id: " + name.encode() + b"\nevent: job\ndata: " + told + b"\n\n"
            if (clock.now() - quiet_since).total_seconds() >= HEARTBEAT_S:
                quiet_since = clock.now()
                yield b": still here\n\n"
            await clock.sleep(LOOK_AGAIN_S)
    finally:
        house.streams.discard(mine)


async def _end(call: Call, id: str) -> str:
    """Return why a stream is over; empty while it goes on."""
    house = call.house
    if house.is_closing():
        return "closing"
    try:
        caller = await call.renew()
        if caller.scopes != call.caller.scopes:
            return "unauthorized"
        application = await application_of(call)
    except Fault:
        return "unauthorized"
    job = await house.parts.registry.job(id)
    return "" if job is not None and job.application_id == application.id else "gone"


async def _told(call: Call, job: Job) -> bytes:
    """Return Graph's job, and when it runs next; without when its progress was looked at."""
    view = await view_of(call, job)
    due = next_start(job.status, job.schedule, call.house.parts.clock.now())
    is_running = view.progress is not None
    next_run = None if due is None or is_running or job.status.last is None else due.isoformat()
    return msgspec.json.encode(
        {**document(to_job(view)), "isRunning": is_running, "nextRun": next_run}
    )
