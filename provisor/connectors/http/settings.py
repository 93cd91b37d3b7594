"""The settings of whatever is reached over HTTP, checked once, with all problems at once."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeAlias, TypeVar, cast
from urllib.parse import SplitResult, parse_qsl, urlsplit, urlunsplit

from provisor.connectors.http.body import number_of, truth_of
from provisor.connectors.http.door import OPEN, Door

SECRET_LENGTH_MIN = 8
"""A header or parameter shorter than this is no secret: `tenant=1` would blacken every 1."""

DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")
RESERVED_HEADERS = frozenset(
    {"authorization", "content-type", "content-length", "host", "if-match"}
)


class Placement(StrEnum):
    """Where the client credentials stand in a token request (spec: scim-target 2)."""

    HEADER = "header"
    BODY = "body"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Bearer:
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Basic:
    user_name: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCredentials:
    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    scopes: tuple[str, ...] = ()
    placement: Placement = Placement.HEADER


@dataclass(frozen=True, slots=True)
class Anonymous:
    """No credentials: only test servers want none."""


Credentials: TypeAlias = Bearer | Basic | ClientCredentials | Anonymous


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """In seconds (spec: scim-target 9.3)."""

    connect: float = 10.0
    read: float = 60.0
    total: float = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """How one system is reached, and by whom."""

    base: str
    """Scheme, host and path, without trailing slash and query."""
    query: str = ""
    """Parameters of the base address that go with every request, percent-encoded."""
    credentials: Credentials = field(default_factory=Anonymous)
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    ca_file: str = ""
    proxy: str = field(default="", repr=False)
    timeouts: Timeouts = field(default_factory=Timeouts)
    rate_limit: float | None = None
    """Requests a second; None: as many as the other side takes."""
    connections_max: int = 32
    door: Door = OPEN
    """Where requests may go."""
    hidden: tuple[str, ...] = field(default=(), repr=False)
    """Further secrets that must not be shown, should the other side know and tell them."""

    @property
    def host(self) -> str:
        return urlsplit(self.base).netloc.rpartition("@")[2]

    @property
    def account(self) -> str:
        """Who we are to the target, where a name says so. Never a secret."""
        match self.credentials:
            case Basic(user_name):
                return f"user:{user_name}"
            case ClientCredentials(client_id=client_id):
                return f"client:{client_id}"
            case Bearer() | Anonymous():
                return ""

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be shown, wherever it turns up."""
        asides = [*self.headers.values(), *(value for _, value in parse_qsl(self.query))]
        found = [value for value in asides if len(value) >= SECRET_LENGTH_MIN]
        found.append(urlsplit(self.proxy).password or "")
        match self.credentials:
            case Bearer(token):
                found.append(token)
            case Basic(_, password):
                found.append(password)
            case ClientCredentials(client_secret=client_secret):
                found.append(client_secret)
            case Anonymous():
                pass
        return tuple(secret for secret in (*found, *self.hidden) if secret)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one setting, and the way out."""

    key: str
    message: str

    def __str__(self) -> str:
        return f"{self.key}: {self.message}"


@dataclass(frozen=True, slots=True)
class Invalid:
    """Settings that cannot be used; every problem that there is."""

    problems: tuple[Problem, ...]

    def __str__(self) -> str:
        return "; ".join(map(str, self.problems))


_T = TypeVar("_T")
_E = TypeVar("_E", bound=StrEnum)


class SettingsReader:
    """Takes settings out of a mapping, one by one, and collects what is wrong."""

    def __init__(self, raw: Mapping[str, object], whose: str) -> None:
        self._raw, self._whose, self._prefix = dict(raw), whose, ""
        self.problems: list[Problem] = []

    def complain(self, key: str, message: str) -> None:
        self.problems.append(Problem(self._prefix + key, message))

    def take(self, key: str, read: Callable[[Any], _T | None], wanted: str, default: _T) -> _T:
        """Return a setting, or the default where there is none or it is not what is wanted."""
        raw = self._raw.pop(key, None)
        if raw is None:
            return default
        value = read(raw)
        if value is None:
            self.complain(key, f"is not {wanted}")
            return default
        return value

    def text(self, key: str, default: str = "") -> str:
        return self.take(key, lambda raw: raw if isinstance(raw, str) else None, "text", default)

    def flag(self, key: str, default: bool) -> bool:
        return self.take(key, truth_of, "true or false", default)

    def count(self, key: str, default: int, least: int = 1) -> int:
        def read(raw: object) -> int | None:
            number = number_of(raw)
            return number if number is not None and number >= least else None

        return self.take(key, read, f"a whole number of {least} or more", default)

    def amount(self, key: str, default: _T) -> float | _T:
        return self.take(key, _amount, "a number above 0", cast(Any, default))

    def seconds(self, key: str, default: float, least: float, most: float) -> float:
        """Accept seconds, or an ISO 8601 duration of days and less (`PT5M`)."""
        value = self.take(key, _seconds, "a number of seconds, or a duration such as PT5M", default)
        if not least <= value <= most:
            self.complain(key, f"does not lie between {least:g} and {most:g} seconds")
            return default
        return value

    def renames(self, key: str) -> Mapping[str, str | None]:
        """Accept a name for each attribute, or null to leave the attribute out."""
        wanted = "a mapping that says, attribute by attribute, what it is called inside"
        usual: Mapping[str, str | None] = {}
        return self.take(key, _renames, wanted, usual)

    def texts(self, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
        return self.take(key, _texts, "a list of texts", default)

    def choice(self, key: str, choices: type[_E], default: _E) -> _E:
        """Return the member of an enumeration that a text names, in whatever case."""
        known = {member.value.lower(): member for member in choices}
        names = ", ".join(member.value for member in choices)
        return self.take(key, lambda raw: known.get(str(raw).lower()), f"one of {names}", default)

    def inner(self, key: str) -> SettingsReader | None:
        """Return a reader of a mapping inside, None where there is none."""
        raw = self._raw.pop(key, None)
        if raw is None:
            return None
        if not isinstance(raw, Mapping):
            self.complain(key, "is not a mapping")
            return None
        inner = cast(Mapping[str, object], raw)
        reader = SettingsReader(inner, self._whose)
        reader._prefix, reader.problems = f"{self._prefix}{key}.", self.problems
        return reader

    def names(self) -> tuple[str, ...]:
        return tuple(self._raw)

    def finish(self) -> None:
        """Complain about what nobody took: most often a misspelling."""
        for key in self._raw:
            self.complain(key, f"is not a setting of {self._whose}")


def _amount(raw: object) -> float | None:
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        return None
    try:
        number = float(raw)
    except ValueError:
        return None
    return number if 0 < number < float("inf") else None


def _seconds(raw: object) -> float | None:
    if isinstance(raw, str) and (found := DURATION.fullmatch(raw)) and len(raw) > len("PT"):
        days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
        return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    return float(raw) if isinstance(raw, int | float) and not isinstance(raw, bool) else None


def _renames(raw: object) -> Mapping[str, str | None] | None:
    if not isinstance(raw, Mapping):
        return None
    names = {str(k): v for k, v in cast(Mapping[object, object], raw).items()}
    known = {k: v for k, v in names.items() if v is None or (isinstance(v, str) and v)}
    return cast("Mapping[str, str | None]", known) if len(known) == len(names) else None


def _texts(raw: object) -> tuple[str, ...] | None:
    if isinstance(raw, str):
        return tuple(raw.split())
    if not isinstance(raw, Sequence):
        return None
    values = cast(Sequence[object], raw)
    texts = tuple(value for value in values if isinstance(value, str))
    return texts if len(texts) == len(values) else None


def read_url(
    reader: SettingsReader, key: str, text: str, allows_insecure: bool
) -> SplitResult | None:
    """Return the parts of an address that credentials may be sent to (spec: settled 32)."""
    try:
        parts = urlsplit(text)
        is_whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_whole = False
        parts = urlsplit("")
    if not is_whole:
        reader.complain(key, "is not an address of the form https://host/path")
        return None
    if parts.username is not None or parts.password is not None:
        reader.complain(key, "holds credentials: give them as userName and password")
        return None
    if parts.scheme == "http" and not allows_insecure and not is_loopback(parts.hostname or ""):
        reader.complain(
            key,
            "is plain http, which shows the credentials to everybody: use https, or set "
            "allowInsecure",
        )
    return parts


def base_of(parts: SplitResult) -> str:
    """Return an address in its one spelling, without query and trailing slash."""
    host = (parts.hostname or "").lower()
    host = f"[{host}]" if ":" in host else host
    is_usual = parts.port in (None, {"http": 80, "https": 443}[parts.scheme])
    place = host if is_usual else f"{host}:{parts.port}"
    return urlunsplit((parts.scheme, place, parts.path.rstrip("/"), "", ""))


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine, by its name alone."""
    if host.lower() == "localhost" or host.lower().endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def read_credentials(reader: SettingsReader, allows_insecure: bool) -> Credentials:
    found: list[Credentials] = []
    if token := reader.text("token"):
        found.append(Bearer(_header_safe(reader, "token", token.strip())))
    user_name, password = reader.text("userName"), reader.text("password")
    if user_name and password:
        found.append(Basic(user_name, password))
    elif user_name or password:
        missing = "password" if user_name else "userName"
        reader.complain(missing, "is missing: userName and password go together")
    if oauth := reader.inner("oauth"):
        found.append(_client(oauth, allows_insecure))
        oauth.finish()
    if len(found) > 1:
        reader.complain("token", "give one of token, oauth, or userName with password, not several")
    return found[0] if found else Anonymous()


