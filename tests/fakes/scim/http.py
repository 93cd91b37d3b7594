"""HTTP/1.1 as far as a test server needs it, without ceremony: thousands of requests a second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import cast

REASONS = {200: "OK", 201: "Created", 204: "No Content", 404: "Not Found", 429: "Too Many Requests"}


@dataclass(frozen=True, slots=True)
class Incoming:
    method: str
    target: str
    """Path and query, as they came."""
    headers: Mapping[str, str]
    """With names in small letters."""
    body: bytes


@dataclass(slots=True)
class Outgoing:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict[str, str])
    delay_s: float = 0
    is_dropped: bool = False
    """The connection is closed instead."""
    is_stalled: bool = False
    """Nothing is ever sent."""

    def raw(self) -> bytes:
        lines = [f"HTTP/1.1 {self.status} {REASONS.get(self.status, 'Status')}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if self.status != 204:
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + self.body


Answer = Callable[[Incoming], Outgoing]


class Connection(asyncio.Protocol):
    """One client. Requests on one connection are answered in order."""

    def __init__(self, answer: Answer, open_connections: set[Connection]) -> None:
        self._answer, self._open = answer, open_connections
        self._buffer = b""
        self._busy = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._open.discard(self)
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._buffer[:1].isalpha():
            self._work()
        else:  # somebody speaks TLS
            self.drop()

    def drop(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _work(self) -> None:
        while not self._busy and (incoming := self._take()) is not None:
            outgoing = self._answer(incoming)
            if outgoing.delay_s:
                self._busy = True
                asyncio.get_running_loop().call_later(outgoing.delay_s, self._later, outgoing)
            else:
                self._send(outgoing)

    def _later(self, outgoing: Outgoing) -> None:
        self._busy = False
        self._send(outgoing)
        self._work()

    def _send(self, outgoing: Outgoing) -> None:
        if outgoing.is_dropped:
            self.drop()
        elif not outgoing.is_stalled and self._transport is not None:
            self._transport.write(outgoing.raw())

    def _take(self) -> Incoming | None:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        first, *lines = self._buffer[:end].decode("latin-1").split("\r\n")
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines)
        }
        size = int(headers.get("content-length", "0"))
        if len(self._buffer) < end + 4 + size:
            return None
        body = self._buffer[end + 4 : end + 4 + size]
        self._buffer = self._buffer[end + 4 + size :]
        method, target, _ = first.split(" ", 2)
        return Incoming(method, target, headers, body)
