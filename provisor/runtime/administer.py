"""What administrators do to a job, also while a cycle of it runs in another process."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection, Mapping
from contextlib import asynccontextmanager

from provisor.engine.drift import accept, reassert
from provisor.engine.work import Mandate
from provisor.model.audit import Altered
from provisor.model.decisions import AttributeChange, StandingKey
from provisor.model.jobs import Asked, Job, ResetScope
from provisor.planner.diff import redact
from provisor.planner.status import Restarted, Started, Stopped
from provisor.ports import Journal, StagedView
from provisor.runtime.lease import asking_soon, lease_when_free
from provisor.runtime.parts import Parts
from provisor.runtime.told import changes

USUAL_RESTART = ResetScope.QUARANTINE_STATE | ResetScope.WATERMARK | ResetScope.ESCROWS
"""What Graph forgets when nothing is said (spec: behaviour 15)."""


TOLD_MAX = 200
"""So many objects are named in the audit; all are counted."""


@asynccontextmanager
async def stopped(
    parts: Parts, job: Job, asked: Asked, on_wait: Callable[[], object]
) -> AsyncGenerator[Journal]:
    """Have a running cycle stop at its next object, and hold the job meanwhile. Raises Busy."""
    async with asking_soon(parts.leases, job.id, parts.clock):
        await parts.registry.ask(job.id, asked)
        try:
            async with lease_when_free(parts.leases, job.id, parts.clock, on_wait):
                yield await parts.registry.open_journal(job.id, parts.holder)
        finally:
            if await parts.registry.job(job.id) is not None:
                await parts.registry.ask(job.id, None)


async def start(parts: Parts, job: Job, by: str) -> None:
    """Let the schedule run the job; the next cycle is due at once if its time has come."""
    await parts.registry.note(job.id, Started())
    await _audit(parts, by, "Enable/start provisioning configuration", job)


async def pause(parts: Parts, job: Job, by: str, on_wait: Callable[[], object]) -> None:
    async with stopped(parts, job, Asked.PAUSE, on_wait):
        await parts.registry.note(job.id, Stopped())
    await _audit(parts, by, "Disable/pause provisioning configuration", job)


async def restart(
    parts: Parts, job: Job, scope: ResetScope, by: str, on_wait: Callable[[], object]
) -> StagedView | None:
    """Forget what `scope` says, and start the job; return what ForceDeletes released."""
    released = None
    async with stopped(parts, job, Asked.RESTART, on_wait) as journal:
        if ResetScope.FORCE_DELETES in scope:
            released = await parts.registry.staged(job.id)
            if released.hash:
                now = parts.clock.now()
                await parts.registry.approve(job.id, released.hash, by, now)
        forgets = scope & ResetScope.FULL
        if forgets:
            await journal.reset(forgets)
        await parts.registry.note(job.id, Restarted(scope))
    forgotten = Altered("resetScope", "", ", ".join(map(_word, scope)))
    await _audit(parts, by, "Enable/restart provisioning configuration", job, forgotten)
    return released


async def delete(parts: Parts, job: Job, by: str, on_wait: Callable[[], object]) -> None:
    """Forget the job. Nothing is sent: the accounts it made stay."""
    async with stopped(parts, job, Asked.DELETE, on_wait):
        await parts.registry.delete_job(job.id)
    await _audit(parts, by, "Delete provisioning configuration", job)


async def disconnect(parts: Parts, job: Job, key: StandingKey, by: str) -> None:
    """Forget the link of one object, while no cycle runs. The account stays. Raises Busy."""
    async with lease_when_free(parts.leases, job.id, parts.clock, lambda: None):
        journal = await parts.registry.open_journal(job.id, parts.holder)
        await journal.disconnect(key)
    about = f"{job.name} {job.id}: {key.mapping} {key.anchor}"
    await parts.registry.audit(parts.clock.now(), by, "Delete object connection", about)


async def retry(parts: Parts, job: Job, keys: Collection[StandingKey], about: str, by: str) -> int:
    """Let what failed be due at once, while no cycle runs; return how many objects. Raises Busy."""
    async with lease_when_free(parts.leases, job.id, parts.clock, lambda: None):
        journal = await parts.registry.open_journal(job.id, parts.holder)
        hastened = await journal.hasten(keys, parts.clock.now())
    told = f"{job.name} {job.id}: {about}"
    await parts.registry.audit(parts.clock.now(), by, "Retry escrows", told)
    return hastened


async def accept_drift(
    parts: Parts,
    job: Job,
    mandate: Mandate,
    wanted: Mapping[StandingKey, Collection[str]],
    by: str,
) -> int:
    """Let be what the target says of these attributes, while no cycle runs; return how many.

    Raises Busy.
    """
    async with lease_when_free(parts.leases, job.id, parts.clock, lambda: None):
        journal = await parts.registry.open_journal(job.id, parts.holder)
        done = await accept(mandate, wanted, journal, parts.clock.now())
    told = [
        Altered(f"{key.mapping} {key.anchor}: {one.name}", *_let_be(mandate, key, one))
        for key, one in done[:TOLD_MAX]
    ]
    about = f"{job.name} {job.id}: {_many(len(done), 'attribute')}"
    await parts.registry.audit(parts.clock.now(), by, "Accept drift", about, altered=told)
    return len(done)


def _let_be(mandate: Mandate, key: StandingKey, change: AttributeChange) -> tuple[str, str]:
    """Return what the rules ask for, and what the target says and is let be, as it may be told."""
    mapping = mandate.rules[key.mapping]
    hidden = {m.target.name for m in mapping.attributes if m.is_redacted}
    (shown_one,) = changes(redact((change,), hidden.__contains__))
    return str(shown_one["after"] or ""), str(shown_one["before"] or "")


async def reassert_drift(
    parts: Parts, job: Job, wanted: Mapping[StandingKey, Collection[str]], by: str
) -> int:
    """Have the next cycle put right what others changed; return how many objects. Raises Busy."""
    async with lease_when_free(parts.leases, job.id, parts.clock, lambda: None):
        journal = await parts.registry.open_journal(job.id, parts.holder)
        count = await reassert(wanted, journal)
    told = [
        Altered(f"{key.mapping} {key.anchor}", "", ", ".join(sorted(names)))
        for key, names in list(wanted.items())[:TOLD_MAX]
    ]
    about = f"{job.name} {job.id}: {_many(count, 'object')}"
    await parts.registry.audit(parts.clock.now(), by, "Re-assert drift", about, altered=told)
    return count


def _many(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"


async def _audit(parts: Parts, by: str, activity: str, job: Job, *more: Altered) -> None:
    """Have it on record, with the status before and after; none after: the job is gone."""
    now = await parts.registry.job(job.id)
    old, new = _standing(job), _standing(now)
    changes = [Altered(name, old[name], new[name]) for name in old if old[name] != new[name]]
    about = f"{job.name} {job.id}"
    await parts.registry.audit(parts.clock.now(), by, activity, about, altered=(*changes, *more))


def _word(scope: ResetScope) -> str:
    """Return how Graph calls one thing that a restart forgets."""
    return "".join(part.capitalize() for part in (scope.name or "").split("_"))


def _standing(job: Job | None) -> dict[str, str]:
    if job is None:
        return dict.fromkeys(("status", "schedule"), "")
    return {"status": job.status.code.value, "schedule": job.status.schedule_state.value}
