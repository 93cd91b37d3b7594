"""What every method of a journal works at: the connection, the job, and how to read and write one
standing of it."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from provisor.errors import Fenced
from provisor.model.cycles import CycleKind
from provisor.model.decisions import Record, Standing, StandingKey
from provisor.model.entries import Anchor, MatchQuery
from provisor.model.rules import MappingName
from provisor.store import transitions
from provisor.store.frame import UNKNOWN_MAPPING, MappingNote, spell_claim
from provisor.store.sql import records, rows
from provisor.store.sql.codec import Shapes, decode_queries
from provisor.store.sql.database import Database
from provisor.store.sql.documents import from_json, to_json
from provisor.store.sql.foresight import About, Foreseen, Gathered, Governor, foresee
from provisor.store.sql.held import Held
from provisor.store.sql.jobframe import Frame, load_frame
from provisor.store.sql.rare import Rare, find_rare, rare_in
from provisor.store.sql.writes import AtOnce, Writes

STIR = """
UPDATE standing
SET references_seen = references_seen + 1,
    references_due_at = CASE WHEN state = 'managed' THEN 0 ELSE references_due_at END
WHERE number IN (SELECT standing FROM reference WHERE job = ? AND kind = ? AND anchor = ?)
{only}
RETURNING number
"""
STIR_ALL = STIR.format(only="")
STIR_LINKED = STIR.format(only="AND state IS NOT NULL")
CYCLE = """
INSERT INTO cycle (job, id, records_after)
VALUES (?, ?, coalesce((SELECT max(position) FROM record), 0))
ON CONFLICT (job, id) DO UPDATE SET id = excluded.id RETURNING number
"""
TAKEN_OVER = "another engine has taken this job over"
VIEW = -1
"""The epoch of who only looks."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """An object mapping as the store numbers it."""

    number: int
    note: MappingNote


@dataclass(frozen=True, slots=True)
class Opened:
    """A cycle that has begun, as the store numbers it."""

    number: int
    records_after: int
    """Its records lie behind this position."""
    id: str
    kind: CycleKind
    began: datetime


class Desk:
    def __init__(self, database: Database, job: int, epoch: int) -> None:
        self.database = database
        self.connection = database.connection
        self.run = self.connection.execute
        self.shapes = Shapes(self.connection)
        self.job = job
        self._epoch = epoch
        self._mappings: dict[MappingName, Mapped] = {}
        self._cycles: dict[str, int] = {}
        self._claims: dict[str, int] | None = None
        self.listed_kinds: frozenset[str] | None = None
        """Kinds of which everything was listed; None: not known here."""
        self.shown: dict[str, set[Anchor]] | None = None
        """Whom a listing without an index has shown, by kind; None: the index says."""
        self.held = Held()
        self.answers: dict[object, Any] = {}
        """What was asked since the last transaction, and is still so: nobody else writes."""
        self.has_listed: bool | None = None
        """Something may have been listed; None: not by us."""
        self.rare: Rare | None = None
        """What there is of what hardly any job has; None: it was not asked."""
        self.opened: Opened | None = None
        """The cycle that was begun here."""
        self._frame: Frame | None = None
        self.writes: Writes = AtOnce(self.connection)
        self.foreseen = Foreseen()
        fencing = f"SELECT epoch FROM job WHERE number = {job:d}{database.locking}"  # noqa: S608
        self._transaction = database.transaction(fencing, self._fence, self._forget)

    def write(self) -> AbstractContextManager[object]:
        """Do everything inside in one transaction of whoever has the job.

        Raises Fenced, StoreFailed, and what is raised inside; then nothing was done.
        """
        self.held.clear()
        return self._own()

    def step(self, abouts: Sequence[About | None] = ()) -> AbstractContextManager[object]:
        """Like `write`, for steps of single objects: nothing changes but what goes through
        `put`, and what is held of other objects stays true.

        A database at the end of a wire is told beforehand what the steps are `about`.
        """
        gathered, transaction = self.database.gathered, self._own()
        return transaction if gathered is None else self._together(gathered, abouts)

    def _own(self) -> AbstractContextManager[object]:
        self._refuse_views()
        self.answers.clear()
        return self._transaction

    def _refuse_views(self) -> None:
        if self.is_view:
            raise Fenced("this journal was opened to be looked at")

    @contextmanager
    def _together(self, gathered: Gathered, abouts: Sequence[About | None]) -> Generator[None]:
        """Ask beforehand what the steps will ask, and write in the end what they come to."""
        at_once = self.writes
        try:
            with self._transaction:
                self.remind(abouts)
                self.foreseen = foresee(self, gathered, abouts)
                self.writes = gathered
                yield
        finally:
            self.writes, self.foreseen = at_once, Foreseen()
            gathered.clear()

    @contextmanager
    def gathering(self) -> Generator[None]:
        """Have what is written inside go out together with the end of the transaction, or before
        somebody reads it; call it inside a transaction."""
        at_once = self.writes
        self.writes = self.database.gathered or at_once
        try:
            yield
        finally:
            self.writes = at_once

    def remind(self, abouts: Sequence[About | None]) -> None:
        """Look what is still so, where others write beside us: nobody does who has the job."""

    def mistrust(self) -> None:
        """Forget what is held of standings: others have written."""
        self.held.clear()
        self.rare = None
        self.answers.clear()
        self.forget_claims()

    def forget_claims(self) -> None:
        self._claims = None

    def _fence(self, row: Sequence[int] | None) -> None:
        if row is None or row[0] != self._epoch:
            raise Fenced(TAKEN_OVER)

    def _forget(self) -> None:
        """What was learnt in a transaction that was undone is not so."""
        if self.database.gathered is not None:
            self.database.gathered.clear()
        self.shapes.forget()
        self._mappings = {}
        self._cycles.clear()
        self._claims = None
        self.listed_kinds = None
        self._frame = self.rare = self.opened = self.has_listed = None
        self.held.clear()

    @property
    def is_view(self) -> bool:
        """True for who only looks: another has the job, and may change everything."""
        return self._epoch == VIEW

    @property
    def is_alone(self) -> bool:
        """True while nobody else can change what is held."""
        return not self.is_view

    # the job's frame

    @property
    def frame(self) -> Frame:
        """Return what a job remembers of itself; nobody else changes it while it is ours.

        Raises Fenced where the job is gone.
        """
        if self._frame is None or not self.is_alone:
            frame = load_frame(self.connection, self.job)
            if frame is None:
                raise Fenced("this job was deleted")
            self._frame = frame
            if not frame.is_initial:
                self.database.settle_in()
        return self._frame

    def set(self, **columns: object) -> None:
        """Write columns of the frame; call it inside a transaction."""
        self._set(columns, "", ())

    def set_alone(self, **columns: object) -> None:
        """Write columns of the frame, and nothing else: a statement is a transaction that costs
        a quarter of one that was begun. Raises Fenced, StoreFailed."""
        self._refuse_views()
        with self.database.failures:
            if not self._set(columns, " AND epoch = ?", (self._epoch,)):
                raise Fenced(TAKEN_OVER)

    def _set(self, columns: Mapping[str, object], only: str, bound: tuple[object, ...]) -> int:
        assigned = ", ".join(f"{name} = ?" for name in columns)
        changed = self.run(
            f"UPDATE job SET {assigned} WHERE number = ?{only}",  # noqa: S608
            (*columns.values(), self.job, *bound),
        ).rowcount
        if self._frame is not None and changed:
            self._frame = self._frame.with_columns(columns)
        return changed

    # mappings

    def mappings(self) -> Mapping[MappingName, Mapped]:
        """Return the job's mappings by name, in the order of their names.

        Nobody else changes them while this journal has the job; who only looks, looks anew.
        """
        if not self._mappings or self.is_view:
            found = self.run(
                "SELECT name, number, target_kind, hash, is_enabled, pointing_at_many, shown"
                " FROM mapping WHERE job = ? ORDER BY name",
                (self.job,),
            )
            self._mappings = {
                MappingName(name): Mapped(
                    number,
                    MappingNote(
                        kind,
                        hash,
                        bool(is_enabled),
                        from_json(many, frozenset[str]),
                        from_json(shown, dict[str, str]),
                    ),
                )
                for name, number, kind, hash, is_enabled, many, shown in found
            }
        return self._mappings

    def put_mapping(self, name: MappingName, note: MappingNote) -> int:
        (number,) = self.run(
            "INSERT INTO mapping"
            " (job, name, target_kind, hash, is_enabled, pointing_at_many, shown)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (job, name) DO UPDATE SET target_kind = excluded.target_kind,"
            " hash = excluded.hash, is_enabled = excluded.is_enabled,"
            " pointing_at_many = excluded.pointing_at_many, shown = excluded.shown"
            " RETURNING number",
            (
                self.job,
                name,
                note.target_kind,
                note.hash,
                note.is_enabled,
                to_json(sorted(note.pointing_at_many)),
                to_json(dict(note.shown)),
            ),
        ).fetchone()
        self._mappings = {}
        return number

    def number_of(self, name: MappingName) -> int:
        """Return a mapping's number; one that no rules named yet is made known."""
        mapped = self.mappings().get(name)
        return mapped.number if mapped else self.put_mapping(name, UNKNOWN_MAPPING)

    def note(self, name: MappingName) -> MappingNote:
        mapped = self.mappings().get(name)
        return mapped.note if mapped else UNKNOWN_MAPPING

    def numbers(self) -> str:
        """Return the mappings' numbers as they stand in `IN (…)`, where nothing cannot stand."""
        return ", ".join(str(mapped.number) for mapped in self.mappings().values()) or "NULL"

    def key_of(self, number: int) -> StandingKey:
        """Return whose standing this is."""
        self.writes.flush()
        name, anchor = self.run(
            "SELECT m.name, s.anchor FROM standing s JOIN mapping m ON m.number = s.mapping"
            " WHERE s.number = ?",
            (number,),
        ).fetchone()
        return StandingKey(MappingName(name), Anchor(anchor))

    def by_mapping(
        self, keys: Collection[StandingKey]
    ) -> Iterator[tuple[MappingName, int, list[Anchor]]]:
        """Yield known mappings with those of the anchors that are asked for in them."""
        asked: dict[MappingName, list[Anchor]] = {}
        for key in keys:
            asked.setdefault(key.mapping, []).append(key.anchor)
        for name, anchors in asked.items():
            mapped = self.mappings().get(name)
            if mapped:
                yield name, mapped.number, anchors

    # standings

    def is_none(self, what: Rare) -> bool:
        """Tell whether there surely is nobody of that: none need be looked for."""
        if not self.is_alone:
            return False
        if self.rare is None:
            numbers = tuple(mapped.number for mapped in self.mappings().values())
            self.rare = find_rare(self.connection, self.job, numbers)
        return not self.rare & what

    def note_rare(self, what: Rare) -> None:
        """Take note that there may be somebody now."""
        if self.rare is not None:
            self.rare |= what

    def load(self, key: StandingKey) -> tuple[int, Standing] | None:
        mapped = self.mappings().get(key.mapping)
        if mapped is None:
            return None
        self.writes.flush()
        return rows.load(self.connection, self.shapes, mapped.number, key)

    def again(self, standing: Standing) -> tuple[int, Standing]:
        """Return what an object that was recalled is by now. Its image may not be read, only
        whether there is one."""
        held = self.held.find(standing.key)
        if held is not None and held[1].seen == standing.seen:
            return held
        mapped = self.mappings().get(standing.key.mapping)
        if mapped is not None:
            self.writes.flush()
            found = rows.load_again(self.connection, self.shapes, mapped.number, standing)
            if found is not None:
                return found
        return self.known(standing.key)

    def known(self, key: StandingKey) -> tuple[int, Standing]:
        found = self.load(key)
        assert found is not None, f"{key} is not remembered"
        return found

    def put(self, number: int, before: Standing, after: Standing) -> None:
        """Store a standing, or forget it. Where others can point at it anew, or no longer, those
        who refer to it are stirred, in this same transaction."""
        self.note_rare(rare_in(after))
        was = transitions.pointed_at(before.link)
        is_moved = was != transitions.pointed_at(after.link)
        if before.link is not after.link:
            self._relink(number, before, after)
        if transitions.is_forgettable(after):
            self.writes.flush()
            rows.forget(self.connection, number)
            self.held.drop(number)
        else:
            after = transitions.stir(after) if is_moved else after
            rows.save(self.writes, self.shapes, number, before, after)
            self.held.change(number, after)
            if before.attempt != after.attempt:
                self._claim(number, before.attempt, after.attempt)
        if is_moved and after.source is not None:
            self._stir(after.source.kind, after.key.anchor, is_new=was is None)

    def _relink(self, number: int, before: Standing, after: Standing) -> None:
        old = before.link.target if before.link else None
        new = after.link.target if after.link else None
        if old != new:
            if old is not None and new is not None:
                self.writes.flush()  # what it leaves may be taken before it has gone
            governor = (number, after.key.anchor)
            self.foreseen.relink(self.number_of(after.key.mapping), governor, old, new)

    def _claim(
        self, number: int, before: tuple[MatchQuery, ...], after: tuple[MatchQuery, ...]
    ) -> None:
        if self._claims is not None:
            for claim in map(spell_claim, before):
                if self._claims.get(claim) == number:
                    del self._claims[claim]
            self._claims.update({spell_claim(query): number for query in after})

    def _stir(self, kind: str, anchor: str, *, is_new: bool) -> None:
        """Stir who refers to an object. By one that is new, who has no link is not: by the time
        that he has one, he is stirred by that."""
        foreseen = self.foreseen.referrers.get((kind, anchor))
        if foreseen is not None:
            for number in foreseen:
                self._stir_one(number, only_linked=is_new)
            return
        self.writes.flush()
        statement = STIR_LINKED if is_new else STIR_ALL
        for (number,) in self.run(statement, (self.job, kind, anchor)).fetchall():
            self.held.drop(number)

    def _stir_one(self, number: int, *, only_linked: bool) -> None:
        held = self.held.numbered(number)
        if held is None:
            self.writes.stir(number, only_linked=only_linked)
        elif held.link is not None or not only_linked:
            after = transitions.stir(held)
            rows.save(self.writes, self.shapes, number, held, after)
            self.held.change(number, after)

    # who governs what

    def governor(self, kind: str, target: str) -> tuple[int, StandingKey] | None:
        """Return who is linked to a target object, or claims it."""
        for name, mapped in self.mappings().items():
            if mapped.note.target_kind == kind:
                governor = self._governor(mapped.number, target)
                if governor is not None:
                    return governor[0], StandingKey(name, governor[1])
        return None

    def _governor(self, mapping: int, target: str) -> Governor | None:
        known = self.foreseen.governors
        if (mapping, target) in known:
            return known[mapping, target]
        self.writes.flush()
        row = self.run(
            "SELECT number, anchor FROM standing WHERE mapping = ? AND target = ?",
            (mapping, target),
        ).fetchone()
        return (row[0], Anchor(row[1])) if row else None

    def predecessor(self, key: StandingKey, target: Anchor | None) -> StandingKey | None:
        """Return who else governs a target object, if anybody does."""
        if target is None:
            return None
        held = self.held.find(key)
        if held is not None and self.is_sole_governor(held[1], target):
            return None
        governor = self.governor(self.note(key.mapping).target_kind, target)
        return governor[1] if governor is not None and governor[1] != key else None

    def is_sole_governor(self, standing: Standing, target: Anchor) -> bool:
        """Tell whether an object governs a target object that no other mapping could know: of one
        mapping two never govern the same."""
        if standing.link is None or standing.link.target != target:
            return False
        kind = self.note(standing.key.mapping).target_kind
        kinds = [mapped.note.target_kind for mapped in self.mappings().values()]
        return kinds.count(kind) == 1

    def awaiting(self, queries: Collection[MatchQuery]) -> set[int]:
        """Return the standings whose unanswered create one of these would find."""
        if not queries:
            return set()
        if self._claims is None or self.is_view:
            self.writes.flush()
            self.learn_claims(self.run(self.attempts()))
        claims = self._claims or {}
        found = {claims.get(spell_claim(query)) for query in queries}
        return {number for number in found if number is not None}

    def attempts(self) -> str:
        """Return what asks for all unanswered creates."""
        return (
            "SELECT number, attempt FROM standing"  # noqa: S608
            f" WHERE mapping IN ({self.numbers()}) AND attempt IS NOT NULL"
        )

    def learn_claims(self, attempts: Iterable[Sequence[Any]]) -> dict[str, int]:
        """Remember what is claimed by unanswered creates, and by whom."""
        self._claims = {
            spell_claim(query): number
            for number, attempt in attempts
            for query in decode_queries(attempt)
        }
        return self._claims

    # the ledger

    def log(self, record: Record) -> None:
        number = self.cycle_number(record.cycle)
        self.writes.record(records.row_of(number, record, self.shapes))

    def open(self, cycle: Opened) -> None:
        self.opened, self._cycles[cycle.id] = cycle, cycle.number

    def cycle_number(self, id: str) -> int:
        """Return a cycle's number; what is provisioned on demand has a cycle of its own."""
        if id not in self._cycles:
            (self._cycles[id],) = self.run(CYCLE, (self.job, id)).fetchone()
        return self._cycles[id]
