"""Asking a target: with credentials, at its pace, and again where that is safe.

`request → reply`: what comes back is an answer to be judged (`failures`), or one of the errors of
the port. Only what may be repeated is repeated (spec: scim-target 9.2): never a POST.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import NoReturn
from urllib.parse import urljoin, urlsplit

from msgspec import Struct

from provisor.connectors.around.pace import Line, Turn
from provisor.connectors.around.trace import Exchange, Trace
from provisor.connectors.http.auth import Authorizer
from provisor.connectors.http.body import Json, NotJson, decode, encode
from provisor.connectors.http.client import HttpClient
from provisor.connectors.http.connection import Answer, Lost, Oversized
from provisor.connectors.http.replies import Dialect, Narrator, Redactor, Reply, legible
from provisor.connectors.http.settings import HttpSettings
from provisor.errors import Rejected, Throttled, Unanswered, Unreachable
from provisor.model.frozen import Frozen
from provisor.ports import Clock

PLAIN_JSON = "application/json"
USER_AGENT = "Provisor"
REDIRECTS_MAX = 3
USUAL_MAX = 20
CONNECTS_MAX = 3
REPEATS: Mapping[int, int] = {500: 1, 502: 3, 503: 3, 504: 3}
"""How often what is safe to repeat is repeated, by status (spec: scim-target 9.3)."""
REPEATS_LOST = 3
NO_HEADERS: Mapping[str, str] = MappingProxyType({})
PUSH_BACK = frozenset({429, 503})
"""Statuses by which a target asks for patience."""
LOST_WORTH_REPEATING = "WebExceptionProtocolError"


class Request(Frozen, frozen=True, kw_only=True):
    """What to ask, below the target's address."""

    method: str
    path: str
    """Percent-encoded, with a leading slash."""
    query: str = ""
    """Percent-encoded, without question mark."""
    content: Json | bytes = None
    """Bytes are JSON that is written out already."""
    version: str | None = None
    """Only if the resource is still in this version."""
    headers: Mapping[str, str] = NO_HEADERS
    """What else the protocol wants to be said."""
    secrets: tuple[str, ...] = ()
    """Values in it that must not be shown: passwords."""
    is_left_unread: bool = False
    """Who asks reads the body of a success; the reply has no content then."""

    def __repr__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def may_repeat(self) -> bool:
        return self.method != "POST"


class _Course(Struct, eq=False):
    """How one request has fared so far."""

    turn: Turn
    address: str
    content_type: str
    failures: int = 0
    connects: int = 0
    redirects: int = 0
    has_refreshed: bool = False


