"""Who is due is found without looking at who is not, and is who is due by the status."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import psycopg
import pytest

from provisor.model.cycles import (
    Counts,
    Cycle,
    CycleKind,
    CycleResult,
    Halt,
    JobError,
    QuarantineReason,
)
from provisor.model.jobs import Application, ResetScope
from provisor.planner.schedule import Due, next_start
from provisor.planner.status import (
    Configured,
    Event,
    QuarantinedOnDemand,
    Restarted,
    Started,
    Stopped,
    Unquarantined,
)
from provisor.store.postgresql import PostgresStore
from provisor.store.postgresql.spelling import spelt
from provisor.store.sql.due import DUE
from tests.contracts.store.building import MINUTE, START, job, now_or_never
from tests.contracts.store.conftest import Store

DENIED = Halt(QuarantineReason.EXCEPTION, JobError(code="Denied", message="The target refused us."))
LOOKS = [START + n * timedelta(minutes=17) for n in range(-2, 40)]
OWNERS = ("", "contoso", "fabrikam")


async def derived(store: Store, now: datetime) -> list[Due]:
    """Return who is due by what the statuses say."""
    owners = {one.id: one.tenant for one in await store.applications()}
    times = [(next_start(j.status, j.schedule, now), j) for j in await store.jobs()]
    return sorted(
        Due(at, j.id, owners.get(j.application_id, ""))
        for at, j in times
        if at is not None and at <= now
    )


async def cycle(store: Store, id: str, number: int, began: datetime, chance: Random) -> None:
    """Let a cycle of a job come to whatever end; now and then its process dies in it."""
    journal = await store.open_journal(id, "test")
    await journal.begin_cycle(f"{id} {number}", CycleKind.INCREMENTAL, began)
    if chance.random() < 0.2:
        return
    halt = DENIED if chance.random() < 0.2 else None
    is_cut_short = halt is None and chance.random() < 0.2
    failed = halt is not None or is_cut_short or chance.random() < 0.2
    await journal.end_cycle(
        Cycle(
            id=f"{id} {number}",
            kind=CycleKind.INCREMENTAL,
            began=began,
            ended=began + chance.randrange(90) * MINUTE,
            result=CycleResult.FAILED if failed else CycleResult.SUCCEEDED,
            counts=Counts(),
            error=halt.error if halt else None,
            halt=halt,
            is_cut_short=is_cut_short,
        )
    )


def event(chance: Random, now: datetime) -> Event:
    return chance.choice(
        [
            Configured(is_usable=chance.random() < 0.7),
            Started(),
            Started(),
            Stopped(),
            Restarted(ResetScope.FULL),
            Restarted(ResetScope.QUARANTINE_STATE),
            Unquarantined(),
            QuarantinedOnDemand(now, "tried on demand"),
        ]
    )


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_happens_the_store_finds_those_who_are_due_by_their_status(
    store: Store, seed: int
) -> None:
    chance, ids = Random(seed), ["people", "teams", "rooms"]
    for owner in OWNERS:
        await store.put_application(
            Application(
                id=f"app {owner}", app_id=f"{owner} a", principal_id=f"{owner} p", name=owner,
                display_name=owner, template_id="scim", tenant=owner,
            )
        )  # fmt: skip
    for number in range(40):
        id, at = chance.choice(ids), START + number * 11 * MINUTE
        match chance.randrange(4):
            case 0:
                schedule = chance.choice([5, 40, 600]) * MINUTE
                owner = f"app {chance.choice(OWNERS)}"
                await store.put_job(replace(job(id), schedule=schedule, application_id=owner))
            case 1 if await store.job(id) is not None:
                await cycle(store, id, number, at, chance)
            case 2 if id != "people" and chance.random() < 0.2:
                await store.delete_job(id)
            case _ if await store.job(id) is not None:
                await store.note(id, event(chance, at))
            case _:
                continue
        for now in (at, chance.choice(LOOKS)):
            assert sorted(await store.due(now)) == await derived(store, now)


async def test_what_was_due_first_comes_first_and_who_has_never_run_is_due_now(
    store: Store,
) -> None:
    for id in ("early", "late", "new"):
        await store.put_job(replace(job(id), schedule=MINUTE))
        await store.note(id, Configured(is_usable=True), Started())
    for id, began in (("early", START), ("late", START + MINUTE)):
        journal = await store.open_journal(id, "test")
        await journal.begin_cycle(id, CycleKind.INITIAL, began)
        await journal.end_cycle(
            Cycle(
                id=id, kind=CycleKind.INITIAL, began=began, ended=began + MINUTE,
                result=CycleResult.SUCCEEDED, counts=Counts(),
            )
        )  # fmt: skip

    now = START + 5 * MINUTE
    found = {one.job: one.at for one in await store.due(now)}

    assert found == {"early": START + MINUTE, "late": START + 2 * MINUTE, "new": now}
    assert [id for id in (one.job for one in await store.due(now)) if id != "new"] == [
        "early", "late",
    ]  # fmt: skip


async def test_whose_jobs_are_is_told_of_those_that_exist(store: Store) -> None:
    owner = Application(
        id="app", app_id="a", principal_id="p", name="app", display_name="app",
        template_id="scim", tenant="contoso",
    )  # fmt: skip
    await store.put_application(owner)

    assert await store.tenants_of(["people", "nobody's"]) == {"people": "contoso"}

    await store.put_application(replace(owner, tenant="fabrikam"))
    assert await store.tenants_of(["people"]) == {"people": "fabrikam"}


def test_what_an_older_version_wrote_counts_once_it_is_noted_again(pg_store: str) -> None:
    """While workers are upgraded one by one, the older ones write statuses, and nothing else."""
    store = PostgresStore(pg_store)
    now_or_never(store.put_job(job()))
    now_or_never(store.note("people", Configured(is_usable=True), Started()))
    with psycopg.connect(pg_store, autocommit=True) as older:
        older.execute("UPDATE job SET due_at = NULL")
    assert now_or_never(store.due(START)) == []

    now_or_never(store.note("people"))

    assert [one.job for one in now_or_never(store.due(START))] == ["people"]
    store.close()


def test_those_who_are_not_due_are_not_looked_at(fresh_store: Path) -> None:
    with closing(sqlite3.connect(fresh_store)) as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {DUE}", (0,)).fetchall()
    assert "job_due (due_at<?)" in str(plan)


def test_those_who_are_not_due_are_not_looked_at_on_postgresql(pg_store: str) -> None:
    PostgresStore(pg_store).close()
    with psycopg.connect(pg_store) as connection:
        connection.execute("SET enable_seqscan = off")
        plan = connection.execute(f"EXPLAIN {spelt(DUE)}".encode(), (0,)).fetchall()
    assert "Index Cond: (due_at <=" in str(plan)
