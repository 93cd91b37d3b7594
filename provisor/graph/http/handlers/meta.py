"""Whether we are well, and what we offer."""

from __future__ import annotations

from provisor.errors import StoreFailed
from provisor.graph.http.answers import Answer, said
from provisor.graph.http.calls import Call
from provisor.graph.http.faults import unavailable


async def health(call: Call) -> Answer:
    """Answer at all."""
    return said({"status": "ok"})


async def ready(call: Call) -> Answer:
    """Answer so while the store can be read and written."""
    try:
        await call.house.readiness.check()
    except StoreFailed as failure:
        raise unavailable(str(failure)) from failure
    return said({"status": "ready"})


async def describe(call: Call) -> Answer:
    """Describe every route."""
    from provisor.graph.http.openapi import description  # it looks at the routes, this one too

    return said(description(call.base))
