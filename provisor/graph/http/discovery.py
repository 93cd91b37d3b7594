"""What a connected system says of its own attributes (spec: graph-api 3.12)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from msgspec import structs

from provisor.connectors.catalog import Surroundings
from provisor.connectors.http.door import OPEN
from provisor.errors import AdapterError
from provisor.graph.http.faults import Fault, bad_request
from provisor.graph.http.house import House
from provisor.graph.http.schemas import Place
from provisor.graph.schema.directories import of_kind
from provisor.graph.wire.base import instant_text
from provisor.graph.wire.coding import plain
from provisor.graph.wire.guided import AttributesFound, ObjectAttributes, SystemAttributes
from provisor.graph.wire.schemas import (
    AttributeDefinition,
    DirectoryDefinition,
    ObjectDefinition,
    ReferencedObject,
    SynchronizationSchema,
)
from provisor.model import directories, rules
from provisor.model.jobs import Application
from provisor.settings.connections import SOURCE, TARGET
from provisor.settings.problems import Invalid

FOUND: Final = "found in"
"""Begins the name of the document with what a side said of its attributes."""


async def discovered(
    house: House,
    place: Place,
    schema: SynchronizationSchema,
    directory: DirectoryDefinition,
) -> DirectoryDefinition:
    """Return the directory with what its system says of itself now. Raises Fault."""
    sources = {rule.source_directory_name for rule in schema.synchronization_rules}
    side = SOURCE if directory.name in sources else TARGET
    found = {one.kind: one.attributes for one in await _ask(house, place, side)}
    await _keep(house, place, side, found)
    spelled = {one.name.lower() for one in directory.objects}
    more = tuple(ObjectDefinition(name=kind) for kind in found if kind.lower() not in spelled)
    objects = tuple(
        _joined(one, of_kind(one.name, found) or ()) for one in (*directory.objects, *more)
    )
    now = house.parts.clock.now()
    return structs.replace(
        directory,
        objects=objects,
        discovery_date_time=instant_text(now),
        version=house.parts.entropy.uuid(),
    )


async def _keep(
    house: House, place: Place, side: str, found: Mapping[str, Sequence[rules.AttributeDefinition]]
) -> None:
    """Keep what the system itself says: the schema says besides what the template knows."""
    said = SystemAttributes(
        side=side,
        asked_at=house.parts.clock.now(),
        objects=tuple(
            ObjectAttributes(name=kind, attributes=tuple(one.name for one in attributes))
            for kind, attributes in found.items()
        ),
    )
    content = msgspec.json.encode(plain(said))
    await house.parts.registry.put_document(place.application.id, f"{FOUND} {side}", content)


async def kept(house: House, application: Application) -> AttributesFound:
    """Return what the systems of an application said of themselves when they were last asked."""
    said: list[SystemAttributes] = []
    for side in (SOURCE, TARGET):
        content = await house.parts.registry.document(application.id, f"{FOUND} {side}")
        if content:
            said.append(msgspec.json.decode(content, type=SystemAttributes))
    return AttributesFound(value=tuple(said))


async def _ask(house: House, place: Place, side: str) -> Sequence[directories.ObjectDefinition]:
    try:
        connector, settings = await house.connection(place.application, side)
    except Invalid as wrong:
        raise bad_request("; ".join(one.message for one in wrong.problems)) from wrong
    opens = connector.probe_source if side == SOURCE else connector.probe_target
    if opens is None:
        return ()
    around = Surroundings(
        base=house.base,
        rules={},
        clock=house.parts.clock,
        entropy=house.parts.entropy,
        documents=house.parts.registry,
        owner=place.application.id,
        door=await house.door(place.application) if side == TARGET else OPEN,
        hidden=await house.hidden(place.application),
    )
    prober = opens(settings, around)
    try:
        return (await prober.discover()).objects
    except AdapterError as failure:
        raise Fault(400, failure.code, str(failure) or failure.code) from failure
    finally:
        await prober.close()


def _joined(
    known: ObjectDefinition, found: Sequence[rules.AttributeDefinition]
) -> ObjectDefinition:
    """Add what is new. What is known stays: it may have been edited, and may be mapped."""
    names = {one.name.lower() for one in known.attributes}
    has_anchor = any(one.anchor for one in known.attributes)
    added = tuple(
        _wire(one, is_anchor=one.is_anchor and not has_anchor)
        for one in found
        if one.name.lower() not in names
    )
    return structs.replace(known, attributes=(*known.attributes, *added))


def _wire(one: rules.AttributeDefinition, *, is_anchor: bool) -> AttributeDefinition:
    return AttributeDefinition(
        name=one.name,
        type=one.type,
        anchor=is_anchor,
        case_exact=one.is_case_exact,
        required=one.is_required,
        multivalued=one.is_multivalued,
        mutability=one.mutability,
        referenced_objects=tuple(
            ReferencedObject(referenced_object_name=name) for name in one.refers_to
        ),
    )
