"""What administrators did: who, from where, what about, and what it changed."""

from __future__ import annotations

import re
from collections.abc import Sequence

from starlette.responses import Response

from provisor.console.asking import literal
from provisor.console.pages.sought import further, given, sought, within
from provisor.console.shapes import AuditPage
from provisor.console.visit import Visit
from provisor.console.words import SIGNED_IN
from provisor.graph.wire.logs import ModifiedProperty

AUDITS = "auditLogs/directoryAudits"
SIZE = 100
SEGMENTS = re.compile(r"([A-Za-z]\w*)(?:\[((?:[^\[\]]|\[[^\]]*\])*)\])?")
"""Name and key of each part of a path; a key may hold a filter in brackets of its own."""
ADDRESSED = re.compile(r"(.+?) ((?:\w+\(')?\w+\.[0-9a-f]{32}\.[0-9a-f-]{36}.*)")
ASKED = ("who", "what", "since", "until", "signins")
"""What the address may narrow the audit by; a link with these shows the same again."""


async def audit(visit: Visit) -> Response:
    told = await sought(visit, AuditPage, AUDITS, SIZE, _condition(visit))
    asked = given(visit, ASKED)
    return await visit.render(
        "audit.html",
        acts=told.value,
        asked={name: asked.get(name, "") for name in ASKED},
        is_narrowed=bool(asked),
        trail=trail,
        about_parts=about_parts,
        is_noise=is_noise,
        following=further(told.next_link, asked),
    )


def _condition(visit: Visit) -> str:
    """Return what is looked for, as the API's filter says it. Raises Fault.

    Who only signed in changed nothing: that is told to whoever asks for it.
    """
    parts = within(visit, "activityDateTime")
    for name, path in (("who", "initiatedBy/app/displayName"), ("what", "activityDisplayName")):
        if text := visit.asked(name):
            parts.append(f"contains({path}, {literal(text)})")
    if not visit.asked("signins") and not visit.asked("what"):
        parts.append(f"activityDisplayName ne {literal(SIGNED_IN)}")
    return " and ".join(parts)


def trail(path: str) -> str:
    """Return a property's path as people read it: what stands where, without what repeats itself.

    `synchronizationRules[R].objectMappings[M].attributeMappings[mail].source.expression` is
    `M › mail › expression`.
    """
    parts: list[str] = []
    for name, key in SEGMENTS.findall(path):
        if name == "synchronizationRules":
            continue
        parts.append(name if not key or key.isdigit() else key)
    kept = [one for one in parts if one != "source"] or parts
    return " › ".join(kept) or path


def is_noise(path: str, changes: Sequence[ModifiedProperty]) -> bool:
    """True for what only follows from an expression that is told as well."""
    stem, _, last = path.rpartition(".source.")
    if last not in ("name", "type") and not last.startswith("parameters"):
        return False
    return bool(stem) and any(one.display_name == f"{stem}.source.expression" for one in changes)


def about_parts(text: str) -> tuple[str, str]:
    """Return what an act was about: its name, and the id or address that stands behind it."""
    found = ADDRESSED.fullmatch(text)
    return (found[1], found[2]) if found else (text, "")
