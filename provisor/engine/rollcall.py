"""Ask the target who is in its groups, and find whom others took out (spec: behaviour 9).

References keep no image but a span, so that an ordinary cycle never reads them. A reconcile does:
whom we put there and who is not there any more is put there again. Whom others put there stays, and
is told of. Nobody is taken out for what an answer leaves out: it only says who is to be added.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping

from provisor.engine.work import Stopped, Work, mind
from provisor.errors import OBJECT_FAILURES, AdapterError, Denied, Stale
from provisor.model.decisions import LinkState, Span, Standing, StandingKey
from provisor.model.entries import Entry, Reference
from provisor.model.rules import MappingName, Refers
from provisor.planner.echo import after_roll, are_others_new, is_not_shown
from provisor.planner.record import roll_record
from provisor.planner.references import may_write

AT_ONCE = 4
"""Objects that are asked about at a time: so many are held with all whom they point at."""
POINTED_AT = frozenset({LinkState.MANAGED, LinkState.DISABLED})


async def call_the_roll(work: Work) -> None:
    """Compare whom objects point at with what we let them point at, where the target tells.

    What it will not tell of one object is left as it is remembered; where it lets nobody look,
    nobody else is asked about.
    """
    names = _names(work)
    if not names or not work.ports.target.capabilities.tells_references:
        return
    keys = await work.ports.journal.pointing_at_many()
    waiting = deque(key for key in keys if key.mapping in names)
    failures: list[Exception] = []

    async def drain() -> None:
        while waiting and not failures:
            key = waiting.popleft()
            try:
                await mind(work)
                await _ask_about(work, key, names[key.mapping])
            except (*OBJECT_FAILURES, Stale):
                continue
            except Denied:
                waiting.clear()
            except (AdapterError, Stopped) as failure:
                failures.append(failure)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(AT_ONCE, len(waiting))):
            group.create_task(drain())
    if failures:
        raise failures[0]


def _names(work: Work) -> Mapping[MappingName, tuple[str, ...]]:
    """Return by which attributes objects of each mapping point at many, where we may write them."""
    found: dict[MappingName, tuple[str, ...]] = {}
    for mapping, terms in work.terms.items():
        pointing = (one for one in terms.pointing if one.refers is Refers.TO_MANY)
        if names := tuple(one.target.name for one in pointing if may_write(one)):
            found[mapping] = names
    return found


async def _ask_about(work: Work, key: StandingKey, names: tuple[str, ...]) -> None:
    for standing in await work.ports.journal.recall([key]):
        if standing.link is not None and standing.source is not None and standing.absence is None:
            for name in names:
                if name in standing.referred:
                    await _compare(work, standing, name)


async def _compare(work: Work, standing: Standing, name: str) -> None:
    link, span = standing.link, standing.referred.get(name, Span())
    assert link is not None
    kind = work.of(standing.key).mapping.target_kind
    shown = await work.ports.target.referred(kind, link.target, name, span.possible)
    missing = await _there(work, span.certain - shown.known)
    before = link.echoes.get(name)
    echo = after_roll(before, missing, shown.others)
    is_held = is_not_shown(echo)
    lost = frozenset[Reference]() if is_held else missing
    if lost or are_others_new(before, echo):
        record = roll_record(
            standing, name, lost, shown.others, cycle=work.cycle, at=work.ports.clock.now()
        )
        await work.ports.journal.record(record)
    if lost or echo != before:
        repairs = work.mandate.policy.repairs_drift
        await work.ports.journal.miss_references(standing.key, name, lost, echo, repairs=repairs)


async def _there(work: Work, missing: frozenset[Reference]) -> frozenset[Reference]:
    """Return those who are there to be pointed at: who is gone himself is missed by himself."""
    found: set[Reference] = set()
    for reference in missing:
        owner = await work.ports.journal.owner(Entry(reference.kind, reference.anchor, {}), ())
        for known in await work.ports.journal.recall([owner] if owner else []):
            link = known.link
            is_there = link is not None and link.image is not None and link.state in POINTED_AT
            if is_there and known.escrow is None:
                found.add(reference)
    return frozenset(found)
