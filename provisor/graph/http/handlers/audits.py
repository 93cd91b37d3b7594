"""The audit, to read: who did what, from where, and what it changed."""

from __future__ import annotations

from provisor.graph.http.answers import Answer, Document, document
from provisor.graph.http.calls import Call
from provisor.graph.http.filters import holds
from provisor.graph.http.query import checked_filter, selected
from provisor.graph.wire.audits import (
    AppIdentity,
    AuditInitiator,
    DirectoryAudit,
    TargetResource,
)
from provisor.graph.wire.coding import names_of
from provisor.graph.wire.logs import ModifiedProperty
from provisor.model.audit import Act

TYPE = "directoryAudit"
PROPERTIES = names_of(DirectoryAudit)
PATHS = (
    "activityDateTime", "activityDisplayName", "category", "result",
    "initiatedBy/app/displayName", "initiatedBy/app/ipAddress",
)  # fmt: skip
FOLDED = ("activitydisplayname", "initiatedby/app/displayname")
READ_AT_ONCE, LOOKED_AT_MAX = 250, 20_000
"""A page ends after so many acts were looked at, however few of them passed."""


async def list_audits(call: Call) -> Answer:
    token, size = call.query.options.get("skiptoken"), call.page_size()
    place = int(call.unsealed(token)) if token is not None else 0
    text = call.query.options.get("filter")
    condition = checked_filter(text, TYPE, PATHS) if text else None
    items: list[Document] = []
    begun, following = place, None
    while acts := await call.house.parts.registry.audited(READ_AT_ONCE, before=place):
        for act in acts:
            if len(items) == size or place - begun >= LOOKED_AT_MAX:
                following = str(place)
                break
            place += 1
            made = _document(act)
            if condition is None or holds(condition, made, FOLDED):
                items.append(selected(made, call.query, TYPE, PROPERTIES))
        if following is not None or len(acts) < READ_AT_ONCE:
            break
    return call.page(items, "auditLogs/directoryAudits", None, following)


def _document(act: Act) -> Document:
    changes = tuple(
        ModifiedProperty(display_name=one.name, old_value=one.before, new_value=one.after)
        for one in act.altered
    )
    return document(
        DirectoryAudit(
            id=f"{act.at.timestamp():.6f}-{act.by}",
            activity_date_time=act.at,
            activity_display_name=act.activity,
            initiated_by=AuditInitiator(
                app=AppIdentity(display_name=act.by, ip_address=act.origin)
            ),
            target_resources=(TargetResource(display_name=act.about, modified_properties=changes),),
        )
    )
