"""Service principals and applications, and how they are made (spec: graph-api 14)."""

from __future__ import annotations

from provisor.graph.http.altered import altered
from provisor.graph.http.answers import Answer, Document, counted, document
from provisor.graph.http.calls import Call
from provisor.graph.http.faults import bad_request, no_directory_object
from provisor.graph.http.handlers.common import application_of
from provisor.graph.http.query import filtered, selected
from provisor.graph.templates import templates
from provisor.graph.wire import directory as wire
from provisor.graph.wire.coding import names_of
from provisor.model.jobs import Application

PRINCIPAL, APPLICATION, GALLERY = "servicePrincipal", "application", "applicationTemplate"
ROLE_ID = "18d14569-c3bd-439b-9a66-3a2aee01d14f"
"""The one role there is: to be assigned."""
FOLDED = ("displayname", "appid", "id", "appdisplayname", "applicationtemplateid")
NAME_LENGTH_MAX = 120
PRINCIPAL_PROPERTIES = names_of(wire.ServicePrincipal)
APPLICATION_PROPERTIES = names_of(wire.Application)
GALLERY_PROPERTIES = names_of(wire.ApplicationTemplate)
ROLE = wire.AppRole(id=ROLE_ID, description="Who is assigned is provisioned", display_name="User")


def principal_document(application: Application, tenant: str) -> Document:
    return document(
        wire.ServicePrincipal(
            id=application.principal_id,
            app_display_name=application.display_name,
            app_id=application.app_id,
            application_template_id=wire.NON_GALLERY,
            app_owner_organization_id=tenant,
            app_role_assignment_required=not application.syncs_all,
            app_roles=(ROLE,),
            display_name=application.display_name,
            service_principal_names=(application.app_id,),
        )
    )


def application_document(application: Application) -> Document:
    return document(
        wire.Application(
            id=application.id,
            app_id=application.app_id,
            application_template_id=wire.NON_GALLERY,
            app_roles=(ROLE,),
            display_name=application.display_name,
        )
    )


async def _principals(call: Call) -> list[Document]:
    applications = await call.house.parts.registry.applications()
    return [principal_document(one, call.house.tenant.id) for one in applications]


async def list_principals(call: Call) -> Answer:
    return call.collection(
        await _principals(call), "servicePrincipals", PRINCIPAL, PRINCIPAL_PROPERTIES, FOLDED
    )


async def count_principals(call: Call) -> Answer:
    found = filtered(await _principals(call), call.query, PRINCIPAL, PRINCIPAL_PROPERTIES, FOLDED)
    return counted(len(found))


async def get_principal(call: Call) -> Answer:
    application = await application_of(call)
    made = principal_document(application, call.house.tenant.id)
    made = selected(made, call.query, PRINCIPAL, PRINCIPAL_PROPERTIES)
    return call.entity(made, "servicePrincipals/$entity")


async def list_applications(call: Call) -> Answer:
    found = [application_document(a) for a in await call.house.parts.registry.applications()]
    return call.collection(found, "applications", APPLICATION, APPLICATION_PROPERTIES, FOLDED)


async def get_application(call: Call) -> Answer:
    application = await application_of(call)
    made = selected(
        application_document(application), call.query, APPLICATION, APPLICATION_PROPERTIES
    )
    return call.entity(made, "applications/$entity")


# the gallery


def _gallery() -> list[Document]:
    """Return what applications can be made from; templates of one application are one."""
    found: dict[str, Document] = {}
    for template in templates().values():
        found.setdefault(
            template.application_id.lower(),
            document(
                wire.ApplicationTemplate(
                    id=template.application_id,
                    display_name=template.description or template.id,
                    description=template.description,
                )
            ),
        )
    if wire.NON_GALLERY in found:
        found[wire.NON_GALLERY]["displayName"] = "Custom"
    return list(found.values())


async def list_gallery(call: Call) -> Answer:
    return call.collection(
        _gallery(), "applicationTemplates", GALLERY, GALLERY_PROPERTIES, ("displayname", "id")
    )


def _gallery_entry(id: str) -> Document:
    for one in _gallery():
        if str(one["id"]).lower() == id.lower():
            return one
    raise no_directory_object(id)


async def get_gallery(call: Call) -> Answer:
    made = selected(_gallery_entry(call.key("gallery")), call.query, GALLERY, GALLERY_PROPERTIES)
    return call.entity(made, "applicationTemplates/$entity")


async def instantiate(call: Call) -> Answer:
    """Make an application and its service principal."""
    _gallery_entry(call.key("gallery"))
    name = call.read_object().get("displayName")
    if not isinstance(name, str) or not name.strip() or len(name) > NAME_LENGTH_MAX:
        raise bad_request(f"displayName is a text of 1 to {NAME_LENGTH_MAX} characters.")
    parts = call.house.parts
    taken = {one.name for one in await parts.registry.applications()}
    application = Application(
        id=parts.entropy.uuid(),
        app_id=parts.entropy.uuid(),
        principal_id=parts.entropy.uuid(),
        name=free_name(name.strip(), taken),
        display_name=name.strip(),
        template_id="scim",
        owners=(call.caller.id,),
    )
    await parts.registry.put_application(application)
    about = f"{application.name} {application.id}"
    changes = altered({}, {"displayName": application.display_name, "owners": call.caller.id})
    await call.house.audit(call.caller.name, "Add application", about, changes)
    made: Document = {
        "application": application_document(application),
        "servicePrincipal": principal_document(application, call.house.tenant.id),
    }
    return call.entity(made, "microsoft.graph.applicationServicePrincipal", 201)


def free_name(name: str, taken: set[str]) -> str:
    """Return the name, with a number behind it where it is taken."""
    number = 1
    free = name
    while free in taken:
        number += 1
        free = f"{name} {number}"
    return free
