"""Answers, whole; and how failures are told, so that an administrator can act on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from provisor.connectors.http.body import EXCERPT_BYTES_MAX, Json, encode

REQUEST_IDS = (
    "x-request-id",
    "request-id",
    "x-correlation-id",
    "x-amzn-requestid",
    "x-ms-request-id",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """What differs between the protocols that are spoken over HTTP."""

    accept: str
    """The Accept header of every request."""
    content_type: str
    """What is sent; plain JSON instead, once a server refuses it (415)."""
    invalid_credentials: str
    """The code of a token endpoint's refusal."""
    incompatible: str
    """The code of an answer that no honest server gives."""
    ways_out: Mapping[str, str]
    """What an administrator can do, by code."""
    detail_of: Callable[[Json], str]
    """What an error says, in the protocol's form or in that of some framework."""


@dataclass(frozen=True, slots=True)
class Redactor:
    """Takes secrets out of what is shown."""

    secrets: tuple[str, ...] = ()

    def also(self, secrets: Sequence[str]) -> Redactor:
        """Return one that takes these out too, also as JSON spells them, and JSON in JSON."""
        if not secrets:
            return self
        once = [_in_json(secret) for secret in secrets]
        twice = [_in_json(text) for text in once]
        return Redactor((*self.secrets, *twice, *once, *secrets))

    def clean(self, text: str) -> str:
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return text


def _in_json(text: str) -> str:
    return encode(text).decode()[1:-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer of the target, whole."""

    status: int
    headers: Mapping[str, str]
    """With names in small letters."""
    body: bytes
    content: Json
    """None where there is no body, or one that is no JSON."""
    method: str
    path: str
    """Without query, which may hold what nobody should see."""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """What the request held that nobody should see, should the target repeat it."""

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def tag(self) -> str:
        return self.headers.get("etag", "")


@dataclass(frozen=True, slots=True)
class Narrator:
    """Words failures so that an administrator can act on them, without a secret."""

    target: str
    redactor: Redactor
    dialect: Dialect

    def message(self, reply: Reply, code: str) -> str:
        redactor = self.redactor.also(reply.secrets)
        detail = redactor.clean(self.dialect.detail_of(reply.content))[:500] or "no detail given"
        way_out = self.dialect.ways_out.get(code, "")
        said = f"{self.target} returned HTTP status {reply.status}: {detail}"
        return f"{said.rstrip('.')}. {way_out}" if way_out else said

    def details(self, reply: Reply) -> str:
        ids = [f"{name}: {reply.headers[name]}" for name in REQUEST_IDS if name in reply.headers]
        redactor = self.redactor.also(reply.secrets)
        body = redactor.clean(reply.body[: 2 * EXCERPT_BYTES_MAX].decode("utf-8", "replace"))
        lines = [f"{reply.method} {reply.path} → {reply.status}", *ids, body]
        text = "\n".join(line for line in lines if line)
        return text.encode()[:EXCERPT_BYTES_MAX].decode("utf-8", "ignore")
