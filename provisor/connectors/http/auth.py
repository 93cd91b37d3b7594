"""Proving who we are: a token, a password, or an access token that is fetched (scim-target 2)."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from typing import assert_never
from urllib.parse import quote_plus, urlencode

from provisor.connectors.http.body import Json, NotJson, decode, get, number_of, text_of
from provisor.connectors.http.client import HttpClient
from provisor.connectors.http.connection import Answer, Lost, Oversized
from provisor.connectors.http.replies import Dialect
from provisor.connectors.http.settings import (
    Anonymous,
    Basic,
    Bearer,
    ClientCredentials,
    Credentials,
    Placement,
)
from provisor.errors import Denied, Unreachable
from provisor.ports import Clock

TRIES_MAX = 3
LIFETIME_USUAL_S = 3_600
REFRESH_BEFORE_S = 60.0


class Authorizer:
    """Gives each request its Authorization header, and fetches a new token once one is refused."""

    def __init__(
        self, credentials: Credentials, http: HttpClient, clock: Clock, dialect: Dialect
    ) -> None:
        self._credentials, self._http, self._clock = credentials, http, clock
        self._dialect = dialect
        self._fetching = asyncio.Lock()
        self._header = ""
        self._good_until = 0.0

    async def header(self) -> str:
        """Return the header's value, empty for none. Raises Denied, Unreachable."""
        match self._credentials:
            case Bearer(token):
                return f"Bearer {token}"
            case Basic(user_name, password):
                return "Basic " + _base64(f"{user_name}:{password}")
            case ClientCredentials():
                return await self._token(self._credentials)
            case Anonymous():
                return ""
            case _:
                assert_never(self._credentials)

    def drop(self, refused: str) -> bool:
        """Forget the token that was refused; return whether there may be a better one."""
        if not isinstance(self._credentials, ClientCredentials):
            return False
        if refused == self._header:
            self._header = ""
        return True

    async def _token(self, client: ClientCredentials) -> str:
        async with self._fetching:
            if not self._header or self._now() >= self._good_until:
                content = await self._fetch(client)
                lifetime = number_of(get(content, "expires_in")) or LIFETIME_USUAL_S
                # Anew when less than 60 s or a tenth is left; a very short life is used by half.
                spare = min(max(REFRESH_BEFORE_S, lifetime / 10), lifetime / 2)
                self._header = f"Bearer {text_of(get(content, 'access_token'))}"
                self._good_until = self._now() + lifetime - spare
            return self._header

    def _now(self) -> float:
        return self._clock.now().timestamp()

    async def _fetch(self, client: ClientCredentials) -> Json:
        headers, form = token_request(client)
        for attempt in range(TRIES_MAX):
            if attempt:
                await self._clock.sleep(2.0 ** (attempt - 1))
            try:
                answer = await self._http.fetch_token(client.token_url, headers, form)
            except (Lost, Oversized):
                continue
            if answer.status < 500 and answer.status != 429:
                return _granted(answer, self._dialect)
        raise Unreachable(f"no access token could be had from {client.token_url}")


def token_request(client: ClientCredentials) -> tuple[Mapping[str, str], bytes]:
    """Return headers and body that ask for an access token (RFC 6749 4.4)."""
    fields = {"grant_type": "client_credentials"}
    headers = {
        "Accept": "application/json",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    if client.scopes:
        fields["scope"] = " ".join(client.scopes)
    if client.placement in (Placement.HEADER, Placement.BOTH):
        # RFC 6749 2.3.1: both are form-encoded before they become user name and password.
        pair = f"{quote_plus(client.client_id)}:{quote_plus(client.client_secret)}"
        headers["Authorization"] = "Basic " + _base64(pair)
    if client.placement in (Placement.BODY, Placement.BOTH):
        fields |= {"client_id": client.client_id, "client_secret": client.client_secret}
    return headers, urlencode(fields).encode()


def _granted(answer: Answer, dialect: Dialect) -> Json:
    try:
        content = decode(answer.body)
    except NotJson:
        content = None
    if 200 <= answer.status < 300 and text_of(get(content, "access_token")):
        return content
    said = text_of(get(content, "error")) or dialect.detail_of(content) or "no reason given"
    raise Denied(
        f"the token endpoint refused with HTTP status {answer.status}: {said[:200]}. "
        "Check client id, client secret, scopes and credentialPlacement.",
        code=dialect.invalid_credentials,
    )


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")
