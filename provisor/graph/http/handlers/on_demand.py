"""One object provisioned now (spec: graph-api 9, settled 28)."""

from __future__ import annotations

from collections.abc import Sequence

from provisor.connectors.around.trace import Trace
from provisor.engine.on_demand import NotInSource, OnDemand, provision_one
from provisor.errors import AdapterError
from provisor.expressions.evaluate import REDACTED
from provisor.graph.http.answers import Answer, document
from provisor.graph.http.calls import Call
from provisor.graph.http.faults import bad_request, unavailable
from provisor.graph.http.handlers.common import job_of
from provisor.graph.http.throttle import ON_DEMAND
from provisor.graph.overheard import overheard, overheard_of_failure
from provisor.graph.people import is_guid, sources_of
from provisor.graph.translate.on_demand import NotPerformed, Performed, to_answer, to_refusal
from provisor.graph.wire.on_demand import ApplicationParameters, OnDemandRequest, Subject
from provisor.graph.wire.pairs import TextPair
from provisor.model.decisions import Record
from provisor.model.entries import NO_ATTRIBUTES, Anchor, Attributes, EntryKey
from provisor.model.expressions import attributes_of
from provisor.model.jobs import Application, Job
from provisor.model.rules import ObjectMapping, Rules
from provisor.ports import RecordQuery
from provisor.runtime.interruption import Interruption
from provisor.runtime.lease import Busy
from provisor.runtime.runner import Ready, possess
from provisor.settings.problems import Invalid

MEMBERS_MAX = 5
PATIENCE_S = 25.0
LOOK_AGAIN_S = 0.2


async def provision_on_demand(call: Call) -> Answer:
    application, job = await job_of(call)
    parameters, subject = _asked(call.read(OnDemandRequest))
    call.house.throttle.admit(ON_DEMAND, application.principal_id)
    rules = await _rules(call, job)
    key = await _meant(call, application, _key(job, rules, parameters.rule_id, subject))
    pair = await _provisioned(call, job, key, parameters.rule_id)
    return call.entity(document(pair), "microsoft.graph.stringKeyStringValuePair")


def _asked(request: OnDemandRequest) -> tuple[ApplicationParameters, Subject]:
    """Return the one thing that is asked for. Raises Fault."""
    if len(request.parameters) != 1 or len(request.parameters[0].subjects) != 1:
        raise bad_request("One rule and one subject are provisioned at a time.")
    parameters = request.parameters[0]
    (subject,) = parameters.subjects
    members = subject.links.members if subject.links else ()
    if len(members) > MEMBERS_MAX:
        raise bad_request(f"At most {MEMBERS_MAX} members of a group are taken at a time.")
    if not subject.object_id.strip():
        raise bad_request("The subject has no objectId.")
    return parameters, subject


async def _rules(call: Call, job: Job) -> Rules:
    try:
        return await call.house.rules(job)
    except Invalid as wrong:
        raise bad_request(str(wrong)) from wrong


def _key(job: Job, rules: Rules, rule: str, subject: Subject) -> EntryKey:
    mappings = [m for m in rules.values() if m.rule_id.lower() == rule.lower()]
    if not mappings:
        raise bad_request(
            f"The request identified this synchronization job: {job.id}.  The request also "
            f"identified this synchronization rule: {rule}.  However, the job does not include "
            "the rule.",
            code="RequestParameterInvalid",
        )
    wanted = subject.object_type_name.lower()
    kind = next((m.source_kind for m in mappings if m.source_kind.lower() == wanted), None)
    if kind is None:
        kinds = ", ".join(sorted({m.source_kind for m in mappings}))
        raise bad_request(
            f"The rule {rule} takes no '{subject.object_type_name}'; it takes {kinds}.",
            code="RequestParameterInvalid",
        )
    return EntryKey(kind, Anchor(subject.object_id))


