"""Measures, in the form that Prometheus collects."""

from __future__ import annotations

from provisor.graph.http.answers import Answer
from provisor.graph.http.calls import Call
from provisor.telemetry.measures import MEDIA


async def metrics(call: Call) -> Answer:
    """Show what there is to be measured."""
    text = await call.house.measured.exposed(call.caller.tenant)
    return Answer(body=text.encode(), media=MEDIA)
