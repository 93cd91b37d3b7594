"""HTTP/1.1 with bounds: heads that are too long, wrong or slow are refused as everything else is.

They never become requests, so that the service cannot answer them.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from provisor.graph.http.answers import JSON
from provisor.graph.http.faults import Fault, too_slow

HEAD_BYTES_MAX = 64 << 10
HEAD_WITHIN_S = 30
"""A connection on which no whole head has come by then is closed."""
TOO_LONG = f"The head has more than {HEAD_BYTES_MAX} bytes."


class BoundedProtocol(H11Protocol):
    """One connection. `tell` gives the body of an answer, and the id of the request in it."""

    def __init__(self, tell: Callable[[Fault], tuple[bytes, str]], **given: Any) -> None:
        super().__init__(**given)
        self._tell = tell
        self._waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._wait_no_more()
        elif self._waiting is None:
            self._wait()

    def _wait(self) -> None:
        self._waiting = self.loop.call_later(HEAD_WITHIN_S, self._give_up)

    def _wait_no_more(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _give_up(self) -> None:
        if self.conn.their_state is h11.IDLE:
            self._refuse(too_slow(HEAD_WITHIN_S))

    def send_400_response(self, msg: str) -> None:
        """Tell what the parser, whose failure is being handled, says is wrong."""
        failure = sys.exception()
        hint = failure.error_status_hint if isinstance(failure, h11.RemoteProtocolError) else 400
        if hint == 431:
            self._refuse(Fault(431, "RequestHeaderFieldsTooLarge", TOO_LONG))
        else:
            self._refuse(Fault(400, "BadRequest", "This is no request of HTTP/1.1."))

    def _refuse(self, fault: Fault) -> None:
        self._wait_no_more()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            body, request = self._tell(fault)
            headers = {
                "content-type": JSON,
                "content-length": str(len(body)),
                "request-id": request,
                "connection": "close",
            }
            head = h11.Response(status_code=fault.status, headers=list(headers.items()))
            for event in (head, h11.Data(data=body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
