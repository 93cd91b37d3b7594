"""Keeping a server going: the API in one process, the schedule in another."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, cast
from uuid import UUID

from provisor.app.machine import docs
from provisor.app.observed import Observed, measured_with, store_bytes
from provisor.app.rooms import Rooms
from provisor.app.telling import notifier_of
from provisor.cli.places import FILE
from provisor.cli.workspace import ServeOptions, Telling
from provisor.errors import StoreFailed
from provisor.runtime.distributed import Crew, Queue, nobody_helps
from provisor.runtime.interruption import Interruption
from provisor.runtime.sharing import Table
from provisor.settings.problems import Problems
from provisor.settings.stored import Tenant, load_tenant, put_tenant
from provisor.settings.yamlfile import load
from provisor.store.owners import HOME
from provisor.telemetry.catalog import CERTIFICATE_EXPIRES
from provisor.telemetry.logs import configure
from provisor.telemetry.measures import Gathered, Meter

if TYPE_CHECKING:
    from provisor.app.demonstration import Demonstration
    from provisor.graph.http.certificate import Certificate
    from provisor.graph.http.opening import Composed


async def serve_workspace(
    rooms: Rooms,
    options: ServeOptions,
    interruption: Interruption,
    began: Callable[[str], None],
) -> None:
    """Serve API and schedule. What only this needs is imported here, since it takes a while."""
    from provisor.app.console import with_console
    from provisor.app.demonstration import Demonstration
    from provisor.graph.http.measured import Measured
    from provisor.graph.http.opening import Front, open_house
    from provisor.graph.http.server import serve
    from provisor.runtime.census import Census
    from provisor.runtime.distributed import Elsewhere
    from provisor.runtime.worker import Schedule, Worker

    telling, meter = options.telling, Meter()
    configure(telling.format, telling.level)
    watched = Observed(meter, telling, rooms.clock)
    rooms = replace(rooms, is_exposed=options.is_exposed, watching=watched.watching)
    front = Front(
        host=options.host,
        public_url=options.public_url,
        hosts=options.hosts,
        proxies=options.proxies,
        issuer=options.issuer,
        audience=options.audience,
        keys_url=options.keys_url,
    )

    await _adopt_tenant(rooms)
    demonstration = Demonstration(rooms.folder)
    worker: Schedule = (
        Worker(_schedule_command(rooms, telling), interruption)
        if options.runs
        else Elsewhere(queue_of(rooms), interruption)
    )
    measured = Measured(
        census=Census(rooms.for_all(), lambda: store_bytes(rooms.folder)),
        gathered=worker.gathered if isinstance(worker, Worker) else Gathered(),
        meter=meter,
        is_local_open=options.has_local_metrics,
    )
    service = await open_house(
        rooms.for_all(),
        rooms.parts,
        partial(_composed, rooms, demonstration),
        front,
        worker,
        measured,
        rooms.opened.prove,
    )
    await demonstration.resume()
    try:
        await serve(
            with_console(service, rooms, options.sign_in),
            service.early,
            host=options.host,
            port=options.port,
            tls=_certificate(options, rooms, meter),
            beside=worker.run,
            interruption=interruption,
            began=began,
        )
    finally:
        await demonstration.close()
        await watched.close()


def _certificate(options: ServeOptions, rooms: Rooms, meter: Meter) -> Certificate | None:
    """Return what the server shows clients, if they come by TLS."""
    from provisor.graph.http.certificate import Certificate

    if options.certificate is None or options.key is None:
        return None
    return Certificate(
        chain=options.certificate,
        key=options.key,
        clock=rooms.clock,
        expires=lambda at: meter.set(CERTIFICATE_EXPIRES, value=at.timestamp()),
    )


async def _adopt_tenant(rooms: Rooms) -> None:
    """Let a store that is served before anything was applied be of the tenant that the file names:
    else the first `apply` would find it to be of another."""
    registry, file = rooms.parts(HOME).registry, rooms.folder / FILE
    if not file.exists() or await load_tenant(registry) is not None:
        return
    said = load(file, Problems(file)).get("tenant")
    id = cast("dict[str, object]", said).get("id") if isinstance(said, dict) else None
    with suppress(ValueError):  # whoever applies the file is told
        await put_tenant(registry, Tenant(id=str(UUID(str(id)))))


async def _composed(rooms: Rooms, demonstration: Demonstration, tenant: str) -> Composed:
    """Return what the API is told of a tenant's applications and jobs."""
    from provisor.graph.http.opening import Composed

    composer = rooms.composer(tenant)
    connections = composer.connections
    return Composed(
        base=await connections.base(),
        docs=docs(),
        missing=connections.missing,
        connection=connections.side,
        door=connections.door,
        hidden=connections.hidden,
        rules=composer.mandates.rules,
        mandate=composer.mandates.mandate,
        probe=composer.probe,
        log_context=composer.views.log_context,
        demonstration=demonstration if tenant == HOME else None,
    )


