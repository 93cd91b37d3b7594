"""What a connected system says of its own attributes (spec: graph-api 3.12)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from msgspec import structs

from provisor.connectors.catalog import Surroundings
from provisor.errors import AdapterError
from provisor.graph.http.faults import Fault, bad_request
from provisor.graph.http.house import House
from provisor.graph.http.schemas import Place, definitions_of
from provisor.graph.wire.base import instant_text
from provisor.graph.wire.schemas import (
    AttributeDefinition,
    DirectoryDefinition,
    ObjectDefinition,
    ReferencedObject,
    SynchronizationSchema,
)
from provisor.model import rules
from provisor.settings.connections import TARGET
from provisor.settings.problems import Invalid


@runtime_checkable
class Describes(Protocol):
    """A target that can say which attributes it has."""

    async def definitions(self, kind: str) -> Sequence[rules.AttributeDefinition]: ...


async def discovered(
    house: House,
    place: Place,
    schema: SynchronizationSchema,
    directory: DirectoryDefinition,
) -> DirectoryDefinition:
    """Return the directory with what its system says of itself now. Raises Fault."""
    sources = {rule.source_directory_name for rule in schema.synchronization_rules}
    if directory.name in sources:
        found = await definitions_of(house, place.application)
    else:
        found = await _of_target(house, place, [one.name for one in directory.objects])
    objects = tuple(_joined(one, found.get(one.name, ())) for one in directory.objects)
    now = house.parts.clock.now()
    return structs.replace(
        directory,
        objects=objects,
        discovery_date_time=instant_text(now),
        version=house.parts.entropy.uuid(),
    )


async def _of_target(
    house: House, place: Place, kinds: Sequence[str]
) -> Mapping[str, Sequence[rules.AttributeDefinition]]:
    try:
        connector, settings = await house.connection(place.application, TARGET)
    except Invalid as wrong:
        raise bad_request("; ".join(one.message for one in wrong.problems)) from wrong
    if connector.open_reader is None:
        return {}
    around = Surroundings(
        base=house.base, rules={}, clock=house.parts.clock, entropy=house.parts.entropy
    )
    reader = connector.open_reader(settings, around)
    try:
        await reader.probe()
        if not isinstance(reader, Describes):
            return {}
        return {kind: await reader.definitions(kind) for kind in kinds}
    except AdapterError as failure:
        raise Fault(400, failure.code, str(failure) or failure.code) from failure
    finally:
        await reader.close()


def _joined(
    known: ObjectDefinition, found: Sequence[rules.AttributeDefinition]
) -> ObjectDefinition:
    """Add what is new. What is known stays: it may have been edited, and may be mapped."""
    names = {one.name.lower() for one in known.attributes}
    added = tuple(_wire(one) for one in found if one.name.lower() not in names)
    return structs.replace(known, attributes=(*known.attributes, *added))


def _wire(one: rules.AttributeDefinition) -> AttributeDefinition:
    return AttributeDefinition(
        name=one.name,
        type=one.type,
        case_exact=one.is_case_exact,
        required=False,
        multivalued=one.is_multivalued,
        mutability=one.mutability,
        referenced_objects=tuple(
            ReferencedObject(referenced_object_name=name) for name in one.refers_to
        ),
    )
