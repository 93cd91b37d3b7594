"""What setting up a first job takes beyond Graph: the connectors with their settings explained, and
the sources that the workspace has already.

The API names connections, never files or addresses (spec: settled 34): settings are only told here,
for whoever writes them into `provisor.yaml`.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from provisor.connectors.catalog import Connector
from provisor.connectors.installed import ConnectorUnusable, connector_named, connector_names
from provisor.graph.http.altered import altered
from provisor.graph.http.answers import Answer, done, said
from provisor.graph.http.calls import Call
from provisor.graph.http.discovery import kept
from provisor.graph.http.faults import conflict, forbidden
from provisor.graph.http.handlers.common import application_of, job_of, reconfigured
from provisor.graph.http.handlers.overview import may_see
from provisor.graph.http.paths import Key
from provisor.graph.http.sources import INBOUND, take_source
from provisor.graph.wire.guided import (
    ConnectorCatalogue,
    ConnectorDescription,
    SettingDescription,
    SourceInUse,
    SourceOf,
    SourcesInUse,
)
from provisor.settings.connections import SOURCE
from provisor.settings.forms import ConnectionForm
from provisor.settings.stored import load_connections


async def connectors(call: Call) -> Answer:
    """Return every connector that works here, and what its settings say."""
    found: list[ConnectorDescription] = []
    for name in connector_names():
        try:
            found.append(_described(name, connector_named(name)))
        except ConnectorUnusable:
            continue  # told to whoever names it
    return said(ConnectorCatalogue(value=tuple(found)))


def _described(name: str, connector: Connector) -> ConnectorDescription:
    return ConnectorDescription(
        name=name,
        title=connector.title,
        can_be_source=connector.open_source is not None,
        can_be_target=connector.open_target is not None,
        settings=tuple(
            SettingDescription(
                path=one.path,
                says=one.says,
                kind=one.kind.value,
                default=one.default,
                example=one.example,
                choices=one.choices,
                is_required=one.is_required,
                is_usual=one.is_usual,
                side=one.side,
            )
            for one in connector.settings
        ),
    )


async def sources(call: Call) -> Answer:
    """Return what applications that the caller may see read from: each source once."""
    registry = call.house.parts.registry
    found: dict[bytes, SourceInUse] = {}
    for application in await registry.applications():
        written: Mapping[str, object] = await load_connections(registry, application.id)
        if SOURCE not in written or not may_see(call, application):
            continue
        form = msgspec.convert(written[SOURCE], ConnectionForm)
        if form.connector == INBOUND:
            continue  # what is pushed is pushed for one application
        one = SourceInUse(
            principal_id=application.principal_id,
            application_name=application.display_name,
            connector=form.connector,
            title=_title(form.connector),
        )
        found.setdefault(msgspec.json.encode(form), one)
    return said(SourcesInUse(value=tuple(found.values())))


def _title(connector: str) -> str:
    try:
        return connector_named(connector).title
    except ConnectorUnusable:
        return ""


async def attributes(call: Call) -> Answer:
    """Return the attributes that both systems of a job have by their own account."""
    application, _ = await job_of(call)
    return said(await kept(call.house, application))


async def put_source(call: Call) -> Answer:
    """Let an application read from what another one reads from."""
    application = await application_of(call)
    other = await call.house.principal(Key(call.read(SourceOf).principal_id))
    if not may_see(call, other):
        raise forbidden()
    if SOURCE in await load_connections(call.house.parts.registry, application.id):
        raise conflict(f"{application.display_name} has a source already; provisor.yaml says it.")
    await take_source(call.house, application, other)
    about = f"{application.name} {application.id}"
    changes = altered({}, {"source": other.display_name})
    await call.house.audit(call.caller.name, "Set source of application", about, changes)
    await reconfigured(call, application)
    return done()
