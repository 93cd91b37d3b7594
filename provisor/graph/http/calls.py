"""One request as handlers see it: who asks for what, and what the house has to answer with."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast
from urllib.parse import quote

import msgspec

from provisor.graph.http.answers import Answer, Document, said
from provisor.graph.http.auth import Caller, Gatekeeper
from provisor.graph.http.faults import Fault, bad_request, beyond, invalid
from provisor.graph.http.house import House
from provisor.graph.http.paths import Key
from provisor.graph.http.query import TOP_MAX, Query, sliced, spelled
from provisor.graph.problems import RequestIds
from provisor.graph.schema.codes import Code
from provisor.graph.wire.coding import DEPTH_MAX, decode, is_too_deep

T = TypeVar("T")
TOP_DEFAULT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    house: House
    version: str
    """`beta` or `v1.0`."""
    base: str
    """Scheme, host and prefix as the client wrote them, without slash at the end."""
    path: str
    """As it came, without version."""
    query: Query
    keys: Mapping[str, Key]
    headers: Mapping[str, str]
    """With names in small letters."""
    body: bytes
    caller: Caller
    gatekeeper: Gatekeeper
    ids: RequestIds
    renew: Callable[[], Awaitable[Caller]]
    """Look at the credential again: it may have been revoked meanwhile. Raises Fault."""
    expanded: frozenset[str] = frozenset()
    """Navigation properties that are asked for."""
    applied: list[str] = field(default_factory=list[str])
    """Preferences that were followed."""

    @property
    def root(self) -> str:
        return f"{self.base}/{self.version}"

    @property
    def is_beta(self) -> bool:
        return self.version == "beta"

    def key(self, name: str) -> str:
        return self.keys[name].value

    # bodies

    def read(self, kind: type[T]) -> T:
        """Return the body as one of Graph's types; nothing is as good as `{}`."""
        value, problems = decode(kind, self.body.strip() or b"{}")
        if value is not None:
            return value
        if any(one.code == Code.INVALID_JSON for one in problems):
            raise bad_request(problems[0].message)
        raise Fault(400, "BadRequest", "", problems=problems)

    def read_object(self) -> dict[str, object]:
        """Return the body as the JSON object it is."""
        try:
            raw = cast(object, msgspec.json.decode(self.body.strip() or b"{}"))
        except (msgspec.DecodeError, RecursionError) as failure:
            raise bad_request(f"This is no JSON document: {failure}.") from failure
        if is_too_deep(raw):
            message = f"The document has more than {DEPTH_MAX} levels."
            raise beyond(Code.DOCUMENT_TOO_DEEP, "", message)
        if not isinstance(raw, dict):
            raise bad_request("A JSON object is expected.")
        return cast(dict[str, object], raw)

    # answers

    def entity(self, document: Document, context: str, status: int = 200, **headers: str) -> Answer:
        """Return one entity, or value, with the context that names its type."""
        annotated = {**self.context(context), **document}
        return said(annotated, status, {name.replace("_", "-"): v for name, v in headers.items()})

    def context(self, fragment: str) -> Document:
        if "odata.metadata=none" in self.headers.get("accept", "").replace(" ", "").lower():
            return {}
        return {"@odata.context": f"{self.root}/$metadata#{fragment}"}

    def collection(
        self,
        items: Sequence[Document],
        context: str,
        type: str,
        properties: Collection[str],
        folded: Sequence[str] = (),
    ) -> Answer:
        """Return the part of a collection that the query asks for, and the way to the rest."""
        skip = self.query.number("skip") or 0
        token = self.query.options.get("skiptoken")
        if token is not None:
            skip = int(self.unsealed(token))
        page = sliced(
            items,
            self.query,
            type,
            properties,
            skip=skip,
            page_max=self.page_max(),
            folded=folded,
        )
        names = spelled(self.query.names("select"), type, properties)
        fragment = f"{context}({','.join(names)})" if names else context
        following = None if page.next is None else str(page.next)
        return self.page(page.items, fragment, page.count, following)

    def page(
        self, items: Sequence[Document], fragment: str, count: int | None, following: str | None
    ) -> Answer:
        document: Document = self.context(fragment)
        if count is not None and self.query.is_counted:
            document["@odata.count"] = count
        if following is not None:
            document["@odata.nextLink"] = self._next_link(following)
        document["value"] = list(items)
        return said(document)

    def page_max(self) -> int | None:
        """Return the client's own limit for a page, if it prefers one."""
        for preference in self.headers.get("prefer", "").split(","):
            name, _, value = preference.strip().partition("=")
            if name.lower() == "odata.maxpagesize" and value.strip('"').isdigit():
                size = max(1, int(value.strip('"')[:6]))
                self.applied.append(f"odata.maxpagesize={size}")
                return size
        return None

    def page_size(self) -> int:
        """Return how many rows at the most a page holds of what is looked through row by row."""
        top = self.query.number("top")
        if top == 0:
            raise bad_request("$top is at least 1 here.")
        return min(top or TOP_DEFAULT, self.page_max() or TOP_MAX, TOP_MAX)

    # the way to the next page

    def _next_link(self, place: str) -> str:
        kept = {n: v for n, v in self.query.options.items() if n not in ("skip", "skiptoken")}
        kept["skiptoken"] = self.sealed(place)
        pairs = "&".join(f"${name}={quote(value, safe='')}" for name, value in kept.items())
        return f"{self.root}{self.path}?{pairs}"

    def sealed(self, place: str) -> str:
        """Return a skip token: nobody else makes one, and it is good for this question only."""
        content = base64.urlsafe_b64encode(place.encode()).decode("ascii").rstrip("=")
        return f"{content}.{self._mac(place)}"

    def unsealed(self, token: str) -> str:
        content, _, mac = token.partition(".")
        try:
            place = base64.urlsafe_b64decode(content + "=" * (-len(content) % 4)).decode()
        except (binascii.Error, UnicodeDecodeError, ValueError):
            place = ""
        if not place or not hmac.compare_digest(mac.encode(), self._mac(place).encode()):
            raise bad_request("The $skiptoken is not one of this collection and this filter.")
        return place

    def _mac(self, place: str) -> str:
        asked = self.query.options
        bound = (self.house.tenant.id, self.path.lower().rstrip("/"), asked.get("filter", ""),
                 asked.get("orderby", ""), place)  # fmt: skip
        text = "\0".join(bound).encode()
        return hmac.new(self.house.signing_key, text, hashlib.sha256).hexdigest()[:32]


def checked(value: T | None, problems: Sequence[Any]) -> T:
    """Return a value that was read, or raise what is wrong with it."""
    if value is None:
        raise invalid(problems)
    return value


Handler = Callable[[Call], Any]
