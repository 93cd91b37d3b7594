"""What other rules would change, told from what is remembered. Source and target are not asked.

What is at rest goes through the sieve; every other object is decided under the drafted rules, with
the stored image standing for the target. Where something is due under the rules in force as well,
only what comes out differently is told. Who points at whom follows, once it is known who will be
there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from provisor.engine.departures import departed_and_governed
from provisor.engine.sieve import narrowed, sieve
from provisor.engine.work import Mandate, still_terms
from provisor.expressions import ExpressionError, attributes_of
from provisor.model.cycles import JobError
from provisor.model.decisions import (
    Action,
    AttributeChange,
    Create,
    Decision,
    Delete,
    Export,
    Keep,
    LinkState,
    ReferencesChange,
    Refuse,
    Situation,
    Standing,
    StandingKey,
    TargetChange,
)
from provisor.model.entries import (
    NO_ATTRIBUTES,
    Anchor,
    Entry,
    EntryKey,
    Reference,
    Value,
)
from provisor.model.rules import IS_SOFT_DELETED, MappingName, ObjectMapping
from provisor.planner.decide import (
    NOTHING,
    Given,
    Sighting,
    decide,
    disabled_state,
    is_trusted,
    known_facts,
)
from provisor.planner.diff import redact
from provisor.planner.leave import departure
from provisor.planner.mapping import NeedsUnique, Unmappable
from provisor.planner.match import matching_queries
from provisor.planner.record import changes_of, name_of, redacted_by
from provisor.planner.references import plan_references, pointed_at
from provisor.planner.scope import is_excluded
from provisor.planner.terms import Terms
from provisor.planner.weigh import weigh
from provisor.ports import Journal

RECALLED = 500
"""Objects that are looked at in one go."""
SIFTED = 250
"""Objects at rest that are looked at in one go: with more, collecting garbage takes a quarter."""
POINTED_AT = frozenset((LinkState.MANAGED, LinkState.DISABLED))


class Effect(StrEnum):
    """What other rules do to one object."""

    ENTER = "enter"
    """Comes into scope without a link: matched or created."""
    AWAIT = "await"
    """Is waiting for its account already, in escrow or for the next cycle, and still is: only what
    it is to say becomes another."""
    RETURN = "return"
    """Comes back into scope; its account is known, but not what it says now."""
    UPDATE = "update"
    REFERENCES = "references"
    DISABLE = "disable"
    DELETE = "delete"
    STAGED = "staged"
    """Would leave, and is held by the guard."""
    RELEASE = "release"
    """Leaves scope, and stays in the target as it is."""
    UNMAPPABLE = "unmappable"
    SETTLE = "settle"
    """Needed something before, and does not any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Altered:
    """One object that comes out differently."""

    key: StandingKey
    name: str
    effect: Effect
    changes: tuple[TargetChange, ...] = ()
    """As they may be shown."""
    code: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """All that would come out differently, in the order of the objects."""

    altered: tuple[Altered, ...]
    examined: int
    """Objects that were decided again: those of mappings that differ."""
    changed: tuple[MappingName, ...]
    """Mappings that differ, or are new."""
    dropped: Mapping[MappingName, int]
    """Mappings that are gone or disabled, with their linked objects: these stay as they are."""
    in_doubt: int = 0
    """Linked objects whose image is not certain: only the target knows what they say."""
    unseen: tuple[str, ...] = ()
    """Source attributes that only the new rules read, and that no remembered object has."""
    unshown: tuple[str, ...] = ()
    """Target attributes that no image shows: who says so already will be written nothing."""
    error: JobError | None = None
    """Why departures would be held."""


