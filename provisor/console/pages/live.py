"""A job as it goes: the API's events, each written as the part of the page that it changes."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace

from starlette.responses import Response, StreamingResponse

from provisor.console.pages.job import standing
from provisor.console.visit import Visit
from provisor.graph.http.faults import Fault
from provisor.graph.wire.jobs import SynchronizationProgress

MEDIA = "text/event-stream"
SECONDS_MIN = 1.0
"""A rate is told once it was looked at for so long."""


@dataclass(slots=True)
class _Seen:
    """What went by on this stream."""

    cycle: str
    """The latest that had ended; empty where none had."""
    first: SynchronizationProgress | None = None
    full: bytes = b""
    """The status in full, as it was written last."""

    def rate(self, now: SynchronizationProgress | None) -> str:
        """Return how many units a second the running cycle makes, where it can be told."""
        if now is None or (self.first and now.completed_units < self.first.completed_units):
            self.first = now
            return ""
        if self.first is None:
            self.first = now
            return ""
        since = now.progress_observation_date_time - self.first.progress_observation_date_time
        done, seconds = now.completed_units - self.first.completed_units, since.total_seconds()
        if seconds < SECONDS_MIN or done <= 0:
            return ""
        return f"{done / seconds:,.0f} {now.units or 'units'} a second"


async def live(visit: Visit) -> Response:
    path = f"/provisor/servicePrincipals/{visit.keys['sp']}/jobs/{visit.keys['job']}/events"
    stream = await visit.api.stream(path, visit.request.headers.get("last-event-id", ""))
    return StreamingResponse(_written(visit, stream), media_type=MEDIA)


async def _written(visit: Visit, stream: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    # Whoever comes back may have missed the end of a cycle, and so may a page that took a moment to
    # ask: it says which it shows.
    comes_back = visit.request.headers.get("last-event-id")
    seen = _Seen(cycle="?" if comes_back else visit.asked("cycle"))
    try:
        async for block in stream:
            fields = dict(
                line.split(": ", 1) for line in block.decode().splitlines() if ": " in line
            )
            match fields.get("event"):
                case "job":
                    async for event in _of_job(visit, seen, fields.get("id", "")):
                        yield event
                case "end":
                    if fields.get("data") != "closing":  # from that one comes back
                        yield _event("end", fields.get("data", ""))
                    return
                case _:
                    yield block
    except Fault as fault:
        yield _event("end", fault.code)
    finally:
        await stream.aclose()


async def _of_job(visit: Visit, seen: _Seen, id: str) -> AsyncGenerator[bytes]:
    head = await standing(visit)
    status = head.summary.status
    head = replace(head, rate=seen.rate(status.progress[0] if status.progress else None))
    part = await visit.render("_standing.html", head=head)
    yield _event("standing", bytes(part.body).decode(), id)
    full = await visit.render("_status.html", job=await visit.api.job(visit.at))
    if bytes(full.body) != seen.full:
        seen.full = bytes(full.body)
        yield _event("full", seen.full.decode())
    last = status.last_execution
    cycle = (last.activity_identifier or "") if last else ""
    if seen.cycle != cycle:
        yield _event("cycle", cycle)
    seen.cycle = cycle


def _event(name: str, data: str, id: str = "") -> bytes:
    lines = [f"data: {line}" for line in data.splitlines() or [""]]
    named = [f"id: {id}"] if id else []
    return "\n".join([*named, f"event: {name}", *lines, "", ""]).encode()
