"""Object connections: which source object governs which target object (spec: behaviour 22)."""

from __future__ import annotations

from provisor.graph.http.answers import Answer, Document
from provisor.graph.http.calls import Call
from provisor.graph.http.faults import not_found
from provisor.graph.http.handlers.common import anchor, job_of
from provisor.graph.http.query import selected
from provisor.model.decisions import Standing

TYPE = "objectConnection"
PROPERTIES = ("objectId", "sourceAnchor", "targetAnchor", "displayName", "objectTypeName")


def _document(standing: Standing) -> Document:
    source = standing.source
    name = source.attributes.get("displayName") if source else None
    return {
        "objectId": standing.key.anchor,
        "sourceAnchor": standing.key.anchor,
        "targetAnchor": standing.link.target if standing.link else None,
        "displayName": name if isinstance(name, str) else None,
        "objectTypeName": source.kind if source else standing.key.mapping.partition(" to ")[0],
    }


async def get_connection(call: Call) -> Answer:
    """An id is tried as that of a source object, then as that of a target object."""
    application, job = await job_of(call)
    call.query.allow(("select",))
    id = call.key("object")
    journal = await call.house.parts.registry.view_journal(job.id)
    found = [one for one in await journal.lookup(id, 50) if one.link is not None]
    by_source = [one for one in found if one.key.anchor == id]
    by_target = [one for one in found if one.link and one.link.target == id]
    if not (by_source or by_target):
        raise not_found("object connection", id)
    standing = (by_source or by_target)[0]
    made = selected(_document(standing), call.query, TYPE, PROPERTIES)
    place = f"{anchor(call, application)}/jobs('{job.id}')/objectConnections/$entity"
    return call.entity(made, place)
