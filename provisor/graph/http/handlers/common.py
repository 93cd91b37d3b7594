"""What most handlers need: the application, job or template that a path names."""

from __future__ import annotations

from provisor.graph.http.calls import Call
from provisor.graph.http.faults import Fault
from provisor.model.jobs import Application, Job
from provisor.planner.status import Configured, Unquarantined

PRINCIPAL, APPLICATION, JOB, TEMPLATE = "sp", "app", "job", "tpl"


async def application_of(call: Call) -> Application:
    """Return the application that a path names, by its principal or by itself. Raises Fault."""
    if PRINCIPAL in call.keys:
        return await call.house.principal(call.keys[PRINCIPAL])
    return await call.house.application(call.keys[APPLICATION])


async def job_of(call: Call) -> tuple[Application, Job]:
    application = await application_of(call)
    return application, await call.house.job(application, call.key(JOB))


def anchor(call: Call, application: Application) -> str:
    """Return how contexts name where we are, in the client's own way to it."""
    if PRINCIPAL in call.keys:
        return f"servicePrincipals('{application.principal_id}')/synchronization"
    return f"applications('{application.id}')/synchronization"


async def reconfigured(call: Call, application: Application) -> None:
    """Let every job of an application know that something it runs with was changed."""
    house = call.house
    is_usable = not await house.missing(application)
    for job in await house.jobs(application):
        await house.parts.registry.note(job.id, Configured(is_usable), Unquarantined())
    house.wake()


def not_allowed(allowed: str) -> Fault:
    return Fault(
        405,
        "Request_BadRequest",
        "Specified HTTP method is not allowed for the request target.",
        headers={"Allow": allowed},
    )
