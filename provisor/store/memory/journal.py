"""What one job remembers, in memory. Written to be obviously right: the real store is compared
with it."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from provisor.errors import Fenced, Rejected
from provisor.model.cycles import Counts, Cycle, CycleKind
from provisor.model.decisions import (
    Decision,
    Echo,
    Escrow,
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
    Anchor,
    Entry,
    EntryKey,
    MatchQuery,
    ReadFault,
    Reference,
    System,
    Watermark,
    some,
)
from provisor.model.jobs import Progress, ResetScope, Status
from provisor.model.rules import MappingName, Rules
from provisor.planner.escrow import hastened
from provisor.planner.references import referred_keys
from provisor.planner.status import CycleEnded, Interrupted, is_given_up, next_status
from provisor.ports import Drift, Listed, Observation, Resting, Wanted
from provisor.store import transitions
from provisor.store.expected import adoption, expected
from provisor.store.frame import (
    OpenCycle,
    hold,
    interrupted,
    spell_claim,
)
from provisor.store.memory import bulk, listing, steps
from provisor.store.memory.absorb import absorb
from provisor.store.memory.count import count
from provisor.store.memory.desk import Desk
from provisor.store.memory.state import Listing, MemoryState
from provisor.store.resting import is_at_rest

VIEW = -1
"""The epoch of who only looks."""


class MemoryJournal:
    def __init__(self, state: MemoryState, job: str, epoch: int) -> None:
        self._state = state
        self._job = state.of(job)
        self._desk = Desk(self._job)
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
        return bulk.adopt(self._desk, rules, policy_hash, rereads=rereads)

    async def assign(self, assigned: Mapping[MappingName, frozenset[Anchor]]) -> int:
        self._fence()
        return bulk.assign(self._desk, assigned)

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
            bulk.reset(self._desk, ResetScope.ESCROWS)
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
        bulk.reset(self._desk, scope)

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
        absorb(self._desk, observations, now)
        if watermark is not None:
            self._job.watermark = watermark

    async def note_faults(self, faults: Sequence[ReadFault], now: datetime) -> None:
        self._fence()
        self._job.faults = tuple(faults)

    async def shown(self) -> Mapping[MappingName, int]:
        return Counter(s.key.mapping for s in self._desk.present() if self._desk.is_shown(s))

    async def population(self) -> Mapping[MappingName, int]:
        return Counter(s.key.mapping for s in self._desk.present())

    async def missing(self) -> Sequence[StandingKey]:
        return sorted(s.key for s in self._desk.present() if not self._desk.is_shown(s))

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
        return bulk.expire(self._desk, absent_since)

    # looking at the target

    async def begin_listing(self, *, is_indexed: bool = True) -> None:
        self._fence()
        self._job.listing = Listing(is_indexed=is_indexed)

    async def recognise(self, kind: str, prints: Mapping[Anchor, int]) -> Collection[Anchor]:
        self._fence()
        return listing.recognise(self._desk, kind, prints)

    async def list_target(
        self, listed: Sequence[Listed], *, repairs: bool = True
    ) -> Sequence[Drift]:
        self._fence()
        return listing.record(self._desk, listed, repairs=repairs)

    async def end_listing(self, kinds: Collection[str], *, is_complete: bool) -> None:
        self._fence()
        listing.end(self._desk, kinds, is_complete=is_complete)

    async def listed(self, query: MatchQuery) -> Sequence[Entry] | None:
        return listing.find(self._desk, query)

    # one object

    async def due(self, now: datetime) -> Sequence[StandingKey]:
        return sorted(s.key for s in self._desk.all() if transitions.is_due(s, now))

    async def due_departures(self, now: datetime) -> Sequence[StandingKey]:
        due = (s for s in self._desk.all() if transitions.is_due(s, now))
        return sorted(s.key for s in due if transitions.may_govern(s))

    async def due_unseen(self, now: datetime) -> Sequence[StandingKey]:
        due = (s for s in self._desk.all() if transitions.is_due(s, now))
        return sorted(s.key for s in due if s.link is None or s.link.image is None)

    async def superiors(self, now: datetime) -> Mapping[StandingKey, frozenset[EntryKey]]:
        waiting = [s for s in self._desk.all() if transitions.is_due(s, now) and s.link is None]
        names = {EntryKey(s.source.kind, s.key.anchor) for s in waiting if s.source}
        above = {s.key: transitions.single_references(s.source) & names for s in waiting}
        return {key: superiors for key, superiors in above.items() if superiors}

    async def recall(self, keys: Collection[StandingKey]) -> Sequence[Standing]:
        return [self._job.standings[key] for key in keys if key in self._job.standings]

    async def expected(
        self,
        keys: Collection[StandingKey],
        seen: Entry | None,
        rules: Rules,
        policy_hash: str,
        assigned: Mapping[MappingName, frozenset[Anchor]] | None,
    ) -> Sequence[Standing]:
        job = self._job
        is_new_policy = policy_hash != job.policy_hash
        adopted = adoption(job.mappings, rules, is_new_policy=is_new_policy)
        remembered = await self.recall(keys)
        return expected(keys, remembered, adopted, seen, assigned, job.generation)

    async def lookup(self, text: str, limit: int) -> Sequence[Standing]:
        found = [s for s in self._desk.all() if transitions.answers_to(s, text)]
        return sorted(found, key=lambda s: s.key)[:limit]

    async def entries(self, kind: str, after: Anchor | None, limit: int) -> Sequence[Entry]:
        present = (s.source for s in self._desk.present() if s.source and s.source.kind == kind)
        found = {entry.anchor: entry for entry in present if after is None or entry.anchor > after}
        return [found[anchor] for anchor in sorted(found)][:limit]

    async def linked(self, after: StandingKey | None, limit: int) -> Sequence[Standing]:
        found = [s for s in self._desk.all() if s.link and s.link.state is not LinkState.CLAIMED]
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
        return sorted(
            (s for s in self._desk.all() if s.key.mapping == mapping), key=lambda s: s.key
        )

    async def referrers(self, keys: Collection[EntryKey]) -> Sequence[StandingKey]:
        pointing = (s for s in self._desk.all() if s.source)
        return sorted(
            s.key
            for s in pointing
            if s.source and not referred_keys(s.source.attributes).isdisjoint(keys)
        )

    async def disconnect(self, key: StandingKey) -> None:
        self._fence()
        if key in self._job.standings:
            self._desk.put(transitions.disconnected(self._job.standings[key]))

    async def hasten(self, keys: Collection[StandingKey], now: datetime) -> int:
        self._fence()
        known = [self._job.standings[key] for key in keys if key in self._job.standings]
        waiting = [one for one in known if one.escrow or one.references_escrow]
        for standing in waiting:
            self._desk.put(hastened(standing, now))
        return len(waiting)

    async def doubt(self, keys: Collection[StandingKey]) -> None:
        self._fence()
        for key in keys:
            if key in self._job.standings:
                standing = self._job.standings[key]
                self._desk.put(transitions.unsettle(transitions.in_doubt(standing)))

    async def let_be(
        self, echoes: Mapping[StandingKey, Mapping[str, Echo]], *, unsettles: bool
    ) -> None:
        self._fence()
        for key in echoes:
            if key in self._job.standings:
                standing = self._job.standings[key]
                new = transitions.reconsidered(standing, echoes[key], unsettles=unsettles)
                self._desk.put(new)

    async def owner(self, found: Entry, queries: Sequence[MatchQuery]) -> StandingKey | None:
        governor = self._desk.governor(found.kind, found.anchor)
        if governor is not None:
            return governor.key
        asked = set(map(spell_claim, queries))
        awaiting = sorted(
            s.key for s in self._desk.all() if asked & set(map(spell_claim, s.attempt))
        )
        return awaiting[0] if awaiting else None

    async def links(self) -> Mapping[MappingName, int]:
        return self._linked(transitions.LIVE)

    async def governed(self) -> Mapping[MappingName, int]:
        return self._linked(transitions.LIVE | transitions.CLAIMED)

    def _linked(self, states: frozenset[LinkState]) -> Mapping[MappingName, int]:
        linked = (s for s in self._desk.all() if s.link and s.link.state in states)
        return Counter(s.key.mapping for s in linked)

    async def departed(self, since: datetime) -> frozenset[StandingKey]:
        return frozenset(key for key, at in self._job.departures.items() if at >= since)

    async def members_removed(self, since: datetime) -> Mapping[StandingKey, frozenset[Reference]]:
        removed = [pair for pair, at in self._job.removals.items() if at >= since]
        return {key: frozenset(r for k, r in removed if k == key) for key, _ in removed}

    async def staged_since(self) -> datetime | None:
        waiting = (one for s in self._desk.all() for one in transitions.waiting(s))
        return min((one.at for one in waiting), default=None)

    async def stage(self, held: Mapping[StandingKey, int], now: datetime) -> None:
        self._fence()
        steps.stage(self._desk, held, now)

    async def attempt(self, standing: Standing, decision: Decision, now: datetime) -> bool:
        self._fence()
        return steps.attempt(self._desk, standing, decision, now)

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
        if after.link and self._desk.predecessor(standing.key, after.link.target):
            raise Rejected(transitions.TAKEN, code="DuplicateSourceEntries")
        self._desk.put(after)
        self._state.append(self._job.job.id, record)

    async def record(self, record: Record) -> None:
        self._fence()
        self._state.append(self._job.job.id, record)

    async def let_go(self, leaving: Collection[StandingKey]) -> None:
        self._fence()
        for key in leaving:
            if key in self._job.standings:
                self._desk.put(transitions.leaving(self._job.standings[key]))

    async def drop_claims(self) -> None:
        self._fence()
        for standing in self._desk.all():
            if transitions.is_idle_claim(standing):
                self._desk.put(transitions.relink(standing, None))

    # references

    async def due_references(self, now: datetime) -> Sequence[StandingKey]:
        return sorted(s.key for s in self._desk.all() if transitions.are_references_due(s, now))

    async def anchors(
        self, keys: Collection[StandingKey], *, claimed: bool = False
    ) -> Mapping[StandingKey, Anchor]:
        states = transitions.CLAIMED if claimed else transitions.POINTED_AT
        known = (self._job.standings[key] for key in keys if key in self._job.standings)
        return {s.key: s.link.target for s in known if s.link and s.link.state in states}

    async def stage_references(self, held: Mapping[StandingKey, int], now: datetime) -> None:
        self._fence()
        steps.stage_references(self._desk, held, now)

    async def attempt_references(
        self, standing: Standing, changes: Sequence[TargetChange], now: datetime
    ) -> None:
        self._fence()
        steps.attempt_references(self._desk, standing, changes, now)

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
        self._desk.put(
            transitions.settled_references(
                current, standing.references_seen, changes, outcome, escrow
            )
        )
        if record is not None:
            self._state.append(self._job.job.id, record)

    async def pointing_at_many(self) -> Sequence[StandingKey]:
        return sorted(
            standing.key
            for standing in self._desk.all()
            if standing.link is not None
            and standing.link.state is LinkState.MANAGED
            and standing.referred.keys() & self._desk.note(standing.key).pointing_at_many
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
        self._desk.put(transitions.missed(standing, name, missing, echo, repairs=repairs))

    async def members(self) -> int:
        return sum(
            len(span.possible)
            for standing in self._desk.all()
            for name, span in standing.referred.items()
            if name in self._desk.note(standing.key).pointing_at_many
        )
