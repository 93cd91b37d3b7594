"""Where clients believe us to be: only from what is known, or from whom is trusted."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.requests import Request

from provisor.graph.http.faults import bad_request

ORIGIN_LENGTH_MAX = 100
LOOPBACK = frozenset(("localhost", "127.0.0.1", "[::1]", "::1"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    public: str = ""
    """Scheme, host and prefix under which clients see us; empty: as they write it."""
    hosts: frozenset[str] = LOOPBACK
    """Hosts that a client may name, in small letters, without port."""
    proxies: frozenset[str] = frozenset()
    """Addresses whose X-Forwarded headers are believed."""

    def base(self, request: Request) -> str:
        """Return what addresses in answers begin with. Raises Fault for a host that is not ours."""
        host = request.headers.get("host", "")
        scheme = request.url.scheme
        if request.client is not None and request.client.host in self.proxies:
            host = request.headers.get("x-forwarded-host", host).partition(",")[0].strip()
            scheme = request.headers.get("x-forwarded-proto", scheme).partition(",")[0].strip()
        if _name(host) not in self.hosts:
            raise bad_request("The host of this request is not one of ours.", code="InvalidHost")
        if scheme not in ("http", "https"):
            raise bad_request("The scheme of this request is neither http nor https.")
        return self.public or f"{scheme}://{host}"

    def origin(self, request: Request) -> str:
        """Return the address that a request came from; a trusted proxy says whose it passes on."""
        near = request.client.host if request.client is not None else ""
        if near in self.proxies:
            told = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
            return told[:ORIGIN_LENGTH_MAX] or near
        return near


def _name(host: str) -> str:
    """Return a host without its port, in small letters."""
    try:
        parts = urlsplit(f"//{host}")
        return "" if "@" in host or "/" in host else (parts.hostname or "").lower()
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    if host.lower() in LOOPBACK:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
