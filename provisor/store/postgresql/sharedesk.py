"""A job's journal for who has a share of its cycle, while others have theirs.

All transactions of a job go one after the other, by the lock on its row: inside one nobody else
changes anything. Between two of them others may have stirred, or taken over, what is held here, so
that each begins by looking which of it is still so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime

from provisor.errors import Fenced
from provisor.model.decisions import Decision, StandingKey
from provisor.model.entries import Entry, MatchQuery
from provisor.model.jobs import Progress
from provisor.ports.shares import Share
from provisor.store import transitions
from provisor.store.frame import spell_claim
from provisor.store.postgresql.database import PgDatabase
from provisor.store.sql.codec import to_micros
from provisor.store.sql.desk import Desk
from provisor.store.sql.documents import to_json
from provisor.store.sql.foresight import About
from provisor.store.sql.journal import SqlJournal

MINE = "SELECT turn, taken_by FROM share WHERE number = ?"
OF_OTHERS = """
SELECT number, seen, settled, references_seen, references_settled, target, state
FROM standing WHERE number = ANY(?::bigint[])
"""
"""What another's step may change of a standing."""
NOTE_ANSWERS = """
INSERT INTO shared_answer (job, query, standing)
SELECT ?, asked.query, asked.standing FROM unnest(?::text[], ?::bigint[]) AS asked (query, standing)
ON CONFLICT DO NOTHING
"""
ANSWERED_BY = """
SELECT a.query, a.standing FROM shared_answer a JOIN standing s ON s.number = a.standing
WHERE a.job = ? AND a.query = ANY(?::text[]) AND s.target IS NOT NULL
"""
STILL_DUE = """
SELECT s.anchor FROM json_each(?) asked
CROSS JOIN standing s ON s.mapping = ? AND s.anchor = asked.value
WHERE s.due_at <= ? ORDER BY s.anchor
"""
OF_NOBODY = 0


class ShareDesk(Desk):
    """What is written in one share, and only while it is ours."""

    def __init__(self, database: PgDatabase, job: int, epoch: int, token: str) -> None:
        super().__init__(database, job, epoch)
        self._session = database.connection
        self._token = token
        self.share: Share | None = None
        self._members = frozenset[StandingKey]()
        self._told: list[MatchQuery] = []
        self._telling: list[MatchQuery] = []
        self._answered: dict[str, set[int]] = {}

    def have(self, share: Share | None) -> None:
        self.share, self._members = share, frozenset(share.keys if share else ())
        self.mistrust()

    def tell(self, queries: Iterable[MatchQuery]) -> None:
        """Have the next transaction say that these are answered otherwise than before."""
        self._told += queries

    def step(self, abouts: Sequence[About | None] = ()) -> AbstractContextManager[object]:
        for about in abouts:
            if about is not None and about[0].key not in self._members:
                raise Fenced(f"{about[0].key} is in another's share")
        return super().step(abouts)

    @property
    def is_alone(self) -> bool:
        return False

    def write(self) -> AbstractContextManager[object]:
        if self.share is not None:
            raise Fenced("in a share only steps of its objects are taken")
        return super().write()

    def remind(self, abouts: Sequence[About | None]) -> None:
        """Look whether the share is still ours, drop what others have changed of its objects, and
        learn what they have told the target: all at once."""
        held: list[int] = []
        claims: dict[str, int] = {}
        for about in abouts:
            if about is not None:
                number, _ = self.held.find(about[0].key) or self.again(about[0])
                held.append(number)
                if isinstance(about[1], Decision):
                    queries = transitions.claimed_queries(about[1])
                    claims |= {spell_claim(query): number for query in queries}
        self.forget_claims()
        mine = others = answered = attempts = None
        with self._session.together():
            if self.share is not None:
                mine = self.run(MINE, (self.share.number,))
            if held:
                others = self.run(OF_OTHERS, (held,))
            if claims:
                answered = self.run(ANSWERED_BY, (self.job, list(claims)))
                attempts = self.run(self.attempts())
            self._note(claims)
        if mine is not None and mine.fetchone() != (self._turn, self._token):
            raise Fenced("another has taken this share over")
        self._drop_changed(held, others or ())
        self._answered = {}
        for query, number in answered or ():
            self._answered.setdefault(query, set()).add(number)
        if attempts is not None:
            self.learn_claims(attempts)

    @property
    def _turn(self) -> int:
        return self.share.turn if self.share is not None else 0

    def _note(self, claims: dict[str, int]) -> None:
        said = {*claims.items(), *((spell_claim(query), OF_NOBODY) for query in self._told)}
        self._told, self._telling = [], self._told
        if said:
            queries, numbers = zip(*sorted(said), strict=True)
            self.run(NOTE_ANSWERS, (self.job, list(queries), list(numbers)))

    def _drop_changed(self, numbers: Collection[int], rows: Iterable[Sequence[object]]) -> None:
        now = {row[0]: tuple(row[1:]) for row in rows}
        for number in numbers:
            held = self.held.numbered(number)
            if held is not None:
                link = held.link
                state = (link.target, str(link.state)) if link else (None, None)
                seen = (held.seen, held.settled, held.references_seen, held.references_settled)
                if now.get(number) != (*seen, *state):
                    self.held.drop(number)

    def _forget(self) -> None:
        super()._forget()
        self._told, self._telling = self._telling + self._told, []

    def awaiting(self, queries: Collection[MatchQuery]) -> set[int]:
        """As ever, and whoever has been given such a value since we looked."""
        found = super().awaiting(queries)
        for query in queries:
            found |= self._answered.get(spell_claim(query), set())
        return found

    def _stir_one(self, number: int, *, only_linked: bool) -> None:
        self.held.drop(number)  # what is held of it may be older than what others wrote
        self.writes.stir(number, only_linked=only_linked)


class ShareJournal(SqlJournal):
    """Implements `ports.Journal` for the steps of single objects."""

    _desk: ShareDesk

    def __init__(self, database: PgDatabase, job: int, epoch: int, token: str) -> None:
        super().__init__(database, job, epoch)
        self._use(ShareDesk(database, job, epoch, token))

    @property
    def desk(self) -> ShareDesk:
        return self._desk

    async def progress(self, progress: Progress) -> None:
        """How far the share is; of the whole tells whoever leads."""
        desk = self._desk
        assert desk.share is not None, "who has no share is not getting on"
        with desk.step():
            desk.run(
                "UPDATE share SET done = ? WHERE number = ?",
                (progress.completed_units, desk.share.number),
            )

    async def listed(self, query: MatchQuery) -> Sequence[Entry] | None:
        spelt = spell_claim(query)
        with self._failures:
            row = self._desk.run(
                "SELECT 1 FROM shared_answer WHERE job = ? AND query = ? LIMIT 1",
                (self._desk.job, spelt),
            ).fetchone()
        return None if row is not None else await super().listed(query)

    async def still_due(self, share: Share, now: datetime) -> Sequence[StandingKey]:
        mapped = self._desk.mappings().get(share.mapping)
        if mapped is None:
            return ()
        with self._failures:
            rows = self._desk.run(
                STILL_DUE, (to_json(share.anchors), mapped.number, to_micros(now))
            ).fetchall()
        return tuple(StandingKey(share.mapping, anchor) for (anchor,) in rows)
