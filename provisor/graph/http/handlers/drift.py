"""Drift: what the latest reconcile found that others had changed; accepted or re-asserted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from provisor.engine.drift import Drifted, drifted
from provisor.graph.http.answers import Answer, said
from provisor.graph.http.calls import Call
from provisor.graph.http.faults import bad_request, conflict
from provisor.graph.http.handlers.common import job_of
from provisor.graph.wire.drift import (
    DriftChoice,
    DriftedAttribute,
    DriftedObject,
    DriftReport,
    Taken,
)
from provisor.model.cycles import Cycle, CycleKind
from provisor.model.decisions import Record, ReferencesChange, StandingKey
from provisor.model.entries import Reference
from provisor.model.jobs import Job
from provisor.planner.drift import DriftState
from provisor.ports import RecordQuery
from provisor.runtime import administer
from provisor.runtime.told import changes
from provisor.settings.problems import Invalid

CODE = "Drift"
CYCLES_MAX, RECORDS_MAX = 400, 10_000
"""The latest reconcile is looked for among so many cycles, and so much of it is looked at."""
SHOWN_MAX = 500
NAMED_MAX = 5
"""So many of those whom a group lacks, or has besides, are named."""
OPEN = frozenset((DriftState.STANDS, DriftState.FAILED))
"""What may be accepted, of attributes. Whom others take out of a group belongs there or not."""
REASSERTABLE = OPEN | {DriftState.ACCEPTED, DriftState.RETURNS}


@dataclass(frozen=True, slots=True)
class Found:
    """What the log has of the latest reconcile."""

    cycle: Cycle | None
    records: Mapping[StandingKey, Record]
    drifted: Sequence[Drifted]
    repairs: bool
    is_whole: bool


async def found(call: Call) -> Answer:
    """Tell what others changed, as `?search=`, `?attribute=` and `?state=` narrow it."""
    _, job = await job_of(call)
    told = await _found(call, job)
    asked = call.query.others
    wanted = [one for one in told.drifted if _is_wanted(one, told, asked)]
    objects = _objects(wanted, told.records)
    size = min(call.page_size(), SHOWN_MAX)
    return said(
        DriftReport(
            cycle=told.cycle.id if told.cycle else None,
            ended=told.cycle.ended if told.cycle else None,
            repairs=told.repairs,
            is_whole=told.is_whole,
            count=len(objects),
            states=dict(Counter(one.state.value for one in told.drifted)),
            attributes=dict(Counter(one.change.name for one in told.drifted).most_common()),
            value=tuple(objects[:size]),
        )
    )


async def _found(call: Call, job: Job) -> Found:
    house, now = call.house, call.house.parts.clock.now()
    try:
        mandate = await house.mandate(job, None)
    except Invalid as wrong:
        raise bad_request(str(wrong)) from wrong
    repairs = mandate.policy.repairs_drift
    cycles = await house.parts.ledger.cycles(job.id, CYCLES_MAX)
    cycle = next((one for one in cycles if one.kind is CycleKind.RECONCILE), None)
    if cycle is None:
        return Found(None, {}, (), repairs, is_whole=True)
    query = RecordQuery(job=job.id, cycle=cycle.id, code=CODE, limit=RECORDS_MAX + 1)
    records = [record for _, _, record in await house.parts.ledger.records(query)]
    view = await house.parts.registry.view_journal(job.id)
    told = await drifted(mandate, records[:RECORDS_MAX], view, now)
    by_key = {record.key: record for record in records}
    return Found(cycle, by_key, told, repairs, is_whole=len(records) <= RECORDS_MAX)


def _is_wanted(one: Drifted, told: Found, asked: Mapping[str, str]) -> bool:
    record = told.records[one.key]
    text = asked.get("search", "").strip().casefold()
    names = (one.key.anchor, record.source_name, record.target_name, record.target or "")
    return (
        (not text or any(text in name.casefold() for name in names))
        and asked.get("attribute", "") in ("", one.change.name)
        and asked.get("state", "") in ("", one.state.value)
    )


def _objects(
    wanted: Sequence[Drifted], records: Mapping[StandingKey, Record]
) -> list[DriftedObject]:
    made: list[DriftedObject] = []
    for key, many in groupby(sorted(wanted, key=lambda one: one.key), lambda one: one.key):
        record = records[key]
        made.append(
            DriftedObject(
                object_mapping=key.mapping,
                id=key.anchor,
                name=record.source_name or record.target_name,
                target_id=record.target,
                attributes=tuple(map(_attribute, many)),
            )
        )
    return made


def _attribute(one: Drifted) -> DriftedAttribute:
    if isinstance(one.change, ReferencesChange):
        return DriftedAttribute(
            name=one.change.name,
            before=_listed("were there", one.change.removed),
            found=_listed("added by others", one.change.added),
            state=one.state,
        )
    (told,) = changes((one.change,))
    before, now = told["before"], told["after"]
    return DriftedAttribute(
        name=one.change.name,
        before=None if before is None else str(before),
        found=None if now is None else str(now),
        state=one.state,
        may_accept=one.state in OPEN,
    )


def _listed(what: str, references: Collection[Reference]) -> str | None:
    """Return some of these, and how many they are."""
    if not references:
        return None
    first = sorted(one.anchor for one in references)[:NAMED_MAX]
    more = ", …" if len(references) > len(first) else ""
    return f"{len(references)} {what}: {', '.join(first)}{more}"


# a word about it


async def accepted(call: Call) -> Answer:
    """Let be what stands: it is kept until another value is to be told, or is said."""
    _, job = await job_of(call)
    wanted = await _chosen(call, job, OPEN, takes_references=False)
    mandate = await call.house.mandate(job, None)
    parts = call.house.parts
    count = await administer.accept_drift(parts, job, mandate, wanted, call.caller.name)
    return said(Taken(count=count), 202)


async def reasserted(call: Call) -> Answer:
    """Have the next cycle, which begins at once, put right what stands, or was accepted."""
    _, job = await job_of(call)
    wanted = await _chosen(call, job, REASSERTABLE, takes_references=True)
    parts, asked_at = call.house.parts, call.house.parts.clock.now()
    count = await administer.reassert_drift(parts, job, wanted, call.caller.name)
    call.house.hurry(job.id, asked_at)
    return said(Taken(count=count), 202)


async def _chosen(
    call: Call, job: Job, states: Collection[DriftState], *, takes_references: bool
) -> Mapping[StandingKey, Collection[str]]:
    """Return which attributes of which objects are meant. Raises Fault where that is another
    reconcile's by now, or nothing of it stands."""
    choice, told = call.read(DriftChoice), await _found(call, job)
    if told.cycle is None or told.cycle.id != choice.cycle:
        raise conflict("Another reconcile has ended meanwhile; look again before you decide.")
    is_meant = _meant(choice)
    wanted: dict[StandingKey, list[str]] = {}
    for one in told.drifted:
        is_for_all = takes_references or not isinstance(one.change, ReferencesChange)
        if one.state in states and is_for_all and is_meant(one):
            wanted.setdefault(one.key, []).append(one.change.name)
    if not wanted:
        raise conflict("Nothing of this stands any more; look again before you decide.")
    return wanted


def _meant(choice: DriftChoice) -> Callable[[Drifted], bool]:
    def is_meant(one: Drifted) -> bool:
        return (
            choice.attribute in (None, "", one.change.name)
            and choice.object in (None, "", one.key.anchor)
            and choice.object_mapping in (None, "", one.key.mapping)
        )

    return is_meant
