"""What failed and waits, by its cause, with the remedy; tried again now, all of a cause or one."""

from __future__ import annotations

from starlette.responses import Response

from provisor.console.pages.job import standing
from provisor.console.visit import Visit, to
from provisor.graph.wire.overview import Escrows, Retried


async def escrows(visit: Visit) -> Response:
    told = await visit.api.read(Escrows, f"{visit.at}/escrows")
    groups = sorted(told.value, key=lambda one: -one.count)
    return await visit.render(
        "escrows.html",
        groups=groups,
        total=sum(one.count for one in groups),
        may_retry=await visit.may("POST", f"{visit.at}/escrows/retry"),
        may_explain=await visit.may("GET", f"{visit.at}/explain"),
        tab="escrows",
        head=await standing(visit),
    )


async def retry(visit: Visit) -> Response:
    """Have the next cycle, which begins at once, try again what the form names."""
    wanted: dict[str, object] = {"code": visit.form.get("code", "")}
    if object := visit.form.get("object"):
        wanted["object"] = object
        wanted["objectMapping"] = visit.form.get("mapping", "")
    await visit.api.posted(Retried, f"{visit.at}/escrows/retry", wanted)
    return to(f"{visit.here}/escrows", did="retry")
