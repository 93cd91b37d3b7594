"""Tokens of an OpenID issuer: exactly its own, for us, in time, and signed as allowed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from provisor.graph.http.auth import Caller, Gatekeeper
from provisor.graph.http.faults import Fault
from provisor.graph.http.issuers import Issuer, KeySource
from provisor.ports import Registry
from provisor.store.memory import MemoryStore

ISSUER, AUDIENCE = "https://login.example/tenant", "api://provisor"
TENANT = "3f7565a3-fde6-4e4d-bda8-1bb70aba3612"
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@dataclass
class StandingClock:
    time: datetime = NOW

    def now(self) -> datetime:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@dataclass
class Login:
    """An issuer, with the keys that it publishes and a count of who asked."""

    keys: list[RSAKey] = field(default_factory=list[RSAKey])
    asked: list[str] = field(default_factory=list[str])

    async def fetch(self, url: str) -> object:
        self.asked.append(url)
        if url.endswith("/.well-known/openid-configuration"):
            return {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"}
        return {"keys": [key.as_dict(private=False) for key in self.keys]}


def rsa(id: str) -> RSAKey:
    return RSAKey.generate_key(2048, parameters={"kid": id, "use": "sig"})


FIRST, SECOND = rsa("first"), rsa("second")


@dataclass
class World:
    clock: StandingClock = field(default_factory=StandingClock)
    login: Login = field(default_factory=lambda: Login([FIRST]))

    def __post_init__(self) -> None:
        self.gatekeeper = Gatekeeper(
            registry=cast(Registry, MemoryStore()),
            clock=self.clock,
            tenant=TENANT,
            signing_key=b"k" * 32,
            issuers=(Issuer(issuer=ISSUER, audience=AUDIENCE),),
            keys=KeySource(self.clock, self.login.fetch),
        )

    def admit(self, token: str) -> Caller:
        return asyncio.run(self.gatekeeper.caller(f"Bearer {token}"))

    def refuses(self, token: str) -> bool:
        with pytest.raises(Fault) as fault:
            self.admit(token)
        return fault.value.status == 401


def signed(key: RSAKey = FIRST, algorithm: str = "RS256", **changes: object) -> str:
    claims: dict[str, Any] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "tid": TENANT,
        "oid": "an-object",
        "appid": "an-app",
        "roles": ["Synchronization.Read.All", "Unknown.Role"],
        "exp": int(NOW.timestamp()) + 600,
        **changes,
    }
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode({"alg": algorithm, "kid": key.kid}, claims, key)


def test_a_good_token_is_taken_with_the_permissions_that_we_know() -> None:
    caller = World().admit(signed())
    assert caller.id == "an-object"
    assert caller.scopes == {"Synchronization.Read.All"}


def test_delegated_scopes_count_too() -> None:
    token = signed(roles=None, scp="Synchronization.ReadWrite.All openid")
    assert World().admit(token).scopes == {"Synchronization.ReadWrite.All"}


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": f"{ISSUER}/"},
        {"aud": "api://somebody-else"},
        {"tid": "another-tenant"},
        {"exp": None},
        {"exp": int(NOW.timestamp()) - 3600},
        {"nbf": int(NOW.timestamp()) + 3600},
        {"roles": None},
        {"roles": ["Unknown.Role"]},
        {"nonce": "an ID token has one"},
        {"oid": None},
    ],
)
def test_every_other_token_is_refused(changes: dict[str, object]) -> None:
    assert World().refuses(signed(FIRST, "RS256", **changes))


def test_a_key_that_the_issuer_does_not_have_is_refused() -> None:
    assert World().refuses(signed(rsa("first")))
    assert World().refuses(signed(SECOND))


def test_a_shared_secret_is_no_signature() -> None:
    public = FIRST.as_pem(private=False)
    forged = jwt.encode(
        {"alg": "HS256", "kid": "first"},
        {"iss": ISSUER, "aud": AUDIENCE, "exp": int(NOW.timestamp()) + 600},
        OctKey.import_key(public.hex()),
    )
    assert World().refuses(forged)


def test_keys_are_rolled_over_without_asking_for_each_token() -> None:
    world = World()
    for _ in range(3):
        world.admit(signed())
    assert len(world.login.asked) == 2

    world.login.keys = [FIRST, SECOND]
    assert world.refuses(signed(SECOND))
    assert len(world.login.asked) == 2
    world.clock.time += timedelta(minutes=2)
    assert world.admit(signed(SECOND)).id == "an-object"
    assert len(world.login.asked) == 4
