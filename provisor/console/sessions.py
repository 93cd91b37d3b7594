"""Who is signed in: sessions kept on the server, each bound to the key it was opened with.

The browser holds a random text in a cookie; here lies only its hash. A session ends when it is
signed out of, when its time is over, and with its key: that is looked at at every request.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from provisor.graph.http.auth import Caller, Gatekeeper
from provisor.graph.http.faults import unauthenticated

COOKIE = "provisor_console"
PATH = "/console"
LIFETIME = timedelta(hours=12)
LIFETIME_ELSEWHERE = timedelta(hours=8)
"""Of whoever an identity provider vouched for: what it takes back later is not told to us."""
SECRET_BYTES = 32
SESSIONS_MAX = 500
"""The oldest are ended when there are more."""
ENDED = "The session has ended."


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One browser's sign-in, as it is kept."""

    hash: str
    tenant: str
    """Whose jobs it shows; empty: those of the tenant that the workspace is of."""
    id: str
    """Of the key, or of the person."""
    name: str
    opened: datetime
    expires: datetime
    scopes: tuple[str, ...] | None = None
    """Given where an identity provider said what the person may; None: the key says it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """Where sessions lie, so that a restart of the server ends none of them."""

    load: Callable[[], Awaitable[bytes | None]]
    save: Callable[[bytes], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sessions:
    keep: Keep
    gatekeeper: Gatekeeper
    now: Callable[[], datetime]
    draw: Callable[[int], bytes]
    """Random bytes."""
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def open(self, caller: Caller, *, is_of_key: bool) -> str:
        """Begin a session; return the text that the cookie is to hold."""
        secret = base64.urlsafe_b64encode(self.draw(SECRET_BYTES)).decode("ascii").rstrip("=")
        now = self.now()
        lasts = LIFETIME if is_of_key else LIFETIME_ELSEWHERE
        session = Session(
            hash=_hash(secret),
            tenant=caller.tenant,
            id=caller.id,
            name=caller.name,
            opened=now,
            expires=now + lasts,
            scopes=None if is_of_key else tuple(sorted(caller.scopes)),
        )
        async with self._lock:
            kept = [one for one in await self._all() if one.expires > now]
            await self._put((*kept[-(SESSIONS_MAX - 1) :], session))
        return secret

    async def find(self, secret: str) -> Session | None:
        """Return the session that a cookie names, if it still goes on."""
        hash, now = _hash(secret), self.now()
        found = [one for one in await self._all() if hmac.compare_digest(one.hash, hash)]
        return next((one for one in found if one.expires > now), None)

    async def caller(self, session: Session) -> Caller:
        """Return who a session is of, as of now. Raises Fault once its key is no longer good."""
        if self.now() >= session.expires:
            raise unauthenticated(ENDED)
        if session.scopes is None:
            return await self.gatekeeper.holder(session.tenant, session.id)
        scopes = frozenset(session.scopes)
        return Caller(id=session.id, name=session.name, scopes=scopes, tenant=session.tenant)

    async def close(self, session: Session) -> None:
        async with self._lock:
            await self._put([one for one in await self._all() if one.hash != session.hash])

    async def _all(self) -> list[Session]:
        content = await self.keep.load()
        return msgspec.json.decode(content, type=list[Session]) if content else []

    async def _put(self, sessions: list[Session] | tuple[Session, ...]) -> None:
        await self.keep.save(msgspec.json.encode(sessions))


def anti_forgery(secret: str) -> str:
    """Return what a form has to bring along: only the pages of the same sign-in know it."""
    return _hash(f"form {secret}")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
