"""All applications, and all connections with those who use them. Beyond Graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from provisor.graph.credentials import load_secrets
from provisor.graph.http.answers import Answer, Document, document, said
from provisor.graph.http.calls import Call
from provisor.graph.http.handlers.overview import concern_of, may_see
from provisor.graph.http.handlers.systems import shown_side
from provisor.graph.http.house import House
from provisor.graph.http.query import sliced
from provisor.graph.wire.inventory import JobName, SharedConnection, SharedConnections
from provisor.graph.wire.systems import ConnectionSide
from provisor.model.jobs import Application, Job
from provisor.settings.connections import SOURCE, TARGET
from provisor.settings.stored import load_connections

TYPE = "applicationSummary"
PROPERTIES = ("principalId", "appId", "name", "displayName", "syncsAll", "countAssigned",
              "source", "target")  # fmt: skip
FOLDED = ("name", "displayname", "principalid", "appid", "source", "target")
CONNECTIONS_MAX = 1_000
"""So many different connections are told of; and of each so many who use it."""


async def applications(call: Call) -> Answer:
    """Return every application that the caller may see, with its jobs."""
    seen, jobs = await _seen(call)
    rows = [await _row(call.house, one) for one in seen]
    skip = call.query.number("skip") or 0
    page = sliced(rows, call.query, TYPE, PROPERTIES, skip=skip, folded=FOLDED)
    by_principal = {one.principal_id: one for one in seen}
    told = [
        {
            **row,
            "owners": list(by_principal[str(row["principalId"])].owners),
            "jobs": [document(one) for one in jobs.get(str(row["principalId"]), ())],
        }
        for row in page.items
    ]
    return said({"@odata.count": page.count, "value": told})


async def _seen(call: Call) -> tuple[Sequence[Application], Mapping[str, Sequence[JobName]]]:
    """Return the applications that the caller may see, and their jobs by principal."""
    registry = call.house.parts.registry
    seen = [one for one in await registry.applications() if may_see(call, one)]
    principals = {one.id: one.principal_id for one in seen}
    jobs: dict[str, list[JobName]] = {}
    for job in await registry.jobs():
        if principal := principals.get(job.application_id):
            jobs.setdefault(principal, []).append(_named(job, principal))
    ordered = sorted(seen, key=lambda one: (one.display_name.casefold(), one.principal_id))
    return ordered, jobs


def _named(job: Job, principal: str) -> JobName:
    return JobName(
        id=job.id,
        name=job.name,
        principal_id=principal,
        code=job.status.code.value,
        concern=concern_of(job.status).word,
    )


async def _row(house: House, application: Application) -> Document:
    written = await load_connections(house.parts.registry, application.id)
    return {
        "principalId": application.principal_id,
        "appId": application.app_id,
        "name": application.name,
        "displayName": application.display_name,
        "syncsAll": application.syncs_all,
        "countAssigned": len(application.assignments),
        "source": _connector(written.get(SOURCE)),
        "target": _connector(written.get(TARGET)),
    }


def _connector(written: object) -> str | None:
    known = shown_side(SOURCE, written) if written is not None else None
    return known.connector if known else None


# connections


async def connections(call: Call) -> Answer:
    """Return every connection once, as far as it is set up alike, with all that use it."""
    seen, jobs = await _seen(call)
    found: dict[bytes, tuple[ConnectionSide, list[Application]]] = {}
    for application in seen:
        for side in await _sides(call.house, application):
            _, users = found.setdefault(msgspec.json.encode(side), (side, []))
            users.append(application)
    told = [_shared(side, users, jobs) for side, users in found.values()]
    order = {SOURCE: 0, TARGET: 1}
    told.sort(key=lambda one: (order.get(one.side, 2), -len(one.applications), one.connector))
    return said(SharedConnections(value=tuple(told[:CONNECTIONS_MAX])))


async def _sides(house: House, application: Application) -> Sequence[ConnectionSide]:
    written = await load_connections(house.parts.registry, application.id)
    sides = [shown_side(side, written[side]) for side in (SOURCE, TARGET) if side in written]
    put = await load_secrets(house.parts.registry, house.parts.vault, application)
    address = put.get("BaseAddress")
    if not address:
        return sides
    return [
        one
        if one.side != TARGET
        else msgspec.structs.replace(
            one, settings={**one.settings, "baseAddress": address}, has_secrets_of_api=True
        )
        for one in sides
    ]


def _shared(
    side: ConnectionSide,
    users: Sequence[Application],
    jobs: Mapping[str, Sequence[JobName]],
) -> SharedConnection:
    return SharedConnection(
        side=side.side,
        connector=side.connector,
        title=side.title,
        settings=side.settings,
        has_secrets_of_api=side.has_secrets_of_api,
        applications=tuple(one.display_name for one in users[:CONNECTIONS_MAX]),
        jobs=tuple(job for one in users for job in jobs.get(one.principal_id, ()))[
            :CONNECTIONS_MAX
        ],
    )
