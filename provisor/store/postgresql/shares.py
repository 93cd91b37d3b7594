"""Cycles that are shared out: what the store keeps of them, and how it keeps others out.

Whoever takes a job over ends its sharing, by the epoch: what was laid down under another counts
for nobody. A share is had by the token of a lease, so that it is free again when that has ended.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from provisor.errors import Fenced
from provisor.model.decisions import StandingKey
from provisor.model.entries import Anchor, MatchQuery
from provisor.model.rules import MappingName
from provisor.ports import Journal
from provisor.ports.shares import SEAT, Brief, Progressed, Said, Share, Word, seats_of
from provisor.store.postgresql.connect import NAMED_FAILURES
from provisor.store.postgresql.home import PgHome
from provisor.store.postgresql.leases import Held, RowLeases
from provisor.store.postgresql.sharedesk import ShareJournal
from provisor.store.sql.codec import pack, unpack
from provisor.store.sql.database import Connection, Database
from provisor.store.sql.desk import Desk
from provisor.store.sql.documents import from_json, to_json
from provisor.store.sql.journal import SqlJournal

TABLES = ("share", "shared_answer", "sharing")
IS_DEAD = """
NOT EXISTS (SELECT 1 FROM lease WHERE token = taken_by AND ends >= clock_timestamp())
"""
EVICT = f"""
UPDATE share SET taken_by = NULL, turn = turn + 1
WHERE job = ? AND NOT is_over AND taken_by IS NOT NULL AND {IS_DEAD}
"""  # noqa: S608
TAKE = f"""
UPDATE share SET taken_by = ?, turn = turn + 1
WHERE number = (SELECT number FROM share WHERE job = ? AND NOT is_over
    AND (taken_by IS NULL OR {IS_DEAD}) ORDER BY number LIMIT 1)
RETURNING number, turn, mapping, anchors
"""  # noqa: S608
SAID = """
SELECT s.word, j.epoch, s.epoch,
       EXISTS (SELECT 1 FROM lease WHERE name = ? AND ends >= clock_timestamp()),
       (SELECT count(*) FROM lease WHERE starts_with(name, ?) AND ends >= clock_timestamp())
