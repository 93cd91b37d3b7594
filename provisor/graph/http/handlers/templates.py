"""Templates that jobs are made from (spec: graph-api 13)."""

from __future__ import annotations

import re

from msgspec import structs

from provisor.graph.http.altered import altered, altered_schema
from provisor.graph.http.answers import Answer, Document, counted, document, done
from provisor.graph.http.calls import Call
from provisor.graph.http.faults import Fault, bad_request, conflict, not_found
from provisor.graph.http.handlers.common import TEMPLATE, anchor, application_of
from provisor.graph.http.postings import posted, put_posted
from provisor.graph.http.query import filtered, selected
from provisor.graph.http.schemas import check, put_template
from provisor.graph.schema.document import canonical, schema_of
from provisor.graph.templates import NO_TENANT
from provisor.graph.templates import template as built_in
from provisor.graph.wire.coding import names_of
from provisor.graph.wire.schemas import SynchronizationSchema
from provisor.graph.wire.templates import SynchronizationTemplate

TYPE = "synchronizationTemplate"
PROPERTIES = names_of(SynchronizationTemplate)
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
TEMPLATES_MAX = 100


def _document(call: Call, place: str, template: SynchronizationTemplate) -> Document:
    made = document(template)
    context = call.context(f"{place}('{template.id}')/schema/$entity")
    if context:
        made["schema@odata.context"] = context["@odata.context"]
    return made


async def list_templates(call: Call) -> Answer:
    application = await application_of(call)
    place = f"{anchor(call, application)}/templates"
    found = [_document(call, place, t) for t in (await call.house.templates(application)).values()]
    return call.collection(found, place, TYPE, PROPERTIES)


async def count_templates(call: Call) -> Answer:
    application = await application_of(call)
    found = [document(one) for one in (await call.house.templates(application)).values()]
    return counted(len(filtered(found, call.query, TYPE, PROPERTIES)))


async def get_template(call: Call) -> Answer:
    application = await application_of(call)
    template = await call.house.template(application, call.key(TEMPLATE))
    place = f"{anchor(call, application)}/templates"
    made = selected(_document(call, place, template), call.query, TYPE, PROPERTIES)
    return call.entity(made, f"{place}/$entity")


async def post_template(call: Call) -> Answer:
    application = await application_of(call)
    template = await _read(call, None)
    known = await call.house.templates(application)
    if template.id.lower() in {id.lower() for id in known}:
        raise conflict(f"There is a synchronization template '{template.id}'.")
    if len(known) >= TEMPLATES_MAX:
        raise bad_request(f"There are {TEMPLATES_MAX} templates already.")
    await _store(call, template)
    place = f"{anchor(call, application)}/templates"
    location = f"{call.root}/{place}('{template.id}')"
    made = _document(call, place, template)
    return call.entity(made, f"{place}/$entity", 201, Location=location)


async def put_template_(call: Call) -> Answer:
    """Replace a template as a whole: what is left out is erased, but for its schema."""
    application = await application_of(call)
    before = await call.house.template(application, call.key(TEMPLATE))
    template = await _read(call, before)
    if template.id.lower() != before.id.lower():
        raise bad_request("The id of a template cannot be changed.")
    await _store(call, structs.replace(template, id=before.id), before)
    return done()


async def _store(
    call: Call, template: SynchronizationTemplate, before: SynchronizationTemplate | None = None
) -> None:
    application = await application_of(call)
    await check(call.house, application, template.schema, template.schema)
    await put_template(call.house, application, template)
    about = f"{application.name} {template.id}"
    nothing = SynchronizationSchema()
    old, new = (_told(one) if one else {} for one in (before, template))
    changes = (
        *altered(old, new),
        *altered_schema(before.schema if before else nothing, template.schema),
    )
    await call.house.audit(call.caller.name, "Update synchronization template", about, changes)


def _told(template: SynchronizationTemplate) -> Document:
    return {n: v for n, v in document(template).items() if n not in ("id", "schema")}


async def _read(call: Call, before: SynchronizationTemplate | None) -> SynchronizationTemplate:
    """Return the template of the body; without a schema it gets the one of its factory tag."""
    raw = call.read_object()
    template = call.read(SynchronizationTemplate)
    if not ID.fullmatch(template.id):
        raise bad_request("The id of a template is made of letters, digits, - and _.")
    if raw.get("schema") is not None:
        schema, problems = schema_of(raw["schema"])
        if schema is None:
            raise Fault(400, "RequestParameterInvalid", "", problems=problems)
    else:
        schema = _default_schema(template, before)
    schema = structs.replace(canonical(schema), id=f"{template.id}.{NO_TENANT}")
    return structs.replace(template, schema=schema)


def _default_schema(
    template: SynchronizationTemplate, before: SynchronizationTemplate | None
) -> SynchronizationSchema:
    if not template.factory_tag:
        raise bad_request("factoryTag is needed where there is no schema.")
    if template.factory_tag == "CustomSCIM":
        found = built_in("customappsso")
    else:
        found = built_in(template.factory_tag)
    if found is None and before is None:
        raise bad_request(f"There is no default schema for '{template.factory_tag}'.")
    return (found or before or template).schema


async def delete_template(call: Call) -> Answer:
    application = await application_of(call)
    template = await call.house.template(application, call.key(TEMPLATE))
    registry = call.house.parts.registry
    kept = dict(await posted(registry, application))
    if template.id not in kept:
        if built_in(template.id) is not None:
            raise bad_request("A template that comes with Provisor cannot be deleted.")
        raise not_found("synchronization template", template.id)
    del kept[template.id]
    await put_posted(registry, application, kept)
    about = f"{application.name} {template.id}"
    await call.house.audit(call.caller.name, "Delete synchronization template", about)
    return done()
