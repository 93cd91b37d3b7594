"""What one job remembers, in memory. Written to be obviously right: the real store is compared
with it."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import assert_never

from provisor.errors import Fenced, Rejected
from provisor.model.cycles import Counts, Cycle, CycleKind
from provisor.model.decisions import (
    Decision,
    Echo,
    Escrow,
    Image,
    LinkState,
    Outcome,
    Record,
    Span,
    Standing,
    StandingKey,
    TargetChange,
)
from provisor.model.entries import (
    NO_ATTRIBUTES,
    Absence,
    Anchor,
    Entry,
    EntryKey,
    Gone,
    MatchQuery,
    ReadFault,
    Reference,
    Seen,
    System,
    Touched,
    Watermark,
    some,
)
from provisor.model.frozen import replace
from provisor.model.jobs import Progress, ResetScope, Status
from provisor.model.rules import MappingName, Rules
from provisor.planner.escrow import hastened
from provisor.planner.references import referred_keys
from provisor.planner.status import CycleEnded, Interrupted, is_given_up, next_status
from provisor.ports import Drift, Listed, Observation, Resting, Wanted
from provisor.store import transitions
from provisor.store.frame import (
    UNKNOWN_MAPPING,
    MappingNote,
    OpenCycle,
    hold,
    interrupted,
    spell,
    spell_claim,
)
from provisor.store.memory.count import count
from provisor.store.memory.state import Listing, MemoryState
from provisor.store.resting import is_at_rest

VIEW = -1
"""The epoch of who only looks."""


class MemoryJournal:
    def __init__(self, state: MemoryState, job: str, epoch: int) -> None:
        self._state = state
        self._job = state.of(job)
        self._epoch = epoch

    def _fence(self) -> None:
        """Called at the start of every method that writes."""
        if self._epoch == VIEW:
            raise Fenced("this journal was opened to be looked at")
        if self._epoch != self._job.epoch:
            raise Fenced("another engine has taken this job over")

    # the job's frame

    async def systems(self) -> Mapping[str, System]:
        return self._job.systems

    async def remember_systems(self, systems: Mapping[str, System]) -> None:
        self._fence()
        self._job.systems = dict(systems)

    async def adopt(self, rules: Rules, policy_hash: str, *, rereads: bool = False) -> bool:
        self._fence()
        job = self._job
        adopted = tuple((name, mapping.hash) for name, mapping in rules.items())
        is_new_policy = policy_hash != job.policy_hash
        is_new = is_new_policy or adopted != job.adopted
        known = dict(job.mappings)
        changed = {n for n, m in rules.items() if n not in known or known[n].hash != m.hash}
        for name, note in known.items():
            job.mappings[name] = dataclasses.replace(note, hash=None, is_enabled=False)
        job.mappings |= {name: MappingNote.of(mapping) for name, mapping in rules.items()}
        job.adopted, job.policy_hash = adopted, policy_hash
        for standing in self._all():
            name = standing.key.mapping
            if name in changed:
                keeps = name in known and known[name].shows_all_of(job.mappings[name])
                self._put(transitions.remapped(standing, keeps_image=keeps))
            elif is_new_policy:
                self._put(transitions.stir(transitions.unsettle(standing)))
        if is_new and rereads:
            job.watermark, job.is_initial = None, True
        return is_new

    async def assign(self, assigned: Mapping[MappingName, frozenset[Anchor]]) -> int:
        self._fence()
        changed = 0
        for standing in self._all():
            is_assigned = standing.key.anchor in assigned.get(standing.key.mapping, frozenset())
            if is_assigned != standing.is_assigned:
                self._put(transitions.unsettle(replace(standing, is_assigned=is_assigned)))
                changed += 1
        return changed

    async def begin_cycle(self, id: str, kind: CycleKind, began: datetime) -> None:
        self._fence()
        if self._job.cycle is not None:
            self._close_interrupted(self._job.cycle)
        self._job.cycle = OpenCycle(id=id, kind=kind, began=began)
        self._job.listing = Listing()

    def _close_interrupted(self, cycle: OpenCycle) -> None:
        traces = [r.at for r in self._records(cycle)]
        ended = max([cycle.began, cycle.how_far().observed_at, *traces])
        closed = interrupted(cycle, ended, self._count())
        self._job.cycles.append(closed)
        self._state.tell(self._job, next_status(self._job.job.status, Interrupted(closed)))

    async def progress(self, progress: Progress) -> None:
        self._fence()
        if self._job.cycle is not None:
            self._job.cycle = dataclasses.replace(self._job.cycle, progress=progress)

    async def recount(self) -> Counts:
        return self._count()

    def _count(self) -> Counts:
        job = self._job
        return count(job, self._records(job.cycle) if job.cycle else [])

    def _records(self, cycle: OpenCycle) -> list[Record]:
        rows = self._state.records
        return [r for _, job, r in rows if job == self._job.job.id and r.cycle == cycle.id]

    async def end_cycle(self, cycle: Cycle) -> Status:
        self._fence()
        before = self._job.job.status
        status = next_status(before, CycleEnded(cycle))
        if is_given_up(before, status):
            self._reset(ResetScope.ESCROWS)
        self._job.cycles.append(cycle)
        self._job.cycle = None
        self._job.listing = Listing()
        self._state.tell(self._job, status)
        return status

    async def status(self) -> Status:
        return self._job.job.status

    async def is_wanted(self) -> bool:
        return self._job.asked is None

    async def reset(self, scope: ResetScope) -> None:
        self._fence()
        self._reset(scope)

    def _reset(self, scope: ResetScope) -> None:
        job = self._job
        if ResetScope.WATERMARK in scope:
            job.watermark, job.is_initial = None, True
        if ResetScope.ESCROWS in scope:
            job.faults = ()
        for standing in self._all():
            after = transitions.reset(standing, scope)
            if transitions.is_forgettable(after):
                del job.standings[standing.key]
            else:  # nobody is stirred on top: whatever drops links unsettles everything
                job.standings[standing.key] = after

    # reading the source

    async def watermark(self) -> Watermark | None:
        return self._job.watermark

    async def is_initial(self) -> bool:
        return self._job.is_initial

    async def begin_snapshot(self) -> None:
        self._fence()
        self._job.generation += 1
        self._job.watermark = None
        if self._job.cycle is not None:
            self._job.cycle = dataclasses.replace(self._job.cycle, read=0)

    async def absorb(
        self, observations: Sequence[Observation], watermark: Watermark | None, now: datetime
    ) -> None:
        self._fence()
        for observation in observations:
            before = self._job.standings.get(observation.key)
            after = self._observe(observation, before, now)
            if after is not None:
                self._job.mappings.setdefault(observation.key.mapping, UNKNOWN_MAPPING)
                self._count_observation(observation, before, after)
                self._put(after)
        if watermark is not None:
            self._job.watermark = watermark

    def _observe(
        self, observation: Observation, old: Standing | None, now: datetime
    ) -> Standing | None:
        generation = self._job.generation
        match observation.change:
            case Seen(entry):
                is_known = old is not None and old.absence is None
                if old is not None and is_known and transitions.is_same(old.source, entry):
                    return replace(old, generation=generation)
                return transitions.appear(old, observation.key, entry, generation)
            case Touched():
                if old is None or old.source is None:
                    return None
                if old.absence is None:
                    return replace(old, generation=generation)
                return transitions.appear(old, old.key, old.source, generation)
            case Gone(_, absence):
                if old is None or old.absence is absence:
                    return old
                return transitions.disappear(old, absence, now)
            case _:
                assert_never(observation.change)

    def _count_observation(
        self, observation: Observation, before: Standing | None, after: Standing
    ) -> None:
        cycle = self._job.cycle
        if cycle is None or not observation.is_counted:
            return
        is_shown_before = before is not None and before.generation == after.generation
        is_read = not isinstance(observation.change, Gone) and not is_shown_before
        is_delta = before is None or before.seen != after.seen
        old = transitions.pairs(before.source if before else None)
        references = len(old ^ transitions.pairs(after.source))
        self._job.cycle = dataclasses.replace(
            cycle,
            read=cycle.read + is_read,
            deltas=cycle.deltas + is_delta,
            reference_deltas=cycle.reference_deltas + references,
        )

    async def note_faults(self, faults: Sequence[ReadFault], now: datetime) -> None:
        self._fence()
        self._job.faults = tuple(faults)

    async def shown(self) -> Mapping[MappingName, int]:
        return Counter(s.key.mapping for s in self._present() if self._is_shown(s))

    async def population(self) -> Mapping[MappingName, int]:
        return Counter(s.key.mapping for s in self._present())

    async def missing(self) -> Sequence[StandingKey]:
        return sorted(s.key for s in self._present() if not self._is_shown(s))

    async def advance(self, watermark: Watermark | None) -> None:
        self._fence()
        self._job.watermark, self._job.is_initial = watermark, False

    async def hold_snapshot(self, digest: str, why: str, now: datetime) -> bool:
        self._fence()
        if self._job.held is not None and self._job.held.is_let(digest):
            self._job.held = None
            return True
        self._job.held = hold(self._job.held, digest, why, now)
        return False

    async def release_snapshot(self) -> None:
        self._fence()
        self._job.held = None

    async def expire(self, absent_since: datetime) -> int:
        self._fence()
        expired = [
            s
            for s in self._all()
            if s.absence is Absence.ABSENT and s.absent_since and s.absent_since <= absent_since
        ]
        for standing in expired:
            self._put(transitions.expire(standing))
        return len(expired)

    # looking at the target

    async def begin_listing(self, *, is_indexed: bool = True) -> None:
        self._fence()
        self._job.listing = Listing(is_indexed=is_indexed)

    async def recognise(self, kind: str, prints: Mapping[Anchor, int]) -> Collection[Anchor]:
        self._fence()
        known: list[Anchor] = []
        for anchor, print in prints.items():
            image = self._image(kind, anchor)
            if image is not None and self._job.prints.get((kind, anchor)) == (image, print):
                self._job.listing.recognised.add((kind, anchor))
                known.append(anchor)
        return known

    def _image(self, kind: str, anchor: Anchor) -> Image | None:
        standing = self._governor(kind, anchor)
        return standing.link.image if standing and standing.link else None

    def _learn(self, one: Listed) -> None:
        """Remember how an object was sent that says what its image does."""
        kind, anchor = one.entry.kind, one.entry.anchor
        image = self._image(kind, anchor)
        said = Image(transitions.depicted(one.entry.attributes), one.entry.version)
        if one.print is not None and image is not None and image == said:
            self._job.prints[kind, anchor] = (image, one.print)

    async def list_target(
        self, listed: Sequence[Listed], *, repairs: bool = True
    ) -> Sequence[Drift]:
        self._fence()
        drifts: list[Drift] = []
        for one in listed:
            entry = one.entry
            self._job.listing.entries[entry.kind, entry.anchor] = (entry, one.answers_to)
            drift = self._picture(entry, repairs=repairs)
            drifts += [drift] if drift else []
            self._learn(one)
        return drifts

    def _picture(self, entry: Entry, *, repairs: bool) -> Drift | None:
        standing = self._governor(entry.kind, entry.anchor)
        if standing is None or standing.link is None:
            return None
        link = standing.link
        if link.state in transitions.UNPICTURED:
            return None
        shown = self._note(standing.key).shown
        pictured, is_drift = transitions.pictured(standing, entry, shown, repairs=repairs)
        self._put(pictured)
        return Drift(standing.key, link, entry) if is_drift else None

    async def end_listing(self, kinds: Collection[str], *, is_complete: bool) -> None:
        self._fence()
        for standing in self._all():
            link, kind = standing.link, self._target_kind(standing.key)
            if link is None or link.state in transitions.UNPICTURED or kind not in kinds:
                continue
            if not self._job.listing.has_shown(kind, link.target):
                self._put(transitions.unsettle(transitions.in_doubt(standing)))
        if is_complete and self._job.listing.is_indexed:
            self._job.listing.complete |= frozenset(kinds)

    async def listed(self, query: MatchQuery) -> Sequence[Entry] | None:
        listing = self._job.listing
        if query.kind not in listing.complete:
            return None
        asked = spell(query)
        found = [e for e, answers in listing.entries.values() if asked in map(spell, answers)]
        return sorted(found, key=lambda entry: entry.anchor)

    # one object

    async def due(self, now: datetime) -> Sequence[StandingKey]:
        return sorted(s.key for s in self._all() if transitions.is_due(s, now))

    async def due_departures(self, now: datetime) -> Sequence[StandingKey]:
        due = (s for s in self._all() if transitions.is_due(s, now))
        return sorted(s.key for s in due if transitions.may_govern(s))

    async def due_unseen(self, now: datetime) -> Sequence[StandingKey]:
        due = (s for s in self._all() if transitions.is_due(s, now))
        return sorted(s.key for s in due if s.link is None or s.link.image is None)

    async def superiors(self, now: datetime) -> Mapping[StandingKey, frozenset[EntryKey]]:
        waiting = [s for s in self._all() if transitions.is_due(s, now) and s.link is None]
        names = {EntryKey(s.source.kind, s.key.anchor) for s in waiting if s.source}
        above = {s.key: transitions.single_references(s.source) & names for s in waiting}
        return {key: superiors for key, superiors in above.items() if superiors}

    async def recall(self, keys: Collection[StandingKey]) -> Sequence[Standing]:
        return [self._job.standings[key] for key in keys if key in self._job.standings]

    async def lookup(self, text: str, limit: int) -> Sequence[Standing]:
        found = [s for s in self._all() if transitions.answers_to(s, text)]
        return sorted(found, key=lambda s: s.key)[:limit]

    async def entries(self, kind: str, after: Anchor | None, limit: int) -> Sequence[Entry]:
        present = (s.source for s in self._present() if s.source and s.source.kind == kind)
        found = {entry.anchor: entry for entry in present if after is None or entry.anchor > after}
        return [found[anchor] for anchor in sorted(found)][:limit]

    async def linked(self, after: StandingKey | None, limit: int) -> Sequence[Standing]:
        found = [s for s in self._all() if s.link and s.link.state is not LinkState.CLAIMED]
        found = [s for s in found if after is None or s.key > after]
        return sorted(found, key=lambda s: s.key)[:limit]

    async def at_rest(
        self, mapping: MappingName, asked: Wanted, after: Anchor | None, limit: int
    ) -> Sequence[Resting]:
        found = (s for s in self._of(mapping) if is_at_rest(s))
        later = [s for s in found if after is None or s.key.anchor > after][:limit]
        return [
            Resting(
                s.key.anchor,
                s.is_assigned,
                some(s.source.attributes if s.source else NO_ATTRIBUTES, asked.source),
                some(s.link.image.attributes, asked.image) if s.link and s.link.image else None,
            )
            for s in later
        ]

    async def astir(self, mapping: MappingName) -> Sequence[StandingKey]:
        return [s.key for s in self._of(mapping) if not is_at_rest(s)]

    def _of(self, mapping: MappingName) -> Sequence[Standing]:
        return sorted((s for s in self._all() if s.key.mapping == mapping), key=lambda s: s.key)

    async def referrers(self, keys: Collection[EntryKey]) -> Sequence[StandingKey]:
        pointing = (s for s in self._all() if s.source)
        return sorted(
            s.key
            for s in pointing
            if s.source and not referred_keys(s.source.attributes).isdisjoint(keys)
        )

    async def disconnect(self, key: StandingKey) -> None:
        self._fence()
        if key in self._job.standings:
            self._put(transitions.disconnected(self._job.standings[key]))

    async def hasten(self, keys: Collection[StandingKey], now: datetime) -> int:
        self._fence()
        known = [self._job.standings[key] for key in keys if key in self._job.standings]
        waiting = [one for one in known if one.escrow or one.references_escrow]
        for standing in waiting:
            self._put(hastened(standing, now))
        return len(waiting)

    async def doubt(self, keys: Collection[StandingKey]) -> None:
        self._fence()
        for key in keys:
            if key in self._job.standings:
                standing = self._job.standings[key]
                self._put(transitions.unsettle(transitions.in_doubt(standing)))

    async def let_be(
        self, echoes: Mapping[StandingKey, Mapping[str, Echo]], *, unsettles: bool
    ) -> None:
        self._fence()
        for key in echoes:
            if key in self._job.standings:
                standing = self._job.standings[key]
                new = transitions.reconsidered(standing, echoes[key], unsettles=unsettles)
                self._put(new)

    async def owner(self, found: Entry, queries: Sequence[MatchQuery]) -> StandingKey | None:
        governor = self._governor(found.kind, found.anchor)
        if governor is not None:
            return governor.key
        asked = set(map(spell_claim, queries))
        awaiting = sorted(s.key for s in self._all() if asked & set(map(spell_claim, s.attempt)))
        return awaiting[0] if awaiting else None

    async def links(self) -> Mapping[MappingName, int]:
        return self._linked(transitions.LIVE)

    async def governed(self) -> Mapping[MappingName, int]:
        return self._linked(transitions.LIVE | transitions.CLAIMED)

    def _linked(self, states: frozenset[LinkState]) -> Mapping[MappingName, int]:
        linked = (s for s in self._all() if s.link and s.link.state in states)
        return Counter(s.key.mapping for s in linked)

    async def departed(self, since: datetime) -> frozenset[StandingKey]:
        return frozenset(key for key, at in self._job.departures.items() if at >= since)

    async def members_removed(self, since: datetime) -> Mapping[StandingKey, frozenset[Reference]]:
        removed = [pair for pair, at in self._job.removals.items() if at >= since]
        return {key: frozenset(r for k, r in removed if k == key) for key, _ in removed}

    async def staged_since(self) -> datetime | None:
        waiting = (one for s in self._all() for one in transitions.waiting(s))
        return min((one.at for one in waiting), default=None)

    async def stage(self, held: Mapping[StandingKey, int], now: datetime) -> None:
        self._fence()
        for standing in self._all():
            if standing.key in held:
                self._put(transitions.staged(standing, held[standing.key], now))
            elif not transitions.is_approved(standing.staged, standing.seen):
                self._put(replace(standing, staged=None))

    async def attempt(self, standing: Standing, decision: Decision, now: datetime) -> bool:
        self._fence()
        key = standing.key
        current = self._job.standings[key]
        predecessor = self._predecessor(key, transitions.claimed_anchor(decision))
        if predecessor is not None and not transitions.is_ceded(predecessor):
            return False
        if self._is_awaited(current, decision):
            return False
        if predecessor is not None:
            self._put(transitions.ceded(predecessor))
            current = self._job.standings[key]  # who points at the other was stirred
        self._put(transitions.attempted(current, decision, predecessor))
        if transitions.is_departure(decision):
            if transitions.is_approved(standing.staged, standing.seen):
                self._job.departures.pop(key, None)
            else:
                self._job.departures[key] = now
        return True

    def _is_awaited(self, current: Standing, decision: Decision) -> bool:
        claims = set(map(spell_claim, transitions.claimed_queries(decision)))
        others = (s for s in self._all() if s.key != current.key)
        return any(claims & set(map(spell_claim, s.attempt)) for s in others)

    async def settle(
        self,
        standing: Standing,
        outcome: Outcome,
        escrow: Escrow | None,
        record: Record,
        *,
        keeps_attempt: bool,
        referred: Mapping[str, Span] | None = None,
        settles_references: bool = False,
    ) -> None:
        self._fence()
        current = self._job.standings[standing.key]
        after = transitions.settled(
            current,
            standing.seen,
            outcome,
            escrow,
            keeps_attempt=keeps_attempt,
            referred=referred,
            references_seen=standing.references_seen if settles_references else None,
        )
        if after.link and self._predecessor(standing.key, after.link.target):
            raise Rejected(transitions.TAKEN, code="DuplicateSourceEntries")
        self._put(after)
        self._state.append(self._job.job.id, record)

    async def record(self, record: Record) -> None:
        self._fence()
        self._state.append(self._job.job.id, record)

    async def let_go(self, leaving: Collection[StandingKey]) -> None:
        self._fence()
        for key in leaving:
            if key in self._job.standings:
                self._put(transitions.leaving(self._job.standings[key]))

    async def drop_claims(self) -> None:
        self._fence()
        for standing in self._all():
            if transitions.is_idle_claim(standing):
                self._put(transitions.relink(standing, None))

    # references

    async def due_references(self, now: datetime) -> Sequence[StandingKey]:
        return sorted(s.key for s in self._all() if transitions.are_references_due(s, now))

    async def anchors(
        self, keys: Collection[StandingKey], *, claimed: bool = False
    ) -> Mapping[StandingKey, Anchor]:
        states = transitions.CLAIMED if claimed else transitions.POINTED_AT
        known = (self._job.standings[key] for key in keys if key in self._job.standings)
        return {s.key: s.link.target for s in known if s.link and s.link.state in states}

    async def stage_references(self, held: Mapping[StandingKey, int], now: datetime) -> None:
        self._fence()
        for standing in self._all():
            let = transitions.is_approved(standing.references_staged, standing.references_seen)
            if standing.key in held:
                self._put(transitions.staged_references(standing, held[standing.key], now))
            elif not let:
                self._put(replace(standing, references_staged=None))

    async def attempt_references(
        self, standing: Standing, changes: Sequence[TargetChange], now: datetime
    ) -> None:
        self._fence()
        for removed in transitions.removed_members(changes):
            self._job.removals.pop((standing.key, removed), None)
            if not transitions.is_approved(standing.references_staged, standing.references_seen):
                self._job.removals[standing.key, removed] = now
        current = self._job.standings[standing.key]
        self._put(transitions.attempted_references(current, changes))

    async def settle_references(
        self,
        standing: Standing,
        changes: Sequence[TargetChange],
        outcome: Outcome,
        escrow: Escrow | None,
        record: Record | None,
    ) -> None:
        self._fence()
        current = self._job.standings[standing.key]
        self._put(
            transitions.settled_references(
                current, standing.references_seen, changes, outcome, escrow
            )
        )
        if record is not None:
            self._state.append(self._job.job.id, record)

    async def pointing_at_many(self) -> Sequence[StandingKey]:
        return sorted(
            standing.key
            for standing in self._all()
            if standing.link is not None
            and standing.link.state is LinkState.MANAGED
            and standing.referred.keys() & self._note(standing.key).pointing_at_many
        )

    async def miss_references(
        self,
        key: StandingKey,
        name: str,
        missing: frozenset[Reference],
        echo: Echo | None,
        *,
        repairs: bool,
    ) -> None:
        self._fence()
        standing = self._job.standings[key]
        self._put(transitions.missed(standing, name, missing, echo, repairs=repairs))

    async def members(self) -> int:
        return sum(
            len(span.possible)
            for standing in self._all()
            for name, span in standing.referred.items()
            if name in self._note(standing.key).pointing_at_many
        )

    # what is not asked from outside

    def _all(self) -> Iterator[Standing]:
        """Yield every object as it is when its turn comes: an earlier one may have stirred it."""
        for key in list(self._job.standings):
            if key in self._job.standings:
                yield self._job.standings[key]

    def _present(self) -> Iterator[Standing]:
        return (s for s in self._all() if transitions.is_present(s))

    def _is_shown(self, standing: Standing) -> bool:
        return standing.generation == self._job.generation

    def _note(self, key: StandingKey) -> MappingNote:
        return self._job.mappings.get(key.mapping, UNKNOWN_MAPPING)

    def _target_kind(self, key: StandingKey) -> str:
        return self._note(key).target_kind

    def _governor(self, kind: str, target: Anchor) -> Standing | None:
        for standing in self._all():
            link = standing.link
            if link and link.target == target and self._target_kind(standing.key) == kind:
                return standing
        return None

    def _predecessor(self, key: StandingKey, target: Anchor | None) -> Standing | None:
        """Return who else governs a target object, if anybody does."""
        governor = self._governor(self._target_kind(key), target) if target else None
        return governor if governor is not None and governor.key != key else None

    def _put(self, standing: Standing) -> None:
        """Store a standing, or forget it. Where others can point at it anew, or no longer, those
        who refer to it are stirred, in this same step."""
        before = self._job.standings.get(standing.key)
        was = transitions.pointed_at(before.link) if before else None
        is_moved = was != transitions.pointed_at(standing.link)
        if transitions.is_forgettable(standing):
            self._job.standings.pop(standing.key, None)
        else:
            self._job.standings[standing.key] = transitions.stir(standing) if is_moved else standing
        if is_moved and standing.source is not None:
            self._stir(Reference(standing.source.kind, standing.key.anchor), is_new=was is None)

    def _stir(self, referred: Reference, *, is_new: bool) -> None:
        """Stir who refers to an object. By one that is new, who has no link is not: by the time
        that he has one, he is stirred by that."""
        for standing in self._all():
            if is_new and standing.link is None:
                continue
            if any(reference == referred for _, reference in transitions.pairs(standing.source)):
                self._job.standings[standing.key] = transitions.stir(standing)
