"""What administrators did: who, from where, what about, and what it changed."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.responses import Response

from provisor.console.asking import literal, skip_token
from provisor.console.pages.log import within
from provisor.console.shapes import AuditPage
from provisor.console.visit import Visit

AUDITS = "auditLogs/directoryAudits"
SIZE = "100"


ASKED = ("who", "what", "since", "until")
"""What the address may narrow the audit by; a link with these shows the same again."""


async def audit(visit: Visit) -> Response:
    options = {"top": SIZE}
    if condition := _condition(visit):
        options["filter"] = condition
    if token := visit.asked("after"):
        options["skiptoken"] = token
    told = await visit.api.read(AuditPage, AUDITS, **options)
    following = skip_token(told.next_link)
    asked = {name: visit.asked(name) for name in ASKED if visit.asked(name)}
    return await visit.render(
        "audit.html",
        acts=told.value,
        asked={name: asked.get(name, "") for name in ASKED},
        is_narrowed=bool(asked),
        following=urlencode({**asked, "after": following}) if following else "",
    )


def _condition(visit: Visit) -> str:
    """Return what is looked for, as the API's filter says it. Raises Fault."""
    parts = within(visit, "activityDateTime")
    for name, path in (("who", "initiatedBy/app/displayName"), ("what", "activityDisplayName")):
        if text := visit.asked(name):
            parts.append(f"contains({path}, {literal(text)})")
    return " and ".join(parts)
