"""Signing people in at an OpenID provider: the authorization code flow with PKCE.

OpenID Connect Core 1.0 section 3.1, RFC 7636, RFC 9207.

What the provider says of a person is believed only after its signature, issuer, audience, nonce and
times were checked; what the person may then do is said by our own configuration.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias, cast
from urllib.parse import quote_plus, urlencode, urlsplit

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError

from provisor.graph.http.auth import Caller, key_id
from provisor.graph.http.exchange import ask_json, is_safe, post_form
from provisor.graph.http.faults import Fault
from provisor.graph.http.issuers import ALGORITHMS, Issuer, KeySource, UnknownKey
from provisor.ports import Clock

Ask: TypeAlias = Callable[[str, Mapping[str, str]], Awaitable[object]]
"""Get a JSON document with some headers. Raises UnknownKey."""
Post: TypeAlias = Callable[
    [str, Mapping[str, str], Mapping[str, str]], Awaitable[tuple[int, Mapping[str, object]]]
]
"""Send a form with some headers. Raises UnknownKey."""
PENDING_FOR = timedelta(minutes=10)
"""So long a person may take at the provider."""
KEEP = timedelta(hours=1)
LEEWAY_S = 60
RANDOM_BYTES = 32
NAME_LENGTH_MAX, ID_LENGTH_MAX = 120, 255
ASKED_SCOPES = ("openid", "profile", "email")
NAMES = ("preferred_username", "email", "name")
AGAIN = "Begin to sign in once more."


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """How we are known to a provider, and what its word about a person is worth here."""

    issuer: str
    """Exactly as `iss` has it."""
    client_id: str
    client_secret: str = field(default="", repr=False)
    """Empty: a public client, protected by PKCE alone."""
    title: str = ""
    """What people call the provider."""
    scopes: tuple[str, ...] = ()
    """Asked for besides those of OpenID: some providers tell groups only then."""
    claim: str = "roles"
    """Which claim tells what somebody is; `realm_access.roles` lies within another."""
    grants: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    """Permissions by what the claim may hold."""

    @property
    def called(self) -> str:
        return self.title or urlsplit(self.issuer).hostname or self.issuer


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in that was begun: it travels in a cookie of the browser that began it, sealed."""

    state: str
    nonce: str
    verifier: str
    redirect: str
    to: str
    """Where the person wanted to go."""
    until: datetime


