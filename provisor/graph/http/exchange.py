"""Requests that we send ourselves: to issuers for their keys, to token endpoints."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import cast
from urllib.parse import urlencode, urlsplit

import msgspec

from provisor.connectors.http.client import HttpClient
from provisor.connectors.http.connection import Answer, Lost, Oversized
from provisor.connectors.http.dialling import connected
from provisor.connectors.http.door import OPEN, Door
from provisor.connectors.http.settings import HttpSettings, Timeouts, is_loopback
from provisor.errors import AdapterError, Denied
from provisor.graph.http.faults import Fault, bad_request
from provisor.graph.http.issuers import UnknownKey

TIMEOUT_S = 10.0
BYTES_MAX = 1 << 20
FAILURES = (AdapterError, Lost, Oversized, OSError, msgspec.DecodeError, ValueError)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def fetch_json(url: str) -> object:
    """Get a JSON document. Raises UnknownKey."""
    return await ask_json(url)


async def ask_json(url: str, headers: Mapping[str, str] | None = None) -> object:
    """Get a JSON document of an issuer, with whatever proves that we may. Raises UnknownKey."""
    if not is_safe(url):
        raise UnknownKey(f"{url} is not https")
    try:
        answer = await _sent("GET", url, None, OPEN, headers)
        content = cast(object, msgspec.json.decode(answer.body))
    except FAILURES as failure:
        raise UnknownKey(f"{url} cannot be read") from failure
    if answer.status != 200:
        raise UnknownKey(f"{url} answers {answer.status}")
    return content


async def post_form(
    url: str, form: Mapping[str, str], headers: Mapping[str, str]
) -> tuple[int, Mapping[str, object]]:
    """Send a form to a place that an issuer names; return status and what it says.

    Raises UnknownKey.
    """
    try:
        body = urlencode(form).encode()
        answer = await _sent("POST", url, body, OPEN, {**FORM, **headers})
        content = cast(object, msgspec.json.decode(answer.body))
    except FAILURES as failure:
        raise UnknownKey(f"{url} cannot be asked") from failure
    said = cast(dict[str, object], content) if isinstance(content, dict) else {}
    return answer.status, said


async def exchanged(secrets: Mapping[str, str], door: Door) -> tuple[str, str]:
    """Return access and refresh token for an authorization code. Raises Fault."""
    url = secrets["Oauth2TokenExchangeUri"]
    if not is_safe(url):
        raise bad_request("Oauth2TokenExchangeUri is to begin with https://.")
    form = {
        "grant_type": "authorization_code",
        "code": secrets["Oauth2AuthorizationCode"],
        "redirect_uri": secrets["Oauth2RedirectUri"],
        "client_id": secrets["Oauth2ClientId"],
        "client_secret": secrets["Oauth2ClientSecret"],
    }
    try:
        answer = await _sent("POST", url, urlencode(form).encode(), door, FORM)
        status, content = answer.status, cast(object, msgspec.json.decode(answer.body))
    except Denied as refusal:
        raise Fault(400, refusal.code, str(refusal)) from refusal
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
    try:
        answer = await _sent("POST", url, body, OPEN, headers)
    except FAILURES as failure:
        raise ConnectionError(type(failure).__name__) from failure
    return answer.status


async def line_to(host: str, port: int) -> socket.socket:
    """Return a connection for mail, whose server `provisor.yaml` alone can name. Raises OSError."""
    return await connected(OPEN, host, port, TIMEOUT_S)


def is_safe(url: str) -> bool:
    """Tell whether nobody can listen on the way to an address."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))


async def _sent(
    method: str, url: str, body: bytes | None, door: Door, headers: Mapping[str, str] | None = None
) -> Answer:
    """Send one request; redirects are not followed, and an answer that is too long is none."""
    timeouts = Timeouts(connect=TIMEOUT_S, read=TIMEOUT_S, total=TIMEOUT_S)
    client = HttpClient(
        HttpSettings(base=url, door=door, timeouts=timeouts), is_read_only=method == "GET"
    )
    try:
        answer = await client.send(method, url, headers or {}, body)
    finally:
        await client.close()
    if len(answer.body) > BYTES_MAX:
        raise Oversized(f"more than {BYTES_MAX} bytes were answered")
    return answer