def _schedule_command(rooms: Rooms, telling: Telling) -> tuple[str, ...]:
    """Return what starts the schedule, which tells operators as the server does."""
    itself = (sys.executable, "-m", "provisor", "--workspace", str(rooms.folder), "serve")
    told = ["--only-schedule", *(["--exposed"] if rooms.is_exposed else [])]
    told += ["--log-format", telling.format.value, "--log-level", telling.level.value]
    if telling.collector:
        told += ["--otlp-endpoint", telling.collector, "--trace-objects", str(telling.traced)]
    return (*itself, *told)


async def keep_schedule(rooms: Rooms, interruption: Interruption, telling: Telling) -> None:
    """Run jobs when they are due, and tell of them, for a process that serves the API."""
    from provisor.graph.http.opening import turns_of
    from provisor.runtime.scheduler import Scheduler
    from provisor.runtime.worker import obey, report

    configure(telling.format, telling.level)
    meter = Meter()
    watched = Observed(meter, telling, rooms.clock)
    rooms = replace(rooms, watching=watched.watching)
    beside = (
        asyncio.create_task(notifier_of(rooms).run(interruption)),
        asyncio.create_task(report(lambda: measured_with(meter, rooms.paces), rooms.clock)),
    )
    try:
        turns = turns_of(rooms.for_all(), interruption, meter)
        await obey(Scheduler(turns=turns), interruption)
    finally:
        for task in beside:
            task.cancel()
        await watched.close()


async def work(
    rooms: Rooms,
    interruption: Interruption,
    concurrency: int,
    tenant_cycles: int | None,
    shared_from: int | None,
    telling: Telling,
    listening: tuple[str, int] | None,
    began: Callable[[str], None],
) -> None:
    """Run cycles that any of the workers hands out, and tell of them; where it is to listen, also
    to whoever asks how it is. Raises StoreFailed, OSError."""
    from provisor.graph.http.opening import turns_of

    configure(telling.format, telling.level)
    meter = Meter()
    watched = Observed(meter, telling, rooms.clock)
    rooms = replace(rooms, watching=watched.watching)
    queue, parts = queue_of(rooms), rooms.for_all()
    table = None
    if rooms.opened.sharing is not None:
        table = Table(parts, rooms.opened.sharing, queue, interruption, shared_from or 0)
        parts = replace(parts, leading=table.lead) if shared_from is not None else parts
    turns = turns_of(parts, interruption, meter)
    notifying = asyncio.create_task(notifier_of(rooms).run(interruption))
    try:
        crew = Crew(
            turns=turns,
            queue=queue,
            concurrency=concurrency,
            tenant_cycles=tenant_cycles,
            help=table.help if table is not None else nobody_helps,
        )
        if listening is None:
            await crew.run()
        else:
            await _told_at(listening, rooms, meter, crew, began)
    finally:
        notifying.cancel()
        await watched.close()


async def _told_at(
    place: tuple[str, int],
    rooms: Rooms,
    meter: Meter,
    crew: Crew,
    began: Callable[[str], None],
) -> None:
    from provisor.graph.http.server import serve
    from provisor.graph.http.wellbeing import WellBeing, early

    host, port = place
    registry = rooms.for_all().registry
    await serve(
        WellBeing(registry, lambda: measured_with(meter, rooms.paces)),
        early,
        host=host,
        port=port,
        tls=None,
        beside=crew.run,
        interruption=crew.turns.interruption,
        began=began,
    )


def queue_of(rooms: Rooms) -> Queue:
    """Return what hands out cycles among the workers of a store. Raises StoreFailed."""
    shared = rooms.opened.shared
    if shared is None:
        raise StoreFailed(
            "workers share a store on PostgreSQL, and this one is a file: `provisor store copy`"
            " moves it, and PROVISOR_STORE says where it is then"
        )
    try:
        from provisor.runtime.procrastination import ProcrastinateQueue
    except ImportError as error:
        raise StoreFailed("workers need their queue: pip install 'provisor[postgresql]'") from error
    return ProcrastinateQueue(shared.address, shared.lease_s)