class Metadata(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider says of itself (OpenID Connect Discovery 1.0)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    end_session_endpoint: str = ""
    scopes_supported: tuple[str, ...] = ()
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False


def failed(why: str, way_out: str = AGAIN) -> Fault:
    return Fault(401, "SignInFailed", f"{why} {way_out}")


@dataclass(slots=True, kw_only=True)
class Provider:
    registration: Registration
    clock: Clock
    keys: KeySource
    draw: Callable[[int], bytes]
    """Random bytes."""
    seal_key: bytes
    """Signs what travels in a cookie."""
    ask: Ask = ask_json
    post: Post = post_form
    _about: Metadata | None = None
    _asked: datetime | None = None

    # there

    async def begin(self, redirect: str, to: str) -> tuple[str, str]:
        """Return where the browser is to go, and what it has to bring back. Raises Fault."""
        about, known = await self._metadata(), self.registration
        pending = Pending(
            state=self._random(),
            nonce=self._random(),
            verifier=self._random(),
            redirect=redirect,
            to=to,
            until=self.clock.now() + PENDING_FOR,
        )
        supported = about.scopes_supported or ASKED_SCOPES
        scopes = [one for one in ASKED_SCOPES if one in supported]
        asked = {
            "response_type": "code",
            "client_id": known.client_id,
            "redirect_uri": redirect,
            "scope": " ".join(dict.fromkeys(("openid", *scopes, *known.scopes))),
            "state": pending.state,
            "nonce": pending.nonce,
            "code_challenge": _base64(hashlib.sha256(pending.verifier.encode()).digest()),
            "code_challenge_method": "S256",
        }
        return _with_query(about.authorization_endpoint, asked), self._sealed(pending)

    # and back

    async def finish(self, cookie: str, query: Mapping[str, str]) -> tuple[Caller, str]:
        """Return who came back, and where to go on. Raises Fault: what the person is told."""
        pending = self._opened(cookie)
        if not hmac.compare_digest(query.get("state", ""), pending.state):
            raise failed("This is not the sign-in that was begun here last.")
        about, known = await self._metadata(), self.registration
        iss = query.get("iss", "")
        is_missing = not iss and about.authorization_response_iss_parameter_supported
        if is_missing or iss not in ("", known.issuer):
            raise failed("The answer did not come from the provider that was asked.")
        if error := query.get("error", ""):
            raise failed(f"{known.called} did not sign you in: {_printable(error)}.")
        code = query.get("code", "")
        if not code:
            raise failed("The answer of the provider is incomplete.")
        tokens = await self._exchanged(about, pending, code)
        claims = await self._verified(about, pending, str(tokens.get("id_token") or ""))
        is_told = held_by(claims, known.claim) is not None and _name(claims)
        if about.userinfo_endpoint and not is_told:
            token = str(tokens.get("access_token") or "")
            claims = {**await self._more(about, claims, token), **claims}
        return self._let_in(claims), pending.to

    async def leaving(self, back: str) -> str:
        """Return where one signs out of the provider too; empty where it has no such place."""
        try:
            about = await self._metadata()
        except Fault:
            return ""
        if not about.end_session_endpoint:
            return ""
        asked = {"client_id": self.registration.client_id, "post_logout_redirect_uri": back}
        return _with_query(about.end_session_endpoint, asked)

    # what the provider says

    async def _metadata(self) -> Metadata:
        now = self.clock.now()
        if self._about is None or self._asked is None or now - self._asked >= KEEP:
            self._about = await self._discovered()
            self._asked = now
        return self._about

    async def _discovered(self) -> Metadata:
        known = self.registration
        cannot = f"{known.called} cannot be asked just now."
        try:
            place = f"{known.issuer.rstrip('/')}/.well-known/openid-configuration"
            about = msgspec.convert(await self.ask(place, {}), Metadata)
        except (UnknownKey, msgspec.ValidationError) as failure:
            raise failed(cannot, "Try again in a minute.") from failure
        if about.issuer != known.issuer:
            raise failed(f"{known.called} says of itself that it is another.", "")
        places = (about.authorization_endpoint, about.token_endpoint, about.jwks_uri)
        if not all(is_safe(one) for one in (*places, about.userinfo_endpoint) if one):
            raise failed(f"{known.called} names a place that is not https.", "")
        return about

    async def _exchanged(
        self, about: Metadata, pending: Pending, code: str
    ) -> Mapping[str, object]:
        known, headers = self.registration, dict[str, str]()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": pending.redirect,
            "code_verifier": pending.verifier,
        }
        if known.client_secret and (
            "client_secret_basic" in about.token_endpoint_auth_methods_supported
        ):
            # RFC 6749 2.3.1: both are form-encoded before they become user name and password.
            pair = f"{quote_plus(known.client_id)}:{quote_plus(known.client_secret)}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form["client_id"] = known.client_id
            if known.client_secret:
                form["client_secret"] = known.client_secret
        try:
            status, said = await self.post(about.token_endpoint, form, headers)
        except UnknownKey as failure:
            raise failed(f"{known.called} cannot be asked just now.") from failure
        if status != 200:
            reason = _printable(str(said.get("error") or status))
            raise failed(f"{known.called} did not take what it had given: {reason}.")
        return said

    async def _verified(
        self, about: Metadata, pending: Pending, token: str
    ) -> Mapping[str, object]:
        """Return the claims of an ID token that is for us, now, and of this very sign-in."""
        known = self.registration
        issuer = Issuer(issuer=known.issuer, audience=known.client_id, keys_url=about.jwks_uri)
        untrue = f"{known.called} said something that cannot be believed."
        try:
            keys = await self.keys.keys(issuer, key_id(token))
            claims = jwt.decode(token, keys, algorithms=list(ALGORITHMS)).claims
        except (JoseError, UnknownKey, Fault, ValueError, TypeError) as failure:
            raise failed(untrue) from failure
        said = claims.get("aud")
        audiences = cast(list[object], said) if isinstance(said, list) else [said]
        party = claims.get("azp", known.client_id if len(audiences) == 1 else None)
        is_for_us = known.client_id in audiences and party == known.client_id
        nonce, subject = claims.get("nonce"), claims.get("sub")
        is_ours = isinstance(nonce, str) and hmac.compare_digest(
            nonce.encode(), pending.nonce.encode()
        )
        is_somebody = isinstance(subject, str) and 0 < len(subject) <= ID_LENGTH_MAX
        if claims.get("iss") != known.issuer or not (is_for_us and is_ours and is_somebody):
            raise failed(untrue)
        if not self._is_timely(claims):
            raise failed(f"What {known.called} said is too old, or one of the clocks is wrong.")
        return claims

    def _is_timely(self, claims: Mapping[str, object]) -> bool:
        now, leeway = self.clock.now(), timedelta(seconds=LEEWAY_S)
        expires, issued, begins = (claims.get("exp"), claims.get("iat"), claims.get("nbf", 0))
        if not (_is_number(expires) and _is_number(issued) and _is_number(begins)):
            return False
        earliest, latest = (now - leeway).timestamp(), (now + leeway).timestamp()
        return (
            cast(float, expires) > earliest
            and cast(float, issued) <= latest
            and cast(float, begins) <= latest
        )

    async def _more(
        self, about: Metadata, claims: Mapping[str, object], token: str
    ) -> Mapping[str, object]:
        """Return what the provider says besides of the person whose ID token was verified."""
        try:
            headers = {"Authorization": f"Bearer {token}"}
            said = await self.ask(about.userinfo_endpoint, headers)
        except UnknownKey as failure:
            raise failed(f"{self.registration.called} cannot be asked just now.") from failure
        more = cast(dict[str, object], said) if isinstance(said, dict) else {}
        if more.get("sub") != claims["sub"]:  # OpenID Connect Core 5.3.2
            raise failed(f"{self.registration.called} said something about somebody else.")
        return more

    def _let_in(self, claims: Mapping[str, object]) -> Caller:
        """Return what somebody may. Raises Fault where that is nothing."""
        known, held = self.registration, held_by(claims, self.registration.claim) or ()
        scopes = frozenset[str]().union(*(known.grants.get(one, frozenset()) for one in held))
        name = _printable(_name(claims) or str(claims["sub"]))
        if not scopes:
            raise Fault(
                403,
                "NotLetIn",
                f"{known.called} knows you as {name}, but nothing that it says of you in "
                f"{known.claim} opens this console. Ask who administers Provisor to grant it.",
            )
        return Caller(id=str(claims["sub"]), name=name, scopes=scopes)

    # what travels in the cookie

    def _random(self) -> str:
        return _base64(self.draw(RANDOM_BYTES))

    def _sealed(self, pending: Pending) -> str:
        content = _base64(msgspec.json.encode(pending))
        return f"{content}.{self._seal(content)}"

    def _opened(self, cookie: str) -> Pending:
        content, _, seal = cookie.partition(".")
        if not hmac.compare_digest(seal.encode(), self._seal(content).encode()):
            raise failed("This browser has begun no sign-in here.")
        padded = content + "=" * (-len(content) % 4)
        pending = msgspec.json.decode(base64.urlsafe_b64decode(padded), type=Pending)
        if self.clock.now() >= pending.until:
            raise failed("This sign-in was begun too long ago.")
        return pending

    def _seal(self, content: str) -> str:
        text = f"sign-in {self.registration.issuer} {content}"
        return _base64(hmac.digest(self.seal_key, text.encode(), "sha256"))


def held_by(claims: Mapping[str, object], path: str) -> Sequence[str] | None:
    """Return the texts that a claim holds; None where it is not there at all.

    Claims with a dot in their name (`https://example.com/roles`) are meant before those within one.
    """
    value = claims.get(path)
    if path not in claims:
        *outer, last = path.split(".")
        for step in outer:
            inside = claims.get(step)
            claims = cast(dict[str, object], inside) if isinstance(inside, dict) else {}
        if last not in claims:
            return None
        value = claims[last]
    if isinstance(value, str):
        return [value]
    many = cast(list[object], value) if isinstance(value, list) else []
    return [one for one in many if isinstance(one, str)]


def _name(claims: Mapping[str, object]) -> str:
    said = (claims.get(one) for one in NAMES)
    return next((one for one in said if isinstance(one, str) and one), "")


def _with_query(address: str, query: Mapping[str, str]) -> str:
    return f"{address}{'&' if '?' in address else '?'}{urlencode(query)}"


def _printable(text: str) -> str:
    return "".join(one for one in text if one.isprintable())[:NAME_LENGTH_MAX]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")
