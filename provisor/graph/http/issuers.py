"""Whose tokens are believed besides our own, and where their keys come from."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from provisor.ports import Clock

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
"""Asymmetric ones only: who can check a token must not be able to make one."""
KEEP = timedelta(hours=1)
ASK_AGAIN = timedelta(minutes=1)
"""Unknown keys make us ask an issuer at most so often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    issuer: str
    """Exactly as `iss` has it."""
    audience: str
    keys_url: str = ""
    """Empty: found through the issuer's own discovery document."""


class UnknownKey(Exception):
    """The issuer does not have the key that a token names, or cannot be asked."""


Fetch = Callable[[str], Awaitable[object]]
"""Get a JSON document. Raises UnknownKey."""


@dataclass(slots=True)
class _Held:
    keys: KeySet
    at: datetime


@dataclass(slots=True)
class KeySource:
    """The keys of issuers, fetched when needed and kept for a while."""

    clock: Clock
    fetch: Fetch
    _held: dict[str, _Held] = field(default_factory=dict[str, _Held])
    _asked: dict[str, datetime] = field(default_factory=dict[str, datetime])

    async def keys(self, issuer: Issuer, key_id: str) -> KeySet:
        """Return the issuer's keys, among them the one named. Raises UnknownKey."""
        held, now = self._held.get(issuer.issuer), self.clock.now()
        if held is not None and now - held.at < KEEP and _has(held.keys, key_id):
            return held.keys
        asked = self._asked.get(issuer.issuer)
        if asked is None or now - asked >= ASK_AGAIN:
            self._asked[issuer.issuer] = now
            held = self._held[issuer.issuer] = _Held(await self._fetched(issuer), now)
        if held is None or not _has(held.keys, key_id):
            raise UnknownKey(f"{issuer.issuer} has no key {key_id}")
        return held.keys

    async def _fetched(self, issuer: Issuer) -> KeySet:
        url = issuer.keys_url
        if not url:
            about = await self.fetch(
                f"{issuer.issuer.rstrip('/')}/.well-known/openid-configuration"
            )
            said = cast(dict[str, object], about) if isinstance(about, dict) else {}
            if said.get("issuer") != issuer.issuer:
                raise UnknownKey(f"{issuer.issuer} says of itself that it is another")
            url = str(said.get("jwks_uri") or "")
        document = await self.fetch(url)
        try:
            return KeySet.import_key_set(cast(Any, document))
        except (JoseError, KeyError, TypeError, ValueError) as failure:
            raise UnknownKey(f"{issuer.issuer} publishes no keys that can be read") from failure


def _has(keys: KeySet, key_id: str) -> bool:
    return not key_id or any(key.kid == key_id for key in keys.keys)
