"""The settings of a SCIM target, checked once, with all problems at once (spec: scim-target 1)."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeAlias, TypeVar, cast
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

from provisor.connectors.scim.quirks import (
    PROFILES,
    ManagerFormat,
    MemberRemoval,
    PatchStyle,
    Quirks,
)
from provisor.connectors.scim.wire import number_of, truth_of

FLAGS: Mapping[str, PatchStyle] = {
    "aadoptscim062020": PatchStyle.ENTRA_COMPLIANT,
    "azureadscimpatch2017": PatchStyle.ENTRA_LEGACY,
}
"""What Entra's feature flags in the tenant URL mean to us; they are never sent."""

SECRET_LENGTH_MIN = 8
"""A header or parameter shorter than this is no secret: `tenant=1` would blacken every 1."""

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
class ScimSettings:
    base: str
    """Scheme, host and path, without trailing slash and query."""
    query: str = ""
    """Parameters of the base address that go with every request, percent-encoded."""
    credentials: Credentials = field(default_factory=Anonymous)
    patch_style: PatchStyle = PatchStyle.RFC
    quirks: Quirks = field(default_factory=Quirks)
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    ca_file: str = ""
    proxy: str = field(default="", repr=False)
    timeouts: Timeouts = field(default_factory=Timeouts)
    rate_limit: float | None = None
    """Requests a second; None: as many as the target takes."""
    connections_max: int = 32
    page_size: int = 100
    reads_back: bool = True
    """After the first write of each kind, look at what was really stored (spec: settled 33)."""
    probe_writes: bool = False
    """A probe may make objects of its own, try the ways of writing on them, and remove them."""

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
        return tuple(secret for secret in found if secret)


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


