"""What the HTTP client makes of servers and proxies that answer over real sockets."""

from __future__ import annotations

import asyncio
import gzip
import re
import ssl
import zlib
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from provisor.connectors.http import client as http_client
from provisor.connectors.http.client import HttpClient, split
from provisor.connectors.http.connection import Answer, Lost, Oversized
from provisor.connectors.http.settings import HttpSettings, Timeouts
from provisor.errors import Fenced, Unreachable
from tests.api.tls import certificate

LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
Script = Callable[[bytes, int], list[bytes]]
"""What is answered to a request, piece by piece, on which connection (from 1); ends it where the
last piece is empty."""


class Wire:
    """A server that says byte by byte what it is told to, and keeps what it was sent."""

    def __init__(self, script: Script) -> None:
        self.script, self.port = script, 0
        self.requests: list[bytes] = []
        self.connections = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        try:
            while request := await read_request(reader):
                self.requests.append(request)
                pieces = self.script(request, number)
                for piece in pieces:
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0)
                if pieces and not pieces[-1]:
                    break
        except ConnectionError:
            pass
        finally:
            writer.close()


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """Return a request whole, nothing once there are no more."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""
    found = LENGTH.search(head)
    return head + (await reader.readexactly(int(found[1])) if found else b"")


@asynccontextmanager
async def wire(script: Script, tls: ssl.SSLContext | None = None) -> AsyncGenerator[Wire]:
    made = Wire(script)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0, ssl=tls)
    made.port = server.sockets[0].getsockname()[1]
    async with server:
        yield made


@asynccontextmanager
async def client(base: str, **settings: object) -> AsyncGenerator[HttpClient]:
    chosen = HttpSettings(base=base, **settings)  # type: ignore[arg-type]
    made = HttpClient(chosen, is_read_only=False)
    try:
        yield made
    finally:
        await made.close()


def always(*pieces: bytes) -> Script:
    return lambda request, connection: list(pieces)


def answered(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    lines = (b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), *headers)
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


async def get(made: HttpClient, url: str) -> Answer:
    return await made.send("GET", url, {}, None)


OK = answered(b"ok")
INFLATER = zlib.compressobj(wbits=-zlib.MAX_WBITS)
RAW = INFLATER.compress(b"ok") + INFLATER.flush()
FORMS = {
    "with its length": [OK],
    "byte by byte": [bytes([byte]) for byte in OK],
    "in chunks, with a trailer": [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n",
        b"1;x=y\r\nk\r\n0\r\nTrailer: x\r\n\r\n",
    ],
    "until the connection ends": [b"HTTP/1.1 200 OK\r\n\r\no", b"k", b""],
    "in HTTP/1.0": [b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", b""],
    "after more to come": [b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", OK],
    "with line ends of its own": [b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok"],
    "without a reason": [b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok"],
    "with an empty header": [answered(b"ok", b"X-Empty:", b"X-Other: y")],
    "in gzip": [answered(gzip.compress(b"ok"), b"Content-Encoding: gzip")],
    "in zlib": [answered(zlib.compress(b"ok"), b"content-encoding: Deflate")],
    "deflated without a header": [answered(RAW, b"Content-Encoding: deflate")],
}


@pytest.mark.parametrize("form", FORMS)
async def test_an_answer_is_understood_in_whatever_form_it_comes(form: str) -> None:
    async with wire(always(*FORMS[form])) as server, client(server.url) as made:
        for _ in range(2):
            answer = await get(made, f"{server.url}/Users")
            assert (answer.status, answer.body) == (200, b"ok")
            assert not answer.headers.keys() & {"link", "trailer"}
            if form == "with an empty header":
                assert answer.headers["x-other"] == "y"
        ends = not FORMS[form][-1]
        assert server.connections == (2 if ends else 1)


async def test_no_content_is_an_answer_without_body() -> None:
    script = always(b"HTTP/1.1 204 No Content\r\n\r\n")
    async with wire(script) as server, client(server.url) as made:
        answers = [await made.send("DELETE", f"{server.url}/1", {}, None) for _ in range(2)]
        assert [(one.status, one.body) for one in answers] == [(204, b"")] * 2
        assert server.connections == 1
        assert b"Content-Length: 0\r\n" in server.requests[0]


BROKEN = {
    "no HTTP": [b"SSH-2.0-OpenSSH_9.2\r\n", b""],
    "cut in its headers": [b"HTTP/1.1 200 OK\r\nContent-Le", b""],
    "cut in its body": [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", b""],
    "cut in a chunk": [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nok", b""],
    "two lengths": [b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok", b""],
    "nothing": [b""],
    "headers without end": [b"HTTP/1.1 200 OK\r\n", *[b"X: " + b"y" * 9_000 + b"\r\n"] * 40],
    "another protocol": [b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nx"],
    "no gzip": [answered(b"ok", b"Content-Encoding: gzip"), b""],
}


@pytest.mark.parametrize("form", BROKEN)
async def test_a_broken_answer_is_lost(form: str) -> None:
    async with wire(always(*BROKEN[form])) as server, client(server.url) as made:
        with pytest.raises(Lost) as lost:
            await made.send("POST", f"{server.url}/Users", {}, b"{}")
        assert lost.value.code == "WebExceptionProtocolError"
        assert len(server.requests) == 1


async def test_what_nobody_asked_for_is_never_taken_for_an_answer() -> None:
    def script(request: bytes, connection: int) -> list[bytes]:
        return [answered(b"mine") + answered(b"another's") if connection == 1 else OK]

    async with wire(script) as server, client(server.url) as made:
        bodies = [(await get(made, f"{server.url}/{n}")).body for n in range(3)]
        assert bodies == [b"mine", b"ok", b"ok"]
        assert server.connections == 2


async def test_a_connection_that_was_closed_while_idle_is_not_the_end_of_a_read() -> None:
    def script(request: bytes, connection: int) -> list[bytes]:
        is_second = b"/second" in request and connection == 1
        return [b""] if is_second else [OK]

    async with wire(script) as server, client(server.url) as made:
        await get(made, f"{server.url}/first")
        assert (await get(made, f"{server.url}/second")).body == b"ok"

    async with wire(script) as server, client(server.url) as made:
        await get(made, f"{server.url}/first")
        with pytest.raises(Lost):  # it may have been carried out
            await made.send("POST", f"{server.url}/second", {}, b"{}")
        assert len(server.requests) == 2


async def test_who_says_nothing_in_time_is_not_asked_again() -> None:
    async with wire(lambda request, _: [] if b"/silent" in request else [OK]) as server:
        async with client(server.url, timeouts=Timeouts(read=0.1)) as made:
            await get(made, server.url)
            with pytest.raises(Lost) as lost:
                await made.send("DELETE", f"{server.url}/silent", {}, None)
            assert lost.value.code == "Timeout"
        assert len(server.requests) == 2


async def test_idle_connections_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_client, "IDLE_S", 0.0)
    async with wire(always(OK)) as server, client(server.url) as made:
        for _ in range(2):
            await get(made, server.url)
        assert server.connections == 2


async def test_a_bomb_is_not_inflated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_client, "BODY_BYTES_MAX", 1_000)
    bomb = answered(gzip.compress(b"\0" * 10_000_000), b"Content-Encoding: gzip")
    async with wire(always(bomb)) as server, client(server.url) as made:
        with pytest.raises(Oversized):
            await get(made, server.url)


async def test_an_answer_that_trickles_is_given_up_in_the_end() -> None:
    never = always(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\no")
    async with wire(never) as server:
        limits = Timeouts(read=5.0, total=0.1)
        async with client(server.url, timeouts=limits) as made:
            with pytest.raises(Lost) as lost:
                await get(made, server.url)
            assert lost.value.code == "Timeout"


async def test_a_request_that_is_abandoned_spoils_no_other() -> None:
    def script(request: bytes, connection: int) -> list[bytes]:
        if b"/stalls" not in request:
            return [OK]
        stalls.set()
        return []

    stalls = asyncio.Event()
    async with wire(script) as server, client(server.url, connections_max=1) as made:
        await get(made, server.url)
        stalling = asyncio.create_task(get(made, f"{server.url}/stalls"))
        await stalls.wait()
        stalling.cancel()
        assert (await get(made, server.url)).body == b"ok"
        assert server.connections == 2


async def test_no_more_connections_are_opened_than_are_allowed() -> None:
    async with wire(always(OK)) as server, client(server.url, connections_max=3) as made:
        answers = await asyncio.gather(*(get(made, f"{server.url}/{n}") for n in range(20)))
        assert {answer.body for answer in answers} == {b"ok"}
        assert server.connections <= 3


async def test_who_has_waited_for_a_place_or_a_connection_asks_whether_it_still_may_be_sent() -> (
    None
):
    """A process that slept meanwhile has lost its lease, and nothing more may go out."""
    async with wire(always(OK)) as server, client(server.url, connections_max=1) as made:
        first, second = (made.prepare("POST", server.url, {}, b"") for _ in range(2))
        second.check = _has_no_lease
        waiting = asyncio.gather(made.finish(first), made.finish(second), return_exceptions=True)
        answer, refusal = await waiting
        third = made.prepare("POST", server.url, {}, b"")
        await made.finish(third)

        assert isinstance(answer, Answer)
        assert isinstance(refusal, Fenced)
        assert len(server.requests) == 2


def _has_no_lease() -> None:
    raise Fenced


async def test_a_header_cannot_bring_another() -> None:
    async with wire(always(OK)) as server, client(server.url) as made:
        for value in ("a\r\nX-More: b", "a\nX-More: b", "a\0"):
            with pytest.raises(ValueError, match="end of a line"):
                await made.send("GET", server.url, {"If-Match": value}, None)
        assert server.requests == []


def test_an_address_is_asked_for_as_it_is_written() -> None:
    assert split("https://a.example:8/b%2Fc?d=e&f#g") == ("https://a.example:8", "/b%2Fc?d=e&f")
    assert split("https://a.example") == ("https://a.example", "/")
    assert split("https://a.example?x=/y") == ("https://a.example", "/?x=/y")
    assert split("https://a.example/ü b\r\nX: y")[1] == "/%C3%BC%20b%0D%0AX:%20y"


# proxies and TLS


async def test_a_proxy_is_asked_for_whole_addresses_and_told_who_we_are() -> None:
    async with wire(always(OK)) as proxy:
        leading = proxy.url.replace("://", "://me:p%40ss@")
        async with client("http://scim.example", proxy=leading) as made:
            assert (await get(made, "http://scim.example/Users?x=1")).body == b"ok"
        lines = proxy.requests[0].split(b"\r\n")
        assert lines[0] == b"GET http://scim.example/Users?x=1 HTTP/1.1"
        assert b"Host: scim.example" in lines
        assert b"Proxy-Authorization: Basic bWU6cEBzcw==" in lines


@asynccontextmanager
async def tunnelling(answer: bytes, goal: int) -> AsyncGenerator[tuple[str, list[bytes]]]:
    """Run a proxy that leads everybody to a port of this machine, and keep what it was asked."""
    asked: list[bytes] = []

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await read_request(reader))
        writer.write(answer)
        if b" 200 " in answer:
            inner = await asyncio.open_connection("127.0.0.1", goal)
            await asyncio.gather(
                pump(reader, inner[1]), pump(inner[0], writer), return_exceptions=True
            )
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://me:pw@127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


async def test_tls_is_spoken_through_a_proxy_with_whoever_is_behind_it(tmp_path: Path) -> None:
    made = certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(made.certificate, made.key)
    trusted = str(made.certificate)
    async with wire(always(OK), context) as server:
        there = f"https://localhost:{server.port}"
        opened = b"HTTP/1.1 200 Connection established\r\n\r\n"
        async with tunnelling(opened, server.port) as (proxy, asked):
            async with client(there, proxy=proxy, ca_file=trusted) as through:
                bodies = [(await get(through, f"{there}/Users")).body for _ in range(2)]
            assert bodies == [b"ok", b"ok"]
            assert len(asked) == 1
            assert asked[0].startswith(b"CONNECT localhost:%d HTTP/1.1\r\n" % server.port)
            assert b"Proxy-Authorization: Basic bWU6cHc=\r\n" in asked[0]
        async with client(there, ca_file=trusted) as direct:
            assert (await get(direct, there)).body == b"ok"
        async with client(there) as wary:
            with pytest.raises(Unreachable, match="is not trusted"):
                await get(wary, there)


async def test_a_proxy_that_refuses_is_told_of() -> None:
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"
    there = "https://scim.example"
    async with tunnelling(refusal, 0) as (proxy, _), client(there, proxy=proxy) as made:
        with pytest.raises(Unreachable, match="407"):
            await get(made, f"{there}/Users")
