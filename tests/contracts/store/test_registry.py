"""Applications, jobs, documents, the ledger, and who may write to a journal."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from provisor.errors import Fenced, StoreFailed
from provisor.model import frozen
from provisor.model.audit import Act, Altered
from provisor.model.cycles import CycleKind
from provisor.model.decisions import (
    Action,
    AttributeChange,
    Facts,
    Heard,
    ReferencesChange,
    Verdict,
)
from provisor.model.entries import Absence, Anchor
from provisor.model.jobs import Application, Asked, Assignment, StatusCode
from provisor.planner.status import Configured, Started
from provisor.ports import Journal, RecordQuery
from provisor.store.sqlite.store import SqliteStore
from tests.contracts.store.building import (
    JOB,
    MINUTE,
    START,
    disables,
    ended,
    governed,
    job,
    key,
    query,
    recalled,
    record,
    seen,
    show,
    target_user,
)
from tests.contracts.store.conftest import Store

ADA, BEN = key("ada"), key("ben")
LATER = START + 60 * MINUTE
APPLICATION = Application(
    id="app",
    app_id="app-id",
    principal_id="principal",
    name="app",
    display_name="An application",
    template_id="scim",
    assignments=(Assignment(kind="user", anchor="ada"),),
)


# applications, jobs, documents


async def test_applications_are_kept(store: Store) -> None:
    await store.put_application(APPLICATION)
    await store.put_application(replace(APPLICATION, display_name="Renamed"))
    assert await store.applications() == [replace(APPLICATION, display_name="Renamed")]

    await store.delete_application("app")
    assert await store.applications() == []


@pytest.mark.parametrize("id", ["app", "app-id", "principal", "PRINCIPAL"])
async def test_an_application_is_found_by_each_of_its_ids(store: Store, id: str) -> None:
    assert await store.find_application(id) is None
    await store.put_application(APPLICATION)
    assert await store.find_application(id) == APPLICATION
    renamed = replace(APPLICATION, display_name="Renamed")
    await store.put_application(renamed)
    assert await store.find_application(id) == renamed
    await store.delete_application("app")
    assert await store.find_application(id) is None


async def test_an_application_has_its_jobs(store: Store) -> None:
    other = replace(job("other"), application_id="another application")
    await store.put_job(other)
    assert await store.jobs_of("app") == [job()]
    assert await store.jobs_of("another application") == [other]
    status = await store.note("other", Configured(is_usable=True))
    assert await store.jobs_of("another application") == [replace(other, status=status)]
    await store.put_job(replace(other, application_id="app"))
    assert [one.id for one in await store.jobs_of("app")] == sorted((JOB, "other"))
    await store.delete_job("other")
    assert await store.jobs_of("app") == [job()]
    assert await store.jobs_of("nobody's") == []


async def test_live_links_are_counted_without_a_journal(store: Store, journal: Journal) -> None:
    assert await store.links(JOB) == {}
    await governed(journal, ADA, "t1")
    await governed(journal, BEN, "t2")
    assert await store.links(JOB) == await journal.links() == {ADA.mapping: 2}


async def test_what_another_process_changed_is_seen(
    open_store: Callable[[], SqliteStore],
) -> None:
    here, there = open_store(), open_store()
    assert await here.find_application("app") is None
    await there.put_application(APPLICATION)
    await there.put_job(job())
    assert await here.find_application("app") == APPLICATION
    assert await here.jobs_of("app") == [job()]
    await there.put_application(replace(APPLICATION, display_name="Renamed"))
    found = await here.find_application("app")
    assert found is not None
    assert found.display_name == "Renamed"
    await there.delete_job(JOB)
    assert await here.jobs_of("app") == []


class Counting(sqlite3.Connection):
    """Counts what it is asked."""

    asked = 0

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        Counting.asked += 1
        return super().execute(*arguments)


async def test_one_job_among_many_is_as_soon_read_as_one_alone(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db", Counting)
    counts: list[int] = []
    for number in range(30):
        id = f"app {number}"
        await store.put_application(
            replace(APPLICATION, id=id, app_id=f"of {id}", principal_id=f"principal of {id}")
        )
        await store.put_job(replace(job(f"job {number}"), application_id=id))
        assert await store.find_application(id)
        Counting.asked = 0
        assert await store.find_application(f"principal of {id}")
        assert await store.jobs_of(id)
        assert await store.links(f"job {number}") == {}
        assert await store.running(f"job {number}") is None
        counts.append(Counting.asked)
    store.close()
    assert set(counts) == {counts[0]}


async def test_a_job_can_be_changed_but_for_its_status(store: Store) -> None:
    status = await store.note(JOB, Configured(is_usable=True), Started())
    assert status.code is StatusCode.NOT_RUN

    changed = replace(job(), settings={"a": "b"}, schedule=timedelta(minutes=5))
    await store.put_job(changed)

    assert await store.job(JOB) == replace(changed, status=status)
    assert await store.jobs() == [replace(changed, status=status)]
    assert await store.job("nobody's") is None


async def test_a_deleted_job_is_forgotten_with_all_that_was_remembered(
    store: Store, journal: Journal
) -> None:
    await journal.begin_cycle("c1", CycleKind.INITIAL, START)
    await governed(journal, ADA, "t1")
    await store.put_document(JOB, "schema", b"{}")
    await store.put_job(job("other"))

    await store.delete_job(JOB)

    assert [j.id for j in await store.jobs()] == ["other"]
    assert await store.document(JOB, "schema") is None
    assert await store.ledger.records(RecordQuery()) == []
    await store.put_job(job())
    again = await store.open_journal(JOB, "test")
    assert await again.recall([ADA]) == []
    assert await store.running(JOB) is None


async def test_what_asks_for_a_job_that_is_not_there_is_told(store: Store) -> None:
    for asks in (store.open_journal("nobody's", "me"), store.staged("nobody's")):
        with pytest.raises(StoreFailed, match="no job 'nobody's'"):
            await asks


async def test_documents_are_kept_by_owner_and_name(store: Store) -> None:
    assert await store.document("app", "schema") is None
    await store.put_document("app", "schema", b"{}")
    await store.put_document("app", "schema", b"\0\xff")
    await store.put_document("app", "plan", b"a plan")

    assert await store.document("app", "schema") == b"\0\xff"
    assert await store.document("app", "plan") == b"a plan"

    asked = [("app", "plan"), ("app", "none"), ("job", "schema")]
    assert await store.documents(asked) == {("app", "plan"): b"a plan"}
    assert await store.documents([]) == {}

    await store.delete_application("app")
    assert await store.document("app", "plan") is None


async def test_what_is_asked_of_a_cycle_is_told_until_it_is_taken_back(store: Store) -> None:
    await store.put_job(job())
    assert await store.asked(JOB) is None
    await store.ask(JOB, Asked.PAUSE)
    assert await store.asked(JOB) is Asked.PAUSE
    await store.ask(JOB, None)
    assert await store.asked(JOB) is None
    for asks in (store.asked("nobody's"), store.ask("nobody's", Asked.PAUSE)):
        with pytest.raises(StoreFailed, match="no job 'nobody's'"):
            await asks


async def test_the_audit_tells_the_latest_first(store: Store) -> None:
    await store.audit(START, "eve", "start", JOB)
    altered = (Altered("schedule", "PT40M", "PT20M"),)
    await store.audit(LATER, "bob", "pause", JOB, origin="10.0.0.7", altered=altered)
    await store.audit(LATER, "mal", "start", "theirs", tenant="another")

    first = Act(at=START, by="eve", activity="start", about=JOB)
    last = Act(at=LATER, by="bob", activity="pause", about=JOB, origin="10.0.0.7", altered=altered)
    assert await store.audited(5) == [last, first]
    assert await store.audited(1) == [last]
    assert await store.audited(5, before=1) == [first]
    assert [act.by for act in await store.audited(5, tenant="another")] == ["mal"]


# who may write


async def test_who_held_the_journal_before_writes_no_more(store: Store, journal: Journal) -> None:
    standing = await governed(journal, ADA, "t1")
    successor = await store.open_journal(JOB, "successor")

    with pytest.raises(Fenced):
        await show(journal, seen(ADA, name="changed"))
    with pytest.raises(Fenced):
        await journal.record(record(ADA))

    assert await recalled(successor, ADA) == standing
    assert len(await store.ledger.records(RecordQuery())) == 1


async def test_the_journal_of_a_deleted_job_writes_no_more(store: Store, journal: Journal) -> None:
    await store.delete_job(JOB)
    await store.put_job(job())

    with pytest.raises(Fenced):
        await show(journal, seen(ADA, name="Ada"))


async def test_jobs_do_not_fence_each_other(store: Store, journal: Journal) -> None:
    await store.put_job(job("other"))
    other = await store.open_journal("other", "test")

    await governed(journal, ADA, "t1")
    await governed(other, ADA, "t1")

    assert await recalled(journal, ADA) == await recalled(other, ADA)


async def test_who_looks_sees_what_is_there_and_changes_nothing(
    store: Store, journal: Journal
) -> None:
    view = await store.view_journal(JOB)
    standing = await governed(journal, ADA, "t1")

    assert await recalled(view, ADA) == standing
    with pytest.raises(Fenced):
        await view.doubt([ADA])

    await show(journal, seen(BEN, name="Ben"))
    assert await view.due(START) == [BEN]


async def test_what_is_written_to_an_overlay_is_not_written(store: Store, journal: Journal) -> None:
    standing = await governed(journal, ADA, "t1")
    await journal.attempt(standing, disables(ADA, "t1"), START)
    standing = await recalled(journal, ADA)
    await store.put_job(job("other"))

    overlay = await store.overlay_journal(JOB)
    assert await recalled(overlay, ADA) == standing
    assert await overlay.departed(START) == {ADA}
    await overlay.begin_cycle("plan", CycleKind.INCREMENTAL, START)
    await governed(overlay, BEN, "t2")
    await overlay.doubt([ADA])

    assert await recalled(journal, ADA) == standing
    assert await journal.recall([BEN]) == []
    assert await store.running(JOB) is None
    assert len(await store.ledger.records(RecordQuery())) == 1


async def test_an_overlay_does_not_see_what_is_written_afterwards(
    store: Store, journal: Journal
) -> None:
    overlay = await store.overlay_journal(JOB)

    await governed(journal, ADA, "t1")

    assert await overlay.recall([ADA]) == []


# the ledger


@pytest.mark.parametrize(
    "heard",
    [
        None,
        Heard("POST /Users", "201"),
        Heard("POST /Users"),
        Heard("POST /Users", "409", '{"userName":"ada"}', "in use \N{WHITE HEAVY CHECK MARK}"),
    ],
)
async def test_a_record_is_read_as_it_was_written(
    store: Store, journal: Journal, heard: Heard | None
) -> None:
    change = ReferencesChange("members", frozenset({target_user("t1")}), frozenset())
    told = frozen.replace(
        record(ADA, verdict=Verdict.FAILURE, code="Conflict", is_export_due=True),
        reason="it is taken",
        action=Action.CREATE,
        target=Anchor("t1"),
        target_name="Ada L.",
        changes=(AttributeChange("userName", None, ("a", 1, True)), change),
        is_reference_pass=True,
        matched_by=query("ada"),
        initiated_by="eve",
        heard=heard,
        facts=Facts(
            is_assigned=True,
            is_active=False,
            passes_filter=True,
            deciding_clause="department EQUALS Sales",
            absence=Absence.LEFT,
        ),
    )

    await journal.record(told)

    ((_, _, found),) = await store.ledger.records(RecordQuery())
    assert found == told


async def test_a_name_that_is_no_text_keeps_nobody_from_being_logged(
    store: Store, journal: Journal
) -> None:
    await journal.record(
        frozen.replace(record(ADA), source_name="Ada \ud800", target_name="\0Lovelace")
    )

    ((_, _, found),) = await store.ledger.records(RecordQuery())
    assert found.source_name.startswith("Ada")
    assert found.target_name.endswith("Lovelace")


async def test_records_are_found_by_what_they_say(store: Store, journal: Journal) -> None:
    ada = frozen.replace(
        record(ADA), target=Anchor("t1"), target_name="ada.l", action=Action.CREATE
    )
    ben = record(BEN, cycle="c2", verdict=Verdict.FAILURE, code="Conflict", at=LATER)
    await journal.record(ada)
    await journal.record(ben)

    async def found(**narrowed: object) -> list[object]:
        wanted = RecordQuery(**narrowed)  # pyright: ignore[reportArgumentType]
        return [told for _, _, told in await store.ledger.records(wanted)]

    assert await found() == [ben, ada]
    assert await found(is_descending=False) == [ada, ben]
    assert await found(limit=1) == [ben]
    for narrowed in (
        {"cycle": "c1"},
        {"change": ada.change},
        {"until": LATER},
        {"action": "create"},
        {"verdict": "success"},
        {"about": "ada"},
        {"about": "t1"},
        {"about": "Name of ada"},
        {"about": "ada.l"},
        {"id": "ada"},
        {"id": "t1"},
        {"naming": "t1"},
        {"naming": "of ada"},
        {"naming": "da.l"},
        {"naming": "of ada", "job": JOB, "cycle": "c1"},
    ):
        assert await found(**narrowed) == [ada]
    for nobody in ({"id": "Name of ada"}, {"naming": "t"}, {"naming": "OF ADA"}):
        assert await found(**nobody) == []
    assert await found(since=LATER, code="Conflict", job=JOB) == [ben]
    assert await found(job="nobody's") == []


async def test_records_are_paged_by_position(store: Store, journal: Journal) -> None:
    for number in range(5):
        await journal.record(record(key(f"u{number}")))

    (first, _, _), (second, _, _) = await store.ledger.records(RecordQuery(limit=2))
    assert first > second

    rest = await store.ledger.records(RecordQuery(after=second))
    assert [told.key.anchor for _, _, told in rest] == ["u2", "u1", "u0"]
    newer = await store.ledger.records(RecordQuery(after=second, is_descending=False))
    assert [told.key.anchor for _, _, told in newer] == ["u4"]
    between = await store.ledger.records(RecordQuery(after=first, end=second - 2))
    assert [told.key.anchor for _, _, told in between] == ["u3", "u2"]
    upwards = RecordQuery(after=second - 2, end=first, is_descending=False)
    assert [told.key.anchor for _, _, told in await store.ledger.records(upwards)] == ["u2", "u3"]


async def test_records_of_a_time_are_found_among_many_cycles(
    store: Store, journal: Journal
) -> None:
    for day in range(5):
        at = START + timedelta(days=day)
        await journal.begin_cycle(f"c{day}", CycleKind.INCREMENTAL, at)
        for hour in range(3):
            told = record(key(f"u{day}{hour}"), cycle=f"c{day}", at=at + timedelta(hours=hour))
            await journal.record(told)
        await journal.end_cycle(ended(f"c{day}", at, await journal.recount()))

    async def found(since: float, until: float) -> list[str]:
        moments = [START + timedelta(days=days) for days in (since, until)]
        query = RecordQuery(since=moments[0], until=moments[1], is_descending=False)
        return [told.key.anchor for _, _, told in await store.ledger.records(query)]

    assert await found(1, 2) == ["u10", "u11", "u12"]
    assert await found(1 + 1 / 24, 2 + 1 / 24) == ["u11", "u12", "u20"]
    assert await found(-1, 0) == []
    assert len(await found(-1, 9)) == 15


async def test_cycles_keep_their_counts_when_records_are_folded(
    store: Store, journal: Journal
) -> None:
    await journal.begin_cycle("c1", CycleKind.INCREMENTAL, START)
    await journal.record(record(ADA, is_exported=True))
    await journal.end_cycle(ended("c1", START, await journal.recount()))
    await journal.begin_cycle("c2", CycleKind.INCREMENTAL, START)
    await journal.record(record(ADA, cycle="c2", is_exported=True))
    await journal.record(record(BEN, cycle="c1", at=LATER))

    assert await store.ledger.fold(LATER) == 1

    assert [told.cycle for _, _, told in await store.ledger.records(RecordQuery())] == ["c1", "c2"]
    assert (await journal.recount()).exported == 1
    (cycle,) = await store.ledger.cycles(JOB, 5)
    assert cycle.counts.exported == 1


async def test_the_latest_cycles_come_first(store: Store, journal: Journal) -> None:
    for number in range(3):
        await journal.begin_cycle(f"c{number}", CycleKind.INCREMENTAL, START)
        await journal.end_cycle(ended(f"c{number}", START, await journal.recount()))

    assert [cycle.id for cycle in await store.ledger.cycles(JOB, 2)] == ["c2", "c1"]
    assert await store.ledger.cycles("nobody's", 2) == []
