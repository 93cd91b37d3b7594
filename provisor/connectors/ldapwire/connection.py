"""A connection to a directory server: many operations at a time, answers as they come.

Octets in one place, awaiting in the other: `_Wire` is fed by the event loop and sorts answers to
their operations, `Connection` sends and waits. Whoever takes answers slower than they come makes
the server wait, not the memory grow.
"""

from __future__ import annotations

import asyncio
import asyncio.trsock
import socket
import ssl
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from provisor.connectors.ldapwire import ber, messages
from provisor.connectors.ldapwire.controls import Control
from provisor.connectors.ldapwire.ear import Ear
from provisor.connectors.ldapwire.endpoint import Credentials, Endpoint, Security, bind_request
from provisor.connectors.ldapwire.entries import Found, Layouts
from provisor.connectors.ldapwire.messages import (
    Answer,
    Elsewhere,
    Extended,
    Intermediate,
    Search,
)
from provisor.connectors.ldapwire.results import DENIED, Code, Result
from provisor.errors import Denied, Unanswered, Unreachable

MESSAGE_OCTETS_MAX: Final = 256 * 2**20
"""No honest entry is longer; a length beyond it is a server that speaks something else."""
WAITING_MAX: Final = 2000
"""So many answers may wait to be taken before the server is made to wait."""
BROKEN: Final = "SourceReadIncomplete"
Shown: TypeAlias = Found | Elsewhere | Intermediate | Result
"""What a search is answered with."""


@dataclass(slots=True)
class _Operation:
    """What is under way under one number."""

    answers: list[Answer] = field(default_factory=list[Answer])
    came: asyncio.Event = field(default_factory=asyncio.Event)