@dataclass(slots=True)
class _Trial:
    """One run of two sets of rules against one memory."""

    before: Mapping[MappingName, Terms]
    after: Mapping[MappingName, Terms]
    narrow: Mapping[MappingName, Terms]
    """Of `after`, the attributes alone that differ: all there is to an object that is settled."""
    view: Journal
    unread: set[str]
    """Source attributes that only the new rules read, and that no object has shown yet."""
    altered: list[Altered] = field(default_factory=list[Altered])
    leaving: list[Standing] = field(default_factory=list[Standing])
    states: dict[StandingKey, LinkState | None] = field(
        default_factory=dict[StandingKey, LinkState | None]
    )
    """How the links will stand of objects that were decided anew."""
    moved: dict[StandingKey, Anchor | None] = field(
        default_factory=dict[StandingKey, Anchor | None]
    )
    """Who can be pointed at from then on, and by which anchor; None: who no longer can."""
    in_doubt: int = 0
    examined: int = 0

    def look_for(self, attributes: Collection[str]) -> None:
        if self.unread:
            self.unread.difference_update(attributes)


async def what_if(present: Mandate, draft: Mandate, view: Journal, now: datetime) -> WhatIf:
    """Tell what `draft` would change against `present`. `view` shows the job's journal as it is."""
    before, after = still_terms(present, now), still_terms(draft, now)
    changed = tuple(n for n, t in after.items() if not _is_same(before.get(n), t))
    narrow = {name: narrowed(before.get(name), after[name]) for name in changed}
    trial = _Trial(before, after, narrow, view, _newly_read(before, after, changed))
    for name in changed:
        await _sift(trial, name)
    error = await _guard(trial, draft, changed, now)
    await _point(trial, changed)
    live = await view.links()
    return WhatIf(
        altered=tuple(sorted(trial.altered, key=lambda one: one.key)),
        examined=trial.examined,
        changed=changed,
        dropped={n: live.get(n, 0) for n in before if n not in after},
        in_doubt=trial.in_doubt,
        unseen=tuple(sorted(trial.unread)) if trial.examined else (),
        unshown=tuple(sorted(_newly_shown(before, after, changed))),
        error=error,
    )


def _is_same(before: Terms | None, after: Terms) -> bool:
    return before is not None and before.mapping.hash == after.mapping.hash


def _pages(keys: Sequence[StandingKey]) -> list[Sequence[StandingKey]]:
    return [keys[first : first + RECALLED] for first in range(0, len(keys), RECALLED)]


async def _sift(trial: _Trial, name: MappingName) -> None:
    """Look at every object of a mapping; at those closer that the sieve does not let through."""
    fine = sieve(trial.before.get(name), trial.after[name])
    told = redacted_by(trial.after[name])
    astir = list(await trial.view.astir(name))
    after: Anchor | None = None
    while page := await trial.view.at_rest(name, fine.asked, after, SIFTED):
        after = page[-1].anchor
        for resting in page:
            trial.look_for(resting.source)
            changes = fine.changes(resting)
            if changes is None:
                astir.append(StandingKey(name, resting.anchor))
                continue
            trial.examined += 1
            if changes:
                trial.altered.append(
                    Altered(
                        key=StandingKey(name, resting.anchor),
                        name=name_of(resting.source),
                        effect=Effect.UPDATE,
                        changes=redact(changes, told),
                    )
                )
    for keys in _pages(astir):
        for standing in await trial.view.recall(keys):
            _examine(trial, standing)


# one object


def _examine(trial: _Trial, standing: Standing) -> None:
    trial.examined += 1
    key, new = standing.key, trial.after[standing.key.mapping]
    old = trial.before.get(key.mapping)
    if standing.source is not None:
        trial.look_for(standing.source.attributes)
    if departure(new, standing) is not None:
        trial.leaving.append(standing)
    if standing.link is not None and _is_in_doubt(new, standing):
        trial.in_doubt += 1
        trial.states[key] = LinkState.MANAGED
        return
    is_narrow = not _is_due(standing) and is_trusted(new, standing)
    now = _decide(trial.narrow[key.mapping] if is_narrow else new, standing)
    then = _decide(old, standing) if old is not None and _is_due(standing) else None
    trial.states[key] = _state(standing, now)
    _note_moved(trial, standing)
    if then is not None and _verdict(now) == _verdict(then):
        return
    effect = _effect(standing, now, then)
    if effect is Effect.RELEASE and old is not None and is_excluded(old.mapping, standing):
        effect = None
    if effect is not None:
        trial.altered.append(_altered(new, standing, now, effect))


