"""Who asks, and what they may: API keys, our own short-lived tokens, tokens of known issuers."""

from __future__ import annotations

import binascii
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import cast

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from joserfc.util import urlsafe_b64decode

from provisor.graph.http.faults import Fault, unauthenticated
from provisor.graph.http.issuers import ALGORITHMS, Issuer, KeySource, UnknownKey
from provisor.model.jobs import Application
from provisor.ports import Clock, Registry
from provisor.runtime.parts import WORKSPACE
from provisor.settings.tokens import SCOPES, TOKENS, Token, hash_of, matching, read_tokens
from provisor.store.owners import HOME
from provisor.store.tenants import tenants, view_of

OURS = "provisor"
"""The issuer of the tokens that the token endpoint gives."""
LIFETIME_S = 3599
LEEWAY_S = 60
TOKEN_LENGTH_MAX = 16_384
EVERYTHING = "Directory.ReadWrite.All"
ID_TOKEN_CLAIMS = frozenset(("nonce", "at_hash", "c_hash"))
"""What only ID tokens have: those are about somebody, not from somebody."""

EMPTY = "Access token is empty."
REFUSED = "Access token has expired or is not yet valid."
INVALID = "Access token validation failure."


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Whoever asks."""

    id: str = ""
    """Of the key, or of the object that the token is about."""
    name: str = "anonymous"
    """For the audit."""
    app_id: str = ""
    scopes: frozenset[str] = frozenset()
    tenant: str = HOME
    """Whose objects it may see: from the credential, and from nothing else."""

    def has_any(self, scopes: Collection[str]) -> bool:
        return not self.scopes.isdisjoint(scopes) or EVERYTHING in self.scopes

    def owns(self, application: Application) -> bool:
        mine = {name for name in (self.id, self.app_id, self.name) if name}
        return not mine.isdisjoint(application.owners)


ANONYMOUS = Caller()


@dataclass(slots=True, kw_only=True)
class Gatekeeper:
    registry: Registry
    clock: Clock
    tenant: str
    signing_key: bytes
    issuers: Sequence[Issuer] = ()
    keys: KeySource | None = None
    _read: dict[str, tuple[bytes, tuple[Token, ...]]] = field(
        default_factory=dict[str, tuple[bytes, tuple[Token, ...]]]
    )
    """By tenant: the keys as stored, and what they say."""
    _seen: dict[str, str] = field(default_factory=dict[str, str])
    """Whose a key is that was good once, by its hash."""

    async def caller(self, authorization: str) -> Caller:
        """Return who a header names. Raises Fault: unauthenticated."""
        scheme, _, text = authorization.strip().partition(" ")
        text = text.strip()
        if not text:
            raise unauthenticated(EMPTY)
        if scheme.lower() != "bearer" or len(text) > TOKEN_LENGTH_MAX:
            raise unauthenticated(INVALID)
        if text.count(".") == 2:
            return await self._of_jwt(text)
        return self._of_key(*await self._owner_of(text))

    async def grant(self, tenant: str, client: str, secret: str) -> tuple[str, Token]:
        """Return a short-lived token for an API key: its id as client, its text as secret.

        Raises Fault as the OAuth endpoint answers it.
        """
        whose, token = await self._owner_of(secret)
        now, id = self.clock.now(), whose or self.tenant
        is_its = token is not None and (token.id.lower(), id) == (client.lower(), tenant.lower())
        if token is None or not is_its or not token.is_good(now):
            raise Fault(401, "invalid_client", "The client is not known, or its secret is wrong.")
        issued = int(now.timestamp())
        claims = {
            "iss": OURS,
            "aud": self.tenant,
            "tid": id,
            "oid": token.id,
            "appid": token.id,
            "sub": token.id,
            "roles": list(token.scopes),
            "iat": issued,
            "nbf": issued,
            "exp": issued + LIFETIME_S,
        }
        return jwt.encode({"alg": "HS256"}, claims, self._own_key()), token

    def _of_key(self, tenant: str, token: Token | None) -> Caller:
        if token is None:
            raise unauthenticated(INVALID)
        if not token.is_good(self.clock.now()):
            raise unauthenticated(REFUSED)
        return Caller(
            id=token.id,
            name=token.name,
            app_id=token.id,
            scopes=frozenset(token.scopes),
            tenant=tenant,
        )

    async def _owner_of(self, text: str) -> tuple[str, Token | None]:
        """Return the key whose text this is, and whose key it is."""
        hash = hash_of(text)
        known = self._seen.get(hash)
        if known is not None and (token := matching(await self._known(known), text)):
            return known, token
        for tenant in (HOME, *await tenants(self.registry)):
            token = matching(await self._known(tenant), text)
            if token is not None:
                self._seen[hash] = tenant
                return tenant, token
        return HOME, None

    async def _known(self, tenant: str) -> tuple[Token, ...]:
        content = await view_of(self.registry, tenant).document(WORKSPACE, TOKENS) or b""
        before = self._read.get(tenant)
        if before is None or before[0] != content:
            before = self._read[tenant] = (content, read_tokens(content))
        return before[1]

    # JSON Web Tokens

    async def _of_jwt(self, text: str) -> Caller:
        claimed = _unverified(text)
        try:
            if claimed.get("iss") == OURS:
                claims = jwt.decode(text, self._own_key(), algorithms=["HS256"]).claims
                self._check_times(claims)
                return await self._still_good(str(claims.get("tid")), str(claims.get("appid")))
            issuer = next((i for i in self.issuers if i.issuer == claimed.get("iss")), None)
            if issuer is None or self.keys is None:
                raise unauthenticated(INVALID)
            keys = await self.keys.keys(issuer, key_id(text))
            claims = jwt.decode(text, keys, algorithms=list(ALGORITHMS)).claims
        except (JoseError, UnknownKey, ValueError, TypeError) as failure:
            raise unauthenticated(INVALID) from failure
        self._check_times(claims)
        return self._of_claims(claims, issuer)

    async def _still_good(self, tenant: str, id: str) -> Caller:
        """A revoked key takes its short-lived tokens with it."""
        return await self.holder(HOME if tenant == self.tenant else tenant, id)

    async def holder(self, tenant: str, id: str) -> Caller:
        """Return who holds a key, by its id, as long as it is good. Raises Fault."""
        known = await self._known(tenant)
        return self._of_key(tenant, next((one for one in known if one.id == id), None))

    def _check_times(self, claims: Mapping[str, object]) -> None:
        now, leeway = self.clock.now(), timedelta(seconds=LEEWAY_S)
        expires, begins = claims.get("exp"), claims.get("nbf", 0)
        if not isinstance(expires, int | float) or not isinstance(begins, int | float):
            raise unauthenticated(INVALID)
        if expires <= (now - leeway).timestamp() or begins > (now + leeway).timestamp():
            raise unauthenticated(REFUSED)

    def _of_claims(self, claims: Mapping[str, object], issuer: Issuer) -> Caller:
        said = claims.get("aud")
        audiences = cast(list[object], said) if isinstance(said, list) else [said]
        if claims.get("iss") != issuer.issuer or issuer.audience not in audiences:
            raise unauthenticated(INVALID)
        if claims.get("tid", self.tenant) != self.tenant or ID_TOKEN_CLAIMS & claims.keys():
            raise unauthenticated(INVALID)
        roles = claims.get("roles")
        scopes = [str(one) for one in cast(list[object], roles)] if isinstance(roles, list) else []
        scopes += str(claims.get("scp") or "").split()
        known = frozenset(scopes) & frozenset(SCOPES)
        id = str(claims.get("oid") or claims.get("sub") or "")
        app_id = str(claims.get("appid") or claims.get("azp") or "")
        if not known or not id:
            raise unauthenticated(INVALID)
        return Caller(id=id, name=id, app_id=app_id, scopes=known)

    def _own_key(self) -> OctKey:
        return OctKey.import_key(self.signing_key)


def _unverified(text: str) -> Mapping[str, object]:
    """Return what a token claims before anything is checked: only to know whose keys to take."""
    return _part(text, 1)


def key_id(text: str) -> str:
    """Return which key a token says it was signed with. Raises Fault."""
    return str(_part(text, 0).get("kid") or "")


def _part(text: str, number: int) -> Mapping[str, object]:
    try:
        part = cast(object, json.loads(urlsafe_b64decode(text.split(".")[number].encode())))
    except (binascii.Error, ValueError, RecursionError) as failure:
        raise unauthenticated(INVALID) from failure
    if not isinstance(part, dict):
        raise unauthenticated(INVALID)
    return cast(dict[str, object], part)