class _Wire(asyncio.Protocol):
    """Takes octets apart into answers, and knows why there are no more."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.operations: dict[int, _Operation] = {}
        self.ended = ""
        """Why the connection is over; empty while it is not."""
        self._data = b""
        self._is_paused = False
        self._layouts = Layouts()

    @property
    def has_rest(self) -> bool:
        return bool(self._data)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        data = self._data + data if self._data else data
        at, length = 0, len(data)
        try:
            while at < length and (size := ber.size_of(data, at)) is not None:
                if size > MESSAGE_OCTETS_MAX:
                    raise ber.Malformed("a message is longer than any could be")
                if at + size > length:
                    break
                self._sort(*messages.read(data, at, at + size, self._layouts))
                at += size
        except ber.Malformed as odd:
            self.end(f"the server sent what is no LDAP: {odd}")
            return
        self._data = data[at:]

    def _sort(self, number: int, answer: Answer) -> None:
        if number == 0:
            if isinstance(answer, Extended) and answer.oid in (messages.DISCONNECTION, ""):
                self.end(f"the server closed the connection with {answer.result}")
            return
        operation = self.operations.get(number)
        if operation is None:
            return  # given up, and told so late; or over already
        if isinstance(answer, Result):
            del self.operations[number]
        operation.answers.append(answer)
        operation.came.set()
        if len(operation.answers) > WAITING_MAX and not self._is_paused and self.transport:
            self._is_paused = True
            self.transport.pause_reading()

    def taken(self, operation: _Operation) -> None:
        """Let the server go on, once little waits."""
        if self._is_paused and len(operation.answers) < WAITING_MAX // 4 and not self.ended:
            self._is_paused = False
            if self.transport is not None:
                self.transport.resume_reading()

    def end(self, why: str) -> None:
        if not self.ended:
            self.ended = why
        if self.transport is not None:
            self.transport.abort()
        for operation in self.operations.values():
            operation.came.set()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.end(f"the connection broke: {exc}" if exc else "the server closed the connection")


class Connection:
    """A bound connection. Not to be shared between event loops."""

    def __init__(self, endpoint: Endpoint, wire: _Wire) -> None:
        self.endpoint = endpoint
        self._wire = wire
        self._last = 0
        self.ear: Ear | None = None
        """Who is told what is changed by this connection."""

    @property
    def is_open(self) -> bool:
        return not self._wire.ended

    # operations

    async def search(
        self, request: Search, *, answer_timeout_s: float | None = -1
    ) -> AsyncGenerator[Shown]:
        """Yield what a search shows, as it comes; the last one yielded is its result.

        Whoever stops listening before has abandoned the search. A server that says nothing for
        `answer_timeout_s` (the endpoint's, if not given; for ever, if None) is Unreachable, as is
        one that ends the connection. Raises NotAFilter.
        """
        async with aclosing(self.answers(request, answer_timeout_s=answer_timeout_s)) as answers:
            async for some in answers:
                for answer in some:
                    yield answer

    async def answers(
        self, request: Search, *, answer_timeout_s: float | None = -1
    ) -> AsyncGenerator[Sequence[Shown]]:
        """Yield what `search` yields, as many at a time as have come."""
        limit = self.endpoint.answer_timeout_s if answer_timeout_s == -1 else answer_timeout_s
        number, operation = self._begin(messages.search(request), request.controls)
        is_done = False
        try:
            while not is_done:
                if not operation.answers:
                    await self._wait(operation, limit, f"the search below '{request.base}'")
                some, operation.answers = operation.answers, []
                self._wire.taken(operation)
                shown = [one for one in some if not isinstance(one, Extended)]
                if len(shown) < len(some):
                    self._wire.end("the server answered a search with something else")
                is_done = bool(shown) and isinstance(shown[-1], Result)
                if shown:
                    yield shown
        finally:
            self._finish(number, operation, is_done=is_done)

    async def add(
        self, dn: str, attributes: Mapping[str, messages.Values], *controls: Control
    ) -> Result:
        done = self._call(messages.add(dn, attributes), controls)
        return await (self.ear.add(dn, attributes, done) if self.ear else done)

    async def modify(
        self, dn: str, modifications: Sequence[messages.Modification], *controls: Control
    ) -> Result:
        done = self._call(messages.modify(dn, modifications), controls)
        return await (self.ear.modify(dn, modifications, done) if self.ear else done)

    async def modify_dn(
        self,
        dn: str,
        rdn: str,
        *controls: Control,
        deletes_old: bool = True,
        superior: str | None = None,
    ) -> Result:
        """Rename an entry, and move it where `superior` is given."""
        request = messages.modify_dn(dn, rdn, deletes_old=deletes_old, superior=superior)
        done = self._call(request, controls)
        return await (self.ear.modify_dn(dn, rdn, superior, done) if self.ear else done)

    async def delete(self, dn: str, *controls: Control) -> Result:
        done = self._call(messages.delete(dn), controls)
        return await (self.ear.delete(dn, done) if self.ear else done)

    async def compare(self, dn: str, attribute: str, value: bytes) -> Result:
        return await self._call(messages.compare(dn, attribute, value), (), is_write=False)

    async def extended(self, oid: str, value: bytes | None = None) -> Extended:
        done = self._ask(messages.extended(oid, value), (), is_write=True)
        return await (self.ear.extended(oid, done) if self.ear else done)

    async def close(self) -> None:
        """Say goodbye, and let go."""
        if not self._wire.ended and self._wire.transport is not None:
            self._wire.transport.write(messages.message(self._next(), messages.unbind()))
            self._wire.ended = "it was closed"
            self._wire.transport.close()
            await asyncio.sleep(0)

    async def who_am_i(self) -> str:
        """Return who the server takes us for (RFC 4532); empty if it says nobody, or nothing."""
        answer = await self._ask(messages.extended(messages.WHO_AM_I), (), is_write=False)
        return (answer.value or b"").decode(errors="replace") if answer.result.is_success else ""

    def abort(self, why: str) -> None:
        """Let go at once."""
        self._wire.end(why)

    # how they are done

    async def _call(
        self, operation: bytes, controls: Sequence[Control], *, is_write: bool = True
    ) -> Result:
        return (await self._ask(operation, controls, is_write=is_write)).result

    async def _ask(
        self, request: bytes, controls: Sequence[Control], *, is_write: bool
    ) -> Extended:
        """Send a request that has one answer.

        Raises Unreachable where nothing was sent, Unanswered where a write was, and nobody knows.
        """
        number, operation = self._begin(request, controls)
        is_done = False
        try:
            await self._wait(operation, self.endpoint.answer_timeout_s, "a request")
            is_done = True
        except Unreachable as failure:
            if not is_write:
                raise
            raise Unanswered(str(failure), code="Timeout") from failure
        finally:
            # A write is never abandoned: it would only make less sure what became of it.
            self._finish(number, operation, is_done=is_done or is_write)
        answer = operation.answers.pop(0)
        if isinstance(answer, Result):
            return Extended(answer)
        if isinstance(answer, Extended):
            return answer
        self._wire.end("the server answered a request with something else")
        raise Unanswered(self._wire.ended)

    async def bind(self, credentials: Credentials) -> None:
        """Raises Denied, Unreachable."""
        answer = await self._ask(bind_request(credentials), (), is_write=False)
        if not answer.result.is_success:
            self.abort("it was not accepted")
            raise _refused(self.endpoint, credentials, answer.result)

    async def start_tls(self) -> None:
        """Raises Denied, Unreachable."""
        answer = await self._ask(messages.extended(messages.START_TLS), (), is_write=False)
        host = self.endpoint
        if not answer.result.is_success:
            self.abort("it does not speak TLS")
            raise Denied(f"{host} does not begin TLS: {answer.result}", code="TargetUnreachable")
        if self._wire.has_rest:  # said before it was secret: it could be anybody's
            self.abort("it said more than it was asked")
            raise Denied(
                f"{host} went on in the clear after it agreed to TLS", code="TargetUnreachable"
            )
        old = self._wire.transport
        assert old is not None
        context = host.context()
        try:
            async with asyncio.timeout(host.connect_timeout_s):
                new = await asyncio.get_running_loop().start_tls(
                    old, self._wire, context, server_hostname=host.host
                )
        except (OSError, TimeoutError) as failure:
            self.abort("TLS failed")
            raise _not_connected(host, failure) from failure
        assert isinstance(new, asyncio.Transport)
        self._wire.transport = new

    def _begin(self, operation: bytes, controls: Sequence[Control]) -> tuple[int, _Operation]:
        wire = self._wire
        if wire.ended or wire.transport is None or wire.transport.is_closing():
            reason = wire.ended or "the server closed the connection"
            raise Unreachable(f"{self.endpoint}: {reason}")
        number = self._next()
        begun = wire.operations[number] = _Operation()
        wire.transport.write(messages.message(number, operation, controls))
        return number, begun

    def _next(self) -> int:
        self._last = self._last % (2**31 - 1) + 1
        return self._last

    async def _wait(self, operation: _Operation, limit: float | None, what: str) -> None:
        """Wait until there is an answer. Raises Unreachable."""
        while not operation.answers:
            if self._wire.ended:
                message = f"{what} at {self.endpoint} broke off: {self._wire.ended}"
                raise Unreachable(message, code=BROKEN)
            operation.came.clear()
            try:
                async with asyncio.timeout(limit):
                    await operation.came.wait()
            except TimeoutError as silence:
                message = f"{what} at {self.endpoint}: no answer for {limit:g} s"
                raise Unreachable(message, code=BROKEN) from silence

    def _finish(self, number: int, operation: _Operation, *, is_done: bool) -> None:
        self._wire.operations.pop(number, None)
        operation.answers.clear() if not is_done else None
        self._wire.taken(operation)
        if not is_done and not self._wire.ended and self._wire.transport is not None:
            self._wire.transport.write(messages.message(self._next(), messages.abandon(number)))


async def connect(endpoint: Endpoint, credentials: Credentials) -> Connection:
    """Return a connection that is encrypted and bound as is asked. Raises Denied, Unreachable."""
    wire = _Wire()
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(endpoint.connect_timeout_s):
            if endpoint.path:
                await loop.create_unix_connection(lambda: wire, endpoint.path)
            elif endpoint.security is Security.LDAPS:
                await loop.create_connection(
                    lambda: wire,
                    endpoint.host,
                    endpoint.port,
                    ssl=endpoint.context(),
                    server_hostname=endpoint.host,
                )
            else:
                await loop.create_connection(lambda: wire, endpoint.host, endpoint.port)
    except (OSError, TimeoutError) as failure:
        raise _not_connected(endpoint, failure) from failure
    connection = Connection(endpoint, wire)
    _keep_alive(wire)
    try:
        if endpoint.security is Security.START_TLS:
            await connection.start_tls()
        await connection.bind(credentials)
    except BaseException:
        connection.abort("it was not made")
        raise
    return connection


def _keep_alive(wire: _Wire) -> None:
    found = wire.transport.get_extra_info("socket") if wire.transport else None
    if isinstance(found, asyncio.trsock.TransportSocket):
        found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


def _not_connected(endpoint: Endpoint, failure: Exception) -> Unreachable | Denied:
    if isinstance(failure, ssl.SSLCertVerificationError):
        message = f"{endpoint} shows a certificate that is not trusted: {failure.verify_message}"
        return Unreachable(f"{message}; name its authority in caFile")
    if isinstance(failure, TimeoutError) and not failure.args:
        return Unreachable(f"{endpoint}: no connection within {endpoint.connect_timeout_s:g} s")
    return Unreachable(f"{endpoint} cannot be reached: {failure}")


def _refused(endpoint: Endpoint, credentials: Credentials, result: Result) -> Denied | Unreachable:
    message = f"{endpoint} does not accept {credentials}: {result}"
    if result.code in DENIED or result.code in (
        Code.INVALID_DN_SYNTAX,
        Code.NO_SUCH_OBJECT,
        Code.UNWILLING_TO_PERFORM,
    ):
        return Denied(message)
    return Unreachable(message)