def _state(standing: Standing, now: Decision) -> LinkState | None:
    """Return how the link stands once a decision is carried out; None: there is none."""
    before = standing.link.state if standing.link else None
    match now.resolution:
        case Export(Delete()):
            return None
        case Export():
            is_disable = now.action is Action.DISABLE
            return disabled_state(now) if is_disable else LinkState.MANAGED
        case Keep(link):
            return link.state if link else None
        case _:
            return before


def _note_moved(trial: _Trial, standing: Standing) -> None:
    link, state = standing.link, trial.states[standing.key]
    was_there = link is not None and link.state in POINTED_AT
    will_be_there = state in POINTED_AT
    if was_there != will_be_there:
        made = Anchor(f"{standing.key.mapping} {standing.key.anchor}")
        anchor = link.target if link is not None else made
        trial.moved[standing.key] = anchor if will_be_there else None


def _is_due(standing: Standing) -> bool:
    """True when something may have to be done about the object under the rules in force.

    What is settled needs nothing, so that it is not decided under them again.
    """
    return standing.seen != standing.settled or standing.escrow is not None


def _is_in_doubt(terms: Terms, standing: Standing) -> bool:
    link = standing.link
    if link is None or link.image is not None:
        return False
    return known_facts(terms, standing).is_effectively_entitled and not _is_away(link.state)


def _is_away(state: LinkState) -> bool:
    return state in {LinkState.DISABLED, LinkState.RELEASED}


def _decide(terms: Terms, standing: Standing) -> Decision:
    """Decide with what is remembered: the image, or nothing for who has no link.

    The first value that may be unique is taken for it: the target is not asked.
    """
    chosen: dict[str, Value] = {}
    try:
        sighting = _remembered(terms, standing)
        while True:
            try:
                return decide(terms, standing, Given(sighting, chosen))
            except NeedsUnique as need:
                chosen[need.target] = _first(need)
    except (ExpressionError, Unmappable) as error:
        return Decision(
            key=standing.key,
            row=0,
            situation=Situation.UNMAPPABLE,
            resolution=Refuse(error.code, str(error)),
            facts=known_facts(terms, standing),
            action=Action.OTHER,
            code=error.code,
        )


def _first(need: NeedsUnique) -> Value:
    for value in need.candidates.values:
        return value
    raise Unmappable("UniqueValueExhausted", f"there is no candidate for {need.target}")


def _remembered(terms: Terms, standing: Standing) -> Sighting:
    link = standing.link
    if link is not None:
        image = link.image.attributes if link.image else NO_ATTRIBUTES
        return Sighting((Entry(terms.mapping.target_kind, link.target, image),), is_ours=True)
    if standing.source is None or is_excluded(terms.mapping, standing):
        return NOTHING
    if not known_facts(terms, standing).is_effectively_entitled:
        return NOTHING
    return Sighting(is_keyless=not matching_queries(terms, standing.source))


def _verdict(decision: Decision) -> object:
    """Return what makes two decisions the same to an administrator."""
    return decision.action, decision.code, changes_of(decision), _what_remains(decision)


def _what_remains(decision: Decision) -> object:
    return isinstance(decision.resolution, Export), decision.situation is Situation.RELEASED


def _altered(terms: Terms, standing: Standing, now: Decision, effect: Effect) -> Altered:
    resolution = now.resolution
    return Altered(
        key=standing.key,
        name=name_of(standing.source.attributes) if standing.source else "",
        effect=effect,
        changes=redact(changes_of(now), redacted_by(terms)),
        code=now.code,
        reason=resolution.reason if isinstance(resolution, Refuse) else "",
    )


