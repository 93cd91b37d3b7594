"""A form that makes something makes it once, however often the browser sends it.

Each page that is shown gives its forms a name of their own. What is sent under a name a second
time, word for word, is answered as it was the first time: an answer that got lost, a page loaded
anew, a button pressed twice make nothing more. That a form was sent lies in the store before
anything is done; the page that it was answered with is remembered by this process alone, for it may
hold what is shown once.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec
from starlette.responses import Response

from provisor.console.sessions import Keep
from provisor.graph.http.faults import Fault

FIELD = "once"
LASTS = timedelta(hours=12)
"""As long as a session that was opened with a key."""
SENT_MAX, PAGES_MAX = 500, 50
"""Forms of which it is known that they were sent, and of whose answers what they said."""
PAGE_LASTS = timedelta(minutes=10)
"""A page may hold what is shown once."""
UNKNOWN = (
    "This was sent before, and whether it was done is not known. See what is there before you send "
    "it again."
)
DONE_BEFORE = (
    "This was sent before, and it was done. What the page said then is not kept: see what is there."
)


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A form that was sent, as it is kept."""

    key: str
    at: datetime
    is_done: bool = False
    location: str = ""
    """Where it led; empty while it is not done, and where it was answered with a page."""


@dataclass(frozen=True, slots=True)
class _Said:
    """An answer before it was made ready for the browser."""

    at: datetime
    nonce: str
    status: int
    media: str
    location: str
    body: bytes

    def anew(self, nonce: str) -> Response:
        """Return the answer once more, its scripts known by the name that this one gives them."""
        body = self.body.replace(self.nonce.encode(), nonce.encode())
        answer = Response(body, self.status, media_type=self.media or None)
        if self.location:
            answer.headers["location"] = self.location
        return answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    keep: Keep
    now: Callable[[], datetime]
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _turns: dict[str, asyncio.Lock] = field(default_factory=dict[str, asyncio.Lock])
    _said: OrderedDict[str, _Said] = field(default_factory=OrderedDict[str, _Said])

    async def of(self, key: str, nonce: str, act: Callable[[], Awaitable[Response]]) -> Response:
        """Act, unless that was done under this key before; return what came of it. Who comes while
        it is being done waits for it. Raises Fault."""
        turn = self._turns.setdefault(key, asyncio.Lock())
        async with turn:
            try:
                return await self._once(key, nonce, act)
            finally:
                self._turns.pop(key, None)

    async def _once(self, key: str, nonce: str, act: Callable[[], Awaitable[Response]]) -> Response:
        if (said := self._said.get(key)) is not None and said.at > self.now() - PAGE_LASTS:
            return said.anew(nonce)
        if (sent := await self._find(key)) is not None:
            if sent.location:
                return Response(status_code=303, headers={"location": sent.location})
            raise Fault(409, "FormSentBefore", DONE_BEFORE if sent.is_done else UNKNOWN)
        await self._note(key, Sent(key=key, at=self.now()))
        try:
            answer = await act()
        except Fault as fault:
            if fault.status < 500:
                await self._note(key, None)  # it was refused: nothing was done
            raise
        if answer.status_code >= 400:
            await self._note(key, None)
            return answer
        location = answer.headers.get("location", "")
        self._remember(key, nonce, answer, location)
        await self._note(key, Sent(key=key, at=self.now(), is_done=True, location=location))
        return answer

    def _remember(self, key: str, nonce: str, answer: Response, location: str) -> None:
        now, media = self.now(), answer.media_type or ""
        said = _Said(now, nonce, answer.status_code, media, location, bytes(answer.body))
        self._said[key] = said
        for one, known in tuple(self._said.items()):
            if len(self._said) > PAGES_MAX or known.at <= now - PAGE_LASTS:
                del self._said[one]

    async def _find(self, key: str) -> Sent | None:
        return next((one for one in await self._all() if one.key == key), None)

    async def _note(self, key: str, sent: Sent | None) -> None:
        async with self._lock:
            since = self.now() - LASTS
            kept = [one for one in await self._all() if one.key != key and one.at > since]
            if sent is not None:
                kept = [*kept[-(SENT_MAX - 1) :], sent]
            await self.keep.save(msgspec.json.encode(kept))

    async def _all(self) -> list[Sent]:
        content = await self.keep.load()
        return msgspec.json.decode(content, type=list[Sent]) if content else []


def name_of(nonce: str) -> str:
    """Return what the forms of one page are called: like its nonce it is never given twice, and it
    does not tell it."""
    return hashlib.sha256(f"form {nonce}".encode()).hexdigest()[:32]


def key_of(session: str, path: str, form: Mapping[str, str]) -> str:
    """Return by what a form that was sent is known: whose it is, where it goes, what it says."""
    said = msgspec.json.encode([session, path, sorted(form.items())])
    return hashlib.sha256(said).hexdigest()
