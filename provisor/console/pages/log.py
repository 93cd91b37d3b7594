"""The provisioning log, found by time, action, status, code and person; one entry in full."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

import msgspec
from msgspec import Struct, field
from starlette.responses import Response

from provisor.console.asking import literal, of_odata, skip_token
from provisor.console.pages.job import standing
from provisor.console.pages.sought import further, given, narrowed, sought, within
from provisor.console.shapes import LogPage
from provisor.console.visit import Visit
from provisor.graph.wire.logs import (
    REPLY,
    REPLY_BODY,
    REQUEST,
    REQUEST_BODY,
    ProvisioningAction,
    ProvisioningObjectSummary,
    ProvisioningResult,
    ProvisioningStepType,
)

SIZE = 50
PAGE_MAX, DOWNLOADED_MAX = 1_000, 10_000
"""Entries that the API gives in one go, and that are gathered into one file."""
LOGS = "auditLogs/provisioning"
SIDES = ("source", "target")
BY_ID = "id"
ASKED = ("since", "until", "action", "status", "code", "person", "cycle")
"""What the address may narrow the log by; a link with these shows the same again."""


async def log(visit: Visit) -> Response:
    """Show the log of everything, or of the job that the address names."""
    page, by_id = await _page(visit)
    asked = given(visit, ASKED)
    onward = {**asked, "by": BY_ID} if by_id else asked
    return await visit.render(
        "log.html",
        entries=page.value,
        asked={name: asked.get(name, "") for name in ASKED},
        actions=[one.value for one in ProvisioningAction if _is_known(one.value)],
        results=[one.value for one in ProvisioningResult if _is_known(one.value)],
        is_narrowed=bool(asked),
        following=further(page.next_link, onward),
        saved=urlencode(asked),
        tab="log",
        head=await standing(visit) if "job" in visit.keys else None,
    )


async def _page(visit: Visit) -> tuple[LogPage, bool]:
    """Return what is to be shown, and whether a person was found by an id. An id is looked up in
    the whole log; only who is not meant by one is looked for by a part of a name."""
    is_begun = bool(visit.asked("after"))
    if visit.asked("person") and (not is_begun or visit.asked("by") == BY_ID):
        page = await sought(visit, LogPage, LOGS, SIZE, condition_of(visit, by_id=True))
        if page.value or is_begun:
            return page, True
    return await sought(visit, LogPage, LOGS, SIZE, condition_of(visit)), False


def _is_known(value: str) -> bool:
    return not value.startswith("unknown")


def condition_of(visit: Visit, *, by_id: bool = False) -> str:
    """Return what is looked for, as the API's filter says it; a person `by_id` alone, or by a part
    of a name as well. Raises Fault."""
    parts = [f"jobId eq {literal(visit.keys['job'])}"] if "job" in visit.keys else []
    parts += within(visit, "activityDateTime")
    for name, path in (
        ("action", "provisioningAction"),
        ("status", "provisioningStatusInfo/status"),
        ("code", "provisioningStatusInfo/errorInformation/errorCode"),
        ("cycle", "cycleId"),
    ):
        if text := visit.asked(name):
            parts.append(f"{path} eq {literal(text)}")
    if person := visit.asked("person"):
        said = literal(person)
        meant = [f"{side}Identity/id eq {said}" for side in SIDES]
        if not by_id:
            meant += [f"contains({side}Identity/displayName, {said})" for side in SIDES]
        parts.append(f"({' or '.join(meant)})")
    return " and ".join(parts)


async def entry(visit: Visit) -> Response:
    one = await visit.api.read(ProvisioningObjectSummary, f"{LOGS}/{visit.keys['entry']}")
    template = "_entry.html" if visit.is_part else "entry.html"
    return await visit.render(template, one=one, exchange=exchange_of(one))


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What is kept of how the target was asked, and how it answered."""

    is_sent: bool
    """Something was to be written."""
    request: str
    """Empty: nothing is kept."""
    reply: str
    sent: str
    answered: str


def exchange_of(one: ProvisioningObjectSummary) -> Exchange:
    told = {name: text for step in one.provisioning_steps for name, text in step.details.items()}
    return Exchange(
        is_sent=any(
            step.provisioning_step_type is ProvisioningStepType.EXPORT
            and step.status is not ProvisioningResult.SKIPPED
            for step in one.provisioning_steps
        ),
        request=told.get(REQUEST, ""),
        reply=told.get(REPLY, ""),
        sent=told.get(REQUEST_BODY, ""),
        answered=told.get(REPLY_BODY, ""),
    )


class _RawPage(Struct, frozen=True, kw_only=True):
    """A page of the log, its entries as the API wrote them."""

    value: list[msgspec.Raw]
    next_link: str = field(name="@odata.nextLink", default="")


async def download_json(visit: Visit) -> Response:
    """Gather the entries that the page is about, as the API tells them, up to a limit."""
    options = {"top": str(PAGE_MAX), **narrowed(condition_of(visit))}
    entries: list[msgspec.Raw] = []
    while len(entries) < DOWNLOADED_MAX:
        page = await visit.api.read(_RawPage, LOGS, **options)
        entries += page.value
        token = skip_token(page.next_link)
        if not token:
            break
        options["skiptoken"] = token
    content = msgspec.json.encode({"value": entries[:DOWNLOADED_MAX]})
    headers = {"Content-Disposition": 'attachment; filename="provisioning-log.json"'}
    return Response(content, media_type="application/json", headers=headers)


async def download(visit: Visit) -> Response:
    """Hand on the archive that the API makes of the log, as narrowed as the page."""
    options = {"format": "csv", **narrowed(condition_of(visit))}
    answer = await visit.api.send("GET", LOGS, query=of_odata(options))
    return Response(answer.body, media_type=answer.media, headers=dict(answer.headers))
