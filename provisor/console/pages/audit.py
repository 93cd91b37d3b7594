"""What administrators did: who, from where, what about, and what it changed."""

from __future__ import annotations

from starlette.responses import Response

from provisor.console.asking import literal
from provisor.console.pages.sought import further, given, sought, within
from provisor.console.shapes import AuditPage
from provisor.console.visit import Visit

AUDITS = "auditLogs/directoryAudits"
SIZE = 100
ASKED = ("who", "what", "since", "until")
"""What the address may narrow the audit by; a link with these shows the same again."""


async def audit(visit: Visit) -> Response:
    told = await sought(visit, AuditPage, AUDITS, SIZE, _condition(visit))
    asked = given(visit, ASKED)
    return await visit.render(
        "audit.html",
        acts=told.value,
        asked={name: asked.get(name, "") for name in ASKED},
        is_narrowed=bool(asked),
        following=further(told.next_link, asked),
    )


def _condition(visit: Visit) -> str:
    """Return what is looked for, as the API's filter says it. Raises Fault."""
    parts = within(visit, "activityDateTime")
    for name, path in (("who", "initiatedBy/app/displayName"), ("what", "activityDisplayName")):
        if text := visit.asked(name):
            parts.append(f"contains({path}, {literal(text)})")
    return " and ".join(parts)
