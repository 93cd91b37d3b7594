"""HTTP as connectors need it: requests, and the connections that are kept for them.

A request goes out once, an answer comes back whole, or one of three failures says what is known:
`Unreachable` (nothing was sent), `Lost` (it was sent, no answer came), `Oversized`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from functools import lru_cache
from urllib.parse import quote

from msgspec import Struct

from provisor.connectors.http.connection import Answer, Connection, Lost
from provisor.connectors.http.dialling import Dialler, Place, basic_of, place_of, proxy_proof
from provisor.connectors.http.door import CODE
from provisor.connectors.http.settings import HttpSettings
from provisor.errors import Denied, Unreachable

BODY_BYTES_MAX = 64 * 2**20
IDLE_S = 15.0
"""Servers close idle connections, often after 20 s; a write on a closed one is lost."""

METHODS_THAT_READ = frozenset({"GET"})
METHODS_THAT_REPEAT = frozenset({"GET", "PUT", "DELETE"})
"""To do them twice is to do them once (RFC 9110 9.2.2)."""
VISIBLE = "".join(map(chr, range(0x21, 0x7F)))


class HttpClient:
    """Connections to one system, opened when first used and kept alive.

    `is_read_only`: whoever only plans holds one that cannot send anything but GET.
    """

    def __init__(self, settings: HttpSettings, *, is_read_only: bool) -> None:
        self._settings = settings
        self._is_read_only = is_read_only
        self._dialler = Dialler(settings)
        self._ways: dict[str, _Way] = {}
        self._places = _Places(settings.connections_max)
        self._sweeping: asyncio.TimerHandle | None = None

    async def send(
        self, method: str, address: str, headers: Mapping[str, str], body: bytes | None
    ) -> Answer:
        """Send a request. Raises Unreachable, Lost, Oversized, Denied."""
        return await self.finish(self.prepare(method, address, headers, body))

    def prepare(
        self, method: str, address: str, headers: Mapping[str, str], body: bytes | None
    ) -> Sending:
        """Write a request out, to be sent later. Raises Unreachable, Denied."""
        if self._is_read_only and method not in METHODS_THAT_READ:
            raise AssertionError(f"{method} by somebody who may only read")
        way, target = self._way(address)
        return Sending(method, way, way.request(method, target, headers, body))

    def start(self, sending: Sending) -> None:
        """Send a request now if a connection is free; else `finish` does."""
        if self._places.take_now():
            self._begin(sending)
            if sending.connection is None:
                self._leave(sending)

    async def finish(self, sending: Sending) -> Answer:
        """Send a request unless that is done; return its answer. Raises Unreachable, Lost,
        Oversized, Denied."""
        try:
            if sending.answer is None:
                await self._places.take()
                sending.has_place = True
                sending.check()
                self._begin(sending)
            if sending.answer is not None and sending.connection is not None:
                try:
                    return await sending.connection.finish(sending.answer)
                except Lost as loss:
                    # it was closed while it was idle: nobody has read what was sent
                    if not loss.is_unheard or sending.method not in METHODS_THAT_REPEAT:
                        raise
            connection = await self._dialler.dial(sending.way.place)
            try:
                sending.check()
            except BaseException:
                connection.close()
                raise
            return await connection.finish(self._send(sending, connection))
        finally:
            self._leave(sending)

    def abandon(self, sending: Sending) -> None:
        """Nobody will finish what may have been started."""
        if sending.answer is not None and sending.connection is not None:
            sending.connection.abandon(sending.answer)
        self._leave(sending)

    def _leave(self, sending: Sending) -> None:
        if sending.has_place:
            sending.has_place = False
            self._places.give_back()

    async def fetch_token(self, address: str, headers: Mapping[str, str], form: bytes) -> Answer:
        """Ask for an access token, which changes nothing in the system."""
        way, target = self._way(address)
        return await self.finish(Sending("POST", way, way.request("POST", target, headers, form)))

    async def close(self) -> None:
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None
        for way in self._ways.values():
            for connection in way.idle:
                connection.close()
        self._ways.clear()

    def _begin(self, sending: Sending) -> None:
        """Use the place that there is now: send, where a connection is free."""
        sending.has_place = True
        sending.connection = self._take(sending.way)
        if sending.connection is not None:
            self._send(sending, sending.connection)

    def _send(self, sending: Sending, connection: Connection) -> asyncio.Future[Answer]:
        def told(answer: Answer) -> None:
            if connection.is_free:
                sending.way.idle.append(connection)
                self._sweep_later()
            self._leave(sending)
            sending.told(answer)

        now = asyncio.get_running_loop().time()
        sending.answer = connection.start(sending.request, BODY_BYTES_MAX, now, told)
        return sending.answer

    def _take(self, way: _Way) -> Connection | None:
        """Return the connection that was used last, if there is one that still may be used."""
        now = asyncio.get_running_loop().time()
        while way.idle:
            connection = way.idle.pop()
            if connection.is_free and now - connection.idle_since < IDLE_S:
                return connection
            connection.close()
        return None

    def _sweep_later(self) -> None:
        if self._sweeping is None:
            self._sweeping = asyncio.get_running_loop().call_later(IDLE_S, self._sweep)

    def _sweep(self) -> None:
        """Close what has been idle for long."""
        loop = asyncio.get_running_loop()
        self._sweeping = None
        for way in self._ways.values():
            kept = [c for c in way.idle if c.is_free and loop.time() - c.idle_since < IDLE_S]
            for connection in way.idle:
                if connection not in kept:
                    connection.close()
            way.idle[:] = kept
        if any(way.idle for way in self._ways.values()):
            self._sweep_later()

    def _way(self, address: str) -> tuple[_Way, str]:
        """Return how to get to an address, and what to ask for. Raises Denied, Unreachable."""
        origin, target = split(address)
        way = self._ways.get(origin)
        if way is None:
            if refusal := self._settings.door.refusal_of_url(origin):
                raise Denied(refusal, code=CODE)
            try:
                way = _Way(origin, self._settings.proxy)
            except ValueError as error:
                raise Unreachable(f"{self._settings.host} is no address") from error
            self._ways[origin] = way
        return way, target


class Sending(Struct, eq=False):
    """A request that is written out, and how far it has come."""

    method: str
    way: _Way
    request: bytes
    told: Callable[[Answer], None] = lambda answer: None
    """Called the moment that the answer is there, before whoever waits for it goes on."""
    check: Callable[[], None] = lambda: None
    """Raises if it is not to be sent any more: a place or a connection may have been waited for."""
    connection: Connection | None = None
    answer: asyncio.Future[Answer] | None = None
    """None: it is not sent yet."""
    has_place: bool = False


class _Places:
    """How many requests may be under way."""

    def __init__(self, free: int) -> None:
        self._free = free
        self._waiting: deque[asyncio.Future[None]] = deque()

    def take_now(self) -> bool:
        if self._waiting or not self._free:
            return False
        self._free -= 1
        return True

    async def take(self) -> None:
        if self.take_now():
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self.give_back()
            raise

    def give_back(self) -> None:
        self._free += 1
        while self._waiting and self._free:
            place = self._waiting.popleft()
            if not place.done():
                self._free -= 1
                place.set_result(None)


class _Way:
    """One server: where it is, what every request to it begins with, and idle connections."""

    def __init__(self, origin: str, proxy: str) -> None:
        self.place: Place = place_of(origin)
        self.idle: list[Connection] = []
        self._prefix = self._fields = ""
        """What goes before the target, and further headers: a proxy wants more than a server."""
        if proxy and not self.place.is_tls:
            self._prefix, self._fields = f"http://{self.place.name}", proxy_proof(proxy)
        basic = basic_of(origin)
        self._proof = f"Authorization: {basic}" if basic else ""
        self._written: tuple[Mapping[str, str] | None, str] = None, ""
        """The headers that were written last: most requests have the same."""

    def request(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None
    ) -> bytes:
        """Return a request as it goes over the wire."""
        if headers is not self._written[0]:
            self._written = headers, self._fields_of(headers)
        head = f"{method} {self._prefix}{target} HTTP/1.1\r\n{self._written[1]}"
        if body is None and method == "GET":
            return f"{head}\r\n".encode()
        body = body or b""
        return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body

    def _fields_of(self, headers: Mapping[str, str]) -> str:
        lines = [
            f"Host: {self.place.name}",
            "Accept-Encoding: gzip, deflate",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        if self._proof and "Authorization" not in headers:
            lines.append(self._proof)
        if any(mark in line for line in lines for mark in "\r\n\0"):
            raise ValueError("a header holds the end of a line")
        return "".join(f"{line}\r\n" for line in lines) + self._fields


@lru_cache(maxsize=256)
def split(address: str) -> tuple[str, str]:
    """Return scheme and authority of an address, and what a request asks for there.

    Whatever creates objects of a kind goes to the same address.
    """
    address = address.partition("#")[0]
    begin = address.find("://") + len("://")
    found = (address.find(mark, begin) for mark in "/?")
    end = min((at for at in found if at >= 0), default=len(address))
    origin, target = address[:end], address[end:]
    if not target.startswith("/"):
        target = f"/{target}"
    if not (target.isascii() and target.isprintable()) or " " in target:
        target = quote(target, safe=VISIBLE)
    return origin, target
