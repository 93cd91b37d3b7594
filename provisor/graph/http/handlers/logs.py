"""The provisioning log: asked, paged, downloaded (spec: graph-api 10, settled 29)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from provisor.graph.http.answers import Answer, document
from provisor.graph.http.calls import Call
from provisor.graph.http.faults import beyond, not_found
from provisor.graph.http.filters import Comparison, Condition, Junction, Path, Test, holds
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
from provisor.model.decisions import Action, Record, Verdict
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
PERSON = (
    "sourceidentity/id", "sourceidentity/displayname", "targetidentity/id",
    "targetidentity/displayname",
)  # fmt: skip
"""What names whom an entry is about."""
TOP_DEFAULT, TOP_MAX = 100, 1_000
READ_AT_ONCE = 500
LOOKED_AT_MAX = 20_000
"""A page ends after so many records, however few of them passed; the next one goes on."""
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


def narrowed(query: RecordQuery, condition: Condition) -> RecordQuery:
    """Let the store pass over what the filter would refuse anyway, where it can tell."""
    parts = condition.of if isinstance(condition, Junction) and condition.is_all else (condition,)
    for part in parts:
        if not isinstance(part, Comparison) or not isinstance(part.left, Path):
            if isinstance(part, Junction) and part.is_all:
                query = narrowed(query, part)
            continue
        query = _narrowed(query, part.left.text, part.operator, part.right)
    return query


def _narrowed(query: RecordQuery, path: str, operator: str, value: object) -> RecordQuery:
    match path, operator, value:
        case "jobid", "eq", str():
            return replace(query, job=value)
        case "cycleid", "eq", str():
            return replace(query, cycle=value)
        case "changeid", "eq", str():
            return replace(query, change=value)
        case (("provisioningaction" | "action"), "eq", str()):
            return replace(query, action=_spelled(value, Action))
        case (("provisioningstatusinfo/status" | "statusinfo/status"), "eq", str()):
            return replace(query, verdict=_spelled(value, Verdict))
        case (
            (
                "provisioningstatusinfo/errorinformation/errorcode"
                | "statusinfo/errorinformation/errorcode"
            ),
            "eq",
            str(),
        ):
            return replace(query, code=value)
        case (("sourceidentity/id" | "targetidentity/id"), "eq", str()):
            return replace(query, about=value)
        case "activitydatetime", "gt" | "ge" | "eq", datetime():
            since = value if query.since is None else max(value, query.since)
            return replace(query, since=since)
        case "activitydatetime", "lt" | "le", datetime():
            until = value + timedelta(microseconds=1)
            return replace(query, until=until if query.until is None else min(until, query.until))
        case _:
            return query


def _spelled(text: str, kind: type[Action] | type[Verdict]) -> str:
    """Return a word as the store has it; clients write it in capitals or not."""
    return next((one.value for one in kind if one.value.lower() == text.lower()), text)


async def _read(call: Call, condition: Condition | None, asked: RecordQuery, size: int) -> Page:
    """Read records until a page is full, or too many were looked at for one request."""
    page, contexts, seen = Page(), _Contexts(call), 0
    query = replace(asked, limit=READ_AT_ONCE)
    while True:
        rows = await call.house.parts.ledger.records(query)
        for position, job, record in rows:
            if len(page.items) == size or seen == LOOKED_AT_MAX:
                page.following = query.after
                return page
            seen += 1
            query = replace(query, after=position)
            if condition is not None and not may_hold(condition, record):
                continue
            context = await contexts.of(job) if is_shown(record) else None
            if context is None:
                continue
            tell = to_beta_summary if call.is_beta else to_summary
            summary = tell(position, record, context)
            if condition is None or holds(condition, document(summary), FOLDED):
                page.items.append(summary)
        if len(rows) < READ_AT_ONCE:
            return page


def may_hold(condition: Condition, record: Record) -> bool:
    """Tell from the record alone whether a filter may let it pass: who looks for one person in a
    long log does not wait for the entries of all others to be made. True where that is open."""
    match condition:
        case Junction(is_all=True, of=parts):
            return all(may_hold(part, record) for part in parts)
        case Junction(of=parts):
            return any(may_hold(part, record) for part in parts)
        case Comparison(operator="eq", left=Path(text=path), right=str(text)) if path in PERSON:
            return any(text == known for known in _names(record))
        case Test(text=Path(text=path), part=str(part)) if path in PERSON:
            return any(part in known for known in _names(record))
        case _:
            return True


def _names(record: Record) -> tuple[str, ...]:
    """Return all that entries call those by whom a record is about."""
    named = (record.key.anchor, record.target, record.source_name, record.target_name)
    return tuple(name for name in named if name)


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
