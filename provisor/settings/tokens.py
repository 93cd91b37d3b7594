"""API keys: 256 bits from outside, of which only the hash is kept."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec import structs

from provisor.model.audit import Altered
from provisor.ports import Entropy, Registry
from provisor.runtime.lease import lease_when_free
from provisor.runtime.parts import WORKSPACE, Parts

TOKENS = "tokens"
PREFIX = "pvr_"
SECRET_BYTES = 32

SCOPES = (
    "Synchronization.Read.All",
    "Synchronization.ReadWrite.All",
    "SynchronizationData-User.Upload",
    "Application.Read.All",
    "Application.ReadWrite.All",
    "Application.ReadWrite.OwnedBy",
    "AppRoleAssignment.ReadWrite.All",
    "AuditLog.Read.All",
    "ProvisioningLog.Read.All",
    "User.Read.All",
    "Group.Read.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
    "Metrics.Read.All",
)
"""Permissions, as Graph names them; the last is ours. Directory.ReadWrite.All holds all others."""


class Token(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An API key as it is kept."""

    id: str
    name: str
    scopes: tuple[str, ...]
    hash: str
    created: datetime
    expires: datetime | None = None
    revoked: datetime | None = None

    def is_good(self, now: datetime) -> bool:
        return self.revoked is None and (self.expires is None or now < self.expires)


def make(
    name: str,
    scopes: Sequence[str],
    now: datetime,
    expires: datetime | None,
    entropy: Entropy,
) -> tuple[Token, str]:
    """Return a new key as it is kept, and the text of it, which nobody can show again."""
    id = entropy.uuid()
    drawn = bytes(entropy.below(256) for _ in range(SECRET_BYTES))
    secret = base64.urlsafe_b64encode(drawn).decode("ascii").rstrip("=")
    text = f"{PREFIX}{id.replace('-', '')}_{secret}"
    token = Token(
        id=id,
        name=name,
        scopes=tuple(scopes),
        hash=hash_of(text),
        created=now,
        expires=expires,
    )
    return token, text


class KeyExists(Exception):
    """There is a good key of this name already."""


async def create(
    parts: Parts, name: str, scopes: Sequence[str], lasts: timedelta | None, by: str
) -> tuple[Token, str]:
    """Make a key and keep it; return it and its text. Raises KeyExists."""
    async with lease_when_free(parts.leases, TOKENS, parts.clock, lambda: None):
        now = parts.clock.now()
        known = await load_tokens(parts.registry)
        if any(one.name == name and one.is_good(now) for one in known):
            raise KeyExists(f"there is a key {name} already; revoke it first")
        made, text = make(name, scopes, now, now + lasts if lasts else None, parts.entropy)
        await put_tokens(parts.registry, (*known, made))
    until = made.expires.isoformat() if made.expires else "never"
    told = (Altered("scopes", "", ", ".join(made.scopes)), Altered("expires", "", until))
    await parts.registry.audit(now, by, "Create API key", f"{name} {made.id}", altered=told)
    return made, text


async def revoke(parts: Parts, wanted: str, by: str, *, by_name: bool) -> bool:
    """Revoke the key of this id, or where it may be one, of this name; False if there is none."""
    async with lease_when_free(parts.leases, TOKENS, parts.clock, lambda: None):
        now = parts.clock.now()
        known = await load_tokens(parts.registry)
        chosen = [
            one
            for one in known
            if not one.revoked and (one.id == wanted or (by_name and one.name == wanted))
        ]
        if not chosen:
            return False
        kept = (structs.replace(one, revoked=now) if one in chosen else one for one in known)
        await put_tokens(parts.registry, tuple(kept))
    about = ", ".join(f"{one.name} {one.id}" for one in chosen)
    told = [Altered(f"scopes of {one.id}", ", ".join(one.scopes), "") for one in chosen]
    await parts.registry.audit(now, by, "Revoke API key", about, altered=told)
    return True


def matching(tokens: Sequence[Token], text: str) -> Token | None:
    """Return the key whose text this is, good or not."""
    hash = hash_of(text)
    return next((one for one in tokens if hmac.compare_digest(one.hash, hash)), None)


def hash_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def read_tokens(content: bytes | None) -> tuple[Token, ...]:
    return msgspec.json.decode(content, type=tuple[Token, ...]) if content else ()


async def load_tokens(registry: Registry) -> tuple[Token, ...]:
    return read_tokens(await registry.document(WORKSPACE, TOKENS))


async def put_tokens(registry: Registry, tokens: Sequence[Token]) -> None:
    await registry.put_document(WORKSPACE, TOKENS, msgspec.json.encode(tokens))
