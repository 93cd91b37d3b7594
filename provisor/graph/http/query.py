"""Query options: which there are, and what they do to an answer (spec: graph-api 1.6)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from provisor.graph.http.answers import Document
from provisor.graph.http.faults import bad_request
from provisor.graph.http.filters import Condition, holds, parse_filter, paths_of

KNOWN = frozenset(
    ("select", "filter", "top", "skip", "skiptoken", "count", "expand", "orderby", "search",
     "apply", "format")
)  # fmt: skip
TOP_MAX = 999


@dataclass(frozen=True, slots=True)
class Query:
    """The options of one request, by name without `$`, and whatever else the address said."""

    options: Mapping[str, str] = field(default_factory=dict[str, str])
    others: Mapping[str, str] = field(default_factory=dict[str, str])

    def allow(self, names: Collection[str]) -> None:
        """Raises Fault for an option that means nothing here."""
        for name in self.options:
            if name not in names and name != "format":
                raise bad_request(f"The query option '${name}' is not supported here.")

    def number(self, name: str) -> int | None:
        text = self.options.get(name)
        if text is None:
            return None
        if not text.isascii() or not text.isdigit() or len(text) > 9:
            raise bad_request(f"Invalid value '{text}' for the query option '${name}'.")
        return int(text)

    def names(self, name: str) -> tuple[str, ...]:
        text = self.options.get(name, "")
        return tuple(part.strip() for part in text.split(",") if part.strip())

    @property
    def is_counted(self) -> bool:
        text = self.options.get("count", "false").lower()
        if text not in ("true", "false"):
            raise bad_request("The query option '$count' is true or false.")
        return text == "true"


def parse_query(raw: str, *, is_beta: bool) -> Query:
    """Return the options of a query string. On beta `$` may be left away."""
    options: dict[str, str] = {}
    others: dict[str, str] = {}
    for pair in raw.split("&"):
        name, _, value = pair.partition("=")
        name, value = unquote_plus(name), unquote_plus(value)
        bare = name.removeprefix("$").lower()
        if not name:
            continue
        if not name.startswith("$") and not (is_beta and bare in KNOWN):
            others[name] = value
            continue
        if bare not in KNOWN:
            raise bad_request(f"The query option '{name}' is not known.")
        if bare in options:
            raise bad_request(f"The query option '${bare}' is given twice.")
        options[bare] = value
    return Query(options, others)


# one entity


def selected(document: Document, query: Query, type: str, properties: Collection[str]) -> Document:
    """Return exactly the properties that `$select` names; all of them without it.

    What is led to, and not expanded, has no value that could be shown.
    """
    names = spelled(query.names("select"), type, properties)
    if not names or "*" in names:
        return document
    kept = {name: document[name] for name in names if name in document}
    return {**kept, **{n: v for n, v in document.items() if "@odata." in n and n not in kept}}


def spelled(names: Sequence[str], type: str, properties: Collection[str]) -> tuple[str, ...]:
    """Return the names as the type spells them. Raises Fault for one it does not have."""
    known = {one.lower(): one for one in properties} | {"*": "*"}
    for name in names:
        if name.lower() not in known:
            raise no_property(name, type)
    return tuple(dict.fromkeys(known[name.lower()] for name in names))


def no_property(name: str, type: str) -> Exception:
    return bad_request(
        f"Could not find a property named '{name}' on type 'microsoft.graph.{type}'."
    )


def expanded(query: Query, type: str, navigations: Collection[str]) -> frozenset[str]:
    """Return which navigation properties are asked for. Raises Fault for what is none."""
    known = {one.lower(): one for one in navigations}
    asked: set[str] = set()
    for name in query.names("expand"):
        bare = name.partition("(")[0].lower()
        if bare not in known:
            raise bad_request(
                f"Property '{name}' on type 'microsoft.graph.{type}' is not a navigation property."
            )
        asked.add(known[bare])
    return frozenset(asked)


# many


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """What is left of a collection once the options were applied."""

    items: list[Document]
    count: int
    """How many pass the filter, on all pages."""
    next: int | None
    """Where the next page begins; None: this is the last."""


def sliced(
    items: Sequence[Document],
    query: Query,
    type: str,
    properties: Collection[str],
    *,
    skip: int,
    page_max: int | None = None,
    folded: Sequence[str] = (),
) -> Slice:
    """Filter, order, cut and count a whole collection that lies in memory."""
    passing = filtered(items, query, type, properties, folded)
    passing = _ordered(passing, query, type, properties)
    top = query.number("top")
    size = min(TOP_MAX, TOP_MAX if top is None else top, page_max or TOP_MAX)
    page = passing[skip : skip + size]
    end = skip + len(page)
    return Slice(
        items=[selected(one, query, type, properties) for one in page],
        count=len(passing),
        next=end if page and end < len(passing) else None,
    )


def filtered(
    items: Sequence[Document],
    query: Query,
    type: str,
    properties: Collection[str],
    folded: Sequence[str] = (),
) -> list[Document]:
    text = query.options.get("filter")
    if text is None:
        return list(items)
    condition = checked_filter(text, type, properties)
    return [one for one in items if holds(condition, one, folded)]


def checked_filter(text: str, type: str, paths: Collection[str]) -> Condition:
    """Return a filter that names only properties that there are."""
    condition = parse_filter(text)
    known = {path.lower() for path in paths}
    for path in paths_of(condition):
        if path not in known:
            raise no_property(path, type)
    return condition


def order_of(query: Query, type: str, properties: Collection[str]) -> tuple[str, bool] | None:
    """Return the one property to order by, and whether from the greatest down."""
    named = list(query.names("orderby"))
    if not named:
        return None
    if len(named) > 1:
        raise bad_request("$orderby takes one property here.")
    name, _, way = named[0].partition(" ")
    if way.strip().lower() not in ("", "asc", "desc"):
        raise bad_request(f"'{way.strip()}' is neither asc nor desc.")
    (found,) = spelled((name,), type, properties)
    return found, way.strip().lower() == "desc"


def _ordered(
    items: list[Document], query: Query, type: str, properties: Collection[str]
) -> list[Document]:
    order = order_of(query, type, properties)
    if order is None:
        return items
    name, is_descending = order
    return sorted(items, key=lambda one: str(one.get(name) or ""), reverse=is_descending)
