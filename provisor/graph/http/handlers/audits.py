"""The audit, to read: who did what, from where, and what it changed."""

from __future__ import annotations

from provisor.graph.http.answers import Answer, Document
from provisor.graph.http.calls import Call
from provisor.graph.http.query import selected
from provisor.graph.wire.base import instant_text
from provisor.model.audit import Act

TYPE = "directoryAudit"
PROPERTIES = (
    "id", "activityDateTime", "activityDisplayName", "category", "loggedByService", "result",
    "initiatedBy", "targetResources",
)  # fmt: skip


async def list_audits(call: Call) -> Answer:
    call.query.allow(("select", "top", "skiptoken"))
    token, size = call.query.options.get("skiptoken"), call.page_size()
    before = int(call.unsealed(token)) if token is not None else 0
    acts = await call.house.parts.registry.audited(size + 1, before=before)
    items = [selected(_document(one), call.query, TYPE, PROPERTIES) for one in acts[:size]]
    following = str(before + size) if len(acts) > size else None
    return call.page(items, "auditLogs/directoryAudits", None, following)


def _document(act: Act) -> Document:
    changes: list[Document] = [
        {"displayName": one.name, "oldValue": one.before, "newValue": one.after}
        for one in act.altered
    ]
    return {
        "id": f"{act.at.timestamp():.6f}-{act.by}",
        "activityDateTime": instant_text(act.at),
        "activityDisplayName": act.activity,
        "category": "ProvisioningManagement",
        "loggedByService": "Account Provisioning",
        "result": "success",
        "initiatedBy": {"user": None, "app": {"displayName": act.by, "ipAddress": act.origin}},
        "targetResources": [{"displayName": act.about, "modifiedProperties": changes}],
    }
