"""The API and the scheduler in one process, until somebody asks to stop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Generator
from functools import partial
from typing import cast

import uvicorn
from starlette.types import ASGIApp

from provisor.graph.http.certificate import Certificate
from provisor.graph.http.faults import Fault
from provisor.graph.http.protocol import HEAD_BYTES_MAX, BoundedProtocol
from provisor.runtime.interruption import Interruption

KEPT_ALIVE_S = 75
GRACE_S = 10


class Server(uvicorn.Server):
    """A server that leaves signals to whoever runs it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


async def serve(
    app: ASGIApp,
    early: Callable[[Fault], tuple[bytes, str]],
    *,
    host: str,
    port: int,
    tls: Certificate | None,
    beside: Callable[[], Awaitable[None]],
    interruption: Interruption,
    began: Callable[[str], None],
) -> None:
    """Answer requests and do what is to be done beside, until an interruption.

    `early` tells what is answered to what never became a request. `began` is told the address, once
    requests are answered. Raises OSError where the address cannot be had.
    """
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        ssl_certfile=tls and tls.chain,
        ssl_keyfile=tls and tls.key,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        ws="none",
        timeout_keep_alive=KEPT_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,
        h11_max_incomplete_event_size=HEAD_BYTES_MAX,
        # It is made where uvicorn would make its own.
        http=cast(type[asyncio.Protocol], partial(BoundedProtocol, early)),
    )
    config.load()
    server = Server(config)
    with contextlib.closing(config.bind_socket()) as listening:
        # Head and body of an answer are written apart: the second waits for no acknowledgement.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listening.listen(config.backlog)  # from here on nobody is turned away, only kept waiting
        place = listening.getsockname()
        answering = asyncio.create_task(server.serve([listening]))
        working = asyncio.create_task(_beside(beside))
        stopping = asyncio.create_task(_stopped(interruption))
        name = f"[{place[0]}]" if ":" in str(place[0]) else place[0]
        began(f"{'https' if tls else 'http'}://{name}:{place[1]}")
        tasks = {answering, working, stopping}
        if tls is not None and config.ssl is not None:
            tls.began()
            tasks.add(asyncio.create_task(tls.keep(config.ssl, interruption)))
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        interruption.ask(interruption.signal)
        server.should_exit = True
        await asyncio.gather(*tasks)


async def _beside(work: Callable[[], Awaitable[None]]) -> None:
    await work()


async def _stopped(interruption: Interruption) -> None:
    while not interruption.is_asked:
        await interruption.sleep(3600)