def _effect(standing: Standing, now: Decision, then: Decision | None) -> Effect | None:
    """Return what happens to the object; None if it is nothing that anybody would see."""
    match now.resolution:
        case Refuse():
            return Effect.UNMAPPABLE
        case Export(Create(), _):
            is_waiting = then is not None and _is_creation(then)
            return Effect.AWAIT if is_waiting else Effect.ENTER
        case Export():
            return _written(standing, now)
        case _ if _is_let_be(standing, now):
            return Effect.RELEASE
        case _ if then is not None and isinstance(then.resolution, Export | Refuse):
            return Effect.SETTLE
        case _:
            return None


def _is_creation(decision: Decision) -> bool:
    resolution = decision.resolution
    return isinstance(resolution, Export) and isinstance(resolution.write, Create)


def _is_let_be(standing: Standing, now: Decision) -> bool:
    """True when an account is not governed any more, and nothing is sent to say so."""
    if standing.link is None or _is_away(standing.link.state):
        return False
    is_out = now.situation in {Situation.RELEASED, Situation.EXCLUDED}
    return is_out or now.action is Action.DISABLE


def _written(standing: Standing, now: Decision) -> Effect:
    match now.action:
        case Action.DISABLE:
            return Effect.DISABLE
        case Action.DELETE:
            return Effect.DELETE
        case _:
            link = standing.link
            return Effect.RETURN if link is not None and _is_away(link.state) else Effect.UPDATE


# who points at whom


async def _point(trial: _Trial, changed: Sequence[MappingName]) -> None:
    """Compare what objects point at with what they would: those whose mapping of references
    differs, those that are new, and those that point at somebody who comes or goes."""
    keys = {key for key in trial.moved if trial.after[key.mapping].pointing}
    for name in changed:
        old, new = trial.before.get(name), trial.after[name]
        if new.pointing and (old is None or old.pointing != new.pointing):
            keys.update(key for key in trial.states if key.mapping == name)
    keys.update(await trial.view.referrers({_source_of(trial, key) for key in trial.moved}))
    for page in _pages(sorted(key for key in keys if key.mapping in trial.after)):
        for standing in await trial.view.recall(page):
            await _examine_references(trial, standing)


def _source_of(trial: _Trial, key: StandingKey) -> EntryKey:
    return EntryKey(trial.after[key.mapping].mapping.source_kind, key.anchor)


async def _examine_references(trial: _Trial, standing: Standing) -> None:
    key, terms, link = standing.key, trial.after[standing.key.mapping], standing.link
    state = trial.states.get(key, link.state if link else None)
    is_known = key not in trial.states or not _is_due(standing)
    if state is not LinkState.MANAGED or standing.source is None or not is_known:
        return
    try:
        changes, names = await _references(trial, terms, standing, standing.source)
    except ExpressionError:
        return  # the same expression has failed with the other attributes
    if changes:
        trial.altered.append(
            Altered(
                key=key,
                name=name_of(standing.source.attributes),
                effect=Effect.REFERENCES,
                changes=tuple(_in_source_terms(change, names) for change in changes),
            )
        )


async def _references(
    trial: _Trial, terms: Terms, standing: Standing, source: Entry
) -> tuple[tuple[TargetChange, ...], Mapping[Reference, Reference]]:
    """Return the changes of references, and how those they name are known in the source."""
    keys = pointed_at(terms, source)
    targets = await _targets(trial, keys)
    claimed = frozenset((await _targets(trial, keys, claimed=True)).values())
    gone = await _targets(trial, keys, moves=False)
    names = {target: Reference(key.kind, key.anchor) for key, target in (gone | targets).items()}
    changes = plan_references(
        terms, standing, lambda r: targets.get(EntryKey(r.kind, r.anchor)), claimed=claimed
    )
    return changes, names


