"""Getting a connection: which machine a name means, whether one may go there, proxies and TLS.

A name is looked up once, and one of the addresses that were looked at is what is connected to.
"""

from __future__ import annotations

import asyncio
import base64
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from provisor.connectors.http.connection import Connection
from provisor.connectors.http.door import CODE, PORTS, Door
from provisor.connectors.http.settings import HttpSettings
from provisor.errors import Denied, Unreachable

HEAD_BYTES_MAX = 2**16
P = TypeVar("P", bound=asyncio.Protocol)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server answers."""

    scheme: str
    host: str
    """In ASCII, without brackets."""
    port: int

    @property
    def is_tls(self) -> bool:
        return self.scheme == "https"

    @property
    def name(self) -> str:
        """As it stands in a Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def place_of(url: str) -> Place:
    """Return the place that an address leads to. Raises ValueError where it is none."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in PORTS or not host:
        raise ValueError(f"{url} is no address")
    if not host.isascii():
        host = host.encode("idna").decode("ascii")
    return Place(parts.scheme, host, PORTS[parts.scheme] if parts.port is None else parts.port)


class Dialler:
    """Opens connections to whatever may be gone to."""

    def __init__(self, settings: HttpSettings) -> None:
        self._settings = settings
        self._tls: ssl.SSLContext | None = None

    async def dial(self, place: Place) -> Connection:
        """Return a connection. Raises Denied where the door is shut, and Unreachable."""
        name, limit_s = self._settings.host, self._settings.timeouts.connect
        try:
            async with asyncio.timeout(limit_s):
                return await self._open(place)
        except TimeoutError as error:
            raise Unreachable(f"{name} cannot be reached: no connection in time") from error
        except ssl.SSLCertVerificationError as error:
            way_out = "Name its issuer in caFile."
            raise Unreachable(
                f"the certificate of {name} is not trusted: {error.verify_message}. {way_out}"
            ) from error
        except (OSError, UnicodeError) as error:
            raise Unreachable(f"{name} cannot be reached: {error}") from error

    async def _open(self, place: Place) -> Connection:
        loop = asyncio.get_running_loop()

        def made() -> Connection:
            return Connection(self._settings.host, self._settings.timeouts, loop)

        if not self._settings.proxy:
            return await self._connect(place, made)
        proxy = place_of(self._settings.proxy)
        if not place.is_tls:
            return await self._connect(proxy, made)
        return await self._tunnel(proxy, place, made())

    async def _connect(self, place: Place, made: Callable[[], P]) -> P:
        """Connect to one of the addresses that a name has: the first that answers."""
        loop = asyncio.get_running_loop()
        failure: OSError | None = None
        for address in await looked_up(self._settings.door, place.host, place.port):
            try:
                _, protocol = await loop.create_connection(
                    made,
                    address,
                    place.port,
                    ssl=self._context() if place.is_tls else None,
                    server_hostname=place.host if place.is_tls else None,
                )
                return protocol
            except ssl.SSLError:
                raise
            except OSError as error:
                failure = failure or error
        raise failure or OSError("the name has no address")

    async def _tunnel(self, proxy: Place, place: Place, inner: Connection) -> Connection:
        """Have a proxy lead through to a place, and speak TLS with who is there (RFC 9110 9.3.6).

        The proxy looks the name up, not we; the door is asked of names that are numbers alone.
        """
        loop = asyncio.get_running_loop()
        opening = await self._connect(proxy, lambda: _Opening(loop))
        host = f"[{place.host}]" if ":" in place.host else place.host
        head = f"CONNECT {host}:{place.port} HTTP/1.1\r\nHost: {host}:{place.port}\r\n"
        try:
            status = await opening.ask(f"{head}{proxy_proof(self._settings.proxy)}\r\n")
            if not 200 <= status < 300:
                raise Unreachable(f"the proxy refused with HTTP status {status}")
            transport = await loop.start_tls(
                opening.transport, inner, self._context(), server_hostname=place.host
            )
        except BaseException:
            opening.transport.abort()
            raise
        if transport is None:
            raise ConnectionError("the proxy closed the connection")
        inner.connection_made(transport)
        return inner

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
            if self._settings.ca_file:
                self._tls.load_verify_locations(cafile=self._settings.ca_file)
            self._tls.minimum_version = ssl.TLSVersion.TLSv1_2
        return self._tls


async def looked_up(door: Door, host: str, port: int) -> list[str]:
    """Return the addresses of a name; one that may not be gone to spoils them all. Raises Denied,
    OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(address[0]) for *_, address in found))
    for address in addresses:
        if refusal := door.refusal(host, port, address):
            raise Denied(refusal, code=CODE)
    return addresses


async def connected(door: Door, host: str, port: int, timeout_s: float) -> socket.socket:
    """Return a connection for who speaks something else than HTTP: one of the addresses that were
    looked at, not the name, is connected to. Raises Denied where the door is shut, and OSError."""
    failure: OSError | None = None
    async with asyncio.timeout(timeout_s):
        for address in await looked_up(door, host, port):
            try:
                return await _line(address, port)
            except OSError as error:
                failure = failure or error
    raise failure or OSError("the name has no address")


async def _line(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    line = socket.socket(family, socket.SOCK_STREAM)
    try:
        line.setblocking(False)
        await asyncio.get_running_loop().sock_connect(line, (address, port))
    except BaseException:
        line.close()
        raise
    return line


def proxy_proof(proxy: str) -> str:
    """Return the header that tells a proxy who we are, where its address does; else nothing."""
    basic = basic_of(proxy)
    return f"Proxy-Authorization: {basic}\r\n" if basic else ""


def basic_of(address: str) -> str:
    """Return the credentials that stand in an address, as a header tells them; empty if none do."""
    parts = urlsplit(address)
    if parts.username is None:
        return ""
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return f"Basic {base64.b64encode(pair.encode()).decode('ascii')}"


class _Opening(asyncio.Protocol):
    """A connection on which a proxy is asked for a way through: all that it says is a head."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._answered: asyncio.Future[bytes] = loop.create_future()
        self._heard = b""

    async def ask(self, head: str) -> int:
        """Return the status of the answer. Raises ConnectionError."""
        self.transport.write(head.encode("ascii"))
        line = (await self._answered).split(b"\r\n", 1)[0].split(b" ", 2)
        if len(line) < 2 or not line[0].startswith(b"HTTP/1.") or not line[1].isdigit():
            raise ConnectionError("the proxy does not speak HTTP")
        return int(line[1])

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._heard += data
        if self._answered.done():
            return
        if b"\r\n\r\n" in self._heard:
            self._answered.set_result(self._heard)
        elif len(self._heard) > HEAD_BYTES_MAX:
            self._answered.set_exception(ConnectionError("the proxy answers without end"))

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._answered.done():
            self._answered.set_exception(ConnectionError("the proxy closed the connection"))
