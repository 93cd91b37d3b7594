"""What administrators did: who, from where, what about, and what it changed."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.responses import Response

from provisor.console.asking import skip_token
from provisor.console.shapes import AuditPage
from provisor.console.visit import Visit

AUDITS = "auditLogs/directoryAudits"
SIZE = "100"


async def audit(visit: Visit) -> Response:
    options = {"top": SIZE}
    if token := visit.asked("after"):
        options["skiptoken"] = token
    told = await visit.api.read(AuditPage, AUDITS, **options)
    following = skip_token(told.next_link)
    return await visit.render(
        "audit.html",
        acts=told.value,
        following=urlencode({"after": following}) if following else "",
    )
