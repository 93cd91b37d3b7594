"""What an OpenID provider says of a person is believed only if all of it is as it must be."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from provisor.graph.http.auth import Caller
from provisor.graph.http.faults import Fault
from provisor.graph.http.issuers import KeySource
from provisor.graph.http.signin import Provider, Registration, held_by
from tests.api.test_issuers import FIRST, NOW, SECOND, StandingClock

ISSUER, CLIENT = "https://login.example/tenant", "provisor"
BACK = "https://provisor.example/console/sign-in/back"
EVERYTHING = frozenset({"Directory.ReadWrite.All"})


@dataclass
class Login:
    """A provider whose every word can be another."""

    about: dict[str, object] = field(default_factory=dict[str, object])
    claims: dict[str, object] = field(default_factory=dict[str, object])
    user: dict[str, object] = field(default_factory=dict[str, object])
    key: RSAKey = field(default_factory=lambda: FIRST)
    status: int = 200
    sent: dict[str, str] = field(default_factory=dict[str, str])
    nonce: str = ""

    async def ask(self, url: str, headers: Mapping[str, str]) -> object:
        if url == f"{ISSUER}/me":
            assert headers == {"Authorization": "Bearer opens"}
            return {"sub": "1", **self.user}
        return {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/authorize",
            "token_endpoint": f"{ISSUER}/token",
            "jwks_uri": f"{ISSUER}/keys",
            "userinfo_endpoint": f"{ISSUER}/me",
            **self.about,
        }

    async def keys(self, url: str) -> object:
        assert url == f"{ISSUER}/keys"
        return {"keys": [FIRST.as_dict(private=False)]}

    async def post(
        self, url: str, form: Mapping[str, str], headers: Mapping[str, str]
    ) -> tuple[int, Mapping[str, object]]:
        assert url == f"{ISSUER}/token"
        self.sent = {**form, **headers}
        now = NOW.timestamp()
        claims = {"iss": ISSUER, "aud": CLIENT, "sub": "1", "nonce": self.nonce, "iat": now,
                  "exp": now + 300, "groups": ["admins"], "name": "Ada", **self.claims}  # fmt: skip
        said = {name: value for name, value in claims.items() if value is not None}
        token = jwt.encode({"alg": "RS256", "kid": "first"}, said, self.key)
        return self.status, {"id_token": token, "access_token": "opens", "error": "invalid_grant"}


@dataclass
class World:
    login: Login = field(default_factory=Login)
    clock: StandingClock = field(default_factory=StandingClock)
    secret: str = ""
    query: dict[str, str] = field(default_factory=dict[str, str])
    cookie: str = ""
    drawn: int = 0

    def __post_init__(self) -> None:
        self.provider = Provider(
            registration=Registration(
                issuer=ISSUER,
                client_id=CLIENT,
                client_secret=self.secret,
                claim="groups",
                grants={"admins": EVERYTHING},
            ),
            clock=self.clock,
            keys=KeySource(self.clock, self.login.keys),
            draw=self.draw,
            seal_key=b"k" * 32,
            ask=self.login.ask,
            post=self.login.post,
        )

    def draw(self, count: int) -> bytes:
        self.drawn += 1
        return bytes([self.drawn]) * count

    def begin(self) -> dict[str, str]:
        """Begin; return what the browser tells the provider."""
        address, self.cookie = asyncio.run(self.provider.begin(BACK, "/console/audit"))
        said = {name: one[0] for name, one in parse_qs(urlsplit(address).query).items()}
        self.login.nonce = said["nonce"]
        self.query = {"code": "c", "state": said["state"]}
        return said

    def finish(self, **query: str) -> tuple[Caller, str]:
        return asyncio.run(self.provider.finish(self.cookie, {**self.query, **query}))

    def refuses(self, **query: str) -> str:
        with pytest.raises(Fault) as fault:
            self.finish(**query)
        return fault.value.message


def test_who_is_vouched_for_may_what_the_groups_may_and_goes_on() -> None:
    world = World()
    said = world.begin()
    assert said["scope"] == "openid profile email"
    assert (said["response_type"], said["code_challenge_method"]) == ("code", "S256")
    caller, to = world.finish()
    assert (caller.id, caller.name, caller.scopes, to) == ("1", "Ada", EVERYTHING, "/console/audit")
    assert world.login.sent["client_id"] == CLIENT
    assert world.login.sent["redirect_uri"] == BACK
    assert world.login.sent["code_verifier"] not in str(said)


def test_a_secret_is_told_in_the_header_that_all_providers_take() -> None:
    world = World(secret="a +:")
    world.begin()
    world.finish()
    assert world.login.sent["Authorization"] == "Basic cHJvdmlzb3I6YSslMkIlM0E="
    assert "client_secret" not in world.login.sent


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": f"{ISSUER}/"},
        {"aud": "another"},
        {"aud": [CLIENT, "another"]},
        {"aud": [CLIENT, "another"], "azp": "another"},
        {"azp": "another"},
        {"nonce": "another"},
        {"nonce": None},
        {"sub": ""},
        {"sub": None},
        {"exp": NOW.timestamp() - 61},
        {"exp": None},
        {"iat": NOW.timestamp() + 61},
        {"iat": None},
        {"nbf": NOW.timestamp() + 61},
        {"exp": True},
    ],
    ids=str,
)
def test_a_token_with_one_thing_wrong_lets_nobody_in(claims: dict[str, object]) -> None:
    world = World(Login(claims=claims))
    world.begin()
    assert "cannot be believed" in (told := world.refuses()) or "too old" in told


def test_a_token_of_somebody_else_s_key_lets_nobody_in() -> None:
    world = World(Login(key=SECOND))
    world.begin()
    assert "cannot be believed" in world.refuses()


def test_several_audiences_are_taken_if_it_was_made_for_us() -> None:
    world = World(Login(claims={"aud": [CLIENT, "another"], "azp": CLIENT}))
    world.begin()
    assert world.finish()[0].id == "1"


def test_only_what_was_begun_here_is_finished_and_in_time() -> None:
    world = World()
    world.begin()
    assert "begun here last" in world.refuses(state="guessed")
    assert "that was asked" in world.refuses(iss="https://login.example/")
    assert "access_denied" in world.refuses(error="access_denied")
    world.cookie = world.cookie[:-1] + ("A" if world.cookie[-1] != "A" else "B")
    assert "begun no sign-in" in world.refuses()
    world.begin()
    world.clock.time += timedelta(minutes=10)
    assert "too long ago" in world.refuses()


def test_a_provider_that_says_to_name_itself_has_to() -> None:
    world = World(Login(about={"authorization_response_iss_parameter_supported": True}))
    world.begin()
    assert "that was asked" in world.refuses()
    assert world.finish(iss=ISSUER)[0].id == "1"


@pytest.mark.parametrize(
    "about", [{"issuer": f"{ISSUER}/"}, {"token_endpoint": "http://login.example/token"}]
)
def test_a_provider_that_is_not_itself_or_is_overheard_is_not_asked(
    about: dict[str, object],
) -> None:
    with pytest.raises(Fault):
        World(Login(about=about)).begin()


def test_a_code_that_is_refused_lets_nobody_in() -> None:
    world = World(Login(status=400))
    world.begin()
    assert "invalid_grant" in world.refuses()


def test_groups_may_be_told_by_the_user_info_of_the_very_person() -> None:
    world = World(Login(claims={"groups": None}, user={"groups": ["admins"]}))
    world.begin()
    assert world.finish()[0].scopes == EVERYTHING

    world = World(Login(claims={"groups": None}, user={"groups": ["admins"], "sub": "2"}))
    world.begin()
    assert "somebody else" in world.refuses()


def test_whom_nothing_lets_in_is_told_so() -> None:
    world = World(Login(claims={"groups": ["staff", "admins of nothing"]}))
    world.begin()
    assert "knows you as Ada, but nothing that it says of you in groups" in world.refuses()


def test_claims_are_found_within_others_and_texts_are_whole() -> None:
    assert held_by({"realm_access": {"roles": ["a", 1]}}, "realm_access.roles") == ["a"]
    assert held_by({"https://e.example/roles": ["a"]}, "https://e.example/roles") == ["a"]
    assert held_by({"groups": "domain admins"}, "groups") == ["domain admins"]
    assert held_by({"groups": 7}, "groups") == []
    assert held_by({}, "groups") is None
    assert held_by({"realm_access": "x"}, "realm_access.roles") is None
