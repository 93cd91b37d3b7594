"""Schemas of jobs and templates, and the directories in them (spec: graph-api 3.9, 3.12)."""

from __future__ import annotations

from typing import cast

from msgspec import structs

from provisor.graph.http.altered import altered_schema
from provisor.graph.http.answers import Answer, Document, counted, document, done
from provisor.graph.http.calls import Call, checked
from provisor.graph.http.discovery import discovered
from provisor.graph.http.faults import bad_request, conflict, invalid, not_found
from provisor.graph.http.handlers.common import JOB, TEMPLATE, anchor, application_of, reconfigured
from provisor.graph.http.query import filtered, selected
from provisor.graph.http.schemas import Place, definitions_of, load, reset, save
from provisor.graph.schema.document import read_schema, schema_of
from provisor.graph.schema.examine import beyond
from provisor.graph.wire.coding import decode, names_of, plain
from provisor.graph.wire.schemas import (
    DirectoryDefinition,
    Discoverabilities,
    SynchronizationSchema,
)

TYPE, DIRECTORY = "synchronizationSchema", "directoryDefinition"
PROPERTIES = names_of(SynchronizationSchema)
DIRECTORY_PROPERTIES = names_of(DirectoryDefinition)


async def place_of(call: Call) -> Place:
    """Return whose schema a path means. Raises Fault."""
    application = await application_of(call)
    if JOB in call.keys:
        job = await call.house.job(application, call.key(JOB))
        return Place(application=application, job=job)
    template = await call.house.template(application, call.key(TEMPLATE))
    return Place(application=application, template=template)


async def get_schema(call: Call) -> Answer:
    place = await place_of(call)
    made = document(await load(call.house, place))
    made = selected(made, call.query, TYPE, PROPERTIES)
    return call.entity(made, f"{_context(call, place)}/$entity")


def _context(call: Call, place: Place) -> str:
    return f"{anchor(call, place.application)}/{place.context}"


async def put_schema(call: Call) -> Answer:
    place = await place_of(call)
    _needs_body(call)
    schema, form = read_schema(call.body)
    if schema is None:
        known = await definitions_of(call.house, place.application)
        raise invalid((*form, *beyond(call.body, form, known)))
    await _save(call, place, schema, await load(call.house, place))
    return done()


def _needs_body(call: Call) -> None:
    if not call.body.strip():
        raise bad_request("A schema is expected.")


async def _save(
    call: Call, place: Place, schema: SynchronizationSchema, before: SynchronizationSchema
) -> None:
    if await save(call.house, place, schema, before):
        await _changed(call, place, before)


async def _changed(call: Call, place: Place, before: SynchronizationSchema) -> None:
    """Have it on record what is otherwise now, and let the jobs know."""
    about = f"{place.application.name} {place.context}"
    changes = altered_schema(before, await load(call.house, await place_of(call)))
    await call.house.audit(call.caller.name, "Update attribute mappings or scope", about, changes)
    if place.job is not None:
        await reconfigured(call, place.application)


async def patch_schema(call: Call) -> Answer:
    """Replace the collections that are given. What some clients cannot write stays as it was."""
    place = await place_of(call)
    before = await load(call.house, place)
    stored = cast(dict[str, object], plain(before))
    given = call.read_object()
    merged = dict(stored)
    if isinstance(rules := given.get("synchronizationRules"), list):
        old = {str(r.id): r for r in before.synchronization_rules}
        merged["synchronizationRules"] = [
            _with_flows(rule, old.get(str(_get(rule, "id")))) for rule in cast(list[object], rules)
        ]
    if isinstance(directories := given.get("directories"), list):
        known = {str(d.id): d.discoverabilities for d in before.directories}
        merged["directories"] = [
            _completed(one, "discoverabilities", known.get(str(_get(one, "id"))))
            for one in cast(list[object], directories)
        ]
    schema = checked(*schema_of(merged))
    await _save(call, place, schema, before)
    return done()


def _get(thing: object, name: str) -> object:
    return cast(dict[str, object], thing).get(name) if isinstance(thing, dict) else None


def _completed(thing: object, name: str, value: object) -> object:
    """Put in what is not said; null is not said either."""
    if value is None or _get(thing, name) is not None or not isinstance(thing, dict):
        return thing
    return {**cast(dict[str, object], thing), name: plain(value)}