FROM job j JOIN sharing s ON s.job = j.number WHERE j.number = ?
"""


@dataclass(slots=True)
class PgSharing:
    """Implements `ports.shares.Sharing`."""

    home: PgHome
    connection: Connection
    leases: RowLeases
    keep: Callable[[SqlJournal, Database], SqlJournal]
    """Has a journal closed with the store."""

    def lead(self, journal: Journal) -> PgLed:
        assert isinstance(journal, SqlJournal), "it is this store's"
        return PgLed(journal.desk)

    async def sit(self, job: str, leader: str) -> PgSeat | None:
        with NAMED_FAILURES:
            row = self.connection.execute(
                "SELECT j.number, j.epoch FROM job j JOIN sharing s ON s.job = j.number"
                " WHERE j.id = ? AND s.epoch = j.epoch",
                (job,),
            ).fetchone()
        held = self.leases.take(f"{seats_of(job)}{secrets.token_hex(8)}") if row else None
        if row is None or held is None:
            return None
        number, epoch = row
        database = self.home.open()
        journal = ShareJournal(database, number, epoch, held.token)
        self.keep(journal, database)
        return PgSeat(held, journal, number, epoch, leader, seats_of(job))


@dataclass(slots=True)
class PgLed:
    """Implements `ports.shares.Led`."""

    desk: Desk

    async def open(self, brief: Brief) -> None:
        desk = self.desk
        with desk.write():
            self._clear()
            desk.run(
                "INSERT INTO sharing (job, epoch, word, brief) SELECT number, epoch, ?, ?"
                " FROM job WHERE number = ?",
                (str(Word.WORK), to_json(brief), desk.job),
            )

    async def cut(self, mapping: MappingName, parts: Sequence[Sequence[Anchor]]) -> None:
        rows = [(self.desk.job, str(mapping), pack(tuple(map(str, part)))) for part in parts]
        with self.desk.write():
            self.desk.database.bring("share", ("job", "mapping", "anchors"), rows)

    async def say(self, word: Word) -> None:
        with self.desk.write():
            self.desk.run("UPDATE sharing SET word = ? WHERE job = ?", (str(word), self.desk.job))

    async def forget_listing(self) -> None:
        desk = self.desk
        with desk.write():
            row = desk.run("SELECT brief FROM sharing WHERE job = ?", (desk.job,)).fetchone()
            known = from_json(row[0], Brief)
            brief = Brief(cycle=known.cycle, at=known.at, due=known.due, rules=known.rules)
            desk.run("UPDATE sharing SET brief = ? WHERE job = ?", (to_json(brief), desk.job))

    async def look(self) -> Progressed:
        desk = self.desk
        with desk.write():
            desk.run(EVICT, (desk.job,))
            at_work, left, done = desk.run(
                "SELECT count(*) FILTER (WHERE taken_by IS NOT NULL AND NOT is_over),"
                " count(*) FILTER (WHERE NOT is_over), coalesce(sum(done), 0)"
                " FROM share WHERE job = ?",
                (desk.job,),
            ).fetchone()
            failed = Counter[str]()
            for (said,) in desk.run(
                "SELECT failed FROM share WHERE job = ? AND failed <> '{}'", (desk.job,)
            ):
                failed.update(from_json(said, dict[str, int]))
        desk.mistrust()
        return Progressed(
            at_work=at_work, left=left, done=int(done), failed=failed, seats=self._seats()
        )

    def _seats(self) -> int:
        (seats,) = self.desk.run(
            "SELECT count(*) FROM lease l, job j WHERE j.number = ?"
            " AND starts_with(l.name, j.id || ?) AND l.ends >= clock_timestamp()",
            (self.desk.job, SEAT),
        ).fetchone()
        return seats

    async def close(self) -> None:
        with self.desk.write():
            self._clear()
        self.desk.mistrust()

    def _clear(self) -> None:
        clear(self.desk.connection, self.desk.job)


def clear(connection: Connection, job: int) -> None:
    """End whatever is shared out of a job; call it inside a transaction."""
    for table in TABLES:
        connection.execute(f"DELETE FROM {table} WHERE job = ?", (job,))  # noqa: S608


def forget_deleted(connection: Connection) -> None:
    """Drop what was shared out of jobs that are there no longer; call it inside a transaction."""
    for table in TABLES:
        connection.execute(f"DELETE FROM {table} WHERE job NOT IN (SELECT number FROM job)")  # noqa: S608


@dataclass(slots=True)
class PgSeat:
    """Implements `ports.shares.Seat`."""

    held: Held
    own: ShareJournal
    number: int
    epoch: int
    leader: str
    """The name of the lease of whoever leads."""
    seats: str

    @property
    def journal(self) -> Journal:
        return self.own

    def ends(self) -> datetime:
        return self.held.ends()

    async def brief(self) -> Brief:
        with NAMED_FAILURES:
            row = self.own.desk.run(
                "SELECT brief FROM sharing WHERE job = ? AND epoch = ?", (self.number, self.epoch)
            ).fetchone()
        if row is None:
            raise Fenced("the job is not shared out any more")
        return from_json(row[0], Brief)

    async def said(self) -> Said:
        with NAMED_FAILURES:
            row = self.own.desk.run(SAID, (self.leader, self.seats, self.number)).fetchone()
        if row is None:
            return Said(Word.GO, 1)
        word, epoch, shared_at, is_led, seats = row
        is_ours = epoch == shared_at == self.epoch and is_led
        return Said(Word(word) if is_ours else Word.GO, max(seats, 1))

    async def take(self) -> Share | None:
        desk = self.own.desk
        desk.have(None)
        with desk.write():
            row = desk.run(
                "SELECT word FROM sharing WHERE job = ? AND epoch = ?", (self.number, self.epoch)
            ).fetchone()
            if row is None or row[0] != Word.WORK:
                return None
            taken = desk.run(TAKE, (self.held.token, self.number)).fetchone()
        if taken is None:
            return None
        number, turn, mapping, anchors = taken
        share = Share(number, turn, MappingName(mapping), tuple(map(Anchor, unpack(anchors))))
        desk.have(share)
        return share

    async def due(self, share: Share, now: datetime) -> Sequence[StandingKey]:
        return await self.own.still_due(share, now)

    def tell(self, queries: Iterable[MatchQuery]) -> None:
        self.own.desk.tell(queries)

    async def give_back(self, share: Share, failed: Mapping[str, int], *, is_over: bool) -> None:
        desk = self.own.desk
        with desk.step():
            (before,) = desk.run(
                "SELECT failed FROM share WHERE number = ?", (share.number,)
            ).fetchone()
            counts = Counter(from_json(before, dict[str, int]))
            counts.update(failed)
            left = "done" if not is_over else "?"
            desk.run(
                f"UPDATE share SET taken_by = NULL, is_over = ?, failed = ?, done = {left}"  # noqa: S608
                " WHERE number = ?",
                (
                    is_over,
                    to_json(dict(counts)),
                    *((len(share.anchors),) if is_over else ()),
                    share.number,
                ),
            )
        desk.have(None)

    def leave(self) -> None:
        self.own.close()
        self.held.release()
