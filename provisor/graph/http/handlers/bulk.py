"""People pushed to a job by those who know of them (spec: graph-api 11, behaviour 21)."""

from __future__ import annotations

from provisor.connectors.inbound.source import InboundDirectory
from provisor.connectors.installed import connector_named
from provisor.graph.http.answers import Answer, done
from provisor.graph.http.calls import Call
from provisor.graph.http.faults import Fault, bad_request
from provisor.graph.http.handlers.common import job_of
from provisor.graph.http.sources import INBOUND
from provisor.graph.http.throttle import BULK_UPLOAD
from provisor.graph.http.upload import read_upload
from provisor.settings.connections import SOURCE
from provisor.settings.problems import Invalid

MEDIA = "application/scim+json"
FORMAT = "Invalid Data Format"


async def bulk_upload(call: Call) -> Answer:
    application, job = await job_of(call)
    call.house.throttle.admit(BULK_UPLOAD, application.principal_id)
    media = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != MEDIA:
        raise Fault(400, FORMAT, f"The content type of a bulk upload is {MEDIA}.")
    upserts = read_upload(call.body)
    try:
        connector, _ = await call.house.connection(application, SOURCE)
    except Invalid as wrong:
        raise bad_request("This job takes no uploads: it has no source.") from wrong
    if connector is not connector_named(INBOUND):
        raise bad_request("This job takes no uploads: it reads its people from elsewhere.")
    parts = call.house.parts
    directory = InboundDirectory(parts.registry, application.id, parts.entropy, match="objectId")
    await directory.push(upserts)
    about = f"{job.name} {job.id}: {len(upserts)} operations"
    await call.house.audit(call.caller.name, "Bulk upload", about)
    where = f"{call.root}/auditLogs/provisioning/?$filter=jobid%20eq%20'{job.id}'"
    return done(202, {"Location": where})
