"""All connections: what the workspace reads from and writes to, and which jobs use each."""

from __future__ import annotations

from starlette.responses import Response

from provisor.console.visit import Visit
from provisor.graph.wire.inventory import SharedConnections


async def connections(visit: Visit) -> Response:
    told = await visit.api.read(SharedConnections, "/provisor/connections")
    return await visit.render(
        "connections.html",
        groups=[
            (title, [one for one in told.value if one.side == side])
            for title, side in (("Sources", "source"), ("Targets", "target"))
        ],
    )
