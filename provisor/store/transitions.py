"""How one standing follows from another. Pure: every store remembers in these steps.

What a store adds is where standings lie, who else is touched (`journal._put`), and one
transaction around it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import assert_never

from provisor.model.decisions import (
    Action,
    Create,
    Decision,
    Delete,
    Echo,
    Escrow,
    Escrowed,
    Export,
    Image,
    Keep,
    Link,
    LinkState,
    Outcome,
    ReferencesChange,
    Settled,
    Situation,
    Span,
    Staged,
    Standing,
    StandingKey,
    TargetChange,
    Update,
)
from provisor.model.entries import (
    NO_ATTRIBUTES,
    Absence,
    Anchor,
    Attributes,
    Entry,
    EntryKey,
    MatchQuery,
    Reference,
    Value,
    some,
)
from provisor.model.frozen import replace
from provisor.model.jobs import ResetScope
from provisor.planner.diff import as_set, is_reference
from provisor.planner.echo import after_look
from provisor.planner.record import NAMES
from provisor.store.spans import carried, confirm, learnt, uncertain, widen

POINTED_AT = frozenset({LinkState.MANAGED, LinkState.DISABLED})
CLAIMED = frozenset({LinkState.CLAIMED})
LIVE = frozenset({LinkState.MANAGED, LinkState.DISABLED, LinkState.LEAVING})
UNPICTURED = frozenset({LinkState.RELEASED, LinkState.CLAIMED})
"""What the target says of these is not taken for what we left there."""

LEAVES = frozenset({Action.DISABLE, Action.DELETE})
TAKEN = "the target object is linked to another source object"
UNWANTED = frozenset({Situation.UNQUALIFIED, Situation.RELEASED, Situation.LINK_ONLY})


DISTINGUISHED = ("onPremisesDistinguishedName", "distinguishedName")
"""How LDAP directories name an object; administrators use it too."""


# what is asked of one standing


def is_present(standing: Standing) -> bool:
    return standing.source is not None and standing.absence is None


def is_unsettled(standing: Standing) -> bool:
    return standing.settled != standing.seen


def is_due(standing: Standing, now: datetime) -> bool:
    escrow = standing.escrow
    return is_unsettled(standing) or (escrow is not None and escrow.retry_at <= now)


def may_govern(standing: Standing) -> bool:
    """True for what may be at work in the target; what was released, only once it is deleted."""
    if standing.link is not None and standing.link.state is LinkState.RELEASED:
        return standing.absence is Absence.DELETED or bool(standing.attempt)
    return standing.link is not None or bool(standing.attempt)


def has_references(standing: Standing) -> bool:
    """False where there is nothing to point at, and nothing was pointed at."""
    if any(span.possible for span in standing.referred.values()):
        return True
    values = standing.source.attributes.values() if standing.source else ()
    return any(
        isinstance(value, Reference)
        or (isinstance(value, tuple) and any(isinstance(v, Reference) for v in value))
        for value in values
    )


def are_references_unsettled(standing: Standing) -> bool:
    is_open = standing.references_settled != standing.references_seen
    is_managed = standing.link is not None and standing.link.state is LinkState.MANAGED
    return is_open and is_managed and has_references(standing)


def are_references_due(standing: Standing, now: datetime) -> bool:
    if standing.link is None or standing.link.state is not LinkState.MANAGED:
        return False
    escrow = standing.references_escrow
    is_retried = escrow is not None and escrow.retry_at <= now
    is_staged = standing.references_staged is not None
    return is_retried or is_staged or are_references_unsettled(standing)


def pointed_at(link: Link | None) -> Anchor | None:
    """Return the target object that others may point at."""
    return link.target if link is not None and link.state in POINTED_AT else None


def is_waiting(staged: Staged | None, seen: int) -> bool:
    """True while an administrator is awaited: not once this very observation is approved."""
    return staged is not None and not is_approved(staged, seen)


def waiting(standing: Standing) -> tuple[Staged, ...]:
    """Return what of an object waits for an administrator: its departure, its members' removal."""
    both = (
        (standing.staged, standing.seen),
        (standing.references_staged, standing.references_seen),
    )
    return tuple(one for one, seen in both if one is not None and is_waiting(one, seen))


