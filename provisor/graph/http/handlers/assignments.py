"""Who is assigned to an application (spec: graph-api 14, settled 34).

Assignments name objects of the source. One that is not known yet is kept, and counts once it is.
"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid5

from provisor.graph.http.answers import Answer, Document, done
from provisor.graph.http.calls import Call
from provisor.graph.http.faults import bad_request, conflict, no_directory_object
from provisor.graph.http.handlers.common import application_of, reconfigured
from provisor.graph.http.handlers.principals import ROLE_ID
from provisor.model.jobs import Application, Assignment

TYPE = "appRoleAssignment"
PROPERTIES = (
    "id", "appRoleId", "createdDateTime", "principalDisplayName", "principalId", "principalType",
    "resourceDisplayName", "resourceId",
)  # fmt: skip
EVERYBODY = "00000000-0000-0000-0000-000000000000"
ANCHOR_LENGTH_MAX = 1_024
ASSIGNMENTS_MAX = 100_000


def principal_id(tenant: str, application: Application, assignment: Assignment) -> str:
    """Return the GUID that names an object of the source: its anchor, where that is one."""
    try:
        return str(UUID(assignment.anchor))
    except ValueError:
        name = f"{application.id}|{assignment.kind}|{assignment.anchor}"
        return str(uuid5(UUID(tenant), name))


def _id(tenant: str, application: Application, assignment: Assignment) -> str:
    name = f"assignment|{application.id}|{assignment.kind}|{assignment.anchor}"
    return str(uuid5(UUID(tenant), name))


def _document(tenant: str, application: Application, assignment: Assignment) -> Document:
    return {
        "id": _id(tenant, application, assignment),
        "appRoleId": ROLE_ID,
        "createdDateTime": None,
        "principalDisplayName": assignment.anchor,
        "principalId": principal_id(tenant, application, assignment),
        "principalType": assignment.kind,
        "resourceDisplayName": application.display_name,
        "resourceId": application.principal_id,
    }


async def list_assignments(call: Call) -> Answer:
    application = await application_of(call)
    call.query.allow(("select", "filter", "top", "skip", "skiptoken", "count", "orderby"))
    tenant = call.house.tenant.id
    found = [_document(tenant, application, one) for one in application.assignments]
    context = f"servicePrincipals('{application.principal_id}')/appRoleAssignedTo"
    folded = ("id", "principalid", "resourceid", "approleid")
    return call.collection(found, context, TYPE, PROPERTIES, folded)


async def get_assignment(call: Call) -> Answer:
    application = await application_of(call)
    found = _find(call, application)
    made = _document(call.house.tenant.id, application, found)
    return call.entity(made, "appRoleAssignments/$entity")


def _find(call: Call, application: Application) -> Assignment:
    wanted = call.key("assignment").lower()
    for one in application.assignments:
        if _id(call.house.tenant.id, application, one) == wanted:
            return one
    raise no_directory_object(call.key("assignment"))


async def assign(call: Call) -> Answer:
    application = await application_of(call)
    given = call.read_object()
    principal, resource = given.get("principalId"), given.get("resourceId")
    if not isinstance(principal, str) or not 0 < len(principal.strip()) <= ANCHOR_LENGTH_MAX:
        raise bad_request("principalId is missing.")
    is_other = resource is not None and str(resource).lower() != application.principal_id.lower()
    if is_other:
        raise bad_request("resourceId is another than the service principal of the address.")
    if str(given.get("appRoleId") or ROLE_ID).lower() not in (ROLE_ID, EVERYBODY):
        raise bad_request("Permission being assigned was not found on application.")
    if len(application.assignments) >= ASSIGNMENTS_MAX:
        raise bad_request(f"There are {ASSIGNMENTS_MAX} assignments already.")
    assignment = await _assignment(call, application, principal.strip())
    if assignment in application.assignments:
        raise conflict("Permission being assigned already exists on the object.")
    changed = replace(application, assignments=(*application.assignments, assignment))
    await _store(call, changed, "Add app role assignment", assignment)
    made = _document(call.house.tenant.id, application, assignment)
    return call.entity(made, "appRoleAssignments/$entity", 201)


async def _assignment(call: Call, application: Application, principal: str) -> Assignment:
    """Return what a principal id names: an object that a job remembers, else its anchor itself."""
    for job in await call.house.jobs(application):
        journal = await call.house.parts.registry.view_journal(job.id)
        for standing in await journal.lookup(principal, 10):
            if standing.key.anchor == principal and standing.source is not None:
                return Assignment(kind=standing.source.kind, anchor=principal)
    return Assignment(kind="User", anchor=principal)


async def unassign(call: Call) -> Answer:
    application = await application_of(call)
    found = _find(call, application)
    kept = tuple(one for one in application.assignments if one != found)
    changed = replace(application, assignments=kept)
    await _store(call, changed, "Remove app role assignment", found)
    return done()


async def _store(
    call: Call, application: Application, activity: str, assignment: Assignment
) -> None:
    await call.house.parts.registry.put_application(application)
    await reconfigured(call, application)
    about = f"{application.name} {application.id}: {assignment.kind} {assignment.anchor}"
    await call.house.audit(call.caller.name, activity, about)
