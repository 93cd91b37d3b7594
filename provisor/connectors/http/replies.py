"""Answers, whole; and how failures are told, so that an administrator can act on them."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, quote_plus

from provisor.connectors.around.trace import WHOLE_BYTES_MAX, heard
from provisor.connectors.http.body import Json, encode
from provisor.model.decisions import Heard
from provisor.model.frozen import Frozen

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
        """Return one that takes these out too, in every spelling of `spellings`."""
        if not secrets:
            return self
        found = {*self.secrets, *(form for secret in secrets for form in spellings(secret))}
        return Redactor(tuple(sorted(found, key=lambda form: (-len(form), form))))

    def clean(self, text: str) -> str:
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return text


CODED_LENGTH_MIN = 6
"""What is shorter is not looked for in base64: its three letters would be found anywhere."""


def spellings(secret: str) -> set[str]:
    """Return how a server that repeats a secret may spell it: as it is, in JSON and in JSON in
    JSON, in an address, in base64 (also inside of something longer), in hexadecimal digits."""
    once = encode(secret).decode()[1:-1]
    found = {secret, once, encode(once).decode()[1:-1], json.dumps(secret)[1:-1]}
    for coded in (quote(secret, safe=""), quote(secret), quote_plus(secret)):
        found |= {coded, re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), coded)}
    raw = secret.encode("utf-8", "surrogatepass")
    if len(raw) >= CODED_LENGTH_MIN:
        found |= {raw.hex(), raw.hex().upper()}
        for shift in range(3):
            found |= _in_base64(raw, shift)
    return {form for form in found if form}


def _in_base64(raw: bytes, shift: int) -> set[str]:
    """Return the letters that no neighbour of `raw` has a part in, where it begins at a byte whose
    number leaves this rest."""
    text = b64encode(b"\0" * shift + raw).decode("ascii").rstrip("=")
    begin = (0, 2, 3)[shift]
    end = len(text) if (shift + len(raw)) % 3 == 0 else -1
    inner = text[begin:end]
    return {inner, inner.replace("+", "-").replace("/", "_")}


class Reply(Frozen, frozen=True, kw_only=True):
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
    sent: Json | bytes = None
    """What the request said."""
    secrets: tuple[str, ...] = ()
    """What the request held that nobody should see, should the target repeat it."""

    def __repr__(self) -> str:
        return f"{self.status} to {self.method} {self.path}"

    @property
    def heard(self) -> Heard:
        """What the log keeps of a success: no bodies, in which secrets might be."""
        return Heard(f"{self.method} {self.path}", str(self.status))

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

    def heard(self, reply: Reply) -> Heard:
        """Return what the log keeps of a failure: both bodies, cut, and what the target calls the
        request, by which its makers find it."""
        redactor = self.redactor.also(reply.secrets)
        ids = [f"{name}: {reply.headers[name]}" for name in REQUEST_IDS if name in reply.headers]
        answered = [*ids, legible(reply.body, redactor)]
        return heard(
            redactor.clean(f"{reply.method} {reply.path}"),
            str(reply.status),
            self.sent(reply.sent, redactor),
            redactor.clean("\n".join(line for line in answered if line)),
        )

    def unanswered(
        self, method: str, path: str, sent: Json | bytes, secrets: tuple[str, ...]
    ) -> Heard:
        """Return what the log keeps of a request that nobody answered."""
        redactor = self.redactor.also(secrets)
        return heard(redactor.clean(f"{method} {path}"), "", self.sent(sent, redactor))

    @staticmethod
    def sent(content: Json | bytes, redactor: Redactor) -> str:
        if content is None:
            return ""
        return legible(content if isinstance(content, bytes) else encode(content), redactor)


def legible(body: bytes, redactor: Redactor) -> str:
    """Return a body as may be shown, whole; of one that is too long nothing is."""
    if len(body) > WHOLE_BYTES_MAX:
        return f"({len(body)} bytes: too many to be shown)"
    return redactor.clean(body.decode("utf-8", "replace"))
