"""Where requests may go. One door for all of them: what administrators wrote in `provisor.yaml`
leads anywhere; what came in through the API leads to no machine of our own network, unless it is
listed.

A name is looked up once, and what it was found to be is what is connected to: an answer that
changes between the look and the connection changes nothing.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import TypeAlias
from urllib.parse import urlsplit

Address: TypeAlias = IPv4Address | IPv6Address
CODE = "AddressNotAllowed"
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
SERVICES = (ipaddress.IPv4Network("168.63.129.16/32"), ipaddress.IPv4Network("192.0.0.0/24"))
"""Where clouds serve their own machines, and what no library calls private (RFC 6890)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    is_guarded: bool = False
    """False: all addresses are an administrator's own."""
    trusted: frozenset[tuple[str, int]] = frozenset()
    """Hosts, in small letters, and ports that an administrator's file names."""
    allowed: tuple[str, ...] = ()
    """Names, addresses and networks that an administrator listed."""
    allows_loopback: bool = False
    """Who may ask us is on this machine, and could go there without us."""

    def refusal(self, host: str, port: int, address: str) -> str:
        """Return why a connection to an address, found under a name, is not made; "" if it is."""
        name = host.lower().rstrip(".")
        if not self.is_guarded or (name, port) in self.trusted or self._is_listed(name, address):
            return ""
        found = _parsed(address)
        if found is not None and self.allows_loopback and found.is_loopback:
            return ""
        if found is not None and _is_public(found):
            return ""
        return (
            f"{host} leads into a network of its own, where the API may name nothing: list it in "
            "tenant.allowedTargets of provisor.yaml if it is meant"
        )

    def refusal_of_url(self, url: str) -> str:
        """Return why an address that names its machine by number is not gone to."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port or PORTS.get(parts.scheme, 0)
        except ValueError:
            return f"{url} is no address"
        return self.refusal(host, port, host) if _parsed(host) is not None else ""

    def _is_listed(self, name: str, address: str) -> bool:
        found = _parsed(address)
        for one in self.allowed:
            if one.lower() == name:
                return True
            network = _network(one)
            if network is not None and found is not None and found in network:
                return True
        return False


OPEN = Door()
PORTS = {"http": 80, "https": 443}


def place_of(url: object) -> tuple[str, int] | None:
    """Return host and port that an address leads to."""
    try:
        parts = urlsplit(str(url).strip())
        port = parts.port or PORTS.get(parts.scheme, 0)
    except ValueError:
        return None
    return (parts.hostname.lower(), port) if parts.hostname else None


def is_entry(text: str) -> bool:
    """Tell whether a text can stand in a list of what is allowed: a name, address or network."""
    is_name = bool(text) and all(c.isalnum() or c in "-._" for c in text)
    return _network(text) is not None or is_name


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _parsed(text: str) -> Address | None:
    try:
        return _unwrapped(ipaddress.ip_address(text.partition("%")[0]))
    except ValueError:
        return None


def _unwrapped(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one stands for, where it stands for one."""
    if not isinstance(address, IPv6Address):
        return address
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None) or address


def _is_public(address: Address) -> bool:
    is_service = any(address in network for network in SERVICES)
    return address.is_global and not address.is_multicast and not is_service