def is_approved(staged: Staged | None, seen: int) -> bool:
    """As `planner.weigh` asks it: approval holds for the observation it was given for."""
    return staged is not None and staged.is_approved and staged.seen == seen


def is_forgettable(standing: Standing) -> bool:
    is_gone = standing.absence is Absence.DELETED and not is_unsettled(standing)
    return is_gone and not (standing.link or standing.escrow or standing.attempt)


def answers_to(standing: Standing, text: str) -> bool:
    """True when an administrator who types `text` means this object."""
    if standing.key.anchor == text or (standing.link and standing.link.target == text):
        return True
    return standing.source is not None and any(
        standing.source.attributes.get(name) == text for name in (*NAMES, *DISTINGUISHED)
    )


# references in a source entry


def pairs(entry: Entry | None) -> frozenset[tuple[str, Reference]]:
    """Return every reference with the attribute that holds it."""
    if entry is None:
        return frozenset()
    return frozenset(
        (name, scalar)
        for name, value in entry.attributes.items()
        for scalar in (value if isinstance(value, tuple) else (value,))
        if isinstance(scalar, Reference)
    )


def single_references(entry: Entry | None) -> frozenset[EntryKey]:
    """Return whom an entry points at by attributes that hold one reference."""
    values = entry.attributes.values() if entry else ()
    return frozenset(EntryKey(v.kind, v.anchor) for v in values if isinstance(v, Reference))


def is_same(a: Entry | None, b: Entry) -> bool:
    """True when two entries say the same; 1 is not True, and text is not a number."""
    if a is None or (a.kind, a.anchor) != (b.kind, b.anchor):
        return False
    if a.attributes.keys() != b.attributes.keys():
        return False
    return all(_is_same_value(v, b.attributes[name]) for name, v in a.attributes.items())


def _is_same_value(a: Value, b: Value) -> bool:
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(_is_same_value(x, y) for x, y in zip(a, b, strict=True))
    return type(a) is type(b) and a == b


# observations


def appear(old: Standing | None, key: StandingKey, entry: Entry, generation: int) -> Standing:
    """Return what is remembered once an object was seen that was new, changed or gone."""
    if old is None:
        return Standing(key=key, source=entry, seen=1, generation=generation)
    new = replace(
        old,
        source=entry,
        absence=None,
        absent_since=None,
        seen=old.seen + 1,
        escrow=None,
        generation=generation,
    )
    return new if pairs(old.source) == pairs(entry) else stir(replace(new, references_escrow=None))


def disappear(old: Standing, absence: Absence, since: datetime) -> Standing:
    """Keep the last known entry."""
    return replace(old, absence=absence, absent_since=since, seen=old.seen + 1, escrow=None)


def expire(old: Standing) -> Standing:
    """Take an absent object for deleted."""
    return replace(old, absence=Absence.DELETED, seen=old.seen + 1, escrow=None)


def stir(standing: Standing) -> Standing:
    """Unsettle the references."""
    return replace(standing, references_seen=standing.references_seen + 1)


def unsettle(standing: Standing) -> Standing:
    return replace(standing, seen=standing.seen + 1)


def in_doubt(standing: Standing) -> Standing:
    link = replace(standing.link, image=None) if standing.link else None
    return replace(standing, link=link)


def remapped(standing: Standing, *, keeps_image: bool) -> Standing:
    """Return an object whose mapping has changed: all is worked out anew, failures forgotten.

    Its image stays where it shows all that the mapping now asks about.
    """
    known = standing if keeps_image else in_doubt(standing)
    return stir(replace(unsettle(known), escrow=None, references_escrow=None))


# what a restart forgets


