"""The synchronization of one principal as a whole (spec: graph-api 3.1, 3.14)."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from provisor.graph.credentials import load_secrets, put_secrets
from provisor.graph.http.altered import altered_secrets
from provisor.graph.http.answers import Answer, Document, document, done
from provisor.graph.http.calls import Call
from provisor.graph.http.handlers.common import anchor, application_of, reconfigured
from provisor.graph.http.handlers.jobs import view_of
from provisor.graph.http.handlers.secrets import replace_secrets, visible
from provisor.graph.http.lifecycle import delete
from provisor.graph.http.postings import put_posted
from provisor.graph.http.query import selected
from provisor.graph.translate.job import to_job
from provisor.graph.wire.beside import Synchronization
from provisor.graph.wire.coding import names_of


async def get(call: Call) -> Answer:
    application = await application_of(call)
    made: Document = {
        "id": application.principal_id,
        "secrets": await visible(call.house, application),
    }
    if "jobs" in call.expanded:
        jobs = await call.house.jobs(application)
        made["jobs"] = [document(to_job(await view_of(call, job))) for job in jobs]
    if "templates" in call.expanded:
        found = await call.house.templates(application)
        made["templates"] = [document(one) for one in found.values()]
    made = selected(made, call.query, "synchronization", names_of(Synchronization))
    return call.entity(made, f"{anchor(call, application)}/$entity")


async def put(call: Call) -> Answer:
    """Replace the secrets; jobs and templates have ways of their own."""
    secrets = call.read_object().get("secrets")
    if secrets is None:
        await application_of(call)
        return done()
    return await replace_secrets(replace(call, body=msgspec.json.encode({"value": secrets})))


async def remove(call: Call) -> Answer:
    """Forget the jobs, the secrets and the templates that were posted."""
    application = await application_of(call)
    house, parts = call.house, call.house.parts
    for job in await house.jobs(application):
        await delete(house, job, call.caller.name)
    saved = await load_secrets(parts.registry, parts.vault, application)
    await put_secrets(parts.registry, parts.vault, application, {})
    await put_posted(parts.registry, application, {})
    await reconfigured(call, application)
    about = f"{application.name} {application.id}"
    changes = altered_secrets(saved, {})
    await house.audit(call.caller.name, "Delete synchronization", about, changes)
    return done()


async def ping(call: Call) -> Answer:
    await application_of(call)
    return call.entity({"value": "pong"}, "Edm.String")
