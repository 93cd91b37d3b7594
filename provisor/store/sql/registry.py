"""Applications and jobs, documents and approvals, in a database."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import reduce
from pathlib import Path
from threading import get_ident
from weakref import WeakSet, finalize

from provisor.model.audit import Act, Altered
from provisor.model.decisions import StandingKey
from provisor.model.jobs import Application, Asked, Job, Progress, Status
from provisor.model.notices import Notice
from provisor.model.rules import MappingName
from provisor.planner.notices import arising
from provisor.planner.schedule import Due
from provisor.planner.status import Event, next_status
from provisor.ports import Journal, Leases, Pending, StagedView
from provisor.ports.shares import Sharing
from provisor.store.errors import JobUnknown
from provisor.store.frame import released, staged_view
from provisor.store.sql import ask, audit, bulk, count, due, notices, rows
from provisor.store.sql.copying import refuse_partial
from provisor.store.sql.database import Connection, Database, Home
from provisor.store.sql.desk import VIEW, Desk
from provisor.store.sql.documents import job_of, to_json
from provisor.store.sql.glance import Glance
from provisor.store.sql.journal import SqlJournal
from provisor.store.sql.ledger import SqlLedger

PROOF = ("store", "written")
"""Owner and name of the document that is written to see whether anything can be."""


TAKE = "UPDATE job SET epoch = epoch + 1, holder = ? WHERE id = ? RETURNING number, epoch"
KEEP_DOCUMENT = """
INSERT INTO document (owner, name, content) VALUES (?, ?, ?)
ON CONFLICT (owner, name) DO UPDATE SET content = excluded.content
"""


class SqlStore:
    """A store on a database. Several processes may have it open; each journal has one that may
    write."""

    leases: Leases | None = None
    """Who has which job, where processes on several machines may open the store."""
    sharing: Sharing | None = None
    """What shares a cycle out among them."""

    def __init__(self, home: Home) -> None:
        """Raises StoreFailed."""
        self._home = home
        self._database = home.open()
        self._connection, self._failures = self._database.connection, self._database.failures
        self._database.settle_in()
        self._transaction = self._database.transaction
        self._run = self._connection.execute
        with self._failures:
            refuse_partial(self._database)
        self._glance = Glance(self._connection)
        self._journals = WeakSet[SqlJournal]()
        self._let_go = list[Database]()
        """Of journals that were dropped while another thread had its turn."""
        self.ledger = SqlLedger(self._database)

    def close(self) -> None:
        """Close it, and every journal that came from it."""
        for journal in list(self._journals):
            journal.close()
        self._close_let_go()
        self._database.close()

    @property
    def is_restored(self) -> bool:
        with self._failures:
            return self._home.is_foreign(self._connection)

    # applications and jobs

    async def applications(self) -> Sequence[Application]:
        with self._failures:
            return list(self._glance.inventory().applications)

    async def find_application(self, id: str) -> Application | None:
        with self._failures:
            return self._glance.inventory().by_id.get(id.lower())

    async def put_application(self, application: Application) -> None:
        with self._transaction():
            self._run(
                "INSERT INTO application (id, content) VALUES (?, ?)"
                " ON CONFLICT (id) DO UPDATE SET content = excluded.content",
                (application.id, to_json(application)),
            )
            self._glance.changed()

    async def delete_application(self, id: str) -> None:
        with self._transaction():
            self._run("DELETE FROM application WHERE id = ?", (id,))
            self._glance.changed()
            self._run("DELETE FROM document WHERE owner = ?", (id,))

    async def jobs(self) -> Sequence[Job]:
        with self._failures:
            return self._glance.all_jobs()

    async def jobs_of(self, application: str) -> Sequence[Job]:
        with self._failures:
            return self._glance.jobs_of(application)

    async def job(self, id: str) -> Job | None:
        with self._failures:
            row = self._run("SELECT definition, status FROM job WHERE id = ?", (id,)).fetchone()
        return job_of(*row) if row else None

    async def due(self, now: datetime) -> Sequence[Due]:
        with self._failures:
            found = due.due(self._connection, now)
            whose = self._glance.inventory().tenants
        return [Due(at, id, whose.get(id, "")) for id, at in found]

    async def tenants_of(self, jobs: Collection[str]) -> Mapping[str, str]:
        with self._failures:
            whose = self._glance.inventory().tenants
        return {id: whose[id] for id in jobs if id in whose}

    async def put_job(self, job: Job) -> None:
        definition = to_json(replace(job, status=Status()))
        with self._transaction():
            (number,) = self._run(
                "INSERT INTO job (id, definition, status) VALUES (?, ?, ?)"
                " ON CONFLICT (id) DO UPDATE SET definition = excluded.definition"
                " RETURNING number",
                (job.id, definition, to_json(job.status)),
            ).fetchone()
            due.reschedule(self._connection, number)
            self._glance.changed()

    async def delete_job(self, id: str) -> None:
        with self._transaction():
            row = self._run("SELECT number FROM job WHERE id = ?", (id,)).fetchone()
            if row:
                _delete_job(self._connection, row[0])
                self._glance.changed()
            self._run("DELETE FROM document WHERE owner = ?", (id,))

    async def note(self, job: str, *events: Event) -> Status:
        with self._transaction():
            number = self._number(job, self._database.locking)
            stored = due.stored(self._connection, number)
            status = reduce(next_status, events, stored.status)
            self._run(due.KEEP, due.kept(stored, number, status))
            notices.keep(self._connection, number, arising(stored.status, status))
            return status

    async def running(self, job: str) -> Progress | None:
        with self._failures:
            cycle = count.open_cycle(self._desk(job))
        return cycle.how_far() if cycle else None

    async def links(self, job: str) -> Mapping[MappingName, int]:
        with self._failures:
            return self._glance.links(self._number(job))

    async def ask(self, job: str, asked: Asked | None) -> None:
        with self._transaction():
            number = self._number(job)
            self._run("UPDATE job SET asked = ? WHERE number = ?", (asked, number))

    async def asked(self, job: str) -> Asked | None:
        with self._failures:
            row = self._run("SELECT asked FROM job WHERE id = ?", (job,)).fetchone()
        if row is None:
            raise JobUnknown(f"there is no job '{job}'")
        return Asked(row[0]) if row[0] is not None else None

    def _number(self, job: str, locking: str = "") -> int:
        row = self._run(f"SELECT number FROM job WHERE id = ?{locking}", (job,)).fetchone()  # noqa: S608
        if row is None:
            raise JobUnknown(f"there is no job '{job}'")
        return row[0]

    def _desk(self, job: str) -> Desk:
        """Return what reads a job's journal without having it."""
        return Desk(self._database, self._number(job), VIEW)

    # what is to be told

    async def announce(self, job: str, notice: Notice) -> None:
        with self._transaction():
            number = self._number(job) if job else notices.OF_NO_JOB
            notices.keep(self._connection, number, (notice,))

    async def take_notice(self, now: datetime, until: datetime) -> Pending | None:
        with self._failures:
            if not notices.is_any(self._connection, now):
                return None  # asked often, and nothing is written for it
        with self._transaction():
            return notices.take(self._database, now, until)

    async def put_back_notice(
        self, pending: Pending, sent: frozenset[str], again_at: datetime | None
    ) -> None:
        with self._transaction():
            notices.put_back(self._connection, pending, sent, again_at)

    # documents

    async def document(self, owner: str, name: str) -> bytes | None:
        with self._failures:
            row = self._run(
                "SELECT content FROM document WHERE owner = ? AND name = ?", (owner, name)
            ).fetchone()
        return row[0] if row else None

    async def documents(self, keys: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], bytes]:
        if not keys:
            return {}
        places = ", ".join("(?, ?)" for _ in keys)
        asked = [part for key in keys for part in key]
        with self._failures:
            found = self._run(
                "SELECT owner, name, content FROM document"  # noqa: S608
                f" WHERE (owner, name) IN (VALUES {places})",
                asked,
            ).fetchall()
        return {(owner, name): content for owner, name, content in found}

    async def put_document(self, owner: str, name: str, content: bytes) -> None:
        self._database.alone(KEEP_DOCUMENT, (owner, name, content))

    # sealed secrets

    def secret(self, owner: str, name: str) -> bytes | None:
        with self._failures:
            row = self._run(
                "SELECT content FROM secret WHERE owner = ? AND name = ?", (owner, name)
            ).fetchone()
        return row[0] if row else None

    def secret_names(self, owner: str) -> Sequence[str]:
        with self._failures:
            found = self._run("SELECT name FROM secret WHERE owner = ? ORDER BY name", (owner,))
            return [name for (name,) in found]

    def all_secrets(self) -> Sequence[tuple[str, str, bytes]]:
        with self._failures:
            return self._run("SELECT owner, name, content FROM secret").fetchall()

    def put_secrets(self, rows: Sequence[tuple[str, str, bytes]]) -> None:
        with self._transaction() as connection:
            connection.executemany(
                "INSERT INTO secret (owner, name, content) VALUES (?, ?, ?)"
                " ON CONFLICT (owner, name) DO UPDATE SET content = excluded.content",
                rows,
            )

    def delete_secret(self, owner: str, name: str) -> None:
        with self._transaction():
            self._run("DELETE FROM secret WHERE owner = ? AND name = ?", (owner, name))

    # approvals

    async def staged(self, job: str) -> StagedView:
        with self._failures:
            return self._staged(job)

    def _staged(self, job: str) -> StagedView:
        desk = self._desk(job)
        return staged_view(*ask.staged(desk), ask.held_snapshot(desk))

    async def approve(
        self, job: str, hash: str, by: str, now: datetime, *, origin: str = ""
    ) -> bool:
        with self._transaction():
            self._number(job, self._database.locking)
            view = self._staged(job)
            if not hash or view.hash != hash:
                return False
            desk = self._desk(job)
            self._approve_each(desk, "staged", view.departures)
            self._approve_each(desk, "references_staged", view.members)
            held = ask.held_snapshot(desk)
            if held is not None:
                let = to_json(replace(held, is_approved=True))
                self._run("UPDATE job SET held = ? WHERE number = ?", (let, desk.job))
            about = f"{job} {hash}"
            act = Act(at=now, by=by, activity="approve", about=about, origin=origin,
                      altered=released(view))  # fmt: skip
            audit.keep(self._connection, act, self._tenant(job))
            return True

    def _tenant(self, job: str) -> str:
        """Return whose a job is."""
        row = self._run(
            "SELECT json_extract(definition, '$.application_id') FROM job WHERE id = ?", (job,)
        ).fetchone()
        application = self._glance.inventory().by_id.get(str(row[0]).lower()) if row else None
        return application.tenant if application else ""

    def _approve_each(self, desk: Desk, prefix: str, keys: Sequence[StandingKey]) -> None:
        for name, mapping, anchors in desk.by_mapping(keys):
            assert name in desk.mappings()
            self._connection.executemany(
                f"UPDATE standing SET {prefix}_approved = TRUE"  # noqa: S608
                " WHERE mapping = ? AND anchor = ?",
                [(mapping, anchor) for anchor in anchors],
            )

    async def audit(
        self,
        at: datetime,
        by: str,
        activity: str,
        about: str,
        *,
        origin: str = "",
        altered: Sequence[Altered] = (),
        tenant: str = "",
    ) -> None:
        act = Act(at=at, by=by, activity=activity, about=about, origin=origin,
                  altered=tuple(altered))  # fmt: skip
        with self._transaction():
            audit.keep(self._connection, act, tenant)

    def _audit(self, at: datetime, by: str, activity: str, about: str) -> None:
        audit.keep(self._connection, Act(at=at, by=by, activity=activity, about=about), "")

    async def audited(self, limit: int, *, tenant: str = "", before: int = 0) -> Sequence[Act]:
        with self._failures:
            return audit.latest(self._connection, tenant, limit, before)

    # journals

    async def open_journal(self, job: str, holder: str) -> Journal:
        row = self._take(job, holder) or self._take_anew(job, holder)
        return self._journal(self._home.open(), *row)

    def _take(self, job: str, holder: str) -> tuple[int, int] | None:
        """Take a job over, and return its number and epoch; None where there is more to do: the
        store has to be marked first, or looked at."""
        is_marked = self._home.is_marked
        row = is_marked and self._database.alone(f"{TAKE}, {is_marked}", (holder, job))
        return (row[0], row[1]) if row and row[2] else None

    def _take_anew(self, job: str, holder: str) -> tuple[int, int]:
        with self._transaction():
            row = self._run(TAKE, (holder, job)).fetchone()
            if row is None:
                raise JobUnknown(f"there is no job '{job}'")
            if self._home.is_foreign(self._connection):
                bulk.doubt_everything(self._connection)
                what = "restored or copied: nothing that it remembers of the targets is trusted"
                self._audit(datetime.now(UTC), "provisor", "recognise", f"the store was {what}")
            self._home.renew_mark(self._connection)
        self._home.confirm_mark(self._database)
        return row

    async def view_journal(self, job: str) -> Journal:
        with self._failures:
            number = self._number(job)
        return self._journal(self._home.look(), number, VIEW)

    async def overlay_journal(self, job: str) -> Journal:
        with self._failures:
            number, is_foreign = self._number(job), self._home.is_foreign(self._connection)
            copy, epoch = self._home.overlay(number)
        if is_foreign:
            bulk.doubt_everything(copy.connection)
        return self._journal(copy, number, epoch)

    def _journal(self, database: Database, job: int, epoch: int) -> SqlJournal:
        return self._keep(SqlJournal(database, job, epoch), database)

    def _keep(self, journal: SqlJournal, database: Database) -> SqlJournal:
        # Python's connections do not close when dropped.
        finalize(journal, _let_go, database, get_ident(), self._let_go)
        self._close_let_go()
        self._journals.add(journal)
        return journal

    def _close_let_go(self) -> None:
        while self._let_go:
            self._let_go.pop().close()

    # keeping it

    def prove(self) -> None:
        """Write something, by a connection of its own, so that any thread may ask. Raises
        StoreFailed where nothing can be written: by anybody, or while somebody else writes."""
        database = self._home.open()
        try:
            with database.transaction() as connection:
                at = datetime.now(UTC).isoformat().encode()
                connection.execute(KEEP_DOCUMENT, (*PROOF, at))
        finally:
            database.close()

    async def backup(self, path: Path) -> None:
        """Write a copy that is whole and consistent, while others go on writing. The key that
        the secrets in it are encrypted with is not part of it. Raises StoreFailed."""
        self._home.backup(self._database, path)


def _let_go(database: Database, thread: int, later: list[Database]) -> None:
    """Close what a journal had that nobody holds any more. Garbage is collected in whatever thread
    runs, and SQLite's connections close in that alone in which they were opened."""
    if get_ident() == thread:
        database.close()
    else:
        later.append(database)


def _delete_job(connection: Connection, number: int) -> None:
    standings = (
        "SELECT s.number FROM standing s JOIN mapping m ON m.number = s.mapping WHERE m.job = ?"
    )
    for statement in (
        *(f"DELETE FROM {table} WHERE standing IN ({standings})" for table in rows.BESIDE),  # noqa: S608
        "DELETE FROM standing WHERE mapping IN (SELECT number FROM mapping WHERE job = ?)",
        "DELETE FROM record WHERE cycle IN (SELECT number FROM cycle WHERE job = ?)",
        *(
            f"DELETE FROM {table} WHERE job = ?"  # noqa: S608
            for table in (
                "mapping",
                "departure",
                "removal",
                "listed_answer",
                "listed",
                "cycle",
                "notice",
            )
        ),
        "DELETE FROM job WHERE number = ?",
    ):
        connection.execute(statement, (number,))
