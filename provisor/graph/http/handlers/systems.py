"""The systems on both sides of an application: how they are set up, and a probe of them."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import structs

from provisor.connectors.installed import ConnectorUnusable, connector_named
from provisor.errors import AdapterError
from provisor.graph.credentials import MASK, load_keys
from provisor.graph.http.answers import Answer, said
from provisor.graph.http.calls import Call
from provisor.graph.http.faults import Fault
from provisor.graph.http.handlers.common import application_of, job_of
from provisor.graph.http.house import House
from provisor.graph.wire.systems import Connections, ConnectionSide
from provisor.model.jobs import Application
from provisor.runtime.told import probe_document
from provisor.settings.connections import SOURCE, TARGET
from provisor.settings.forms import ConnectionForm
from provisor.settings.leaves import flatten
from provisor.settings.problems import Invalid
from provisor.settings.references import is_reference, is_sealed
from provisor.settings.stored import load_connections


async def connections(call: Call) -> Answer:
    """Return what an application reads from and writes to, without a secret."""
    application = await application_of(call)
    return said(Connections(value=await sides_of(call.house, application)))


async def sides_of(house: House, application: Application) -> tuple[ConnectionSide, ...]:
    written = await load_connections(house.parts.registry, application.id)
    has_secrets = bool(await load_keys(house.parts.registry, application))
    return tuple(
        [
            await _side(house, application, side, written[side], has_secrets)
            for side in (SOURCE, TARGET)
            if side in written
        ]
    )


async def _side(
    house: House, application: Application, side: str, written: object, has_secrets: bool
) -> ConnectionSide:
    return structs.replace(
        shown_side(side, written),
        has_secrets_of_api=has_secrets and side == TARGET,
        missing=await _missing(house, application, side),
    )


def shown_side(side: str, written: object) -> ConnectionSide:
    """Return a connection as it is written, without a secret."""
    form = msgspec.convert(written, ConnectionForm)
    try:
        title = connector_named(form.connector).title
    except ConnectorUnusable:
        title = ""
    return ConnectionSide(side=side, connector=form.connector, title=title, settings=_shown(form))


def _shown(form: ConnectionForm) -> dict[str, object]:
    """Return settings as they may be shown: `env:NAME` and `file:PATH` name where a secret is,
    and not what. Of a connector that is gone nobody knows which settings are secret."""
    try:
        is_secret = connector_named(form.connector).is_secret
    except ConnectorUnusable:
        return dict.fromkeys(flatten(form.settings), MASK)
    return {
        path: MASK if is_sealed(value) or (is_secret(path) and not is_reference(value)) else value
        for path, value in flatten(form.settings).items()
    }


async def _missing(house: House, application: Application, side: str) -> str | None:
    try:
        connector, settings = await house.connection(application, side)
    except Invalid as wrong:
        return "; ".join(f"{one.path.rpartition('.')[2]}: {one.message}" for one in wrong.problems)
    return connector.missing(settings) or None


async def probe(call: Call) -> Answer:
    """Probe both systems of a job now, and keep what was found out by trying."""
    _, job = await job_of(call)
    try:
        found: Mapping[str, object] = probe_document(await call.house.probe(job))
    except Invalid as wrong:
        messages = "; ".join(f"{one.path}: {one.message}" for one in wrong.problems)
        raise Fault(400, "InvalidCredentials", messages or str(wrong)) from wrong
    except AdapterError as failure:
        raise Fault(400, failure.code, str(failure) or failure.code) from failure
    await call.house.audit(call.caller.name, "Probe systems", f"{job.name} {job.id}")
    return said(found)
