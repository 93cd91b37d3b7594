"""What is to be told is kept with the status that it is about, and given out once at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from provisor.errors import Fenced
from provisor.model.cycles import Counts, Halt, JobError, QuarantineReason
from provisor.model.notices import Notice, NoticeKind
from provisor.planner.status import Configured, QuarantinedOnDemand, Started
from provisor.ports import WAITING_MAX, Journal
from provisor.store.memory import MemoryStore
from provisor.store.sqlite.store import SqliteStore
from tests.contracts.store.building import JOB, START, ended, job, now_or_never
from tests.contracts.store.conftest import Store

LATER, LONG_AFTER = START + timedelta(minutes=5), START + timedelta(days=1)
EXPIRES = Notice(key="expires", kind=NoticeKind.CREDENTIALS_EXPIRE, at=START, expires=LONG_AFTER)


async def quarantine(store: Store) -> None:
    await store.note(
        JOB, Configured(is_usable=True), Started(), QuarantinedOnDemand(START, "look at this")
    )


async def test_a_quarantine_waits_to_be_told(store: Store) -> None:
    assert await store.take_notice(START, LATER) is None
    await quarantine(store)
    pending = await store.take_notice(START, LATER)
    assert pending is not None
    assert (pending.job, pending.attempts, pending.sent) == (JOB, 0, frozenset())
    assert pending.notice.kind is NoticeKind.QUARANTINED
    assert pending.notice.reason == "QuarantinedOnDemand"


async def test_a_cycle_is_told_of_in_the_transaction_that_ends_it(
    store: Store, journal: Journal
) -> None:
    await store.note(JOB, Configured(is_usable=True), Started())
    halt = Halt(QuarantineReason.TOO_MANY_DELETES, JobError(code="TooManyDeletes", message=""))
    cycle = replace(ended("c1", START, Counts(staged=3)), halt=halt)
    await store.open_journal(JOB, "another")
    with pytest.raises(Fenced):
        await journal.end_cycle(cycle)
    assert await store.take_notice(LONG_AFTER, LONG_AFTER) is None

    await (await store.open_journal(JOB, "a third")).end_cycle(cycle)
    pending = await store.take_notice(LONG_AFTER, LONG_AFTER + timedelta(1))
    assert pending is not None
    assert (pending.notice.kind, pending.notice.count) == (NoticeKind.DEPARTURES_STAGED, 3)


async def test_who_took_a_notice_has_it_alone_until_it_must_have_died(store: Store) -> None:
    await quarantine(store)
    first = await store.take_notice(START, LATER)
    assert await store.take_notice(START, LATER) is None
    again = await store.take_notice(LATER, LONG_AFTER)
    assert first is not None
    assert again is not None
    assert (again.number, again.attempts) == (first.number, 1)


async def test_what_was_told_is_not_told_again(store: Store) -> None:
    await quarantine(store)
    pending = await store.take_notice(START, LATER)
    assert pending is not None
    await store.put_back_notice(pending, frozenset({"mail"}), LATER)
    pending = await store.take_notice(LATER, LONG_AFTER)
    assert pending is not None
    assert pending.sent == {"mail"}
    await store.put_back_notice(pending, frozenset({"mail", "webhook"}), None)
    assert await store.take_notice(LONG_AFTER, LONG_AFTER) is None


async def test_what_no_status_is_behind_is_announced_once(store: Store) -> None:
    await store.announce(JOB, EXPIRES)
    await store.announce(JOB, replace(EXPIRES, at=LATER))
    pending = await store.take_notice(START, LATER)
    assert pending is not None
    assert pending.notice == EXPIRES
    await store.put_back_notice(pending, frozenset(), None)
    await store.announce(JOB, EXPIRES)
    assert await store.take_notice(LONG_AFTER, LONG_AFTER) is None


async def test_of_a_job_that_is_gone_nothing_is_told(store: Store) -> None:
    await quarantine(store)
    await store.delete_job(JOB)
    assert await store.take_notice(LONG_AFTER, LONG_AFTER) is None


async def test_what_was_decided_outlives_the_process(open_store: Callable[[], SqliteStore]) -> None:
    before = open_store()
    await before.put_job(job())
    await quarantine(before)
    before.close()
    after = open_store()
    assert await after.take_notice(START, LATER) is not None
    assert await open_store().take_notice(START, LATER) is None


def test_a_plan_tells_nobody(store: Store) -> None:
    async def planned() -> None:
        await store.note(JOB, Configured(is_usable=True), Started())
        overlay = await store.overlay_journal(JOB)
        halt = Halt(QuarantineReason.EXCEPTION, JobError(code="x", message=""))
        await overlay.end_cycle(replace(ended("c1", START, Counts()), halt=halt))
        assert await store.take_notice(LONG_AFTER, LONG_AFTER) is None

    now_or_never(planned())


async def test_a_whole_tenant_is_told_what_is_of_no_job(store: Store) -> None:
    key = replace(EXPIRES, kind=NoticeKind.KEY_EXPIRES, tenant="t")
    await store.announce("", key)
    await store.announce("", key)
    pending = await store.take_notice(START, LATER)
    assert pending is not None
    assert (pending.job, pending.notice) == ("", key)
    await store.put_back_notice(pending, frozenset(), None)
    await store.announce("", key)
    await store.delete_job(JOB)
    assert await store.take_notice(LONG_AFTER, LONG_AFTER) is None


async def test_what_was_told_is_forgotten_but_for_what_may_come_up_again(store: Store) -> None:
    """One row for each date that is still to come, whatever was told in the years before."""
    for day in range(30):
        now = START + timedelta(days=day)
        expires = replace(EXPIRES, key=f"expires {day}", at=now, expires=now + timedelta(days=7))
        passing = Notice(key=f"quarantine {day}", kind=NoticeKind.QUARANTINED, at=now)
        for notice in (expires, passing):
            await store.announce(JOB, notice)
            pending = await store.take_notice(now, now)
            assert pending is not None
            assert pending.notice == notice
            await store.put_back_notice(pending, frozenset({"mail"}), None)
        await store.announce(JOB, expires)
        assert await store.take_notice(now, now) is None
    assert how_many(store) <= 9


async def test_what_nobody_ever_takes_does_not_pile_up(store: Store) -> None:
    told = replace(EXPIRES, expires=START + timedelta(days=900))
    await store.announce(JOB, told)
    pending = await store.take_notice(START, START)
    assert pending is not None
    await store.put_back_notice(pending, frozenset({"mail"}), None)
    for day in range(WAITING_MAX + 50):
        at = START + timedelta(days=day)
        await store.announce(JOB, Notice(key=f"q {day}", kind=NoticeKind.QUARANTINED, at=at))
    assert how_many(store) == WAITING_MAX + 1
    await store.announce(JOB, told)
    first = await store.take_notice(LONG_AFTER, LONG_AFTER)
    assert first is not None
    assert first.notice.key == "q 50", "the oldest made room, and what was told stays told"


def how_many(store: Store) -> int:
    if isinstance(store, MemoryStore):
        return len(store.state.notices)
    return int(cast(Any, store)._run("SELECT count(*) FROM notice").fetchone()[0])
