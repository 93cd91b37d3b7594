"""One connection to one server, on which requests go out and answers come back, one by one.

What answers look like on the wire is llhttp's to say, the parser of Node.js. It is told to forgive
what servers get wrong and nobody can take for something else: line ends and spaces.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Mapping

import httptools

from provisor.connectors.http.settings import Timeouts
from provisor.model.frozen import Frozen

HEAD_BYTES_MAX = 2**18
"""Of status line and headers, in the pieces that they come in."""
GZIP_OR_ZLIB = zlib.MAX_WBITS | 32
BROKEN = "WebExceptionProtocolError"


class Lost(Exception):
    """The request was sent, and no whole answer came: nobody knows whether it was carried out."""

    def __init__(self, code: str, message: str, *, is_unheard: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.is_unheard = is_unheard
        """It was closed before a byte came back: as servers close connections that are idle."""


class Oversized(Exception):
    """The answer is longer than any honest one."""


class Answer(Frozen, frozen=True):
    """What came back. Header names are in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connection(asyncio.Protocol):
    """Holds one exchange at a time. Whoever asks looks at `is_free` before the next one."""

    def __init__(self, host: str, timeouts: Timeouts, loop: asyncio.AbstractEventLoop) -> None:
        self._host, self._timeouts, self._loop = host, timeouts, loop
        self._transport: asyncio.Transport | None = None
        self._parser = _parser(self)
        self._waiting: asyncio.Future[Answer] | None = None
        self._told: Callable[[Answer], None] = _nobody
        self._is_spent = False
        """Nothing may be sent on it any more."""
        self._timer: asyncio.TimerHandle | None = None
        self._began_at = self._heard_at = 0.0
        self._body_max = 0
        self.idle_since = 0.0
        self._begin_message()

    @property
    def is_free(self) -> bool:
        return self._waiting is None and not self._is_spent

    def close(self) -> None:
        """Close it at once; who waits for an answer hears that there will be none."""
        self._end(f"the connection to {self._host} was closed")

    def start(
        self, request: bytes, body_max: int, began_at: float, told: Callable[[Answer], None]
    ) -> asyncio.Future[Answer]:
        """Send a request. Its answer is fetched by `finish`, and told the moment that it is there.

        `began_at` is the loop's time from which all that it may take is counted.
        """
        assert self.is_free, "one exchange at a time"
        assert self._transport is not None, "nobody has called yet"
        answer: asyncio.Future[Answer] = self._loop.create_future()
        self._waiting, self._told, self._body_max = answer, told, body_max
        self._began_at, self._heard_at = began_at, self._loop.time()
        self._begin_message()
        if self._timer is None:
            self._wait_until(self._due_at())
        self._transport.write(request)
        return answer

    async def finish(self, answer: asyncio.Future[Answer]) -> Answer:
        """Return the answer to what was sent. Raises Lost, Oversized."""
        try:
            return await answer
        finally:
            self.abandon(answer)

    def abandon(self, answer: asyncio.Future[Answer]) -> None:
        """Nobody waits for an answer any more: if it is still to come, the connection ends."""
        if self._waiting is answer:
            self._end("nobody waits for the answer")
        elif answer.done() and not answer.cancelled():
            answer.exception()  # it was heard of, if by nobody

    # time: one timer for many exchanges, since hardly any of them ends it

    def _due_at(self) -> float:
        limits = self._timeouts
        return min(self._heard_at + limits.read, self._began_at + limits.total)

    def _wait_until(self, at: float) -> None:
        self._timer = self._loop.call_at(at, self._look_at_time)

    def _look_at_time(self) -> None:
        self._timer = None
        if self._waiting is None:
            return
        due_at = self._due_at()
        if due_at > self._loop.time():
            self._wait_until(due_at)
        else:
            self._end(f"{self._host} did not answer in time", code="Timeout")

    # what asyncio tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._waiting is None:
            self._end("")  # nobody asked
            return
        self._heard_at = self._loop.time()
        self._is_heard = True
        if not self._is_body:
            self._head_size += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade, zlib.error) as error:
            self._break(error)
        else:
            if self._head_size > HEAD_BYTES_MAX:
                self._end(f"{self._host} answered with headers without end")

    def eof_received(self) -> bool:
        if self._waiting is not None and self._is_until_end():
            self._is_spent = True
            self._complete()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.eof_received()
        why = type(exc).__name__ if exc else "it was closed"
        self._end(f"the connection to {self._host} broke: {why}")

    def _break(self, error: Exception) -> None:
        refusal = error.__context__
        if isinstance(refusal, Oversized):
            self._end("", refusal=refusal)
        else:
            self._end(f"the connection to {self._host} broke: {type(error).__name__}")

    def _end(self, why: str, *, code: str = BROKEN, refusal: Exception | None = None) -> None:
        """Use the connection no more, and tell who waits."""
        self._is_spent = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._transport is not None:
            self._transport.abort()
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            is_unheard = code == BROKEN and not self._is_heard
            waiting.set_exception(refusal or Lost(code, why, is_unheard=is_unheard))

    # what the parser tells

    def _begin_message(self) -> None:
        self._headers: dict[str, str] = {}
        self._parts: list[bytes] = []
        self._size = self._head_size = 0
        self._is_heard = self._is_body = False
        self._inflating: _Inflating | None = None

    def on_message_begin(self) -> None:
        if self._waiting is None:  # more than was asked for
            self._is_spent = True

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._is_body:  # what follows a body in chunks says nothing that we need
            text = value.decode("utf-8", "surrogateescape").strip(" \t")
            self._headers[name.decode("latin-1").lower()] = text

    def on_headers_complete(self) -> None:
        if self._parser.get_status_code() >= 200:
            self._is_body = True
            coding = self._headers.get("content-encoding", "").strip().lower()
            if coding in ("gzip", "x-gzip", "deflate"):
                self._inflating = _Inflating()

    def on_body(self, body: bytes) -> None:
        if self._inflating is not None:
            body = self._inflating.inflate(body, self._body_max - self._size)
        self._size += len(body)
        if self._size > self._body_max:
            raise Oversized(f"the answer is longer than {self._body_max} bytes")
        self._parts.append(body)

    def on_message_complete(self) -> None:
        if self._parser.get_status_code() < 200:  # there is more to come (RFC 9110 15.2)
            self._headers.clear()
            return
        if self._waiting is None:
            return
        transport = self._transport
        is_sent = transport is not None and not transport.get_write_buffer_size()
        if not is_sent or not self._parser.should_keep_alive():
            self._is_spent = True
        self._complete()

    def _is_until_end(self) -> bool:
        """Tell whether the end of the connection ends the answer too."""
        is_framed = "content-length" in self._headers or "transfer-encoding" in self._headers
        return self._is_body and not is_framed

    def _complete(self) -> None:
        parts = self._parts
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        answer = Answer(self._parser.get_status_code(), self._headers, body)
        waiting, self._waiting = self._waiting, None
        self.idle_since = self._heard_at
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)
        if self._is_spent:
            self._end("")
        self._told(answer)


def _nobody(answer: Answer) -> None:
    """Nobody is told."""


class _Inflating:
    """A body that comes compressed. Some send `deflate` without its header."""

    def __init__(self) -> None:
        self._inflater = zlib.decompressobj(GZIP_OR_ZLIB)
        self._is_begun = False

    def inflate(self, data: bytes, limit: int) -> bytes:
        """Return what data stands for, and no more of it than tells that it is too much."""
        if not self._is_begun and data:
            self._is_begun = True
            try:
                return self._inflater.decompress(data, max(limit, 0) + 1)
            except zlib.error:
                self._inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        return self._inflater.decompress(data, max(limit, 0) + 1)


def _parser(told: Connection) -> httptools.HttpResponseParser:
    parser = httptools.HttpResponseParser(told)
    parser.set_dangerous_leniencies(
        lenient_headers=True,
        lenient_optional_lf_after_cr=True,
        lenient_optional_cr_before_lf=True,
        lenient_optional_crlf_after_chunk=True,
        lenient_spaces_after_chunk_size=True,
    )
    return parser
