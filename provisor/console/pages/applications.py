"""Applications: found with their jobs, made, given jobs, and who is assigned to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from urllib.parse import quote, urlencode

from msgspec import Struct, field
from starlette.responses import Response

from provisor.console.asking import INSTANTIATE, literal
from provisor.console.pages.sought import further, sought
from provisor.console.sessions import PATH
from provisor.console.visit import Visit, job_page, to
from provisor.graph.http.faults import Fault, bad_request
from provisor.graph.wire.directory import (
    ApplicationServicePrincipal,
    AppRoleAssignment,
    Group,
    ServicePrincipal,
    User,
)
from provisor.graph.wire.inventory import ApplicationOverview, ApplicationSummary
from provisor.graph.wire.systems import Connections

SIZE, ASSIGNED, FOUND = 50, 50, "8"
ALL = "/provisor/applications"


class TemplateName(Struct, frozen=True, kw_only=True):
    id: str
    description: str | None = None


class Templates(Struct, frozen=True, kw_only=True):
    value: tuple[TemplateName, ...]


class Assigned(Struct, frozen=True, kw_only=True):
    value: tuple[AppRoleAssignment, ...]
    next_link: str = field(name="@odata.nextLink", default="")


class Users(Struct, frozen=True, kw_only=True):
    value: tuple[User, ...]


class Groups(Struct, frozen=True, kw_only=True):
    value: tuple[Group, ...]


class Made(Struct, frozen=True, kw_only=True):
    id: str


class Person(Struct, frozen=True, kw_only=True, rename="camel"):
    """Whoever can be assigned: a user or a group."""

    id: str
    display_name: str | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """One assignment."""

    id: str
    principal_id: str
    name: str | None
    """None: nothing was read yet that it could mean."""
    kind: str


async def applications(visit: Visit) -> Response:
    number = int(visit.asked("page")) if visit.asked("page").isdigit() else 1
    options = {"top": str(SIZE), "skip": str((max(number, 1) - 1) * SIZE)}
    search = visit.asked("search")
    if search:
        said = literal(search)
        options["filter"] = f"contains(displayName, {said}) or contains(name, {said})"
    told = await visit.api.read(ApplicationOverview, ALL, **options)
    return await visit.render(
        "_applications.html" if visit.is_part else "applications.html",
        told=told,
        search=search,
        number=number,
        pages=max(1, -(-told.count // SIZE)),
        link=partial(_link, search),
        may_make=await visit.may("POST", INSTANTIATE),
    )


def _link(search: str, page: int) -> str:
    asked = {"search": search, "page": str(page)}
    return f"?{urlencode({name: value for name, value in asked.items() if value})}"


async def make(visit: Visit) -> Response:
    """Make an application; which job it gets is asked on its page."""
    name = visit.form.get("name", "").strip()
    if not name:
        raise bad_request("Say what the application is called.")
    made = await visit.api.posted(ApplicationServicePrincipal, INSTANTIATE, {"displayName": name})
    return to(page_of(made.service_principal.id), did="application")


def page_of(principal: str) -> str:
    return f"{PATH}/applications/{quote(principal)}"


async def application(visit: Visit) -> Response:
    principal = visit.keys["sp"]
    at = f"servicePrincipals/{quote(principal)}"
    shown = await visit.api.read(ServicePrincipal, at)
    summary = await _summary(visit, shown.id)
    may_read = await visit.may("GET", f"{at}/synchronization/connections")
    sides = (
        await visit.api.read(Connections, f"{at}/synchronization/connections")
        if may_read
        else Connections(value=())
    )
    assigned, following = await _assigned(visit, at)
    may_make = await visit.may("POST", f"{at}/synchronization/jobs")
    return await visit.render(
        "application.html",
        shown=shown,
        summary=summary,
        sides=sides.value,
        assigned=assigned,
        following=following,
        templates=await _templates(visit, at) if may_make else (),
        may_assign=await visit.may("POST", f"{at}/appRoleAssignedTo"),
        may_search=await visit.may("GET", "users"),
        here=page_of(principal),
    )


async def _summary(visit: Visit, principal: str) -> ApplicationSummary | None:
    """Return what the list of all tells of one application, where that may be seen."""
    if not await visit.may("GET", ALL):
        return None
    said = f"principalId eq {literal(principal)}"
    told = await visit.api.read(ApplicationOverview, ALL, filter=said)
    return told.value[0] if told.value else None


async def _templates(visit: Visit, at: str) -> Sequence[TemplateName]:
    """Return what a job can be made from, the most usual first."""
    found = await visit.api.read(
        Templates, f"{at}/synchronization/templates", select="id,description"
    )
    return sorted(found.value, key=lambda one: (one.id != "scim", one.id.casefold()))


async def _assigned(visit: Visit, at: str) -> tuple[Sequence[Shown], str]:
    page = await sought(visit, Assigned, f"{at}/appRoleAssignedTo", ASSIGNED)
    shown = [await _shown(visit, one) for one in page.value]
    return shown, further(page.next_link, {})


async def _shown(visit: Visit, one: AppRoleAssignment) -> Shown:
    """Return an assignment with the name of whom it means. One that its own jobs have not read
    yet may be known to others."""
    if one.principal_display_name != one.principal_id or not await visit.may("GET", "users"):
        return Shown(one.id, one.principal_id, one.principal_display_name, one.principal_type)
    for kind, place in (("User", "users"), ("Group", "groups")):
        try:
            found = await visit.api.read(Person, f"{place}/{quote(one.principal_id, safe='')}")
        except Fault as fault:
            if fault.status not in (403, 404):
                raise
        else:
            return Shown(one.id, one.principal_id, found.display_name or found.id, kind)
    return Shown(one.id, one.principal_id, None, "")


async def add_job(visit: Visit) -> Response:
    principal = visit.keys["sp"]
    at = f"servicePrincipals/{quote(principal)}/synchronization/jobs"
    made = await visit.api.posted(Made, at, {"templateId": visit.form.get("template", "")})
    return to(f"{job_page(principal, made.id)}/connection", did="job")


# assignments


async def suggestions(visit: Visit) -> Response:
    """Show who is called what was typed, each with a button that assigns."""
    text = visit.asked("person")
    users: Sequence[User] = ()
    groups: Sequence[Group] = ()
    if text:
        said = literal(text)
        names = ("displayName", "userPrincipalName", "mail")
        wanted = " or ".join(f"contains({name}, {said})" for name in names)
        users = (await visit.api.read(Users, "users", filter=wanted, top=FOUND)).value
        if await visit.may("GET", "groups"):
            wanted = f"contains(displayName, {said})"
            groups = (await visit.api.read(Groups, "groups", filter=wanted, top=FOUND)).value
    return await visit.render(
        "_assignable.html", text=text, users=users, groups=groups, here=page_of(visit.keys["sp"])
    )


async def assign(visit: Visit) -> Response:
    person = visit.form.get("person", "").strip()
    if not person:
        raise bad_request("Say who is to be assigned.")
    at = f"servicePrincipals/{quote(visit.keys['sp'])}/appRoleAssignedTo"
    await visit.api.send("POST", at, {"principalId": person})
    return to(f"{page_of(visit.keys['sp'])}", did="assigned")


async def unassign(visit: Visit) -> Response:
    at = f"servicePrincipals/{quote(visit.keys['sp'])}/appRoleAssignedTo"
    await visit.api.send("DELETE", f"{at}/{quote(visit.form.get('assignment', ''))}")
    return to(f"{page_of(visit.keys['sp'])}", did="unassigned")
