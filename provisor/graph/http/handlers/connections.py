"""Object connections: which source object governs which target object (spec: behaviour 22)."""

from __future__ import annotations

from collections.abc import Sequence

from provisor.graph.http.answers import Answer, Document, document, done
from provisor.graph.http.calls import Call
from provisor.graph.http.faults import conflict, not_found
from provisor.graph.http.filters import holds
from provisor.graph.http.handlers.common import anchor, job_of
from provisor.graph.http.query import checked_filter, selected, spelled
from provisor.graph.wire.beside import ObjectConnection
from provisor.graph.wire.coding import names_of
from provisor.model.decisions import LinkState, Standing, StandingKey
from provisor.model.entries import Anchor
from provisor.model.jobs import Job, ScheduleState
from provisor.model.rules import MappingName
from provisor.runtime import administer

TYPE = "objectConnection"
PROPERTIES = names_of(ObjectConnection)
AT_ONCE, LOOKED_AT_MAX = 250, 20_000
"""A page ends after so many connections were looked at, however few of them passed."""


def _document(standing: Standing) -> Document:
    source = standing.source
    name = source.attributes.get("displayName") if source else None
    return document(
        ObjectConnection(
            object_id=standing.key.anchor,
            source_anchor=standing.key.anchor,
            target_anchor=standing.link.target if standing.link else None,
            display_name=name if isinstance(name, str) else None,
            object_type_name=source.kind if source else standing.key.mapping.partition(" to ")[0],
        )
    )


async def list_connections(call: Call) -> Answer:
    """Beyond Graph, which lists none of them."""
    application, job = await job_of(call)
    names = spelled(call.query.names("select"), TYPE, PROPERTIES)
    text = call.query.options.get("filter")
    condition = checked_filter(text, TYPE, PROPERTIES) if text else None
    size = call.page_size()
    journal = await call.house.parts.registry.view_journal(job.id)
    items: list[Document] = []
    after, seen, following = _begin(call), 0, None
    while page := await journal.linked(after, AT_ONCE):
        for standing in page:
            if len(items) == size or seen >= LOOKED_AT_MAX:
                following = "\0".join((after.mapping, after.anchor)) if after else None
                break
            seen, after = seen + 1, standing.key
            made = _document(standing)
            if condition is None or holds(condition, made):
                items.append(selected(made, call.query, TYPE, PROPERTIES))
        if following is not None or len(page) < AT_ONCE:
            break
    place = f"{anchor(call, application)}/jobs('{job.id}')/objectConnections"
    return call.page(items, f"{place}({','.join(names)})" if names else place, None, following)


def _begin(call: Call) -> StandingKey | None:
    token = call.query.options.get("skiptoken")
    if token is None:
        return None
    mapping, _, source = call.unsealed(token).partition("\0")
    return StandingKey(MappingName(mapping), Anchor(source))


async def get_connection(call: Call) -> Answer:
    application, job = await job_of(call)
    found = await _found(call, job)
    if not found:
        raise not_found("object connection", call.key("object"))
    made = selected(_document(found[0]), call.query, TYPE, PROPERTIES)
    place = f"{anchor(call, application)}/jobs('{job.id}')/objectConnections/$entity"
    return call.entity(made, place)


async def _found(call: Call, job: Job) -> Sequence[Standing]:
    """An id is tried as that of a source object, then as that of a target object."""
    id = call.key("object")
    journal = await call.house.parts.registry.view_journal(job.id)
    known = [one for one in await journal.lookup(id, 50) if one.link is not None]
    linked = [one for one in known if one.link and one.link.state is not LinkState.CLAIMED]
    by_source = [one for one in linked if one.key.anchor == id]
    return by_source or [one for one in linked if one.link and one.link.target == id]


async def remove_connection(call: Call) -> Answer:
    """Forget a link; the account stays, and is matched anew when its turn comes."""
    _, job = await job_of(call)
    if job.status.schedule_state is ScheduleState.ACTIVE:
        raise conflict("Object connections are deleted while the job is paused.")
    found = await _found(call, job)
    for standing in found[:1]:
        await administer.disconnect(call.house.parts, job, standing.key, call.caller.name)
    return done()
