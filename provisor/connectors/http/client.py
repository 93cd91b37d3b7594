"""HTTP as connectors need it: the one file among them that knows the HTTP library.

A request goes out once, an answer comes back whole, or one of three failures says what is known:
`Unreachable` (nothing was sent), `Lost` (it was sent, no answer came), `Oversized`.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from provisor.connectors.http.door import CODE, Door
from provisor.connectors.http.settings import HttpSettings
from provisor.errors import Denied, Unreachable

BODY_BYTES_MAX = 64 * 2**20
IDLE_S = 15.0
"""Servers close idle connections, often after 20 s; a write on a closed one is lost."""

METHODS_THAT_READ = frozenset({"GET"})


class Lost(Exception):
    """The request was sent, and no whole answer came: nobody knows whether it was carried out."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Oversized(Exception):
    """The answer is longer than any honest one."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. Header names are in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Shut(OSError):
    """The door is shut: an address is not one that may be gone to."""


class Resolver(AbstractResolver):
    """Looks names up, and gives only what may be connected to: one bad address spoils them all."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await ThreadedResolver().resolve(host, port, family)
        for one in found:
            if refusal := self._door.refusal(host, port, one["host"]):
                raise Shut(refusal)
        return found

    async def close(self) -> None:
        """Nothing is held."""


class HttpClient:
    """Connections to one system, opened when first used and kept alive.

    `is_read_only`: whoever only plans holds one that cannot send anything but GET.
    """

    def __init__(self, settings: HttpSettings, *, is_read_only: bool) -> None:
        self._settings = settings
        self._is_read_only = is_read_only
        self._client: aiohttp.ClientSession | None = None

    async def send(
        self, method: str, address: str, headers: Mapping[str, str], body: bytes | None
    ) -> Answer:
        """Send a request. Raises Unreachable, Lost, Oversized."""
        if self._is_read_only and method not in METHODS_THAT_READ:
            raise AssertionError(f"{method} by somebody who may only read")
        return await self._exchange(method, address, headers, body)

    async def fetch_token(self, address: str, headers: Mapping[str, str], form: bytes) -> Answer:
        """Ask for an access token, which changes nothing in the system."""
        return await self._exchange("POST", address, headers, form)

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def _exchange(
        self, method: str, address: str, headers: Mapping[str, str], body: bytes | None
    ) -> Answer:
        if refusal := self._settings.door.refusal_of_url(address):
            raise Denied(refusal, code=CODE)
        client = self._open()
        try:
            async with client.request(
                method,
                URL(address, encoded=True),
                headers=headers,
                data=body,
                allow_redirects=False,
                proxy=self._settings.proxy or None,
            ) as response:
                content = await _read(response)
                names = {name.lower(): value for name, value in response.headers.items()}
                return Answer(response.status, MappingProxyType(names), content)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            cause = getattr(error, "os_error", None)
            if isinstance(cause, Shut):
                raise Denied(str(cause), code=CODE) from None
            raise Unreachable(self._unreachable(error)) from error
        except aiohttp.InvalidURL as error:
            raise Unreachable(f"{self._settings.host} is no address") from error
        except aiohttp.ClientHttpProxyError as error:
            raise Unreachable(f"the proxy refused with HTTP status {error.status}") from error
        except TimeoutError as error:
            raise Lost("Timeout", f"{self._settings.host} did not answer in time") from error
        except (aiohttp.ClientError, ConnectionError, asyncio.IncompleteReadError) as error:
            message = f"the connection to {self._settings.host} broke: {type(error).__name__}"
            raise Lost("WebExceptionProtocolError", message) from error

    def _unreachable(self, error: aiohttp.ClientConnectionError) -> str:
        host = self._settings.host
        if isinstance(error, aiohttp.ConnectionTimeoutError):
            return f"{host} cannot be reached: no connection within the time-out"
        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            return f"the certificate of {host} is not trusted: {error}. Name its issuer in caFile."
        return f"{host} cannot be reached: {error}"

    def _open(self) -> aiohttp.ClientSession:
        if self._client is None:
            timeouts = self._settings.timeouts
            self._client = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=self._settings.connections_max,
                    keepalive_timeout=IDLE_S,
                    ssl=self._tls(),
                    resolver=Resolver(self._settings.door),
                ),
                timeout=aiohttp.ClientTimeout(
                    total=timeouts.total, sock_connect=timeouts.connect, sock_read=timeouts.read
                ),
                auto_decompress=True,
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=("Content-Type",),
            )
        return self._client

    def _tls(self) -> ssl.SSLContext | bool:
        if not self._settings.base.startswith("https:") and not self._settings.ca_file:
            return True
        context = ssl.create_default_context()
        if self._settings.ca_file:
            context.load_verify_locations(cafile=self._settings.ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context


async def _read(response: aiohttp.ClientResponse) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in response.content.iter_any():
        size += len(part)
        if size > BODY_BYTES_MAX:
            response.close()
            raise Oversized(f"the answer is longer than {BODY_BYTES_MAX} bytes")
        parts.append(part)
    return b"".join(parts)