def reset(standing: Standing, scope: ResetScope) -> Standing:
    """Return a standing that has forgotten what a restart of this scope forgets."""
    if ResetScope.CONNECTOR_DATA_STORE in scope:
        standing = disown(standing)
    if ResetScope.ESCROWS in scope:
        standing = replace(standing, escrow=None, references_escrow=None)
    if scope & (ResetScope.WATERMARK | ResetScope.CONNECTOR_DATA_STORE):
        standing = reread(standing)
    return standing


def reread(standing: Standing) -> Standing:
    """Unsettle everything of an object; what was staged of it stays valid, approved or not.

    Nothing new was observed, so an approval still says what it said.
    """
    new = stir(in_doubt(unsettle(standing)))
    return replace(
        new,
        staged=_carried(new.staged, standing.seen, new.seen),
        references_staged=_carried(
            new.references_staged, standing.references_seen, new.references_seen
        ),
    )


def _carried(staged: Staged | None, before: int, after: int) -> Staged | None:
    return replace(staged, seen=after) if staged and staged.seen == before else staged


def disown(standing: Standing) -> Standing:
    """Return a standing whose link is only claimed; what was released is let go for good.

    What we may have left behind in references stays possible: whoever leaves a group before the
    claim is linked again is still ours to remove.
    """
    link = standing.link
    if link is None:
        return standing
    if link.state is LinkState.RELEASED:
        return replace(standing, link=None, referred=dict[str, Span]())
    link = replace(link, image=None, state=LinkState.CLAIMED)
    return replace(standing, link=link, referred=uncertain(standing.referred))


def disconnected(standing: Standing) -> Standing:
    """Return a standing whose link is forgotten for good, and that is worked out anew."""
    free = replace(relink(standing, None), escrow=None, staged=None)
    return unsettle(replace(free, references_escrow=None, references_staged=None))


# one object


def claimed_anchor(decision: Decision) -> Anchor | None:
    """Return the target object that a decision is about, if it is there already."""
    match decision.resolution:
        case Export(Update(anchor=anchor) | Delete(anchor=anchor)) | Keep(Link(anchor)):
            return anchor
        case _:
            return None


def claimed_queries(decision: Decision) -> tuple[MatchQuery, ...]:
    """Return what would find the object that a decision creates."""
    match decision.resolution:
        case Export(Create(answers_to=queries)):
            return queries
        case _:
            return ()


def is_departure(decision: Decision) -> bool:
    """True when something is sent to remove a target object or put it out of use."""
    leaves = decision.situation is Situation.UNQUALIFIED or decision.action in LEAVES
    return leaves and isinstance(decision.resolution, Export)


def attempted(
    current: Standing, decision: Decision, predecessor: Standing | None = None
) -> Standing:
    """Return what is remembered before a decision is carried out.

    Where nothing is sent to the object that is linked already, nothing changes. `predecessor`
    cedes the target object: what it left behind there is the successor's to keep or to remove.
    """
    match decision.resolution:
        case Export(Create(attributes=attributes, answers_to=queries)):
            referred = carried(current.referred if current.attempt else {}, attributes)
            link = replace(current.link, image=None) if current.link else None
            return replace(current, link=link, attempt=queries, referred=referred)
        case Export(Update(anchor=anchor) | Delete(anchor=anchor)):
            return _claim(current, anchor, decision, predecessor)
        case Keep(Link(anchor)) if current.link is None or current.link.target != anchor:
            return _claim(current, anchor, decision, predecessor)
        case _:
            return current


def pictured(
    standing: Standing, entry: Entry, shown: Collection[str], *, repairs: bool
) -> tuple[Standing, bool]:
    """Return what is remembered of a linked object once its target object was seen, and whether
    that said something else than it was told; with `repairs` it is unsettled then.

    Only what the mapping has `shown` is compared: an image may hold what was mapped before, and a
    listing what another mapping asks for.
    """
    link = standing.link
    assert link is not None, "what is seen of an object that is not linked is nobody's"
    said = depicted(entry.attributes)
    told, image = link.image, Image(said, entry.version)
    before = some(told.attributes, shown) if told else NO_ATTRIBUTES
    if told is None or before == some(said, shown):
        seen = replace(standing, link=replace(link, image=image))
        # Nobody has seen yet whether an object that we disabled is still disabled.
        is_first = told is None and link.state is LinkState.DISABLED
        return unsettle(seen) if is_first and repairs else seen, False
    echoes = after_look(link.echoes, before, said)
    seen = replace(standing, link=replace(link, image=image, echoes=echoes))
    return unsettle(seen) if repairs else seen, True