async def _targets(
    trial: _Trial, keys: frozenset[EntryKey], *, claimed: bool = False, moves: bool = True
) -> dict[EntryKey, Reference]:
    """Return what stands in the target for source objects; with `moves`, as it will be then."""
    takers = {
        StandingKey(name, key.anchor): key
        for key in keys
        for name, terms in trial.after.items()
        if terms.mapping.source_kind == key.kind
    }
    anchors = dict(await trial.view.anchors(takers, claimed=claimed))
    found: dict[EntryKey, Reference] = {}
    for taker, key in takers.items():
        is_moved = moves and not claimed and taker in trial.moved
        anchor = trial.moved[taker] if is_moved else anchors.get(taker)
        if anchor is not None and key not in found:
            kind = trial.after[taker.mapping].mapping.target_kind
            found[key] = Reference(kind, anchor)
    return found


def _in_source_terms(change: TargetChange, names: Mapping[Reference, Reference]) -> TargetChange:
    """Return the change with the objects that it points at by their names in the source."""

    def told(value: Value | None) -> Value | None:
        return names.get(value, value) if isinstance(value, Reference) else value

    match change:
        case AttributeChange(name, before, after):
            return AttributeChange(name, told(before), told(after))
        case ReferencesChange(name, added, removed):
            sets = (frozenset(names.get(one, one) for one in many) for many in (added, removed))
            return ReferencesChange(name, *sets)


# all of them


async def _guard(
    trial: _Trial, draft: Mandate, changed: Sequence[MappingName], now: datetime
) -> JobError | None:
    """Weigh departures as a cycle would, those of other mappings that are due included."""
    view, names = trial.view, trial.after
    others = [k for k in await view.due_departures(now) if k.mapping in names]
    standings = await view.recall([k for k in others if k.mapping not in changed])
    due = [s for s in standings if departure(trial.after[s.key.mapping], s)]
    departed, governed = await departed_and_governed(view, names, now)
    limits = draft.policy.guards.departures
    weighed = weigh([*trial.leaving, *due], departed, governed, limits)
    held = {standing.key for standing in weighed.held}
    for key in held:  # whoever is held stays, and is still pointed at
        trial.moved.pop(key, None)
        trial.states.pop(key, None)
    trial.altered = [_held(one) if one.key in held else one for one in trial.altered]
    return weighed.halt.error if weighed.halt else None


def _held(altered: Altered) -> Altered:
    is_leaving = altered.effect in {Effect.DISABLE, Effect.DELETE}
    return replace(altered, effect=Effect.STAGED) if is_leaving else altered


def _newly_read(
    before: Mapping[MappingName, Terms],
    after: Mapping[MappingName, Terms],
    changed: Sequence[MappingName],
) -> set[str]:
    """Return the source attributes that only the new rules read."""
    read = {name for n in changed for name in _read_by(after[n].mapping)}
    known = {name for terms in before.values() for name in _read_by(terms.mapping)}
    return read - known - {IS_SOFT_DELETED}


def _newly_shown(
    before: Mapping[MappingName, Terms],
    after: Mapping[MappingName, Terms],
    changed: Sequence[MappingName],
) -> set[str]:
    """Return the target attributes that the images of mappings in force may lack."""
    both = ((before[n].mapping.shown, after[n].mapping.shown) for n in changed if n in before)
    return {name for then, now in both for name, form in now.items() if then.get(name) != form}


def _read_by(mapping: ObjectMapping) -> set[str]:
    """Return the source attributes that a mapping reads."""
    sources = (m.source for m in mapping.attributes if m.source is not None)
    names = {name for source in sources for name in attributes_of(source)}
    filters = (*mapping.scope, *mapping.input_filter, *mapping.category_filter)
    return names | {clause.attribute for group in filters for clause in group.clauses}
