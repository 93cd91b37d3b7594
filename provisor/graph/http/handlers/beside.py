"""What stands beside Graph's own resources of a job: plans, explanations, what is staged.

What the command line can, these can; their documents are the same (docs/command-line.md).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager

from provisor.engine.on_demand import NotInSource, explain_one
from provisor.engine.plans import Planning, make_plan
from provisor.engine.whatif import what_if as try_rules
from provisor.engine.work import Ports
from provisor.errors import AdapterError
from provisor.expressions.context import Answer as Value
from provisor.graph.http.answers import Answer, Document, done, said
from provisor.graph.http.calls import Call
from provisor.graph.http.faults import Fault, bad_request, conflict, not_found
from provisor.graph.http.handlers.common import job_of
from provisor.graph.http.schemas import Place, drafted
from provisor.model.decisions import Standing, StandingKey
from provisor.model.entries import Anchor, EntryKey
from provisor.model.jobs import Job
from provisor.model.rules import Rules
from provisor.planner.record import name_of
from provisor.planner.scope import Presence, presence
from provisor.ports import Journal, Source, TargetReader
from provisor.runtime.parts import Equipment
from provisor.runtime.told import explanation, plan_document, whatif_document
from provisor.settings.problems import Invalid

NAMED_AT_ONCE = 1_000
STEPS_MAX = 1_000
"""More than these are counted, and not listed: the command line saves whole plans."""
LEAVING: Mapping[Presence, str] = {
    Presence.HARD_DELETED: "deleted",
    Presence.SOFT_DELETED: "absent",
    Presence.DISABLED: "disabled",
    Presence.ACTIVE: "unentitled",
}
"""Why somebody departs, by how the source has him."""


@asynccontextmanager
async def _looking(call: Call, job: Job) -> AsyncGenerator[tuple[Equipment, Source, TargetReader]]:
    """Have what reads both systems, and nothing that writes. Raises Fault."""
    try:
        equipment = await call.house.parts.equip(job)
    except Invalid as wrong:
        raise Fault(400, "InvalidCredentials", str(wrong)) from wrong
    source, reader = equipment.source(), equipment.reader()
    try:
        yield equipment, source, reader
    except AdapterError as failure:
        raise Fault(400, failure.code, str(failure)) from failure
    finally:
        await reader.close()
        await source.close()


async def plan(call: Call) -> Answer:
    """Return what a cycle would do now; `{"reconcile": true}` for one that reads the target."""
    _, job = await job_of(call)
    reconciles = call.read_object().get("reconcile") is True
    parts = call.house.parts
    async with _looking(call, job) as (equipment, source, reader):
        made = await make_plan(
            job.id,
            equipment.mandate,
            source,
            reader,
            await parts.registry.overlay_journal(job.id),
            parts.clock,
            parts.entropy,
            reconciles=reconciles,
        )
    document = plan_document(job, made, is_restored=parts.registry.is_restored)
    steps = document["steps"]
    assert isinstance(steps, list)
    shown: list[object] = steps[:STEPS_MAX]  # pyright: ignore[reportUnknownVariableType]
    return said({**document, "steps": shown, "stepCount": len(made.steps)})


async def what_if(call: Call) -> Answer:
    """Return what the schema in the body would change, told from what is remembered."""
    application, job = await job_of(call)
    house = call.house
    schema = await drafted(house, Place(application=application, job=job), call.body)
    try:
        present = await house.mandate(job, None)
        draft = await house.mandate(job, schema)
    except Invalid as wrong:
        raise bad_request(str(wrong)) from wrong
    view = await house.parts.registry.view_journal(job.id)
    told = await try_rules(present, draft, view, house.parts.clock.now())
    document = whatif_document(job, told)
    shown = {"objects": altered_objects(document)[:STEPS_MAX], "objectCount": len(told.altered)}
    return said({**document, **shown})


def altered_objects(document: Document) -> list[object]:
    objects = document["objects"]
    assert isinstance(objects, list)
    return objects  # pyright: ignore[reportUnknownVariableType]


async def explain(call: Call) -> Answer:
    """Go through every step for the object that `?object=` names, as things are now."""
    _, job = await job_of(call)
    text = call.query.others.get("object", "")
    if not text:
        raise bad_request("Say which object: ?object= its id in the source or in the target.")
    parts = call.house.parts
    async with _looking(call, job) as (equipment, source, reader):
        view, rules = await parts.registry.view_journal(job.id), equipment.mandate.rules
        key = await _meant(rules, view, source, text)
        ports = Ports(
            source=source,
            target=Planning(reader),
            journal=view,
            clock=parts.clock,
            entropy=parts.entropy,
        )
        try:
            told = await explain_one(equipment.mandate, ports, key)
        except NotInSource as nowhere:
            raise not_found("object", text) from nowhere
    found = [explanation(one, rules[one.standing.key.mapping], _text) for one in told]
    return said({"value": found})


async def _meant(rules: Rules, journal: Journal, source: Source, text: str) -> EntryKey:
    """Return what is remembered under this name, else what the source has under this id."""
    prefix, colon, rest = text.partition(":")
    kinds = list(dict.fromkeys(m.source_kind for m in rules.values() if m.is_enabled))
    named = [kind for kind in kinds if colon and rest and kind.lower() == prefix.lower()]
    kinds, wanted = (named, rest) if named else (kinds, text)
    remembered = {
        EntryKey(rules[one.key.mapping].source_kind, one.key.anchor)
        for one in await journal.lookup(wanted, 2)
        if one.key.mapping in rules and rules[one.key.mapping].source_kind in kinds
    }
    if len(remembered) > 1:
        raise bad_request(f"'{text[:100]}' names several objects; put `kind:` before the id.")
    if remembered:
        return remembered.pop()
    for kind in kinds:
        key = EntryKey(kind, Anchor(wanted))
        if await source.fetch(key) is not None:
            return key
    raise not_found("object", text)


def _text(value: Value) -> str:
    return "(none)" if value is None else str(value)


# what waits for an administrator


async def staged(call: Call) -> Answer:
    _, job = await job_of(call)
    view = await call.house.parts.registry.staged(job.id)
    known = await _remembered(call, job, (*view.departures, *view.members))
    return said(
        {
            "hash": view.hash,
            "departures": [_held(one, known) | _leaving(known.get(one)) for one in view.departures],
            "members": [_held(one, known) for one in view.members],
            "snapshot": view.snapshot,
        }
    )


async def _remembered(
    call: Call, job: Job, keys: Sequence[StandingKey]
) -> Mapping[StandingKey, Standing]:
    """Return these objects, as far as they are remembered."""
    if not keys:
        return {}
    journal = await call.house.parts.registry.view_journal(job.id)
    known: dict[StandingKey, Standing] = {}
    for first in range(0, len(keys), NAMED_AT_ONCE):
        for standing in await journal.recall(keys[first : first + NAMED_AT_ONCE]):
            known[standing.key] = standing
    return known


def _held(key: StandingKey, known: Mapping[StandingKey, Standing]) -> Document:
    source = known[key].source if key in known else None
    return {
        "objectMapping": key.mapping,
        "object": key.anchor,
        "displayName": (name_of(source.attributes) or None) if source else None,
    }


def _leaving(standing: Standing | None) -> Document:
    """Return why an object departs, as far as the source itself says so."""
    return {"reason": LEAVING[presence(standing)] if standing else None}


async def approve(call: Call) -> Answer:
    """Let pass exactly what the hash names, once; the next cycle carries it out."""
    _, job = await job_of(call)
    hash = call.read_object().get("hash")
    if not isinstance(hash, str) or not hash:
        raise bad_request("Give the whole `hash` of what is staged.")
    parts, asked_at = call.house.parts, call.house.parts.clock.now()
    if not await parts.registry.approve(job.id, hash, call.caller.name, asked_at):
        raise conflict("Nothing of this hash is staged by now; look again before you approve.")
    call.house.hurry(job.id, asked_at)
    return done()


async def reconcile(call: Call) -> Answer:
    """Have a cycle run that reads the target in full, whatever the state of the job."""
    _, job = await job_of(call)
    await call.house.audit(call.caller.name, "Reconcile", f"{job.name} {job.id}")
    call.house.reconcile(job.id)
    return done(202)