def _with_flows(rule: object, before: object) -> object:
    from provisor.graph.wire.schemas import SynchronizationRule

    mappings = _get(rule, "objectMappings")
    if not isinstance(before, SynchronizationRule) or not isinstance(mappings, list):
        return rule
    known = {(m.source_object_name, m.target_object_name): m for m in before.object_mappings}
    completed: list[object] = []
    for mapping in cast(list[object], mappings):
        old = known.get((_get(mapping, "sourceObjectName"), _get(mapping, "targetObjectName")))  # pyright: ignore[reportArgumentType]
        completed.append(_completed(mapping, "flowTypes", old.flow_types) if old else mapping)
    return {**cast(dict[str, object], rule), "objectMappings": completed}


async def delete_schema(call: Call) -> Answer:
    place = await place_of(call)
    before = await load(call.house, place)
    await reset(call.house, place, before)
    await _changed(call, place, before)
    return done()


# directories


async def list_directories(call: Call) -> Answer:
    place = await place_of(call)
    found = [document(d) for d in (await load(call.house, place)).directories]
    context = f"{_context(call, place)}/directories"
    return call.collection(found, context, DIRECTORY, DIRECTORY_PROPERTIES)


async def count_directories(call: Call) -> Answer:
    place = await place_of(call)
    found = [document(d) for d in (await load(call.house, place)).directories]
    return counted(len(filtered(found, call.query, DIRECTORY, DIRECTORY_PROPERTIES)))


async def get_directory(call: Call) -> Answer:
    place = await place_of(call)
    directory = _find(await load(call.house, place), call.key("dir"))
    made = selected(document(directory), call.query, DIRECTORY, DIRECTORY_PROPERTIES)
    return _directory(call, place, made)


def _directory(call: Call, place: Place, made: Document, status: int = 200) -> Answer:
    return call.entity(made, f"{_context(call, place)}/directories/$entity", status)


def _find(schema: SynchronizationSchema, id: str) -> DirectoryDefinition:
    """Return a directory by its id, or by its name."""
    wanted = id.lower()
    for one in schema.directories:
        if wanted in ((one.id or "").lower(), one.name.lower()):
            return one
    raise not_found("directory", id)


async def post_directory(call: Call) -> Answer:
    place = await place_of(call)
    before = await load(call.house, place)
    directory = checked(*decode(DirectoryDefinition, call.body))
    if not directory.id:
        directory = structs.replace(directory, id=call.house.parts.entropy.uuid())
    if any(one.id == directory.id for one in before.directories):
        raise conflict(f"There is a directory '{directory.id}'.")
    after = structs.replace(before, directories=(*before.directories, directory))
    await _save(call, place, after, before)
    return _directory(call, place, document(directory), 201)


async def patch_directory(call: Call) -> Answer:
    place = await place_of(call)
    before = await load(call.house, place)
    found = _find(before, call.key("dir"))
    given = {n: v for n, v in call.read_object().items() if n not in ("id", "version")}
    merged = {**cast(dict[str, object], plain(found)), **given}
    raw = {**cast(dict[str, object], plain(before)), "directories": [merged]}
    parsed = checked(*schema_of({**raw, "synchronizationRules": []}))
    await _replace(call, place, before, found, parsed.directories[0])
    return _directory(call, place, document(parsed.directories[0]))


async def delete_directory(call: Call) -> Answer:
    place = await place_of(call)
    before = await load(call.house, place)
    found = _find(before, call.key("dir"))
    kept = tuple(one for one in before.directories if one is not found)
    await _save(call, place, structs.replace(before, directories=kept), before)
    return done()


async def _replace(
    call: Call,
    place: Place,
    before: SynchronizationSchema,
    old: DirectoryDefinition,
    new: DirectoryDefinition,
) -> None:
    directories = tuple(new if one is old else one for one in before.directories)
    await _save(call, place, structs.replace(before, directories=directories), before)


async def discover(call: Call) -> Answer:
    place = await place_of(call)
    before = await load(call.house, place)
    found = _find(before, call.key("dir"))
    if found.discoverabilities is Discoverabilities.NONE:
        raise bad_request(f"The directory {found.name} cannot be discovered.")
    updated = await discovered(call.house, place, before, found)
    await _replace(call, place, before, found, updated)
    return _directory(call, place, document(updated))
