"""A store with something of everything in it, and what it is asked afterwards."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from provisor.model.cycles import CycleKind
from provisor.model.decisions import AttributeChange, ReferencesChange, Settled
from provisor.model.entries import Absence, Anchor, Entry, ReadFault, System, Watermark
from provisor.model.frozen import replace
from provisor.model.jobs import Application, Progress
from provisor.planner.status import Configured, Started
from provisor.ports import Journal, Listed, RecordQuery
from provisor.store.sql.registry import SqlStore
from tests.contracts.store.building import (
    FAILED,
    GROUPS,
    JOB,
    MINUTE,
    RULES,
    START,
    creates,
    disables,
    ended,
    escrow,
    fail,
    gone,
    governed,
    job,
    key,
    link,
    query,
    recalled,
    record,
    seen,
    settle,
    show,
    target_user,
    user,
)

KEYS = [key(a) for a in ("ada", "ben", "cyd", "dot", "eve", "fay")]
TEAM = key("team", GROUPS)
LATER = START + 60 * MINUTE
APPLICATION = Application(
    id="app",
    app_id="app-id",
    principal_id="principal",
    name="app",
    display_name="An application",
    template_id="scim",
)


def saved_as(version: int) -> Path:
    return Path(__file__).parent / f"v{version}.sql"


def statements(path: Path) -> Iterator[str]:
    """Yield what makes such a store again, its version first."""
    with closing(sqlite3.connect(path)) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        yield f"PRAGMA user_version = {version};"
        yield from connection.iterdump()


def restore(version: int, path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(saved_as(version).read_text(encoding="utf-8"))


async def furnish(store: SqlStore) -> None:
    await store.put_application(APPLICATION)
    await store.put_job(job())
    await store.note(JOB, Configured(is_usable=True), Started())
    await store.put_document(JOB, "schema", b"{}")
    await store.audit(START, "eve", "start", JOB)
    store.put_secrets([("app", "token", b"sealed")])
    journal = await store.open_journal(JOB, "test")
    await journal.adopt(RULES, "policy")
    await journal.remember_systems({"source": System("people.csv")})
    await journal.begin_cycle("c1", CycleKind.INITIAL, START)
    await _live_through(journal)
    cycle = ended("c1", START, await journal.recount())
    await journal.end_cycle(cycle)
    await journal.begin_cycle("c2", CycleKind.RECONCILE, LATER)
    await journal.progress(
        Progress(completed_units=1, total_units=2, units="objects", observed_at=LATER)
    )
    await _look(journal)


async def _live_through(journal: Journal) -> None:
    ada, ben, cyd, dot, eve, fay = KEYS
    await journal.begin_snapshot()
    await governed(journal, ada, "t-ada")
    await show(journal, seen(ada, displayName="Ada", born=START, photo=b"\0", manager=user("ben")))
    await show(journal, seen(ben, displayName="Ben"))
    await journal.attempt(await recalled(journal, ben), creates(ben, query("ben@x")), START)
    await show(journal, seen(cyd, displayName="Cyd"))
    await fail(journal, cyd, LATER)
    await governed(journal, dot, "t-dot")
    await show(journal, gone(dot, Absence.ABSENT))
    await journal.stage({dot: (await recalled(journal, dot)).seen}, START)
    standing = await governed(journal, eve, "t-eve")
    await journal.attempt(standing, disables(eve, "t-eve"), START)
    await show(journal, seen(fay, displayName="Fáy", mails=("a@x", "b@x"), atoms=10**30))
    await show(journal, seen(TEAM, members=(user("ada"), user("dot"))))
    await settle(journal, TEAM, link("g1"))
    change = ReferencesChange("members", frozenset({target_user("t-ada")}), frozenset())
    await journal.attempt_references(await recalled(journal, TEAM), [change], START)
    told = replace(record(TEAM), changes=(change, AttributeChange("a", None, ("b", 1))))
    standing = await recalled(journal, TEAM)
    await journal.settle_references(standing, [], FAILED, escrow(LATER), told)
    await journal.note_faults([ReadFault(kind="user", where="line 3", message="no id")], START)
    await journal.hold_snapshot("digest", "it shrank", START)
    await journal.advance(Watermark("w"))


async def _look(journal: Journal) -> None:
    entry = Entry("User", Anchor("t-new"), {"userName": "new"}, "v1")
    await journal.list_target([Listed(entry, (query("new"),))])
    await journal.end_listing({"User"}, is_complete=True)
    standing = await recalled(journal, KEYS[0])
    await journal.settle(
        standing, Settled(link("t-ada")), None, record(KEYS[0], cycle="c2"), keeps_attempt=False
    )


async def answers(store: SqlStore) -> list[object]:
    """Return what the store says of all that was put into it."""
    view = await store.view_journal(JOB)
    return [
        await store.applications(),
        await store.jobs(),
        await store.document(JOB, "schema"),
        await store.audited(9),
        store.all_secrets(),
        await store.running(JOB),
        await store.staged(JOB),
        await store.ledger.cycles(JOB, 9),
        await store.ledger.records(RecordQuery()),
        await view.systems(),
        await view.status(),
        await view.recount(),
        await view.watermark(),
        await view.is_initial(),
        await view.recall([*KEYS, TEAM]),
        await view.due(LATER),
        await view.due_departures(LATER),
        await view.due_references(LATER),
        await view.superiors(LATER),
        await view.missing(),
        await view.departed(START),
        await view.staged_since(),
        await view.listed(query("new")),
        await view.owner(Entry("User", Anchor("t-x"), {}), [query("BEN@X")]),
        await view.members(),
    ]