def missed(
    standing: Standing,
    name: str,
    missing: frozenset[Reference],
    echo: Echo | None,
    *,
    repairs: bool,
) -> Standing:
    """Return what is remembered once the target did not show whom an object is to point at."""
    link = standing.link
    assert link is not None, "what is asked of an object that is not linked is nobody's"
    echoes = {known: one for known, one in link.echoes.items() if known != name}
    echoes |= {} if echo is None else {name: echo}
    span = standing.referred.get(name, Span())
    referred = {**standing.referred, name: Span(span.certain - missing, span.possible)}
    now = replace(standing, link=replace(link, echoes=echoes), referred=referred)
    return stir(now) if missing and repairs else now


def reconsidered(standing: Standing, echoes: Mapping[str, Echo], *, unsettles: bool) -> Standing:
    """Return a linked object of which other answers of the target are let be from now on."""
    link = standing.link
    new = replace(standing, link=replace(link, echoes=dict(echoes)) if link else None)
    return stir(unsettle(new)) if unsettles else new


def depicted(said: Attributes) -> Attributes:
    """Return what is kept of what an object says: references keep no image but a span."""
    pointing = [n for n, value in said.items() if not isinstance(value, str) and as_set(value)]
    if not pointing:
        return said
    return {name: value for name, value in said.items() if name not in pointing}


def _claim(
    current: Standing, anchor: Anchor, decision: Decision, predecessor: Standing | None
) -> Standing:
    before = predecessor.link if predecessor else current.link
    is_known = before is not None and before.target == anchor
    is_ours = before is not None and is_known and before.is_created_by_us
    echoes = before.echoes if before is not None and is_known else dict[str, Echo]()
    link = Link(anchor, None, _state_of_attempt(current.link, decision), is_ours, echoes)
    referred = uncertain(predecessor.referred) if predecessor else _spans_of(current, link)
    told = widen(referred, _references_in(decision))
    return replace(current, link=link, attempt=(), referred=told)


def _references_in(decision: Decision) -> tuple[TargetChange, ...]:
    """Return the references that travel with an update of the object's attributes."""
    match decision.resolution:
        case Export(Update(changes=changes)):
            return tuple(change for change in changes if is_reference(change))
        case _:
            return ()


def _state_of_attempt(link: Link | None, decision: Decision) -> LinkState:
    """An unanswered write may have put a released object back to work: it is ours again.

    A departure changes no state yet. One that was only claimed, or only found, must not be
    dropped with the claims nor pointed at.
    """
    if decision.situation not in UNWANTED and decision.action not in LEAVES:
        return LinkState.MANAGED
    if link is None or link.state is LinkState.CLAIMED:
        return LinkState.LEAVING
    return link.state


def relink(standing: Standing, link: Link | None) -> Standing:
    return replace(standing, link=link, referred=_spans_of(standing, link))


def _spans_of(standing: Standing, link: Link | None) -> Mapping[str, Span]:
    """Another target object points at nothing yet, for all we know; one that an unanswered
    create may have made, at what travelled in it."""
    is_same = standing.link and link and standing.link.target == link.target
    if is_same or (link is not None and standing.attempt):
        return standing.referred
    return dict[str, Span]()


