"""Where a server is, how the way there is protected, and who we say we are."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias
from urllib.parse import unquote, urlsplit

from provisor.connectors.ldapwire import messages


class Security(Enum):
    """How what is said is kept from others."""

    LDAPS = "ldaps"
    """TLS from the first octet."""
    START_TLS = "startTls"
    """TLS before anything else is said."""
    NONE = "none"
    """In the clear: for sockets of this machine, and where an administrator insists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A server. Certificates are always verified, and always for its name."""

    host: str = ""
    port: int = 389
    path: str = ""
    """A socket of this machine, instead of host and port."""
    security: Security = Security.LDAPS
    ca_file: str = ""
    """Authorities to trust instead of the system's."""
    certificate_file: str = ""
    """Our own certificate, where the server wants one (SASL EXTERNAL), with its key."""
    key_file: str = ""
    connect_timeout_s: float = 10.0
    answer_timeout_s: float = 60.0

    def __str__(self) -> str:
        if self.path:
            return f"ldapi://{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'ldaps' if self.security is Security.LDAPS else 'ldap'}://{host}:{self.port}"

    def context(self) -> ssl.SSLContext:
        """Return what TLS is begun with. Raises OSError, ssl.SSLError for files that are none."""
        context = ssl.create_default_context(cafile=self.ca_file or None)
        if self.certificate_file:
            context.load_cert_chain(self.certificate_file, self.key_file or None)
        return context


class NotAnAddress(ValueError):
    """A text that is no address of a directory server."""


def parse_url(url: str) -> tuple[str, str, int, str]:
    """Return scheme, host, port and path of `ldap://`, `ldaps://` or `ldapi://`.

    Raises NotAnAddress.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as odd:
        raise NotAnAddress(f"'{url}' is no address: {odd}") from odd
    match parts.scheme.lower():
        case "ldapi":
            path = unquote(parts.netloc) or unquote(parts.path)
            if not path:
                raise NotAnAddress(f"'{url}' names no socket")
            return "ldapi", "", 0, path
        case "ldap" | "ldaps" as scheme:
            if not parts.hostname:
                raise NotAnAddress(f"'{url}' names no server")
            return scheme, parts.hostname, port or (636 if scheme == "ldaps" else 389), ""
        case _:
            raise NotAnAddress(f"'{url}' is no address: it begins with none of ldap://, ldaps://")


@dataclass(frozen=True, slots=True)
class Anonymous:
    """Nobody in particular."""

    def __str__(self) -> str:
        return "an anonymous caller"


@dataclass(frozen=True, slots=True)
class Simple:
    """A name and a password."""

    dn: str
    password: str = field(repr=False)

    def __str__(self) -> str:
        return f"the account '{self.dn}'"


@dataclass(frozen=True, slots=True)
class External:
    """Who the connection says we are: a certificate, or the account of this process."""

    authorization: str = ""

    def __str__(self) -> str:
        return "what our certificate or process says (SASL EXTERNAL)"


@dataclass(frozen=True, slots=True)
class Plain:
    """A name and a password by SASL PLAIN (RFC 4616)."""

    user: str
    password: str = field(repr=False)
    authorization: str = ""

    def __str__(self) -> str:
        return f"the user '{self.user}' (SASL PLAIN)"


Credentials: TypeAlias = Anonymous | Simple | External | Plain


def bind_request(credentials: Credentials) -> bytes:
    match credentials:
        case Anonymous():
            return messages.simple_bind("", "")
        case Simple(dn, password):
            # Without a password a server says that all is well, and binds nobody (RFC 4513, 5.1.2).
            assert password, "a name without a password is refused where settings are read"
            return messages.simple_bind(dn, password)
        case External(authorization):
            return messages.sasl_bind("EXTERNAL", authorization.encode())
        case Plain(user, password, authorization):
            said = f"{authorization}\0{user}\0{password}".encode()
            return messages.sasl_bind("PLAIN", said)
