"""The whole story of one object, and one object provisioned now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from starlette.responses import Response

from provisor.console.asking import literal
from provisor.console.drafts import At
from provisor.console.pages.job import standing
from provisor.console.pages.log import LOGS
from provisor.console.reasons import heading, reasons
from provisor.console.shapes import Explanations, LogPage
from provisor.console.visit import Visit
from provisor.graph.http.faults import Fault, bad_request
from provisor.graph.wire.on_demand import (
    OnDemandExchange,
    OnDemandFailure,
    OnDemandOutcome,
    OnDemandResult,
)
from provisor.graph.wire.overview import FoundObjects
from provisor.graph.wire.pairs import TextPair
from provisor.graph.wire.schemas import ObjectMapping, SynchronizationSchema

PAST = "10"


async def explain(visit: Visit) -> Response:
    """Show every step for the object that is named; else those that could be meant."""
    asked = visit.asked("object")
    told, found, wrong = Explanations(value=()), FoundObjects(value=()), ""
    if asked:
        try:
            told = await visit.api.read(Explanations, f"{visit.at}/explain", _object=asked)
        except Fault as fault:
            if fault.status not in (400, 404):
                raise
            wrong = fault.message
            found = await visit.api.read(FoundObjects, f"{visit.at}/objects", _search=asked)
    return await visit.render(
        "explain.html",
        asked=asked,
        told=told.value,
        found=found.value,
        wrong=wrong,
        past=await _past(visit, told),
        heading=heading,
        reasons=reasons,
        places_of=await _places(visit) if told.value else {},
        may_provision=await visit.may("POST", f"{visit.at}/provisionOnDemand"),
        tab="explain",
        head=await standing(visit),
    )


async def _places(visit: Visit) -> Mapping[str, str]:
    """Return where each object mapping is changed, by name, for who may."""
    if not await visit.may("PUT", f"{visit.at}/schema"):
        return {}
    rules = (await schema_of(visit)).synchronization_rules
    return {
        name: At(number, place).text
        for number, rule in enumerate(rules)
        if rule.editable
        for place, mapping in enumerate(rule.object_mappings)
        for name in names_of(mapping)
    }


async def suggestions(visit: Visit) -> Response:
    """Show whom a name could mean, while it is typed: to explain, or to try a mapping on."""
    text = visit.asked("object")
    found = FoundObjects(value=())
    if text:
        found = await visit.api.read(FoundObjects, f"{visit.at}/objects", _search=text)
    return await visit.render("_found.html", found=found.value, asked=text)


async def _past(visit: Visit, told: Explanations) -> LogPage:
    """Return what the log says of the object, the latest first, for who may read it."""
    if not told.value or not await visit.may("GET", LOGS):
        return LogPage(value=())
    condition = (
        f"jobId eq {literal(visit.keys['job'])} and "
        f"sourceIdentity/id eq {literal(told.value[0].whose.id)}"
    )
    return await visit.api.read(LogPage, LOGS, filter=condition, top=PAST)


@dataclass(frozen=True, slots=True)
class Provisioned:
    """What came of provisioning one object now."""

    result: OnDemandResult
    outcome: OnDemandOutcome | None
    exchanges: tuple[OnDemandExchange, ...]


async def provision(visit: Visit) -> Response:
    object, mapping = visit.form.get("object", ""), visit.form.get("mapping", "")
    kind, rule = visit.form.get("kind", ""), await _rule_of(visit, mapping)
    subject = {"objectId": object, "objectTypeName": kind}
    wanted = {"parameters": [{"ruleId": rule, "subjects": [subject]}]}
    pair = await visit.api.posted(TextPair, f"{visit.at}/provisionOnDemand", wanted)
    return await visit.render(
        "provisioned.html",
        object=object,
        done=read(pair),
        tab="explain",
        head=await standing(visit),
    )


async def _rule_of(visit: Visit, mapping: str) -> str:
    """Return the id of the rule that an object mapping stands in."""
    schema = await schema_of(visit)
    for rule in schema.synchronization_rules:
        if any(mapping in names_of(one) for one in rule.object_mappings):
            return rule.id or ""
    raise bad_request(f"There is no object mapping {mapping}.")


def names_of(mapping: ObjectMapping) -> tuple[str, ...]:
    """Return what an object mapping may be called: it need not have a name of its own."""
    usual = f"{mapping.source_object_name} to {mapping.target_object_name}"
    return (usual, mapping.name) if mapping.name else (usual,)


async def schema_of(visit: Visit) -> SynchronizationSchema:
    return await visit.api.wire(SynchronizationSchema, f"{visit.at}/schema")


def read(pair: TextPair) -> Provisioned:
    """Return what the answer holds: JSON in two texts, as Graph has it. One that did not come to a
    decision has no outcome."""
    result = msgspec.json.decode(pair.key, type=OnDemandResult)
    value = pair.value or "{}"
    if "action" not in msgspec.json.decode(value, type=dict[str, object]):
        told = msgspec.json.decode(value, type=OnDemandFailure)
        return Provisioned(result, None, told.target_exchanges)
    outcome = msgspec.json.decode(value, type=OnDemandOutcome)
    return Provisioned(result, outcome, outcome.target_exchanges)
