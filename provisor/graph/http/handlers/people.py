"""Users and groups of the sources, to read: what assignments are made of (spec: settled 34)."""

from __future__ import annotations

from collections.abc import Sequence

from provisor.graph.http.answers import Answer, Document, counted
from provisor.graph.http.calls import Call
from provisor.graph.http.faults import no_directory_object
from provisor.graph.http.filters import holds
from provisor.graph.http.query import checked_filter, selected, spelled
from provisor.graph.people import GROUP, USER, Person, Sources, sources_of
from provisor.graph.wire.coding import names_of
from provisor.graph.wire.directory import Group, User

USER_PROPERTIES, GROUP_PROPERTIES = names_of(User), names_of(Group)
FOLDED = ("id", "userprincipalname", "displayname", "mail")
"""Compared without regard to case, as directories do."""
LOOKED_AT_MAX = 20_000
"""A page ends after so many objects, however few of them passed; the next one goes on."""


def properties_of(kind: str) -> Sequence[str]:
    return USER_PROPERTIES if kind == USER else GROUP_PROPERTIES


def document_of(person: Person) -> Document:
    attributes = person.entry.attributes
    said = {name: attributes.get(name) for name in properties_of(person.entry.kind)}
    texts = {name: value if isinstance(value, str) else None for name, value in said.items()}
    return {**texts, "id": person.id}


async def everybody(call: Call) -> Sources:
    registry = call.house.parts.registry
    return await sources_of(registry, call.house.tenant.id, await registry.applications())


async def list_users(call: Call) -> Answer:
    return await _list(call, USER, "users")


async def list_groups(call: Call) -> Answer:
    return await _list(call, GROUP, "groups")


async def count_users(call: Call) -> Answer:
    return await _count(call, USER)


async def count_groups(call: Call) -> Answer:
    return await _count(call, GROUP)


async def get_user(call: Call) -> Answer:
    return await _get(call, USER, "users")


async def get_group(call: Call) -> Answer:
    return await _get(call, GROUP, "groups")


async def _list(call: Call, kind: str, context: str) -> Answer:
    known, type = properties_of(kind), kind.lower()
    names = spelled(call.query.names("select"), type, known)
    text = call.query.options.get("filter")
    condition = checked_filter(text, type, known) if text else None
    size = call.page_size()
    items: list[Document] = []
    place, following, seen = _begin(call), None, 0
    async for person in (await everybody(call)).people(kind, place):
        if len(items) == size or seen == LOOKED_AT_MAX:
            following = "\0".join(place)
            break
        seen += 1
        place = (person.connection, person.entry.anchor)
        made = document_of(person)
        if condition is None or holds(condition, made, FOLDED):
            items.append(selected(made, call.query, type, known))
    fragment = f"{context}({','.join(names)})" if names else context
    count = await _number(call, kind) if call.query.is_counted else None
    return call.page(items, fragment, count, following)


def _begin(call: Call) -> tuple[str, str]:
    token = call.query.options.get("skiptoken")
    connection, _, anchor = (call.unsealed(token) if token is not None else "").partition("\0")
    return connection, anchor


async def _number(call: Call, kind: str) -> int:
    text, number = call.query.options.get("filter"), 0
    condition = checked_filter(text, kind.lower(), properties_of(kind)) if text else None
    async for person in (await everybody(call)).people(kind):
        number += condition is None or holds(condition, document_of(person), FOLDED)
    return number


async def _count(call: Call, kind: str) -> Answer:
    return counted(await _number(call, kind))


async def _get(call: Call, kind: str, context: str) -> Answer:
    id = call.key("person")
    found = await (await everybody(call)).named(id, (kind,))
    if len(found) != 1:
        raise no_directory_object(id)
    made = selected(document_of(found[0]), call.query, kind.lower(), properties_of(kind))
    return call.entity(made, f"{context}/$entity")
