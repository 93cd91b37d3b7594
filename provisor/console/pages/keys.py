"""API keys: which there are, made with permissions and an end, shown once, revoked."""

from __future__ import annotations

from starlette.responses import Response

from provisor.console.sessions import PATH
from provisor.console.visit import Visit, to
from provisor.console.words import EXPIRIES
from provisor.graph.http.faults import Fault
from provisor.graph.wire.inventory import Keys, MadeKey

TOKENS = "/provisor/tokens"
SCOPE = "scope-"
"""Begins the name of the box for a permission."""


async def keys(visit: Visit) -> Response:
    return await _page(visit)


async def _page(
    visit: Visit, *, made: MadeKey | None = None, wrong: str = "", status: int = 200
) -> Response:
    told = await visit.api.read(Keys, TOKENS)
    return await visit.render(
        "keys.html",
        status,
        scopes=told.scopes,
        keys=sorted(told.value, key=lambda one: (not one.is_good, -one.created.timestamp())),
        made=made,
        wrong=wrong,
        expiries=EXPIRIES,
    )


async def make(visit: Visit) -> Response:
    """Make a key and show its text: here, and never again."""
    scopes = [name.removeprefix(SCOPE) for name in visit.form if name.startswith(SCOPE)]
    body: dict[str, object] = {"name": visit.form.get("name", ""), "scopes": scopes}
    if lasts := visit.form.get("expires"):
        body["expiresIn"] = lasts
    try:
        made = await visit.api.posted(MadeKey, TOKENS, body)
    except Fault as fault:
        if fault.status not in (400, 409):
            raise
        return await _page(visit, wrong=fault.message, status=fault.status)
    return await _page(visit, made=made)


async def revoke(visit: Visit) -> Response:
    await visit.api.send("DELETE", f"{TOKENS}/{visit.form.get('key', '')}")
    return to(f"{PATH}/keys", did="revoked")