class _Reader:
    """Takes settings out of a mapping, one by one, and collects what is wrong."""

    def __init__(self, raw: Mapping[str, object], prefix: str, problems: list[Problem]) -> None:
        self._raw, self._prefix, self.problems = dict(raw), prefix, problems

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

    def texts(self, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
        return self.take(key, _texts, "a list of texts", default)

    def choice(self, key: str, choices: type[_E], default: _E) -> _E:
        """Return the member of an enumeration that a text names, in whatever case."""
        known = {member.value.lower(): member for member in choices}
        names = ", ".join(member.value for member in choices)
        return self.take(key, lambda raw: known.get(str(raw).lower()), f"one of {names}", default)

    def inner(self, key: str) -> _Reader | None:
        """Return a reader of a mapping inside, None where there is none."""
        raw = self._raw.pop(key, None)
        if raw is None:
            return None
        if not isinstance(raw, Mapping):
            self.complain(key, "is not a mapping")
            return None
        inner = cast(Mapping[str, object], raw)
        return _Reader(inner, f"{self._prefix}{key}.", self.problems)

    def names(self) -> tuple[str, ...]:
        return tuple(self._raw)

    def finish(self) -> None:
        """Complain about what nobody took: most often a misspelling."""
        for key in self._raw:
            self.complain(key, "is not a setting of SCIM targets")


def _amount(raw: object) -> float | None:
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        return None
    try:
        number = float(raw)
    except ValueError:
        return None
    return number if 0 < number < float("inf") else None


def _texts(raw: object) -> tuple[str, ...] | None:
    if isinstance(raw, str):
        return tuple(raw.split())
    if not isinstance(raw, Sequence):
        return None
    values = cast(Sequence[object], raw)
    texts = tuple(value for value in values if isinstance(value, str))
    return texts if len(texts) == len(values) else None


def parse(raw: Mapping[str, object]) -> ScimSettings | Invalid:
    """Return the settings that a mapping holds, or all that is wrong with it."""
    reader = _Reader(raw, "", [])
    profile_name = reader.text("profile", "generic")
    profile = PROFILES.get(profile_name)
    if profile is None:
        reader.complain("profile", f"is not one of {', '.join(PROFILES)}")
        profile = PROFILES["generic"]
    allows_insecure = reader.flag("allowInsecure", default=False)
    base, query, flagged = _address(reader, allows_insecure)
    settings = ScimSettings(
        base=base,
        query=query,
        credentials=_credentials(reader, allows_insecure),
        patch_style=reader.choice("patchStyle", PatchStyle, flagged or profile.patch_style),
        quirks=_quirks(reader, profile.quirks),
        headers=_headers(reader),
        ca_file=_file(reader),
        proxy=_proxy(reader),
        timeouts=_timeouts(reader),
        rate_limit=reader.amount("rateLimit", profile.rate_limit),
        connections_max=reader.count("connectionsMax", 32),
        page_size=reader.count("pageSize", 100),
        reads_back=reader.flag("readBack", default=True),
        probe_writes=reader.flag("probeWrites", default=False),
    )
    reader.finish()
    return Invalid(tuple(reader.problems)) if reader.problems else settings


def _address(reader: _Reader, allows_insecure: bool) -> tuple[str, str, PatchStyle | None]:
    text = reader.text("baseAddress").strip()
    if not text:
        reader.complain("baseAddress", "is missing: the tenant URL, as https://host/scim/v2")
        return "", "", None
    parts = _url(reader, "baseAddress", text, allows_insecure)
    if parts is None:
        return "", "", None
    kept: list[tuple[str, str]] = []
    flagged = None
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        style = FLAGS.get(name.lower())
        flagged = style or flagged
        if style is None:
            kept.append((name, value))
    host = (parts.hostname or "").lower()
    host = f"[{host}]" if ":" in host else host
    is_usual = parts.port in (None, {"http": 80, "https": 443}[parts.scheme])
    place = host if is_usual else f"{host}:{parts.port}"
    base = urlunsplit((parts.scheme, place, parts.path.rstrip("/"), "", ""))
    return base, urlencode(kept), flagged


def _url(reader: _Reader, key: str, text: str, allows_insecure: bool) -> SplitResult | None:
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


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine, by its name alone."""
    if host.lower() == "localhost" or host.lower().endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _credentials(reader: _Reader, allows_insecure: bool) -> Credentials:
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


def _client(reader: _Reader, allows_insecure: bool) -> ClientCredentials:
    token_url = reader.text("tokenUrl")
    if not token_url:
        reader.complain("tokenUrl", "is missing: where access tokens are issued")
    else:
        _url(reader, "tokenUrl", token_url, allows_insecure)
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


def _header_safe(reader: _Reader, key: str, text: str) -> str:
    if not text.isascii() or not text.isprintable():
        reader.complain(key, "holds characters that cannot stand in a header")
        return ""
    return text


def _headers(reader: _Reader) -> Mapping[str, str]:
    inner = reader.inner("headers")
    headers: dict[str, str] = {}
    for name in inner.names() if inner else ():
        value = inner.text(name) if inner else ""
        if name.lower() in RESERVED_HEADERS:
            reader.complain(f"headers.{name}", "is set by the connector itself")
        headers[name] = _header_safe(reader, f"headers.{name}", value)
    return headers


def _file(reader: _Reader) -> str:
    name = reader.text("caFile")
    if name and not Path(name).is_file():
        reader.complain("caFile", f"there is no file {name}")
    return name


def _proxy(reader: _Reader) -> str:
    text = reader.text("proxy")
    if text and urlsplit(text).scheme not in ("http", "https"):
        reader.complain("proxy", "is not an address of the form http://host:port")
    return text


def _timeouts(reader: _Reader) -> Timeouts:
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


def _quirks(reader: _Reader, usual: Quirks) -> Quirks:
    return replace(
        usual,
        active_as_string=reader.flag("activeAsString", usual.active_as_string),
        assume_type=reader.text("assumeType", usual.assume_type),
        auto_primary=reader.texts("autoPrimary", usual.auto_primary),
        content_type=reader.text("contentType", usual.content_type),
        drop_paths=reader.texts("dropPaths", usual.drop_paths),
        inactive_is_gone=reader.flag("inactiveIsGone", usual.inactive_is_gone),
        manager_format=reader.choice("managerFormat", ManagerFormat, usual.manager_format),
        max_operations_per_patch=reader.count(
            "maxOpsPerPatch", usual.max_operations_per_patch, least=0
        ),
        max_members_per_patch=reader.count("maxMembersPerPatch", usual.max_members_per_patch),
        member_removal=reader.choice("memberRemoval", MemberRemoval, usual.member_removal),
        nested_extensions=reader.flag("nestedExtensions", usual.nested_extensions),
        probe_404_as_empty=reader.flag("probe404AsEmpty", usual.probe_404_as_empty),
        put_fallback=reader.flag("putFallback", usual.put_fallback),
        removes_first=reader.flag("removesFirst", usual.removes_first),
        remove_whole_element=reader.flag("removeWholeElement", usual.remove_whole_element),
    )
