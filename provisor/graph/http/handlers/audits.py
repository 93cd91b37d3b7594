"""The audit, to read: who did what, from where, and what it changed."""

from __future__ import annotations

from provisor.graph.http.answers import Answer, Document, document
from provisor.graph.http.calls import Call
from provisor.graph.http.query import selected
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


async def list_audits(call: Call) -> Answer:
    token, size = call.query.options.get("skiptoken"), call.page_size()
    before = int(call.unsealed(token)) if token is not None else 0
    acts = await call.house.parts.registry.audited(size + 1, before=before)
    items = [selected(_document(one), call.query, TYPE, PROPERTIES) for one in acts[:size]]
    following = str(before + size) if len(acts) > size else None
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
