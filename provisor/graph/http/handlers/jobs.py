"""Synchronization jobs: list, get, create, change, delete (spec: graph-api 3.2 to 3.5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import cast

from provisor.graph.http import faults
from provisor.graph.http.altered import altered
from provisor.graph.http.answers import Answer, Document, counted, document, done
from provisor.graph.http.calls import Call
from provisor.graph.http.faults import bad_request, conflict
from provisor.graph.http.handlers.common import anchor, application_of, job_of
from provisor.graph.http.lifecycle import delete as delete_job
from provisor.graph.http.query import filtered, selected
from provisor.graph.http.schemas import job_schema, stored_form
from provisor.graph.http.sources import give_source
from provisor.graph.policy import HARD_DELETES, SKIP_OUT_OF_SCOPE, SYNC_ALL, THRESHOLD, from_api
from provisor.graph.problems import errors
from provisor.graph.translate.job import JobView, to_job
from provisor.graph.wire.base import duration_of
from provisor.graph.wire.coding import names_of, read
from provisor.graph.wire.jobs import NewJob, SynchronizationJob
from provisor.graph.wire.pairs import KeyValuePair
from provisor.model.jobs import Application, Job
from provisor.model.rules import Policy
from provisor.planner.status import Configured, next_status
from provisor.settings.ids import job_id
from provisor.settings.stored import SCHEMA

TYPE = "synchronizationJob"
PROPERTIES = (*names_of(SynchronizationJob), "bulkUpload")
SCALARS = ("id", "templateId")
INTERVAL_MIN = timedelta(minutes=1)
SETTINGS = (
    THRESHOLD,
    SYNC_ALL,
    SKIP_OUT_OF_SCOPE,
    HARD_DELETES,
    "AzureIngestionAttributeOptimization",
    "LookaheadQueryEnabled",
)
"""The settings that the API may write; the last two are kept, and mean nothing here."""


async def list_jobs(call: Call) -> Answer:
    application = await application_of(call)
    found = [await _document(call, job) for job in await call.house.jobs(application)]
    return call.collection(found, f"{anchor(call, application)}/jobs", TYPE, PROPERTIES)


async def count_jobs(call: Call) -> Answer:
    application = await application_of(call)
    found: list[Document] = [
        {"id": job.id, "templateId": job.template_id} for job in await call.house.jobs(application)
    ]
    return counted(len(filtered(found, call.query, TYPE, SCALARS)))


async def get_job(call: Call) -> Answer:
    application, job = await job_of(call)
    made = selected(await _document(call, job), call.query, TYPE, PROPERTIES)
    return call.entity(made, f"{anchor(call, application)}/jobs/$entity")


async def _document(call: Call, job: Job) -> Document:
    view = await view_of(call, job)
    if "schema" in call.expanded:
        return document(to_job(view, await job_schema(call.house, job)))
    return document(to_job(view))


async def view_of(call: Call, job: Job) -> JobView:
    registry = call.house.parts.registry
    return JobView(
        job=job,
        links=await registry.links(job.id),
        progress=await registry.running(job.id),
        docs=call.house.docs,
    )


async def create_job(call: Call) -> Answer:
    application = await application_of(call)
    wanted = call.read(NewJob)
    house, registry = call.house, call.house.parts.registry
    by_case = {id.lower(): one for id, one in (await house.templates(application)).items()}
    template = by_case.get(wanted.template_id.lower())
    if template is None:
        raise bad_request(f"There is no synchronization template '{wanted.template_id}'.")
    id = job_id(template.id, house.tenant.id, application.app_id)
    if await registry.job(id) is not None:
        raise conflict(
            f"There is a job for the template {template.id} on this service principal: {id}"
        )
    job = Job(
        id=id,
        name=await _free_name(call, application, template.id),
        template_id=template.id,
        application_id=application.id,
        settings=_merged({}, wanted.synchronization_job_settings),
    )
    await give_source(house, application, template)
    job = replace(
        job,
        status=next_status(job.status, Configured(not await house.missing(application))),
    )
    await registry.put_job(job)
    await registry.put_document(id, SCHEMA, stored_form(template.schema))
    changes = altered({}, {**_told(job), "templateId": job.template_id})
    about = f"{job.name} {id}"
    await house.audit(call.caller.name, "Create provisioning configuration", about, changes)
    made = document(to_job(await view_of(call, job)))
    place = f"{anchor(call, application)}/jobs"
    location = f"{call.root}/{place}('{id}')"
    return call.entity(made, f"{place}/$entity", 201, Location=location)


async def _free_name(call: Call, application: Application, template: str) -> str:
    taken = {job.name for job in await call.house.parts.registry.jobs()}
    candidates = (application.name, f"{application.name}-{template}")
    free = next((name for name in candidates if name not in taken), None)
    return free or f"{application.name}-{template}-{application.app_id[:8]}"


async def change_job(call: Call) -> Answer:
    """Take what may be changed of a job; what is read-only is passed over."""
    application, job = await job_of(call)
    body = call.read_object()
    given = {name.lower(): value for name, value in body.items()}
    changed = job
    if isinstance(schedule := given.get("schedule"), dict):
        changed = _rescheduled(changed, cast(Mapping[str, object], schedule))
    pairs = given.get("synchronizationjobsettings")
    if isinstance(pairs, list):
        settings, problems = read(tuple[KeyValuePair, ...], cast(object, pairs))
        if settings is None:
            raise faults.invalid(problems)
        changed = replace(changed, settings=_merged(job.settings, settings))
    if changed != job:
        await call.house.parts.registry.put_job(changed)
        about = f"{job.name} {job.id}"
        changes = altered(_told(job), _told(changed))
        await call.house.audit(call.caller.name, "Update provisioning setting", about, changes)
    made = document(to_job(await view_of(call, changed)))
    return call.entity(made, f"{anchor(call, application)}/jobs/$entity")


def _told(job: Job) -> Mapping[str, object]:
    return {"schedule": str(job.schedule), "settings": dict(job.settings)}


def _rescheduled(job: Job, schedule: Mapping[str, object]) -> Job:
    given = {name.lower(): value for name, value in schedule.items()}
    state = given.get("state")
    if state is not None and str(state).lower() != job.status.schedule_state.value.lower():
        raise bad_request("The state of a schedule is changed by start and pause.")
    interval = given.get("interval")
    if interval is None:
        return job
    try:
        duration = duration_of(str(interval))
    except ValueError as failure:
        raise bad_request(f"schedule.interval: {failure}.") from failure
    if duration < INTERVAL_MIN:
        raise bad_request("schedule.interval cannot be shorter than PT1M.")
    return replace(job, schedule=duration)


def _merged(before: Mapping[str, str], given: tuple[KeyValuePair, ...]) -> Mapping[str, str]:
    """Merge settings by name; null removes one. Raises Fault for names that nobody may write."""
    known = {name.lower(): name for name in SETTINGS}
    kept = dict(before)
    for pair in given:
        name = known.get(pair.name.lower())
        if name is None:
            raise bad_request(
                f"There is no setting '{pair.name}' that may be written; there are "
                f"{', '.join(SETTINGS)}."
            )
        if pair.value is None:
            kept.pop(name, None)
        else:
            kept[name] = pair.value
    _, problems = from_api(Policy(), settings=kept, secrets={})
    if errors(problems):
        raise faults.invalid(problems)
    return kept


async def remove_job(call: Call) -> Answer:
    _, job = await job_of(call)
    await delete_job(call.house, job, call.caller.name)
    return done()
