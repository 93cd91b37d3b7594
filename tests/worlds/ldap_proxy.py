"""A proxy in front of a directory server, that understands LDAP messages and spoils them.

It stands where networks, load balancers and tired servers stand: it cuts connections at any
message, loses ends, cookies and rights, repeats, keeps silent, and says another result.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from provisor.connectors.ldapwire import ber, messages

BIND_ANSWER, ENTRY, DONE, REFERENCE, INTERMEDIATE = 0x61, 0x64, 0x65, 0x73, 0x79
MODIFY_ANSWER, ADD_ANSWER, DELETE_ANSWER, RENAME_ANSWER = 0x67, 0x69, 0x6B, 0x6D
RESULTS = frozenset({BIND_ANSWER, DONE, MODIFY_ANSWER, ADD_ANSWER, DELETE_ANSWER, RENAME_ANSWER})
SEARCH, MODIFY, ADD, DELETE, RENAME = 0x63, 0x66, 0x68, 0x4A, 0x6C
WRITES = frozenset({MODIFY, ADD, DELETE, RENAME})
ANSWERS_TO = {
    0x60: BIND_ANSWER,
    SEARCH: DONE,
    MODIFY: MODIFY_ANSWER,
    ADD: ADD_ANSWER,
    DELETE: DELETE_ANSWER,
    RENAME: RENAME_ANSWER,
    0x6E: 0x6F,
    0x77: 0x78,
}


@dataclass(frozen=True, slots=True)
class Pdu:
    """One message on its way."""

    number: int
    tag: int
    body: bytes
    controls: bytes
    """As they are encoded, their tag included; empty if there are none."""
    raw: bytes
    position: int
    """How many messages went this way before it, connections and what is only said to begin with
    (a bind) left aside."""

    @property
    def dn(self) -> str:
        """Return the name of the entry that this is, or is about."""
        reader = ber.Reader(self.body)
        if self.tag == DELETE:
            return self.body.decode()
        return reader.text() if self.tag in (ENTRY, ADD, MODIFY, RENAME, SEARCH) else ""

    def with_body(self, body: bytes, *, controls: bool = True) -> bytes:
        parts = [ber.integer(self.number), ber.tlv(self.tag, body)]
        return ber.sequence(*parts, self.controls if controls else b"")


class Cut(Exception):
    """End the connection here, to both sides."""


class Silence(Exception):
    """Say nothing more, and keep the connection open."""


Rule: TypeAlias = Callable[[Pdu], Sequence[bytes] | None]
"""Returns what goes on instead of a message; None: what it is. Raises Cut, Silence."""
RequestRule: TypeAlias = Callable[[Pdu], bytes | None]
"""Returns what is answered instead of passing a request on; None: it passes. Raises Cut."""


def read(raw: bytes, position: int) -> Pdu:
    reader = ber.Reader(raw).enter(ber.SEQUENCE)
    number, tag = reader.integer(), reader.tag
    body = reader.take()
    controls = ber.tlv(messages.CONTROLS, reader.take()) if not reader.is_at_end else b""
    return Pdu(number, tag, body, controls, raw, position)


def result(code: int, message: str = "") -> bytes:
    """Return the body of a result."""
    return ber.integer(code, ber.ENUMERATED) + ber.octets("") + ber.octets(message)


# what may happen to answers


def cut_at(position: int) -> Rule:
    def rule(pdu: Pdu) -> None:
        if pdu.position >= position:
            raise Cut

    return rule


def silent_from(position: int) -> Rule:
    def rule(pdu: Pdu) -> None:
        if pdu.position >= position:
            raise Silence

    return rule


def without(tag: int, *, first: int = 0) -> Rule:
    """Lose messages of a kind: ends, for example."""
    seen = 0

    def rule(pdu: Pdu) -> Sequence[bytes] | None:
        nonlocal seen
        if pdu.tag != tag:
            return None
        seen += 1
        return () if seen > first else None

    return rule


def lose_at(position: int) -> Rule:
    return lambda pdu: () if pdu.position == position else None


def twice_at(position: int) -> Rule:
    return lambda pdu: (pdu.raw, pdu.raw) if pdu.position == position else None


def tells_twice(pdu: Pdu) -> Sequence[bytes] | None:
    """Show each entry once more."""
    return (pdu.raw, pdu.raw) if pdu.tag == ENTRY else None


def every_second_page_is_empty() -> Rule:
    """Show nobody between every second end and the next."""
    pages = 0

    def rule(pdu: Pdu) -> Sequence[bytes] | None:
        nonlocal pages
        pages += pdu.tag == DONE
        return () if pdu.tag == ENTRY and pages % 2 else None

    return rule


def results_are(code: int, *, tag: int = DONE, keeps_controls: bool = False) -> Rule:
    """Let every operation of a kind end otherwise, although the server did what it was asked."""

    def rule(pdu: Pdu) -> Sequence[bytes] | None:
        if pdu.tag != tag:
            return None
        return (pdu.with_body(result(code, "spoiled"), controls=keeps_controls),)

    return rule


def without_controls() -> Rule:
    """Lose cookies, and all else that goes beside an end."""
    return lambda pdu: (pdu.with_body(pdu.body, controls=False),) if pdu.tag == DONE else None


def hides(*words: str) -> Rule:
    """Show no entry in whose name one of these stands: rights were lost."""

    def rule(pdu: Pdu) -> Sequence[bytes] | None:
        hidden = pdu.tag == ENTRY and any(word in pdu.dn for word in words)
        return () if hidden else None

    return rule


# what may happen to requests


def refuses(code: int, tags: frozenset[int] = WRITES) -> RequestRule:
    """Answer for the server, which does not get to know."""

    def rule(pdu: Pdu) -> bytes | None:
        if pdu.tag not in tags:
            return None
        answer = ber.tlv(ANSWERS_TO[pdu.tag], result(code, "spoiled"))
        return ber.sequence(ber.integer(pdu.number), answer)

    return rule


def refuses_once(code: int, tags: frozenset[int] = WRITES, times: int = 1) -> RequestRule:
    refuse = refuses(code, tags)
    left = times

    def rule(pdu: Pdu) -> bytes | None:
        nonlocal left
        if pdu.tag not in tags or not left:
            return None
        left -= 1
        return refuse(pdu)

    return rule


@dataclass(kw_only=True)
class LdapProxy:
    """A proxy on a free port, in a thread of its own."""

    host: str
    port: int
    """Of the server behind it."""
    answers: list[Rule] = field(default_factory=list[Rule])
    requests: list[RequestRule] = field(default_factory=list[RequestRule])
    seen: list[Pdu] = field(default_factory=list[Pdu])
    """The requests that came, binds left aside."""
    count: int = 0
    """Answers that came from the server since `well`, those to binds left aside."""
    own_port: int = 0
    is_off: bool = False
    to_client: ssl.SSLContext | None = None
    to_server: ssl.SSLContext | None = None
    """Where both sides are encrypted: it opens what passes, and closes it again."""
    _loop: asyncio.AbstractEventLoop | None = None
    _writers: set[asyncio.StreamWriter] = field(default_factory=set[asyncio.StreamWriter])
    _opened: list[asyncio.StreamWriter] = field(default_factory=list[asyncio.StreamWriter])
    """All that there were: each holds a socket until it is closed."""

    @classmethod
    @contextmanager
    def run(
        cls, port: int, host: str = "127.0.0.1", *, certificates: Path | None = None
    ) -> Generator[LdapProxy]:
        """Stand before a server; with its certificates, where it speaks TLS."""
        proxy = cls(host=host, port=port)
        if certificates is not None:
            proxy.to_client = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            proxy.to_client.load_cert_chain(
                certificates / "server.pem", certificates / "server.key"
            )
            proxy.to_server = ssl.create_default_context(cafile=str(certificates / "ca.pem"))
        loop = proxy._loop = asyncio.new_event_loop()
        begun = threading.Event()

        def serve() -> None:
            asyncio.set_event_loop(loop)
            meeting = asyncio.start_server(proxy._meet, "127.0.0.1", 0, ssl=proxy.to_client)
            server = loop.run_until_complete(meeting)
            proxy.own_port = server.sockets[0].getsockname()[1]
            begun.set()
            loop.run_forever()
            server.close()
            loop.run_until_complete(proxy._end())
            loop.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        begun.wait(10)
        try:
            yield proxy
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join(10)

    async def _end(self) -> None:
        """Let go of everybody, and return when they are gone."""
        meetings = asyncio.all_tasks() - {asyncio.current_task()}
        for meeting in meetings:
            meeting.cancel()
        await asyncio.gather(*meetings, return_exceptions=True)
        for writer in self._opened:
            writer.transport.abort()  # what it had still to say nobody waits for
        for writer in self._opened:
            with suppress(OSError):
                await writer.wait_closed()
        for _ in range(3):  # who was cancelled while it came in is closed in the next round
            await asyncio.sleep(0)

    @property
    def url(self) -> str:
        if self.to_client is not None:
            return f"ldaps://localhost:{self.own_port}"
        return f"ldap://127.0.0.1:{self.own_port}"

    def well(self) -> None:
        """Do no more harm, and count anew."""
        self.answers, self.requests, self.seen = [], [], []
        self.count, self.is_off = 0, False

    def spoil(self, *rules: Rule) -> None:
        """Let this happen to answers from now on, and to nothing else."""
        self.well()
        self.answers = [*rules]

    def switch_off(self) -> None:
        """Let nobody in any more, and whoever is in go."""
        self.is_off = True
        assert self._loop is not None
        for writer in [*self._writers]:
            self._loop.call_soon_threadsafe(writer.transport.abort)

    @property
    def writes(self) -> int:
        """Return how many writes came."""
        return sum(pdu.tag in WRITES for pdu in self.seen)

    async def _meet(self, client: asyncio.StreamReader, out: asyncio.StreamWriter) -> None:
        self._opened.append(out)
        if self.is_off:
            out.close()
            return
        try:
            server, to_server = await asyncio.open_connection(
                self.host, self.port, ssl=self.to_server
            )
        except OSError:
            out.close()
            return
        self._opened.append(to_server)
        self._writers |= {out, to_server}
        relays = [
            asyncio.create_task(self._ask(client, to_server, out)),
            asyncio.create_task(self._answer(server, out)),
        ]
        try:
            await asyncio.wait(relays, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for relay in relays:
                relay.cancel()
            for writer in (out, to_server):
                self._writers.discard(writer)
                writer.close()

    async def _ask(
        self,
        client: asyncio.StreamReader,
        to_server: asyncio.StreamWriter,
        out: asyncio.StreamWriter,
    ) -> None:
        with suppress(Cut, OSError, asyncio.IncompleteReadError):
            while raw := await _next(client):
                pdu = read(raw, len(self.seen))
                if pdu.tag not in (0x60, 0x42):
                    self.seen.append(pdu)
                replies = (rule(pdu) for rule in self.requests)
                reply = next((one for one in replies if one is not None), None)
                if reply is not None:
                    out.write(reply)
                else:
                    to_server.write(raw)

    async def _answer(self, server: asyncio.StreamReader, out: asyncio.StreamWriter) -> None:
        with suppress(Cut, OSError, asyncio.IncompleteReadError):
            while raw := await _next(server):
                pdu = read(raw, self.count)
                if pdu.tag != BIND_ANSWER:
                    self.count += 1
                try:
                    for one in self._spoiled(pdu):
                        out.write(one)
                except Silence:
                    await asyncio.Event().wait()
                await out.drain()

    def _spoiled(self, pdu: Pdu) -> Sequence[bytes]:
        if pdu.tag == BIND_ANSWER:
            return (pdu.raw,)
        for rule in self.answers:
            instead = rule(pdu)
            if instead is not None:
                return instead
        return (pdu.raw,)


async def _next(reader: asyncio.StreamReader) -> bytes:
    """Return the next message, nothing at the end."""
    data = b""
    while (size := ber.size_of(data, 0)) is None:
        more = await reader.read(1)
        if not more:
            return b""
        data += more
    return data + await reader.readexactly(size - len(data))