def _client(reader: SettingsReader, allows_insecure: bool) -> ClientCredentials:
    token_url = reader.text("tokenUrl")
    if not token_url:
        reader.complain("tokenUrl", "is missing: where access tokens are issued")
    else:
        read_url(reader, "tokenUrl", token_url, allows_insecure)
    client_id, client_secret = reader.text("clientId"), reader.text("clientSecret")
    for key, value in (("clientId", client_id), ("clientSecret", client_secret)):
        if not value:
            reader.complain(key, "is missing")
    return ClientCredentials(
        token_url=token_url,
        client_id=client_id,
        client_secret=client_secret,
        scopes=reader.texts("scopes", ()),
        placement=reader.choice("credentialPlacement", Placement, Placement.HEADER),
    )


def _header_safe(reader: SettingsReader, key: str, text: str) -> str:
    if not text.isascii() or not text.isprintable():
        reader.complain(key, "holds characters that cannot stand in a header")
        return ""
    return text


def read_headers(reader: SettingsReader) -> Mapping[str, str]:
    inner = reader.inner("headers")
    headers: dict[str, str] = {}
    for name in inner.names() if inner else ():
        value = inner.text(name) if inner else ""
        if name.lower() in RESERVED_HEADERS:
            reader.complain(f"headers.{name}", "is set by the connector itself")
        headers[name] = _header_safe(reader, f"headers.{name}", value)
    return headers


def read_ca_file(reader: SettingsReader) -> str:
    name = reader.text("caFile")
    if name and not Path(name).is_file():
        reader.complain("caFile", f"there is no file {name}")
    return name


def read_proxy(reader: SettingsReader) -> str:
    text = reader.text("proxy")
    if text and urlsplit(text).scheme not in ("http", "https"):
        reader.complain("proxy", "is not an address of the form http://host:port")
    return text


def read_timeouts(reader: SettingsReader) -> Timeouts:
    inner, usual = reader.inner("timeouts"), Timeouts()
    if inner is None:
        return usual
    timeouts = Timeouts(
        connect=inner.amount("connect", usual.connect),
        read=inner.amount("read", usual.read),
        total=inner.amount("total", usual.total),
    )
    inner.finish()
    return timeouts
