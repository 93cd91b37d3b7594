"""Procrastinate as the queue: tasks in the PostgreSQL that the store is in.

It listens to nothing and prepares nothing on its connections, so that PgBouncer may stand between.
Each of its statements is a transaction of its own.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg
from procrastinate import App, PsycopgConnector, exceptions
from procrastinate.jobs import DeleteJobCondition, Job, Status
from psycopg_pool import AsyncConnectionPool

from provisor.errors import StoreFailed
from provisor.runtime.distributed import HELP, Errand, Urgency

QUEUE, TASK, SEAT = "provisor", "provisor.cycle", "provisor.seat"
POLL_S: Final = 0.5
CONNECTIONS_MAX: Final = 4
OUTSTANDING = """
SELECT DISTINCT args ->> 'job' AS job FROM procrastinate_jobs
WHERE queue_name = %(queue)s AND task_name = %(task)s AND (status = 'doing'
    OR status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= now()))
"""
ALIVE = """
SELECT count(*) AS workers FROM procrastinate_workers
WHERE last_heartbeat >= now() - make_interval(secs => %(seconds)s)
"""
IS_MADE = "SELECT to_regclass('procrastinate_jobs') IS NOT NULL AS is_made"


@dataclass(slots=True)
class ProcrastinateQueue:
    """Implements `distributed.Queue`."""

    address: str
    dead_after_s: float
    """A worker that has given no sign of life for so long has lost its jobs' leases."""
    _app: App = field(init=False)
    _run: Callable[[Errand], Awaitable[None]] | None = None
    _help: Callable[[str], Awaitable[None]] | None = None

    def __post_init__(self) -> None:
        self._app = App(
            connector=PsycopgConnector(
                conninfo=self.address,
                min_size=1,
                max_size=CONNECTIONS_MAX,
                timeout=10.0,
                kwargs={
                    "autocommit": True,
                    "prepare_threshold": None,
                    "application_name": "provisor-queue",
                },
                pool_factory=_pool,
            )
        )
        self._app.task(name=TASK, queue=QUEUE)(self._carry_out)
        self._app.task(name=SEAT, queue=QUEUE)(self._take_seat)

    async def _carry_out(self, *, job: str, urgency: int, is_reconciled: bool) -> None:
        assert self._run is not None, "only who works is given errands"
        await self._run(Errand(job=job, urgency=Urgency(urgency), is_reconciled=is_reconciled))

    async def _take_seat(self, *, job: str) -> None:
        assert self._help is not None, "only who works is invited"
        await self._help(job)

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[None]:
        async with self._app.open_async():
            with _named():
                await self._make()
            yield

    async def _make(self) -> None:
        """Make its tables; whoever comes second finds them made."""
        if await self._is_made():
            return
        try:
            await self._app.schema_manager.apply_schema_async()
        except exceptions.ConnectorException:
            if not await self._is_made():
                raise

    async def _is_made(self) -> bool:
        row = await self._app.connector.execute_query_one_async(IS_MADE)
        return bool(row["is_made"])

    async def put(self, errands: Sequence[Errand]) -> None:
        """All go in one statement; where one of them waits already, none does: then each half."""
        if not errands:
            return
        try:
            with _named():
                await self._app.job_manager.batch_defer_jobs_async([*map(_put, errands)])
        except exceptions.AlreadyEnqueued:
            if len(errands) > 1:
                middle = len(errands) // 2
                await self.put(errands[:middle])
                await self.put(errands[middle:])

    async def outstanding(self) -> frozenset[str]:
        with _named():
            found = await self._app.connector.execute_query_all_async(
                OUTSTANDING, queue=QUEUE, task=TASK
            )
        return frozenset(str(row["job"]) for row in found)

    async def others(self) -> int:
        with _named():
            row = await self._app.connector.execute_query_one_async(
                ALIVE, seconds=self.dead_after_s
            )
        return max(int(row["workers"]) - 1, 0)

    async def invite(self, job: str, seat: int) -> None:
        name = f"{job}#{seat}"
        deferrer = self._app.configure_task(
            SEAT,
            allow_unknown=True,
            queue=QUEUE,
            lock=name,
            queueing_lock=name,
            priority=HELP,
        )
        with _named(), suppress(exceptions.AlreadyEnqueued):
            await deferrer.defer_async(job=job)

    async def bury(self) -> None:
        manager = self._app.job_manager
        with _named():
            stalled = await manager.get_stalled_jobs(
                queue=QUEUE, seconds_since_heartbeat=self.dead_after_s
            )
            for job in stalled:
                if job.id is not None:
                    await manager.finish_job_by_id_async(job.id, Status.FAILED, delete_job=True)

    async def work(
        self,
        run: Callable[[Errand], Awaitable[None]],
        help: Callable[[str], Awaitable[None]],
        concurrency: int,
    ) -> None:
        self._run, self._help = run, help
        with _named():
            await self._app.run_worker_async(
                queues=[QUEUE],
                concurrency=concurrency,
                listen_notify=False,
                fetch_job_polling_interval=POLL_S,
                abort_job_polling_interval=60.0,
                delete_jobs=DeleteJobCondition.ALWAYS,
                install_signal_handlers=False,
                update_heartbeat_interval=self.dead_after_s / 4,
                stalled_worker_timeout=self.dead_after_s,
            )


def _put(errand: Errand) -> Job:
    is_asked = errand.urgency is not Urgency.DUE
    return Job(
        id=None,
        task_name=TASK,
        queue=QUEUE,
        lock=errand.job,
        queueing_lock=f"{errand.job}{'!' if is_asked else ''}",
        priority=int(errand.urgency),
        scheduled_at=errand.not_before,
        task_kwargs={
            "job": errand.job,
            "urgency": int(errand.urgency),
            "is_reconciled": errand.is_reconciled,
        },
    )


def _pool(*, check: object, **arguments: Any) -> AsyncConnectionPool:
    return AsyncConnectionPool(**arguments, check=_is_there)


async def _is_there(connection: psycopg.AsyncConnection[Any]) -> None:
    """Raise an OperationalError where the server has closed a connection: to ask it would cost as
    much as what is to be asked. First comes what it said of that, if anything, then the end."""
    for _ in range(2):
        connection.pgconn.consume_input()


@contextmanager
def _named() -> Generator[None]:
    """Turn what goes wrong with the queue into a StoreFailed: it lies where the store does."""
    try:
        yield
    except (exceptions.ConnectorException, psycopg.Error) as error:
        raise StoreFailed(f"the queue in PostgreSQL failed ({error})") from error