def settled(
    current: Standing,
    seen: int,
    outcome: Outcome,
    escrow: Escrow | None,
    *,
    keeps_attempt: bool,
    referred: Mapping[str, Span] | None,
    references_seen: int | None = None,
) -> Standing:
    """Return what is remembered once it is known what came of the observation `seen`, and of the
    references `references_seen` if nothing is left to be done of them."""
    match outcome:
        case Settled(link):
            spans, waits = _spans_of(current, link), None
        case Escrowed():
            link, spans, waits = current.link, current.referred, current.staged
        case _:
            assert_never(outcome)
    return replace(
        current,
        link=link,
        settled=seen,
        escrow=escrow,
        staged=waits,
        attempt=current.attempt if keeps_attempt else (),
        referred=spans if referred is None else learnt(spans, referred),
        references_settled=_references_settled(current, link, references_seen),
    )


def _references_settled(current: Standing, link: Link | None, references_seen: int | None) -> int:
    if references_seen is None or references_seen != current.references_seen:
        return current.references_settled  # nothing was said of them, or they were stirred since
    is_moved = pointed_at(current.link) != pointed_at(link)
    return references_seen + is_moved  # whoever moves is stirred by that alone


def staged(current: Standing, seen: int, now: datetime) -> Standing:
    """Return a departure that waits. It stays pointed at, though it was let go before."""
    waits = _staged(current.staged, seen, now)
    link = current.link
    if link is not None and link.state is LinkState.LEAVING:
        link = replace(link, state=LinkState.MANAGED)
    return replace(current, staged=waits, link=link)


def staged_references(current: Standing, seen: int, now: datetime) -> Standing:
    return replace(current, references_staged=_staged(current.references_staged, seen, now))


def _staged(old: Staged | None, seen: int, now: datetime) -> Staged:
    """It waits since it was first held, and an approval given meanwhile is not lost."""
    if old is None:
        return Staged(now, seen)
    return old if old.seen == seen else Staged(old.at, seen)


def leaving(current: Standing) -> Standing:
    """Return a standing that nothing is to point at any more."""
    if current.link is None or current.link.state is LinkState.RELEASED:
        return current
    return replace(current, link=replace(current.link, state=LinkState.LEAVING))


def is_idle_claim(standing: Standing) -> bool:
    """True for a claim that was neither linked again nor is held staged, nor still to be tried:
    whoever failed in this cycle is not to be made a second time in the next."""
    is_claim = standing.link is not None and standing.link.state is LinkState.CLAIMED
    is_open = is_unsettled(standing) or standing.escrow is not None
    return is_claim and standing.staged is None and not is_open


def is_ceded(governor: Standing) -> bool:
    """True when another source object may take over what this one governs: its own is gone, so
    that a person who got another id in the source keeps the account."""
    return not is_present(governor)


def ceded(current: Standing) -> Standing:
    return relink(current, None)


# references


def attempted_references(current: Standing, changes: Iterable[TargetChange]) -> Standing:
    """Widen the spans. The write makes a new version, which an image with a version lacks."""
    is_outdated = current.link and current.link.image and current.link.image.version
    doubted = in_doubt(current) if is_outdated else current
    return replace(doubted, referred=widen(current.referred, changes))


def removed_members(changes: Iterable[TargetChange]) -> frozenset[Reference]:
    """Return what is taken out of references to many; what travels elsewhere is still there."""
    to_many = [change for change in changes if isinstance(change, ReferencesChange)]
    removed = frozenset(reference for change in to_many for reference in change.removed)
    return removed - {reference for change in to_many for reference in change.added}


def settled_references(
    current: Standing,
    seen: int,
    done: Iterable[TargetChange],
    outcome: Outcome,
    escrow: Escrow | None,
) -> Standing:
    """Return what is remembered once it is known what was done of the references `seen`.

    What was staged waits on: others of the object's references were settled. An approval is used.
    """
    after = replace(
        current,
        references_settled=seen,
        references_escrow=escrow,
        referred=confirm(current.referred, done),
    )
    match outcome:
        case Settled() if is_approved(current.references_staged, seen):
            return replace(after, references_staged=None)
        case Settled() | Escrowed():
            return after
        case _:
            assert_never(outcome)