async def _meant(call: Call, application: Application, key: EntryKey) -> EntryKey:
    """Return the object that a GUID names which `/users` or `/groups` show; else what was given."""
    if not is_guid(key.anchor):
        return key
    house = call.house
    sources = await sources_of(house.parts.registry, house.tenant.id, [application])
    found = await sources.named(key.anchor, (key.kind,))
    return EntryKey(key.kind, found[0].entry.anchor) if len(found) == 1 else key


async def _provisioned(call: Call, job: Job, key: EntryKey, rule: str) -> TextPair:
    parts = call.house.parts
    cycle, began = parts.entropy.uuid(), parts.clock.now()
    interruption, trace = Interruption(parts.clock), Trace()
    while True:
        try:
            async with possess(parts, job, interruption, trace=trace) as ready:
                found = await _carried(ready, key, cycle, call.caller.name)
            break
        except Busy as busy:
            if (parts.clock.now() - began).total_seconds() > PATIENCE_S:
                raise unavailable(f"{busy}; try again when it has ended") from busy
            await parts.clock.sleep(LOOK_AGAIN_S)
        except Invalid as wrong:
            failed = NotPerformed(code="InvalidCredentials", message=str(wrong))
            return to_refusal(failed)
        except AdapterError as failure:
            heard = overheard_of_failure(trace, await _rules(call, job))
            failed = NotPerformed(code=failure.code, message=str(failure), exchanges=heard)
            return to_refusal(failed)
    about = f"{job.name} {job.id}: {key.kind} {key.anchor}"
    await call.house.audit(call.caller.name, "Provision on demand", about)
    rules = ready.mandate.rules
    one = next((one for one in found if rules[one.standing.key.mapping].rule_id == rule), None)
    record = await _record(call, job, cycle, one)
    if one is None or record is None:
        return to_refusal(
            NotPerformed(
                code="EntrySynchronizationSkipped", message="No mapping takes this object."
            )
        )
    mapping = rules[one.standing.key.mapping]
    link, entry = one.standing.link, one.standing.source
    performed = Performed(
        record=record,
        began=began,
        source=_legible(entry.attributes if entry else NO_ATTRIBUTES, mapping),
        target=_shown(link.image.attributes if link and link.image else NO_ATTRIBUTES, mapping),
        exchanges=overheard(trace, found, rules),
    )
    return to_answer(performed, await call.house.log_context(job))


async def _carried(ready: Ready, key: EntryKey, cycle: str, by: str) -> Sequence[OnDemand]:
    """Take the object by its anchor; else by whatever name it is remembered by."""
    try:
        return await provision_one(ready.mandate, ready.ports, key, cycle, by)
    except NotInSource:
        found = await ready.ports.journal.lookup(key.anchor, 2)
        anchors = {one.key.anchor for one in found if one.source and one.source.kind == key.kind}
        if len(anchors) != 1 or anchors == {key.anchor}:
            raise
        known = EntryKey(key.kind, anchors.pop())
        return await provision_one(ready.mandate, ready.ports, known, cycle, by)


async def _record(call: Call, job: Job, cycle: str, one: OnDemand | None) -> Record | None:
    """Return what was logged of the object itself, else of its references."""
    if one is None:
        return None
    query = RecordQuery(job=job.id, cycle=cycle, limit=50, is_descending=False)
    records = [record for _, _, record in await call.house.parts.ledger.records(query)]
    mine = [record for record in records if record.key == one.standing.key]
    return next((r for r in mine if not r.is_reference_pass), mine[0] if mine else None)


def _legible(attributes: Attributes, mapping: ObjectMapping) -> Attributes:
    """Return what the source says, without what no log may show."""
    hidden = frozenset[str]().union(
        *(attributes_of(m.source) for m in mapping.attributes if m.source and m.is_redacted)
    )
    return {name: REDACTED if name in hidden else value for name, value in attributes.items()}


def _shown(attributes: Attributes, mapping: ObjectMapping) -> Attributes:
    hidden = {m.target.name for m in mapping.attributes if m.is_redacted}
    return {name: REDACTED if name in hidden else value for name, value in attributes.items()}
