"""The provisioning log: asked, paged, downloaded (spec: graph-api 10, settled 29)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from provisor.graph.http.answers import Answer, document
from provisor.graph.http.calls import Call
from provisor.graph.http.faults import beyond, not_found
from provisor.graph.http.filters import Condition, holds
from provisor.graph.http.handlers.logwalk import LOOKED_AT_MAX, Walk, may_hold, narrowed
from provisor.graph.http.query import checked_filter, order_of, selected
from provisor.graph.http.throttle import LOGS
from provisor.graph.translate.csvlog import to_archive
from provisor.graph.translate.log import (
    LogContext,
    entry_id,
    is_shown,
    position_of,
    to_beta_summary,
    to_summary,
)
from provisor.graph.wire.coding import names_of
from provisor.graph.wire.logs import BetaObjectSummary, ProvisioningObjectSummary
from provisor.ports import RecordQuery

TYPE = "provisioningObjectSummary"
PROPERTIES = names_of(BetaObjectSummary)
PATHS = (
    "id", "tenantId", "jobId", "changeId", "cycleId", "provisioningAction", "action",
    "activityDateTime", "durationInMilliseconds", "provisioningStatusInfo/status",
    "statusInfo/status", "provisioningStatusInfo/errorInformation/errorCode",
    "statusInfo/errorInformation/errorCode", "sourceSystem/displayName",
    "targetSystem/displayName", "sourceIdentity/identityType", "sourceIdentity/id",
    "sourceIdentity/displayName", "targetIdentity/identityType", "targetIdentity/id",
    "targetIdentity/displayName", "initiatedBy/id", "initiatedBy/displayName",
    "initiatedBy/initiatorType", "servicePrincipal/id", "servicePrincipal/displayName",
)  # fmt: skip
FOLDED = ("provisioningstatusinfo/status", "statusinfo/status", "provisioningaction", "action")
"""Compared without regard to case: some clients write what they saw elsewhere."""
TOP_DEFAULT, TOP_MAX = 100, 1_000
DOWNLOAD_MAX = 10_000


@dataclass(slots=True)
class Page:
    items: list[ProvisioningObjectSummary] = field(default_factory=list[ProvisioningObjectSummary])
    following: int | None = None


async def list_logs(call: Call) -> Answer:
    call.house.throttle.admit(LOGS, call.caller.id)
    condition, asked = _question(call)
    if _wants_file(call):
        page = await _read(call, condition, asked, DOWNLOAD_MAX)
        return _download(page.items)
    top = call.query.number("top")
    if top is not None and not 1 <= top <= TOP_MAX:
        raise beyond("PageTooLarge", "$top", f"It is between 1 and {TOP_MAX} here.")
    size = min(top or TOP_DEFAULT, call.page_max() or TOP_MAX)
    page = await _read(call, condition, asked, size)
    items = [selected(document(one), call.query, TYPE, PROPERTIES) for one in page.items]
    following = None if page.following is None else str(page.following)
    count = None
    if call.query.is_counted:
        whole = await _read(call, condition, replace(asked, after=0), LOOKED_AT_MAX)
        count = len(whole.items)
    return call.page(items, "auditLogs/provisioning", count, following)


def _question(call: Call) -> tuple[Condition | None, RecordQuery]:
    order = order_of(call.query, TYPE, ("activityDateTime",))
    token = call.query.options.get("skiptoken")
    query = RecordQuery(
        after=int(call.unsealed(token)) if token is not None else 0,
        is_descending=order is None or order[1],
    )
    text = call.query.options.get("filter")
    if not text:
        return None, query
    condition = checked_filter(text, TYPE, PATHS)
    return condition, narrowed(query, condition)


async def _read(call: Call, condition: Condition | None, asked: RecordQuery, size: int) -> Page:
    """Read records until a page is full, or too many were looked at for one request."""
    page, contexts = Page(), _Contexts(call)
    walk = Walk(call.house.parts.ledger, asked, size)
    async with aclosing(walk.records()) as records:
        async for position, job, record in records:
            if len(page.items) == size:
                page.following = walk.at
                return page
            if condition is not None and not may_hold(condition, record):
                continue
            context = await contexts.of(job) if is_shown(record) else None
            if context is None:
                continue
            tell = to_beta_summary if call.is_beta else to_summary
            summary = tell(position, record, context)
            if condition is None or holds(condition, document(summary), FOLDED):
                page.items.append(summary)
    page.following = walk.at if walk.is_cut_short else None
    return page


class _Contexts:
    """What records of each job have in common, found out once."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._known: dict[str, LogContext | None] = {}

    async def of(self, id: str) -> LogContext | None:
        if id not in self._known:
            house = self._call.house
            job = await house.parts.registry.job(id)
            self._known[id] = await house.log_context(job) if job is not None else None
        return self._known[id]


async def get_log(call: Call) -> Answer:
    id = call.key("log")
    position = position_of(id)
    if position is None:
        raise not_found("provisioning log entry", id)
    query = RecordQuery(after=position + 1, limit=1)
    for found, job, record in await call.house.parts.ledger.records(query):
        context = await _Contexts(call).of(job)
        if found != position or entry_id(position, job) != id.lower() or context is None:
            break
        tell = to_beta_summary if call.is_beta else to_summary
        made = selected(document(tell(position, record, context)), call.query, TYPE, PROPERTIES)
        return call.entity(made, "auditLogs/provisioning/$entity")
    raise not_found("provisioning log entry", id)


def _wants_file(call: Call) -> bool:
    accepted = call.headers.get("accept", "").lower()
    is_asked = call.query.options.get("format", "").lower() in ("csv", "zip", "application/zip")
    return is_asked or accepted.startswith(("application/zip", "text/csv"))


def _download(items: Sequence[ProvisioningObjectSummary]) -> Answer:
    return Answer(
        body=to_archive(items),
        media="application/zip",
        headers={"Content-Disposition": 'attachment; filename="ProvisioningLogs.zip"'},
    )
