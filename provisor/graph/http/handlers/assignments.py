"""Who is assigned to an application (spec: graph-api 14, settled 34).

Assignments name objects of the source. One that is not known yet is kept, and counts once it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID, uuid5

from provisor.graph.http.altered import altered
from provisor.graph.http.answers import Answer, Document, document, done
from provisor.graph.http.calls import Call
from provisor.graph.http.faults import bad_request, conflict, no_directory_object
from provisor.graph.http.handlers.common import application_of, reconfigured
from provisor.graph.http.handlers.principals import ROLE_ID
from provisor.graph.people import UNKNOWN, USER, Sources, guid, sources_of
from provisor.graph.wire.coding import names_of
from provisor.graph.wire.directory import AppRoleAssignment
from provisor.model.decisions import StandingKey
from provisor.model.entries import Anchor
from provisor.model.jobs import Application, Assignment

TYPE = "appRoleAssignment"
PROPERTIES = names_of(AppRoleAssignment)
EVERYBODY = "00000000-0000-0000-0000-000000000000"
ANCHOR_LENGTH_MAX = 1_024
ASSIGNMENTS_MAX = 100_000
NAMED_MAX = 2_000
"""So many assignments are shown by their display names; the others by their ids."""


@dataclass(frozen=True, slots=True)
class Directory:
    """What is known of those who can be assigned to one application."""

    sources: Sources
    names: Mapping[Assignment, str]

    def principal_id(self, assignment: Assignment) -> str:
        """Return the GUID that names an object; one that was not read is called as it was."""
        if assignment.kind == UNKNOWN:
            return assignment.anchor
        connection = min(self.sources.journals, default="")
        return guid(self.sources.tenant, connection, assignment.kind, assignment.anchor)


async def _directory(call: Call, application: Application) -> Directory:
    house = call.house
    sources = await sources_of(house.parts.registry, house.tenant.id, [application])
    known: dict[Assignment, str] = {}
    shown = application.assignments[:NAMED_MAX]
    for journals in sources.journals.values():
        for journal in journals:
            mappings = await journal.population()
            keys = [StandingKey(name, Anchor(one.anchor)) for one in shown for name in mappings]
            for standing in await journal.recall(keys):
                entry = standing.source
                name = entry.attributes.get("displayName") if entry else None
                if entry is not None and isinstance(name, str):
                    known[Assignment(kind=entry.kind, anchor=entry.anchor)] = name
    return Directory(sources, known)


def _id(tenant: str, application: Application, assignment: Assignment) -> str:
    name = f"assignment|{application.id}|{assignment.kind}|{assignment.anchor}"
    return str(uuid5(UUID(tenant), name))


def _document(directory: Directory, application: Application, assignment: Assignment) -> Document:
    kind = assignment.kind
    return document(
        AppRoleAssignment(
            id=_id(directory.sources.tenant, application, assignment),
            app_role_id=ROLE_ID,
            principal_display_name=directory.names.get(assignment, assignment.anchor),
            principal_id=directory.principal_id(assignment),
            principal_type=USER if kind == UNKNOWN else kind,
            resource_display_name=application.display_name,
            resource_id=application.principal_id,
        )
    )


async def list_assignments(call: Call) -> Answer:
    application = await application_of(call)
    directory = await _directory(call, application)
    found = [_document(directory, application, one) for one in application.assignments]
    context = f"servicePrincipals('{application.principal_id}')/appRoleAssignedTo"
    folded = ("id", "principalid", "resourceid", "approleid")
    return call.collection(found, context, TYPE, PROPERTIES, folded)


async def get_assignment(call: Call) -> Answer:
    application = await application_of(call)
    found = _find(call, application)
    made = _document(await _directory(call, application), application, found)
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
    made = _document(await _directory(call, changed), application, assignment)
    return call.entity(made, "appRoleAssignments/$entity", 201)


async def _assignment(call: Call, application: Application, principal: str) -> Assignment:
    """Return what a principal id names: an object that was read. Else it is kept as it is, and
    counts once something is read that it names."""
    house = call.house
    sources = await sources_of(house.parts.registry, house.tenant.id, [application])
    found = await sources.named(principal)
    if len(found) > 1:
        raise bad_request("principalId names several objects; say which by its id.")
    if found:
        return Assignment(kind=found[0].entry.kind, anchor=found[0].entry.anchor)
    return Assignment(kind=UNKNOWN, anchor=principal)


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
    named = f"{assignment.kind} {assignment.anchor}"
    told = {"assignment": named}
    is_added = assignment in application.assignments
    changes = altered({}, told) if is_added else altered(told, {})
    about = f"{application.name} {application.id}: {named}"
    await call.house.audit(call.caller.name, activity, about, changes)
