"""Where schemas lie: a job's own, or a template's; read, checked, replaced."""

from __future__ import annotations

import re
from dataclasses import dataclass

from msgspec import structs

from provisor.connectors.catalog import Settings
from provisor.graph.http.faults import Fault, invalid
from provisor.graph.http.house import House
from provisor.graph.http.postings import posted, put_posted
from provisor.graph.problems import errors
from provisor.graph.schema.directories import Definitions
from provisor.graph.schema.document import canonical, read_schema, uneditable, write_schema
from provisor.graph.schema.rules import to_rules
from provisor.graph.templates import NO_TENANT
from provisor.graph.templates import template as built_in
from provisor.graph.wire.schemas import SynchronizationSchema
from provisor.graph.wire.templates import SynchronizationTemplate
from provisor.model.jobs import Application, Job
from provisor.settings.connections import SOURCE
from provisor.settings.problems import Invalid
from provisor.settings.stored import SCHEMA

_NUMBER = re.compile(r"(\d+)(?!.*\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where one schema lies."""

    application: Application
    job: Job | None = None
    template: SynchronizationTemplate | None = None

    @property
    def context(self) -> str:
        if self.job is not None:
            return f"jobs('{self.job.id}')/schema"
        assert self.template is not None
        return f"templates('{self.template.id}')/schema"


def stored_form(schema: SynchronizationSchema) -> bytes:
    """Return the one form in which schemas are stored and compared."""
    return write_schema(structs.replace(canonical(schema), id=""))


async def job_schema(house: House, job: Job) -> SynchronizationSchema:
    content = await house.parts.registry.document(job.id, SCHEMA)
    schema, _ = read_schema(content) if content else (None, ())
    if schema is None:
        found = built_in(job.template_id)
        schema = found.schema if found else SynchronizationSchema()
    return structs.replace(schema, id=job.id)


async def load(house: House, place: Place) -> SynchronizationSchema:
    if place.job is not None:
        return await job_schema(house, place.job)
    assert place.template is not None
    return structs.replace(place.template.schema, id=f"{place.template.id}.{NO_TENANT}")


async def save(
    house: House, place: Place, schema: SynchronizationSchema, before: SynchronizationSchema
) -> bool:
    """Check and store a schema; False if it says what is there already. Raises Fault."""
    after = canonical(structs.replace(schema, id="", version=before.version))
    if after == canonical(structs.replace(before, id="")):
        return False
    await check(house, place.application, after, before)
    after = structs.replace(after, version=next_version(before.version))
    if place.job is not None:
        await house.parts.registry.put_document(place.job.id, SCHEMA, write_schema(after))
        return True
    assert place.template is not None
    await put_template(house, place.application, structs.replace(place.template, schema=after))
    return True


async def drafted(house: House, place: Place, content: bytes) -> bytes:
    """Return a schema that is only tried, as it would be stored. Raises Fault with everything that
    is wrong."""
    schema, form = read_schema(content)
    if schema is None:
        raise invalid(form)
    await check(house, place.application, canonical(schema), await load(house, place))
    return write_schema(schema)


async def check(
    house: House,
    application: Application,
    schema: SynchronizationSchema,
    before: SynchronizationSchema,
) -> None:
    """Raises Fault with everything that is wrong."""
    _, found = to_rules(schema, await definitions_of(house, application))
    found = (*found, *uneditable(canonical(structs.replace(before, id="")), schema))
    if errors(found):
        raise invalid(found)


async def definitions_of(house: House, application: Application) -> Definitions:
    """Return what the source itself knows of its attributes; nothing where there is none yet."""
    try:
        connector, settings = await house.connection(application, SOURCE)
    except Invalid:
        return {}
    made: Settings = settings
    return connector.definitions(made, house.base)


async def reset(house: House, place: Place, before: SynchronizationSchema) -> None:
    """Go back to what the job was made from, or a template to what it stands on."""
    if place.job is not None:
        template = await house.template(place.application, place.job.template_id)
        await save(house, place, template.schema, before)
        return
    assert place.template is not None
    found = built_in(place.template.id) or built_in(place.template.factory_tag or "")
    if found is None:
        raise Fault(400, "BadRequest", "There is no default schema for this template.")
    await save(house, place, found.schema, before)


async def put_template(
    house: House, application: Application, template: SynchronizationTemplate
) -> None:
    registry = house.parts.registry
    kept = dict(await posted(registry, application))
    kept[template.id] = template
    await put_posted(registry, application, kept)


def next_version(version: str | None) -> str:
    """Return another version than this one: its last number, one more."""
    if not version or not _NUMBER.search(version):
        return f"{version or '1'}.1"
    return _NUMBER.sub(lambda found: str(int(found[1]) + 1), version, count=1)
