"""What the target says of one object: by its link, by an unanswered create, by matching."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import assert_never

from provisor.engine.listing import find_listed
from provisor.engine.work import Work
from provisor.expressions.context import Candidates
from provisor.model.decisions import (
    Action,
    AttributeChange,
    Decision,
    Export,
    Link,
    LinkState,
    ReferencesChange,
    Standing,
    StandingKey,
    TargetChange,
    Update,
)
from provisor.model.entries import Anchor, Attributes, Entry, EntryKey, MatchQuery, Reference, Value
from provisor.model.frozen import replace
from provisor.planner.decide import (
    NOTHING,
    Given,
    Sighting,
    decide,
    is_trusted,
    known_facts,
    needs_look,
)
from provisor.planner.mapping import NeedsUnique, Unmappable
from provisor.planner.match import definitions_of, listed_answers, matching_queries, normal
from provisor.planner.references import (
    plan_references,
    pointed_at,
    resolved_for_create,
    single_references,
)
from provisor.planner.terms import Terms

UNIQUE_TRIES_MAX = 100


async def plan(
    work: Work, standing: Standing, *, is_fresh: bool = False
) -> tuple[Decision, Sighting]:
    """Scope, match, map and diff one object. May read the target, writes nothing: a preview.

    Fresh: trust neither image nor listing. Raises what reading the target raises, ExpressionError
    and Unmappable.
    """
    terms = work.of(standing.key)
    sighting = NOTHING
    known = known_facts(terms, standing)
    if needs_look(terms, standing, known):
        is_wanted = known.is_effectively_entitled
        sighting = await _look(work, terms, standing, is_wanted=is_wanted, is_fresh=is_fresh)
    resolved = await _resolved(work, terms, standing, sighting)
    chosen: dict[str, Value] = {}
    while True:
        given = Given(sighting, chosen, resolved, work.stamp, known)
        try:
            return await _with_references(work, standing, decide(terms, standing, given)), sighting
        except NeedsUnique as need:
            chosen[need.target] = await _choose(work, standing, need.target, need.candidates)


async def _look(
    work: Work, terms: Terms, standing: Standing, *, is_wanted: bool, is_fresh: bool
) -> Sighting:
    link = standing.link
    is_claim = link is not None and link.state is LinkState.CLAIMED
    if link is not None and not (is_claim and is_wanted):
        found = await _linked(work, terms, standing, is_fresh=is_fresh)
        if found or not (standing.attempt or (is_wanted and _may_relink(work, link))):
            return Sighting(found, is_ours=True)
    if standing.attempt:
        answered = await _answered(work, terms, standing)
        if not is_wanted or (answered.found and answered.taken_by is None):
            return answered
    if standing.source is None or not is_wanted:
        return NOTHING
    if link is not None and not is_claim and not _may_relink(work, link):
        return Sighting(is_ours=True)
    return await _match(work, terms, standing, standing.source, is_fresh=is_fresh)


def _may_relink(work: Work, link: Link) -> bool:
    """True when a missing target object is matched and created again.

    One that was leaving is gone by our own delete, answered or not; others' deletes are an
    administrator's to judge (spec: settled 7).
    """
    return work.mandate.policy.relinks_missing or link.state is LinkState.LEAVING


async def _linked(
    work: Work, terms: Terms, standing: Standing, *, is_fresh: bool
) -> tuple[Entry, ...]:
    """Return the linked object: as remembered where that will do, else as it is."""
    link, kind = standing.link, terms.mapping.target_kind
    assert link is not None
    if link.image is not None and not is_fresh and is_trusted(terms, standing):
        return (Entry(kind, link.target, link.image.attributes, link.image.version),)
    found = await work.ports.target.fetch(kind, link.target)
    return (found,) if found else ()


async def _answered(work: Work, terms: Terms, standing: Standing) -> Sighting:
    """Look for what an unanswered create may have made. Checked like any match: what is
    ambiguous, or another's, is not ours.

    What another took meanwhile says only that ours is not there under that name: the object is
    matched by what its source says today (spec: settled 8).
    """
    taken = NOTHING
    for query in standing.attempt:
        found = tuple(await work.ports.target.find(query))
        if not found:
            continue
        taken_by = await _owner(work, terms, standing, found)
        is_ours = len(found) == 1 and taken_by is None
        sighting = Sighting(found, is_ours=is_ours, taken_by=taken_by, matched_by=query)
        if taken_by is None:
            return sighting
        taken = sighting
    return taken


async def _match(
    work: Work, terms: Terms, standing: Standing, source: Entry, *, is_fresh: bool
) -> Sighting:
    """Ask by the matching attributes, first to last; the first that finds something decides.

    A claim that nothing else matches is looked at by its anchor: nobody exists twice. Nor does
    who matches another object than the one that is claimed and still there: an administrator is
    asked which of the two it is to be, for the other would be left at work.
    """
    queries = matching_queries(terms, source)
    for query in queries:
        found = await _find(work, terms, query, is_fresh=is_fresh)
        if found:
            taken_by = await _owner(work, terms, standing, found)
            if len(found) == 1 and taken_by is None:
                found += await _claimed(work, terms, standing, but_not=found[0].anchor)
            return Sighting(found, taken_by=taken_by, matched_by=query)
    claimed = await _claimed(work, terms, standing)
    return Sighting(claimed, is_ours=True) if claimed else Sighting(is_keyless=not queries)


async def _claimed(
    work: Work, terms: Terms, standing: Standing, but_not: Anchor | None = None
) -> tuple[Entry, ...]:
    """Return the object that is claimed, if there is one and it is still there."""
    link = standing.link
    if link is None or link.state is not LinkState.CLAIMED or link.target == but_not:
        return ()
    return await _linked(work, terms, standing, is_fresh=True)


async def _find(
    work: Work, terms: Terms, query: MatchQuery, *, is_fresh: bool
) -> tuple[Entry, ...]:
    if not is_fresh:
        listed = await find_listed(work, normal(query, definitions_of(terms)))
        if listed is not None:
            return listed
    return tuple(await work.ports.target.find(query))


async def _owner(
    work: Work, terms: Terms, standing: Standing, found: Sequence[Entry]
) -> StandingKey | None:
    """Return who else governs the one object found, if anybody does.

    One whose own source is gone is nobody: a person who got another id in the source takes the
    account over, when it is claimed.
    """
    if len(found) != 1:
        return None
    journal = work.ports.journal
    owner = await journal.owner(found[0], listed_answers(terms, found[0], work.stamp))
    if owner is None or owner == standing.key:
        return None
    is_there = any(s.source and s.absence is None for s in await journal.recall([owner]))
    return owner if is_there else None


async def _resolved(work: Work, terms: Terms, standing: Standing, sighting: Sighting) -> Attributes:
    """Return the single references that can travel in a create, where one is likely.

    What failed before is tried without them: they may be what the target would not have.
    """
    is_create = not sighting.found and not sighting.is_ours and standing.escrow is None
    if not is_create or standing.source is None or not terms.pointing:
        return {}
    wanted = single_references(terms, standing.source)
    if not wanted:
        return {}
    anchors = await pointing(work, {_key(r) for _, references in wanted for r in references})
    return resolved_for_create(wanted, lambda r: anchors.get(_key(r)))


async def _with_references(work: Work, standing: Standing, decision: Decision) -> Decision:
    """Let the single references that are due travel with an update of the same object: one
    changed object costs one request. After a failure each goes alone."""
    resolution, link = decision.resolution, standing.link
    has_failed = standing.escrow is not None or standing.references_escrow is not None
    if not isinstance(resolution, Export) or not isinstance(resolution.write, Update) or has_failed:
        return decision
    is_ours = link is not None and link.state is LinkState.MANAGED
    is_due = standing.references_seen != standing.references_settled
    if decision.action is not Action.UPDATE or not is_ours or not is_due:
        return decision
    due = await references_due(work, standing)
    single = tuple(change for change in due if isinstance(change, AttributeChange))
    removes = any(c.after is None for c in single)
    if removes and (work.doubts or await work.ports.journal.staged_since()):
        # What only removes goes by itself while anything is staged: it may have to wait with that.
        single = tuple(change for change in single if change.after is not None)
    if not single:
        return decision
    write = replace(resolution.write, changes=(*resolution.write.changes, *single))
    return replace(decision, resolution=replace(resolution, write=write))


async def references_due(work: Work, standing: Standing) -> tuple[TargetChange, ...]:
    """Return what must change for the object to point at all it should and can. Asks nobody.

    Raises ExpressionError.
    """
    terms = work.of(standing.key)
    if standing.source is None or not terms.pointing:
        return ()
    keys = pointed_at(terms, standing.source)
    found = await pointing(work, keys)

    def due(claimed: frozenset[Reference]) -> tuple[TargetChange, ...]:
        return plan_references(terms, standing, lambda r: found.get(_key(r)), claimed=claimed)

    changes = due(frozenset())
    if not any(_removes(change) for change in changes):
        return changes  # claims only keep what would be removed
    return due(frozenset((await pointing(work, keys, claimed=True)).values()))


def _removes(change: TargetChange) -> bool:
    match change:
        case AttributeChange(_, before, _):
            return before is not None
        case ReferencesChange(_, _, removed):
            return bool(removed)
        case _:
            assert_never(change)


def _key(reference: Reference) -> EntryKey:
    return EntryKey(reference.kind, reference.anchor)


async def pointing(
    work: Work, keys: Collection[EntryKey], *, claimed: bool = False
) -> dict[EntryKey, Reference]:
    """Return what may be pointed at in the target for these source objects; or what is claimed
    for them and may go on being pointed at, until it is linked again or let go."""
    takers = {taker: key for key in keys for taker in work.takers(key)}
    anchors = await work.ports.journal.anchors(takers, claimed=claimed)
    found: dict[EntryKey, Reference] = {}
    for taker, key in takers.items():
        if taker in anchors and key not in found:
            found[key] = Reference(work.of(taker).mapping.target_kind, anchors[taker])
    return found


async def _choose(work: Work, standing: Standing, name: str, candidates: Candidates) -> Value:
    """Return the first candidate that no target object has, and that no create has claimed.

    Two objects that want the same value in one cycle do not both get it: the create claims it.
    """
    terms, journal = work.of(standing.key), work.ports.journal
    tried = 0
    for value in candidates.values:
        tried += 1
        query = MatchQuery(terms.mapping.target_kind, name, value)
        nobody = Entry(query.kind, Anchor(""), {})
        claimed_by = await journal.owner(nobody, [normal(query, definitions_of(terms))])
        is_free = claimed_by is None or claimed_by == standing.key
        if is_free and not await work.ports.target.find(query):
            return value
        if tried >= UNIQUE_TRIES_MAX:
            break
    raise Unmappable("UniqueValueExhausted", f"all {tried} candidates for {name} are in use")
