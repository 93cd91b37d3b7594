"""What one job remembers, in a database. Each method is one transaction, carried out at once: while
it lasts nothing else happens in the process. Steps of single objects share one (`grouped`)."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial

from provisor.model.cycles import Counts, Cycle, CycleKind
from provisor.model.decisions import (
    Decision,
    Echo,
    Escrow,
    Outcome,
    Record,
    Span,
    Standing,
    StandingKey,
    TargetChange,
)
from provisor.model.entries import (
    Anchor,
    Entry,
    EntryKey,
    MatchQuery,
    ReadFault,
    Reference,
    System,
    Watermark,
)
from provisor.model.frozen import replace
from provisor.model.jobs import Job, Progress, ResetScope, Status
from provisor.model.rules import MappingName, Rules
from provisor.planner.escrow import hastened
from provisor.planner.notices import arising
from provisor.planner.status import CycleEnded, Interrupted, is_given_up, next_status
from provisor.ports import Drift, Listed, Observation, Resting, Wanted
from provisor.store import transitions
from provisor.store.expected import expected
from provisor.store.frame import hold
from provisor.store.sql import absorb, ask, bulk, count, due, listing, notices, rest, steps
from provisor.store.sql.codec import pack, to_micros
from provisor.store.sql.database import Database
from provisor.store.sql.desk import Desk
from provisor.store.sql.documents import from_json, to_json
from provisor.store.sql.grouped import Group
from provisor.store.sql.jobframe import Frame
from provisor.store.sql.rare import Rare


class SqlJournal:
    def __init__(self, database: Database, job: int, epoch: int) -> None:
        self._failures = database.failures
        self._use(Desk(database, job, epoch))
        self._is_wanted: bool | None = None
        """As it was read in this turn of the event loop; None: not yet."""

    def _use(self, desk: Desk) -> None:
        self._desk = desk
        self._group = Group(desk.step)
        self._step = self._group.carry_out

    @property
    def desk(self) -> Desk:
        """What all this is written at, for what else is written with it."""
        return self._desk

    def close(self) -> None:
        """Nothing is lost without it; it frees the file at once."""
        self._group.close()
        self._desk.database.close()

    def _frame(self) -> Frame:
        with self._failures:
            return self._desk.frame

    # the job's frame

    async def systems(self) -> Mapping[str, System]:
        return from_json(self._frame().systems, dict[str, System])

    async def remember_systems(self, systems: Mapping[str, System]) -> None:
        told = to_json(dict(systems))
        if self._desk.is_view or self._frame().systems != told:
            self._desk.set_alone(systems=told)

    async def adopt(self, rules: Rules, policy_hash: str, *, rereads: bool = False) -> bool:
        with self._failures:
            if not self._desk.is_view and bulk.is_adopted(self._desk, rules, policy_hash):
                return False
        with self._desk.write():
            is_new = bulk.adopt(self._desk, rules, policy_hash)
            if is_new and rereads:
                bulk.begin_anew(self._desk)
            return is_new

    async def assign(self, assigned: Mapping[MappingName, frozenset[Anchor]]) -> int:
        with self._desk.write():
            return bulk.assign(self._desk, assigned)

    async def begin_cycle(self, id: str, kind: CycleKind, began: datetime) -> None:
        desk = self._desk
        with desk.write(), desk.gathering():
            may_be_open = desk.frame.was_open or desk.opened is not None
            interrupted = count.open_cycle(desk) if may_be_open else None
            if interrupted is not None:
                cycle = count.close_interrupted(desk, interrupted)
                job = due.stored(desk.connection, desk.job)
                self._close(cycle, job, next_status(job.status, Interrupted(cycle)))
            count.begin(desk, id, kind, began)
            listing.forget(desk)

    async def progress(self, progress: Progress) -> None:
        await self._step(partial(count.note_progress, self._desk, progress))

    async def recount(self) -> Counts:
        with self._failures:
            return count.recount(self._desk)

    async def end_cycle(self, cycle: Cycle) -> Status:
        desk = self._desk
        with desk.write(), desk.gathering():
            job = due.stored(desk.connection, desk.job)
            status = next_status(job.status, CycleEnded(cycle))
            if is_given_up(job.status, status):
                bulk.reset(desk, ResetScope.ESCROWS)
            self._close(cycle, job, status)
            listing.forget(desk)
            return status

    def _close(self, cycle: Cycle, job: Job, status: Status) -> None:
        desk = self._desk
        desk.writes.then(
            "UPDATE cycle SET began = ?, content = ? WHERE number = ?",
            (to_micros(cycle.began), to_json(cycle), desk.cycle_number(cycle.id)),
        )
        desk.writes.then(due.CLOSE, due.kept(job, desk.job, status))
        desk.opened = None
        notices.keep(desk.connection, desk.job, arising(job.status, status))

    async def status(self) -> Status:
        with self._failures:
            return self._status()

    def _status(self) -> Status:
        """Administrators change it too."""
        return due.status_of(self._desk.connection, self._desk.job)

    async def is_wanted(self) -> bool:
        """Asked for each object, read once in a turn of the event loop."""
        if self._is_wanted is not None:
            return self._is_wanted
        with self._failures:
            row = self._desk.run(
                "SELECT asked FROM job WHERE number = ?", (self._desk.job,)
            ).fetchone()
        is_wanted = row is not None and row[0] is None
        with suppress(RuntimeError):  # without a loop there are no turns
            asyncio.get_running_loop().call_soon(self._ask_again)
            self._is_wanted = is_wanted
        return is_wanted

    def _ask_again(self) -> None:
        self._is_wanted = None

    async def reset(self, scope: ResetScope) -> None:
        with self._desk.write():
            bulk.reset(self._desk, scope)

    # reading the source

    async def watermark(self) -> Watermark | None:
        watermark = self._frame().watermark
        return None if watermark is None else Watermark(watermark)

    async def is_initial(self) -> bool:
        return bool(self._frame().is_initial)

    async def begin_snapshot(self) -> None:
        desk = self._desk
        desk.set_alone(generation=self._frame().generation + 1, watermark=None, cycle_read=0)

    async def absorb(
        self, observations: Sequence[Observation], watermark: Watermark | None, now: datetime
    ) -> None:
        with self._desk.write(), self._desk.gathering():
            absorb.count(self._desk, absorb.absorb(self._desk, observations, now))
            if watermark is not None:
                self._desk.set(watermark=watermark)

    async def note_faults(self, faults: Sequence[ReadFault], now: datetime) -> None:
        told = [(f.kind, f.where, f.message, f.anchor) for f in faults]
        if told or self._desk.is_view or self._frame().faults_count:
            self._desk.set_alone(faults=pack(told), faults_count=len(told))

    async def shown(self) -> Mapping[MappingName, int]:
        with self._failures:
            return ask.shown(self._desk)

    async def population(self) -> Mapping[MappingName, int]:
        with self._failures:
            return ask.counts_where(self._desk, "absence IS NULL")

    async def missing(self) -> Sequence[StandingKey]:
        with self._failures:
            return ask.missing(self._desk)

    async def advance(self, watermark: Watermark | None) -> None:
        is_said = self._frame().watermark == watermark and not self._frame().is_initial
        if self._desk.is_view or not is_said:
            self._desk.set_alone(watermark=watermark, is_initial=False)

    async def hold_snapshot(self, digest: str, why: str, now: datetime) -> bool:
        with self._desk.write():
            held = ask.held_snapshot(self._desk)
            is_let = held is not None and held.is_let(digest)
            self._desk.set(held=None if is_let else to_json(hold(held, digest, why, now)))
            return is_let

    async def release_snapshot(self) -> None:
        if self._desk.is_view or self._frame().is_held:
            self._desk.set_alone(held=None)

    async def expire(self, absent_since: datetime) -> int:
        with self._failures:
            desk = self._desk
            if not desk.is_view and (
                desk.is_none(Rare.ABSENT) or not bulk.is_any_absent(desk, absent_since)
            ):
                return 0
        with self._desk.write():
            return bulk.expire(self._desk, absent_since)

    # looking at the target

    async def begin_listing(self, *, is_indexed: bool = True) -> None:
        with self._desk.write():
            listing.begin(self._desk, is_indexed=is_indexed)

    async def recognise(self, kind: str, prints: Mapping[Anchor, int]) -> Collection[Anchor]:
        with self._failures:
            return listing.recognise(self._desk, kind, prints)

    async def list_target(
        self, listed: Sequence[Listed], *, repairs: bool = True
    ) -> Sequence[Drift]:
        with self._desk.write():
            return listing.record(self._desk, listed, repairs=repairs)

    async def end_listing(self, kinds: Collection[str], *, is_complete: bool) -> None:
        with self._desk.write():
            listing.end(self._desk, kinds, is_complete=is_complete)

    async def listed(self, query: MatchQuery) -> Sequence[Entry] | None:
        with self._failures:
            return listing.find(self._desk, query)

    # one object

    async def due(self, now: datetime) -> Sequence[StandingKey]:
        with self._failures:
            return ask.due(self._desk, now)

    async def due_departures(self, now: datetime) -> Sequence[StandingKey]:
        with self._failures:
            return ask.due_departures(self._desk, now)

    async def due_unseen(self, now: datetime) -> Sequence[StandingKey]:
        return ask.due_unseen(self._desk, now)

    async def superiors(self, now: datetime) -> Mapping[StandingKey, frozenset[EntryKey]]:
        with self._failures:
            return ask.superiors(self._desk, now)

    async def recall(self, keys: Collection[StandingKey]) -> Sequence[Standing]:
        with self._failures:
            return ask.recall(self._desk, keys)

    async def expected(
        self,
        keys: Collection[StandingKey],
        seen: Entry | None,
        rules: Rules,
        policy_hash: str,
        assigned: Mapping[MappingName, frozenset[Anchor]] | None,
    ) -> Sequence[Standing]:
        with self._failures:
            frame, remembered = self._desk.frame, ask.recall(self._desk, keys)
            adopted = bulk.foreseen_adoption(self._desk, rules, policy_hash)
        return expected(keys, remembered, adopted, seen, assigned, frame.generation)

    async def lookup(self, text: str, limit: int) -> Sequence[Standing]:
        with self._failures:
            return ask.lookup(self._desk, text, limit)

    async def entries(self, kind: str, after: Anchor | None, limit: int) -> Sequence[Entry]:
        with self._failures:
            return ask.entries(self._desk, kind, after, limit)

    async def linked(self, after: StandingKey | None, limit: int) -> Sequence[Standing]:
        with self._failures:
            return ask.linked(self._desk, after, limit)

    async def at_rest(
        self, mapping: MappingName, asked: Wanted, after: Anchor | None, limit: int
    ) -> Sequence[Resting]:
        with self._failures:
            return rest.at_rest(self._desk, mapping, asked, after, limit)

    async def astir(self, mapping: MappingName) -> Sequence[StandingKey]:
        with self._failures:
            return rest.astir(self._desk, mapping)

    async def referrers(self, keys: Collection[EntryKey]) -> Sequence[StandingKey]:
        with self._failures:
            return rest.referrers(self._desk, keys)

    async def disconnect(self, key: StandingKey) -> None:
        with self._desk.write():
            for number, standing in self._known([key]):
                self._desk.put(number, standing, transitions.disconnected(standing))

    async def hasten(self, keys: Collection[StandingKey], now: datetime) -> int:
        count = 0
        with self._desk.write():
            for number, standing in self._known(keys):
                if standing.escrow or standing.references_escrow:
                    self._desk.put(number, standing, hastened(standing, now))
                    count += 1
        return count

    async def doubt(self, keys: Collection[StandingKey]) -> None:
        with self._desk.write():
            for number, standing in self._known(keys):
                doubted = transitions.unsettle(transitions.in_doubt(standing))
                self._desk.put(number, standing, doubted)

    async def let_be(
        self, echoes: Mapping[StandingKey, Mapping[str, Echo]], *, unsettles: bool
    ) -> None:
        with self._desk.write():
            for number, standing in self._known(echoes):
                new = transitions.reconsidered(standing, echoes[standing.key], unsettles=unsettles)
                self._desk.put(number, standing, new)

    async def owner(self, found: Entry, queries: Sequence[MatchQuery]) -> StandingKey | None:
        with self._failures:
            return ask.owner(self._desk, found.kind, found.anchor, queries)

    async def links(self) -> Mapping[MappingName, int]:
        with self._failures:
            return ask.counts_where(self._desk, "state IN ('managed', 'disabled', 'leaving')")

    async def governed(self) -> Mapping[MappingName, int]:
        with self._failures:
            states = "state IN ('managed', 'disabled', 'leaving', 'claimed')"
            return ask.counts_where(self._desk, states)

    async def departed(self, since: datetime) -> frozenset[StandingKey]:
        with self._failures:
            return ask.departed(self._desk, since)

    async def members_removed(self, since: datetime) -> Mapping[StandingKey, frozenset[Reference]]:
        with self._failures:
            return ask.members_removed(self._desk, since)

    async def staged_since(self) -> datetime | None:
        with self._failures:
            return ask.staged_since(self._desk)

    async def stage(self, held: Mapping[StandingKey, int], now: datetime) -> None:
        with self._failures:
            if not held and self._desk.is_none(Rare.STAGED):
                return
        with self._desk.write():
            for key in ask.keys_where(self._desk, "staged_at IS NOT NULL"):
                number, standing = self._desk.known(key)
                is_let = transitions.is_approved(standing.staged, standing.seen)
                if key not in held and not is_let:
                    self._desk.put(number, standing, replace(standing, staged=None))
            for number, standing in self._known(held):
                staged = transitions.staged(standing, held[standing.key], now)
                self._desk.put(number, standing, staged)

    async def attempt(self, standing: Standing, decision: Decision, now: datetime) -> bool:
        step = partial(steps.attempt, self._desk, standing, decision, now)
        return await self._step(step, (standing, decision))

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
        await self._step(
            partial(
                steps.settle,
                self._desk,
                standing,
                outcome,
                escrow,
                record,
                keeps_attempt=keeps_attempt,
                referred=referred,
                settles_references=settles_references,
            ),
            (standing, outcome),
        )

    async def record(self, record: Record) -> None:
        await self._step(partial(self._desk.log, record))

    async def let_go(self, leaving: Collection[StandingKey]) -> None:
        if not leaving:
            return
        with self._desk.write():
            for number, standing in self._known(leaving):
                self._desk.put(number, standing, transitions.leaving(standing))

    async def drop_claims(self) -> None:
        idle = "state = 'claimed' AND staged_at IS NULL AND due_at IS NULL"
        desk = self._desk
        with self._failures:
            if desk.is_none(Rare.CLAIMED) or not (desk.is_view or ask.keys_where(desk, idle)):
                return
        with desk.write():
            for number, standing in self._known(ask.keys_where(self._desk, idle)):
                self._desk.put(number, standing, transitions.relink(standing, None))

    # references

    async def due_references(self, now: datetime) -> Sequence[StandingKey]:
        with self._failures:
            return ask.due_references(self._desk, now)

    async def anchors(
        self, keys: Collection[StandingKey], *, claimed: bool = False
    ) -> Mapping[StandingKey, Anchor]:
        with self._failures:
            states = transitions.CLAIMED if claimed else transitions.POINTED_AT
            return ask.anchors(self._desk, keys, states)

    async def stage_references(self, held: Mapping[StandingKey, int], now: datetime) -> None:
        with self._failures:
            if not held and self._desk.is_none(Rare.REFERENCES_STAGED):
                return
        with self._desk.write():
            for key in ask.keys_where(self._desk, "references_staged_at IS NOT NULL"):
                number, standing = self._desk.known(key)
                seen = standing.references_seen
                is_let = transitions.is_approved(standing.references_staged, seen)
                if key not in held and not is_let:
                    self._desk.put(number, standing, replace(standing, references_staged=None))
            for number, standing in self._known(held):
                staged = transitions.staged_references(standing, held[standing.key], now)
                self._desk.put(number, standing, staged)

    async def attempt_references(
        self, standing: Standing, changes: Sequence[TargetChange], now: datetime
    ) -> None:
        await self._step(partial(steps.attempt_references, self._desk, standing, changes, now))

    async def settle_references(
        self,
        standing: Standing,
        changes: Sequence[TargetChange],
        outcome: Outcome,
        escrow: Escrow | None,
        record: Record | None,
    ) -> None:
        done = (standing, changes, outcome, escrow, record)
        await self._step(partial(steps.settle_references, self._desk, *done))

    async def pointing_at_many(self) -> Sequence[StandingKey]:
        with self._failures:
            return ask.pointing_at_many(self._desk)

    async def miss_references(
        self,
        key: StandingKey,
        name: str,
        missing: frozenset[Reference],
        echo: Echo | None,
        *,
        repairs: bool,
    ) -> None:
        with self._desk.write():
            number, standing = self._desk.known(key)
            new = transitions.missed(standing, name, missing, echo, repairs=repairs)
            self._desk.put(number, standing, new)

    async def members(self) -> int:
        with self._failures:
            return ask.members(self._desk)

    # what is not asked from outside

    def _known(self, keys: Collection[StandingKey]) -> Iterator[tuple[int, Standing]]:
        """Yield each as it is when its turn comes: an earlier one may have stirred it."""
        for key in keys:
            known = self._desk.load(key)
            if known is not None:
                yield known
