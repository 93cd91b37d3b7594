"""Where a job that was made through the API takes its people from (spec: settled 34).

The API names no files, addresses or search bases: a source is one that the workspace has already.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from provisor.graph.http.faults import bad_request
from provisor.graph.http.house import House
from provisor.graph.wire.templates import SynchronizationTemplate
from provisor.model.jobs import Application
from provisor.settings.connections import SOURCE, TARGET
from provisor.settings.stored import CONNECTIONS, load_connections

INBOUND = "inbound"
INBOUND_TEMPLATES = ("API2SCIM", "API2LDAP", "API2AD", "API2SQL", "API2AAD")
"""Templates whose people are pushed by those who know of them."""


async def give_source(
    house: House, application: Application, template: SynchronizationTemplate
) -> None:
    """Give an application without a source the one that its job is to have, if there is one."""
    registry = house.parts.registry
    connections = dict(await load_connections(registry, application.id))
    if SOURCE in connections and TARGET in connections:
        return
    connections.setdefault(TARGET, {"connector": "scim", "settings": {}})
    if SOURCE not in connections:
        if template.id in INBOUND_TEMPLATES or template.factory_tag in INBOUND_TEMPLATES:
            connections[SOURCE] = {"connector": INBOUND, "settings": {}}
        else:
            await _share_source(house, application, connections)
    await registry.put_document(application.id, CONNECTIONS, msgspec.json.encode(connections))


async def _share_source(
    house: House, application: Application, connections: dict[str, object]
) -> None:
    """Take the only source that the workspace has; with several, or none, there is no telling."""
    found: dict[bytes, tuple[Application, object]] = {}
    for other in await house.parts.registry.applications():
        theirs: Mapping[str, object] = await load_connections(house.parts.registry, other.id)
        source = theirs.get(SOURCE)
        if isinstance(source, dict) and source.get("connector") != INBOUND:  # pyright: ignore[reportUnknownMemberType]
            found.setdefault(msgspec.json.encode(source), (other, source))  # pyright: ignore[reportUnknownArgumentType]
    if len(found) != 1:
        return
    ((owner, source),) = found.values()
    connections[SOURCE] = source
    await _copy_secrets(house, application, owner)


async def take_source(house: House, application: Application, other: Application) -> None:
    """Let an application read from what another one reads from. Raises Fault."""
    registry = house.parts.registry
    theirs = await load_connections(registry, other.id)
    if SOURCE not in theirs:
        raise bad_request(f"{other.display_name} has no source.")
    own = dict(await load_connections(registry, application.id))
    own[SOURCE] = theirs[SOURCE]
    await _copy_secrets(house, application, other)
    await registry.put_document(application.id, CONNECTIONS, msgspec.json.encode(own))


async def _copy_secrets(house: House, application: Application, owner: Application) -> None:
    vault = house.parts.vault
    for name in await vault.names(owner.id):
        value = await vault.get(owner.id, name) if name.startswith(f"{SOURCE}.") else None
        if value is not None:
            await vault.put(application.id, name, value)
