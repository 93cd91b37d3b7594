"""One object now: provisioned on demand, or explained (spec: behaviour 16, settled 28)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from provisor.engine.cycle import assign, who_is_assigned
from provisor.engine.departures import departed_and_governed
from provisor.engine.look import plan
from provisor.engine.provision import Passage, provision
from provisor.engine.references import plan_for, provision_references, weigh_removals
from provisor.engine.work import Mandate, Ports, Work, begin_work
from provisor.errors import OBJECT_FAILURES, Rejected, Stale
from provisor.expressions.errors import ExpressionError
from provisor.expressions.evaluate import Step, trace
from provisor.expressions.printer import print_expression
from provisor.model.decisions import (
    Decision,
    Export,
    Outcome,
    Standing,
    StandingKey,
    TargetChange,
    Update,
)
from provisor.model.entries import (
    Attributes,
    Entry,
    EntryKey,
    MatchQuery,
    Seen,
    names_content,
)
from provisor.model.rules import IS_SOFT_DELETED
from provisor.planner.decide import Sighting, announce, known_facts, staged
from provisor.planner.leave import departure
from provisor.planner.mapping import Unmappable
from provisor.planner.match import matching_queries
from provisor.planner.record import record_of
from provisor.planner.scope import clause_results
from provisor.planner.weigh import weigh
from provisor.ports import Observation


class NotInSource(Rejected):
    """The object asked for is not in the source. That is a failure, never a departure."""

    default_code = "SourceObjectNotFound"


@dataclass(frozen=True, slots=True)
class OnDemand:
    """What came of one object. A departure that the guard holds has no passage."""

    standing: Standing
    passage: Passage | None
    decision: Decision
    references: Outcome | None


async def provision_one(
    mandate: Mandate, ports: Ports, key: EntryKey, cycle: str, by: str
) -> tuple[OnDemand, ...]:
    """Read one object from the source and carry it through, for each mapping that takes it.

    Works while the job is stopped, moves no watermark and is no execution; its departures count
    in the guard. Raises NotInSource, and what ends cycles.
    """
    await ports.target.probe()
    work = begin_work(mandate, ports, cycle, initiated_by=by)
    await ports.journal.adopt(mandate.rules, mandate.policy_hash, rereads=True)
    standings = await _observe(work, key)
    return tuple([await _carry(work, standing) for standing in standings])


async def _observe(work: Work, key: EntryKey) -> Sequence[Standing]:
    entry = await work.ports.source.fetch(key)
    if entry is None:
        raise _not_in_source(key)
    takers = work.takers(key)
    seen = [Observation(taker, Seen(entry), is_counted=False) for taker in takers]
    journal = work.ports.journal
    watermark = await journal.watermark()
    if watermark is not None and names_content(watermark):
        # The object may be newer than the content that was read; were that to come back, the
        # object would have changed once more.
        await journal.begin_snapshot()
    await journal.absorb(seen, None, work.ports.clock.now())
    await assign(work)
    return await work.ports.journal.recall(takers)


def _not_in_source(key: EntryKey) -> NotInSource:
    return NotInSource(f"there is no {key.kind} '{key.anchor}' in the source")


async def _carry(work: Work, standing: Standing) -> OnDemand:
    held = await _held(work, standing)
    if held is not None:
        return OnDemand(standing, None, held, None)
    passage = await provision(standing, work)
    (after,) = await work.ports.journal.recall([standing.key])
    references = await _refer(work, after) if after.link else None
    return OnDemand(standing, passage, passage.decision, references)


async def _refer(work: Work, standing: Standing) -> Outcome:
    """Point at all that the object should; removals that the guard holds are left out."""
    journal = work.ports.journal
    due = await journal.due_references(work.ports.clock.now())
    await weigh_removals(work, due, is_unvouched=False)
    (weighed,) = await journal.recall([standing.key])
    return await provision_references(weighed, work)


async def _held(work: Work, standing: Standing) -> Decision | None:
    """Return the staged decision if the guard holds this departure; nothing passes it by."""
    terms = work.of(standing.key)
    if departure(terms, standing) is None:
        return None
    now = work.ports.clock.now()
    departed, governed = await departed_and_governed(work.ports.journal, work.terms, now)
    limits = work.mandate.policy.guards.departures
    if not weigh([standing], departed, governed, limits).held:
        return None
    decision = staged(announce(terms, standing))
    record = record_of(
        terms,
        standing,
        decision,
        None,
        cycle=work.cycle,
        began=now,
        ended=now,
        initiated_by=work.initiated_by,
    )
    await work.ports.journal.record(record)
    return decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """How one target attribute gets its value."""

    target: str
    expression: str
    steps: tuple[Step, ...]
    """Every sub-expression that was evaluated, outermost first; the last word is `steps[0]`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The whole story of one object, under the rules as they are now. Nothing was written."""

    standing: Standing
    clauses: tuple[tuple[str, bool, str], ...]
    """Each clause of the scoping filter, whether it holds, and the attribute that it asks for."""
    queries: tuple[MatchQuery, ...]
    sighting: Sighting
    values: tuple[Explained, ...]
    decision: Decision | None
    problem: str
    """Why there is no decision: an expression or the target refused; empty otherwise."""
    references: tuple[TargetChange, ...]


async def explain_one(mandate: Mandate, ports: Ports, key: EntryKey) -> tuple[Explanation, ...]:
    """Explain what would be done with one object now, for each mapping that takes it.

    The object is read anew, and nothing of it is remembered: `ports.journal` may be one that is
    only looked at. Raises NotInSource if it is neither in the source nor remembered.
    """
    work = begin_work(mandate, ports, "explanation")
    entry = await ports.source.fetch(key)
    assigned = await who_is_assigned(work) if entry is not None else None
    standings = await ports.journal.expected(
        work.takers(key), entry, mandate.rules, mandate.policy_hash, assigned
    )
    if not standings:
        raise _not_in_source(key)
    return tuple([await _explain(work, standing) for standing in standings])


async def _explain(work: Work, standing: Standing) -> Explanation:
    terms = work.of(standing.key)
    source = standing.source or Entry(terms.mapping.source_kind, standing.key.anchor, {})
    decision, sighting, problem = await _decided(work, standing)
    try:
        queries = matching_queries(terms, source)
    except ExpressionError:
        queries = ()
    is_deleted = not known_facts(terms, standing).is_effectively_entitled
    planned = await plan_for(work, standing)
    resolution = decision.resolution if decision else None
    write = resolution.write if isinstance(resolution, Export) else None
    told = write.changes if isinstance(write, Update) else ()
    return Explanation(
        standing=standing,
        clauses=tuple(clause_results(terms.mapping, source.attributes)),
        queries=queries,
        sighting=sighting,
        values=_values(work, standing.key, {**source.attributes, IS_SOFT_DELETED: is_deleted}),
        decision=decision,
        problem=problem,
        references=tuple(change for change in planned.changes if change not in told),
    )


async def _decided(work: Work, standing: Standing) -> tuple[Decision | None, Sighting, str]:
    try:
        decision, sighting = await plan(work, standing, is_fresh=True)
    except (ExpressionError, Unmappable, *OBJECT_FAILURES, Stale) as error:
        return None, Sighting(), str(error)
    return decision, sighting, ""


def _values(work: Work, key: StandingKey, attributes: Attributes) -> tuple[Explained, ...]:
    terms = work.of(key)
    return tuple(
        Explained(
            target=m.target.name,
            expression=print_expression(m.source),
            steps=trace(m.source, attributes, terms.context),
        )
        for m in terms.mapping.attributes
        if m.source is not None
    )
