"""Requests that we send ourselves: to issuers for their keys, to token endpoints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast
from urllib.parse import urlsplit

import aiohttp
import msgspec

from provisor.connectors.http.settings import is_loopback
from provisor.graph.http.faults import Fault, bad_request
from provisor.graph.http.issuers import UnknownKey

TIMEOUT_S = 10.0
BYTES_MAX = 1 << 20
FAILURES = (aiohttp.ClientError, TimeoutError, OSError, msgspec.DecodeError, ValueError)


async def fetch_json(url: str) -> object:
    """Get a JSON document. Raises UnknownKey."""
    if not _is_safe(url):
        raise UnknownKey(f"{url} is not https")
    try:
        status, content = await _sent("GET", url, None)
    except FAILURES as failure:
        raise UnknownKey(f"{url} cannot be read") from failure
    if status != 200:
        raise UnknownKey(f"{url} answers {status}")
    return content


async def exchanged(secrets: Mapping[str, str]) -> tuple[str, str]:
    """Return access and refresh token for an authorization code. Raises Fault."""
    url = secrets["Oauth2TokenExchangeUri"]
    if not _is_safe(url):
        raise bad_request("Oauth2TokenExchangeUri is to begin with https://.")
    form = {
        "grant_type": "authorization_code",
        "code": secrets["Oauth2AuthorizationCode"],
        "redirect_uri": secrets["Oauth2RedirectUri"],
        "client_id": secrets["Oauth2ClientId"],
        "client_secret": secrets["Oauth2ClientSecret"],
    }
    try:
        status, content = await _sent("POST", url, form)
    except FAILURES as failure:
        raise Fault(
            400, "TokenEndpointFailed", "The token endpoint cannot be reached."
        ) from failure
    said = cast(dict[str, object], content) if isinstance(content, dict) else {}
    access = said.get("access_token")
    if status != 200 or not isinstance(access, str) or not access:
        reason = str(said.get("error") or status)[:100]
        raise Fault(400, "TokenEndpointFailed", f"The token endpoint refused the code: {reason}.")
    return access, str(said.get("refresh_token") or "")


async def post_bytes(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Post something; return the status of the answer, whatever it says. Raises OSError."""
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(url, data=body, headers=headers, allow_redirects=False) as answer,
        ):
            return answer.status
    except (aiohttp.ClientError, TimeoutError, ValueError) as failure:
        raise ConnectionError(type(failure).__name__) from failure


def _is_safe(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))


async def _sent(method: str, url: str, form: Mapping[str, str] | None) -> tuple[int, object]:
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.request(method, url, data=form, allow_redirects=False) as answer,
    ):
        body = await answer.content.read(BYTES_MAX)
        return answer.status, msgspec.json.decode(body)