class Conversation:
    """Carries requests to one target and answers back."""

    def __init__(
        self,
        settings: HttpSettings,
        clock: Clock,
        pace: Line,
        dialect: Dialect,
        *,
        trace: Trace | None = None,
        is_read_only: bool,
    ) -> None:
        self._settings, self._clock, self._pace, self._trace = settings, clock, pace, trace
        self._http = HttpClient(settings, is_read_only=is_read_only)
        self._authorizer = Authorizer(settings.credentials, self._http, clock, dialect)
        self._dialect, self._content_type = dialect, dialect.content_type
        self._usual: dict[tuple[str, str, bool], Mapping[str, str]] = {}
        self.narrator = Narrator(settings.host, Redactor().also(settings.secrets), dialect)

    async def ask(self, request: Request) -> Reply:
        """Return what the target answers in the end, be it success or refusal.

        Raises Unanswered, Throttled, Unreachable, Denied; Rejected for an endless answer.
        """
        course = _Course(self._pace.turn(), self._address(request), self._content_type)
        while True:
            reply = await self._try(request, course)
            if reply is not None:
                return reply

    async def close(self) -> None:
        await self._http.close()

    def _address(self, request: Request) -> str:
        address = self._settings.base + request.path
        if not request.query and not self._settings.query:
            return address
        queries = "&".join(query for query in (request.query, self._settings.query) if query)
        return f"{address}?{queries}"

    async def _try(self, request: Request, course: _Course) -> Reply | None:
        """Send a request once; return its reply, or None if it is to be sent again."""
        authorization = await self._authorizer.header()
        try:
            answer = await self._in_turn(request, course, authorization)
        except Unreachable as error:
            await self._connect_again(course, error)
            return None
        except Lost as loss:
            await self._after_loss(request, course, loss)
            return None
        reply = _reply(request, answer, _proof(authorization))
        if reply.status == 401 and not course.has_refreshed:
            course.has_refreshed = True
            return None if self._authorizer.drop(authorization) else reply
        if reply.status == 415 and course.content_type != PLAIN_JSON:
            self._content_type = course.content_type = PLAIN_JSON
            return None
        if reply.status in (307, 308) and self._follow(reply, course):
            return None
        return None if await self._is_put_off(request, course, reply) else reply

    async def _in_turn(self, request: Request, course: _Course, authorization: str) -> Answer:
        body = request.content
        if body is not None and not isinstance(body, bytes):
            body = encode(body)
        headers = self._headers(request, course, authorization)
        sending = self._http.prepare(request.method, course.address, headers, body)

        def told(answer: Answer) -> None:
            if answer.status not in PUSH_BACK:  # else nobody goes before that is judged
                course.turn.end()

        sending.told, sending.check = told, course.turn.check
        try:
            await course.turn.begin(lambda: self._http.start(sending))
        except BaseException:
            self._http.abandon(sending)
            raise
        began = self._clock.now() if self._trace is not None else None
        answer = None
        try:
            answer = await self._http.finish(sending)
            return answer
        except Oversized as error:
            raise Rejected(str(error), code=self._dialect.incompatible) from error
        finally:
            course.turn.end()
            if self._trace is not None and began is not None:
                secrets = (*request.secrets, *_proof(authorization))
                self._trace.note(self._exchange(request, began, body or b"", answer, secrets))

    def _headers(self, request: Request, course: _Course, authorization: str) -> Mapping[str, str]:
        """Return the headers of a request: most have the same, which are made once."""
        if request.version is not None or request.headers:
            return self._headers_of(request, course, authorization)
        known = (authorization, course.content_type, request.content is None)
        if known not in self._usual:
            self._usual = {} if len(self._usual) >= USUAL_MAX else self._usual
            self._usual[known] = self._headers_of(request, course, authorization)
        return self._usual[known]

    def _headers_of(
        self, request: Request, course: _Course, authorization: str
    ) -> Mapping[str, str]:
        headers = {**self._settings.headers, **request.headers}
        headers |= {"Accept": self._dialect.accept, "User-Agent": USER_AGENT}
        if authorization:
            headers["Authorization"] = authorization
        if request.content is not None:
            headers["Content-Type"] = course.content_type
        if request.version is not None:
            headers["If-Match"] = request.version
        return headers

    async def _connect_again(self, course: _Course, error: Unreachable) -> None:
        course.connects += 1
        if course.connects >= CONNECTS_MAX:
            raise error
        await self._clock.sleep(2.0 ** (course.connects - 1))

    async def _after_loss(self, request: Request, course: _Course, loss: Lost) -> None:
        course.failures += 1
        is_over = loss.code != LOST_WORTH_REPEATING or course.failures > REPEATS_LOST
        if is_over or not request.may_repeat:
            self._raise_unanswered(request, loss)
        await self._clock.sleep(2.0 ** (course.failures - 1))

    def _raise_unanswered(self, request: Request, loss: Lost) -> NoReturn:
        told = self.narrator.unanswered(
            request.method, request.path, request.content, request.secrets
        )
        raise Unanswered(str(loss), code=loss.code, heard=told) from loss

    def _follow(self, reply: Reply, course: _Course) -> bool:
        """Go where the target sends us, if that is still the target: tokens go nowhere else."""
        there = urljoin(course.address, reply.headers.get("location", ""))
        here, goal = urlsplit(course.address), urlsplit(there)
        course.redirects += 1
        if (here.scheme, here.netloc) != (goal.scheme, goal.netloc):
            return False
        course.address = there
        return course.redirects <= REDIRECTS_MAX

    async def _is_put_off(self, request: Request, course: _Course, reply: Reply) -> bool:
        """Wait where waiting helps, and tell whether to ask again. Raises Throttled."""
        if reply.status < 429:
            course.turn.accepted()
            return False
        retry_after = retry_after_s(reply.headers, self._clock.now())
        is_patience = reply.status == 503 and retry_after is not None and request.may_repeat
        if reply.status == 429 or is_patience:
            try:
                course.turn.pushed_back(retry_after)
            except Throttled as error:
                message = self.narrator.message(reply, "TooManyRequests")
                raise Throttled(
                    error.retry_after_s, message, heard=self.narrator.heard(reply)
                ) from None
            return True
        if reply.status == 503:
            course.turn.struggled(retry_after)
        if reply.status < 500:
            course.turn.accepted()
            return False
        course.failures += 1
        if not request.may_repeat or course.failures > REPEATS.get(reply.status, 0):
            return False
        await self._clock.sleep(2.0 ** (course.failures - 1))
        return True

    def _exchange(
        self,
        request: Request,
        began: datetime,
        body: bytes,
        answer: Answer | None,
        secrets: tuple[str, ...],
    ) -> Exchange:
        redactor = self.narrator.redactor.also(secrets)
        return Exchange(
            at=began,
            duration_ms=int((self._clock.now() - began).total_seconds() * 1_000),
            method=request.method,
            address=redactor.clean(request.path + (f"?{request.query}" if request.query else "")),
            sent=legible(body, redactor),
            status=answer.status if answer else 0,
            answered=legible(answer.body, redactor) if answer else "",
        )


def _proof(authorization: str) -> tuple[str, ...]:
    """Return what of an Authorization header nobody should see."""
    proof = authorization.partition(" ")[2]
    return (proof,) if proof else ()


def _reply(request: Request, answer: Answer, proof: tuple[str, ...]) -> Reply:
    content: Json = None
    if not (request.is_left_unread and 200 <= answer.status < 300):
        with suppress(NotJson):
            content = decode(answer.body)
    return Reply(
        status=answer.status,
        headers=answer.headers,
        body=answer.body,
        content=content,
        method=request.method,
        path=request.path,
        sent=request.content,
        secrets=(*request.secrets, *proof),
    )


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return for how long the target asks to wait, given in seconds or as a date."""
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        return max(float(text), 0.0)
    except ValueError:
        pass
    try:
        return max((parsedate_to_datetime(text) - now).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return None
