"""The demo organisation: an application and a job like any other, over invented people.

It takes no settings: what it reads and writes is the server's own. Beyond Graph.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import msgspec

from provisor.graph.http.answers import Answer, done, said
from provisor.graph.http.calls import Call
from provisor.graph.http.faults import conflict, not_found
from provisor.graph.http.handlers.principals import free_name
from provisor.graph.http.house import Demonstration
from provisor.graph.http.lifecycle import delete as delete_job
from provisor.graph.http.schemas import stored_form
from provisor.graph.templates import templates
from provisor.graph.wire.guided import DemonstrationDay, DemonstrationState
from provisor.model.jobs import Application, Job, Status
from provisor.planner.status import Configured, next_status
from provisor.runtime.administer import start as start_job
from provisor.runtime.parts import WORKSPACE
from provisor.settings.ids import job_id
from provisor.settings.stored import CONNECTIONS, SCHEMA

DEMONSTRATION: Final = "demonstration"
NAME, TITLE, TEMPLATE = "demo", "Demo organisation", "scim"
EVERY: Final = timedelta(minutes=5)


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """Which application and job are the demonstration's, as it is kept."""

    application: str
    job: str


async def state(call: Call) -> Answer:
    return said(await _state(call))


async def _state(call: Call) -> DemonstrationState:
    demonstration = call.house.demonstration
    if demonstration is None:
        return DemonstrationState(missing="only the tenant that the workspace is of can have one")
    placed = await _placed(call)
    registry = call.house.parts.registry
    application = await registry.find_application(placed.application) if placed else None
    if placed is None or application is None or await registry.job(placed.job) is None:
        return DemonstrationState(missing=demonstration.missing)
    return DemonstrationState(principal_id=application.principal_id, job_id=placed.job)


async def _placed(call: Call) -> Placed | None:
    content = await call.house.parts.registry.document(WORKSPACE, DEMONSTRATION)
    return msgspec.json.decode(content, type=Placed | None) if content else None


def _demonstration(call: Call) -> Demonstration:
    if call.house.demonstration is None:
        raise not_found("demonstration", TITLE)
    return call.house.demonstration


async def begin(call: Call) -> Answer:
    """Make the demo organisation, and start its job."""
    demonstration = _demonstration(call)
    if (await _state(call)).job_id:
        raise conflict("The demo organisation is here already.")
    connections = await demonstration.begin()
    house, registry = call.house, call.house.parts.registry
    entropy = house.parts.entropy
    application = Application(
        id=entropy.uuid(),
        app_id=entropy.uuid(),
        principal_id=entropy.uuid(),
        name=free_name(NAME, {one.name for one in await registry.applications()}),
        display_name=TITLE,
        template_id=TEMPLATE,
        owners=(call.caller.id,),
    )
    job = Job(
        id=job_id(TEMPLATE, house.tenant.id, application.app_id),
        name=free_name(NAME, {one.name for one in await registry.jobs()}),
        template_id=TEMPLATE,
        application_id=application.id,
        schedule=EVERY,
        status=next_status(Status(), Configured(True)),
    )
    placed = Placed(application=application.id, job=job.id)
    await registry.put_document(WORKSPACE, DEMONSTRATION, msgspec.json.encode(placed))
    await registry.put_application(application)
    await registry.put_document(application.id, CONNECTIONS, msgspec.json.encode(connections))
    await registry.put_job(job)
    await registry.put_document(job.id, SCHEMA, stored_form(templates()[TEMPLATE].schema))
    about = f"{job.name} {job.id}"
    await house.audit(call.caller.name, "Set up the demo organisation", about)
    asked_at = house.parts.clock.now()
    await start_job(house.parts, job, call.caller.name)
    house.hurry(job.id, asked_at)
    return said(
        DemonstrationState(principal_id=application.principal_id, job_id=job.id), status=201
    )


async def another_day(call: Call) -> Answer:
    """Let HR export one day later, and have the job look at it."""
    demonstration, known = _demonstration(call), await _state(call)
    if not known.job_id:
        raise not_found("demonstration", TITLE)
    asked_at = call.house.parts.clock.now()
    await demonstration.another_day(closes=call.read(DemonstrationDay).closes_site)
    call.house.hurry(known.job_id, asked_at)
    return done()


async def remove(call: Call) -> Answer:
    """Take it away: job, application, files and server. Nothing else is touched."""
    demonstration, placed = _demonstration(call), await _placed(call)
    house, registry = call.house, call.house.parts.registry
    if placed is not None:
        job = await registry.job(placed.job)
        if job is not None:
            await delete_job(house, job, call.caller.name)
        if await registry.find_application(placed.application) is not None:
            await registry.delete_application(placed.application)
        await registry.put_document(WORKSPACE, DEMONSTRATION, b"null")
    await demonstration.end()
    await house.audit(call.caller.name, "Remove the demo organisation", NAME)
    return done()
