"""What the server holds, and the filters that search it."""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, TypeAlias, cast

Resource: TypeAlias = dict[str, Any]

NAMES = {"Users": "userName", "Groups": "displayName"}
"""What is unique, and without case."""
INDEXED = ("userName", "displayName", "externalId")
CORE = "urn:ietf:params:scim:schemas:core:2.0:"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

_TERM = re.compile(
    r"""\s*(?P<path>[^\s\[\]]+)(?:\[(?P<inner>.+?)\](?:\.(?P<sub>\w+))?)?
        (?:\s+(?P<how>eq|ge)\s+(?P<value>"(?:[^"\\]|\\.)*"|true|false|-?\d+))?\s*(?:and\b|$)""",
    re.VERBOSE | re.IGNORECASE,
)


def as_object(raw: Any) -> Resource | None:
    """Return a JSON object, None if it is none."""
    return cast(Resource, raw) if isinstance(raw, dict) else None


def as_list(raw: Any) -> list[Any] | None:
    """Return a JSON list, None if it is none."""
    return cast(list[Any], raw) if isinstance(raw, list) else None


class InvalidFilter(Exception):
    """A filter that is not understood."""


class Taken(Exception):
    """A name that another resource has."""


class Store:
    """Resources by endpoint and id, with an index of what is searched most."""

    def __init__(self) -> None:
        self.resources: dict[str, dict[str, Resource]] = {"Users": {}, "Groups": {}}
        self._index: dict[tuple[str, str, str], set[str]] = defaultdict(set)
        self._ids = itertools.count(1)
        self._versions = itertools.count(1)

    def new_id(self) -> str:
        return str(next(self._ids))

    def put(self, endpoint: str, id: str, resource: Resource) -> Resource:
        """Store a resource under an id. Raises Taken."""
        name = str(resource.get(NAMES[endpoint], "")).lower()
        holders = self._index.get((endpoint, NAMES[endpoint], name), set[str]())
        if holders - {id}:
            raise Taken(f"{NAMES[endpoint]} {name!r} is in use")
        self._forget(endpoint, id)
        held = {**resource, "id": id, "meta": self._meta(endpoint, id)}
        self.resources[endpoint][id] = held
        for attribute in INDEXED:
            if isinstance(value := held.get(attribute), str):
                self._index[endpoint, attribute, value.lower()].add(id)
        return held

    def _meta(self, endpoint: str, id: str) -> Resource:
        return {
            "resourceType": endpoint[:-1],
            "version": f'W/"{next(self._versions)}"',
            "lastModified": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
            "location": f"/{endpoint}/{id}",
        }

    def _forget(self, endpoint: str, id: str) -> None:
        before = self.resources[endpoint].get(id)
        for attribute in INDEXED:
            if before and isinstance(value := before.get(attribute), str):
                self._index[endpoint, attribute, value.lower()].discard(id)

    def delete(self, endpoint: str, id: str) -> bool:
        self._forget(endpoint, id)
        return self.resources[endpoint].pop(id, None) is not None

    def search(self, endpoint: str, text: str) -> Iterator[Resource]:
        """Yield what a filter finds. Raises InvalidFilter."""
        terms = list(_terms(text))
        held = self.resources[endpoint]
        path, inner, _, value, _ = terms[0]
        candidates: Iterable[Resource] = held.values()
        if path in INDEXED and inner is None and isinstance(value, str):
            ids = self._index.get((endpoint, path, value.lower()), set[str]())
            candidates = [held[id] for id in sorted(ids, key=int)]
        for resource in candidates:
            if all(_fits(resource, term) for term in terms):
                yield resource


_Term: TypeAlias = tuple[str, str | None, str, Any, bool]
"""Path, filter inside, sub-attribute, value, and whether it asks for that value or more."""


def _terms(text: str) -> Iterator[_Term]:
    at = 0
    while at < len(text):
        found = _TERM.match(text, at)
        if found is None or (found["value"] is None and found["inner"] is None):
            raise InvalidFilter(text)
        yield (
            found["path"],
            found["inner"],
            found["sub"] or "",
            _literal(found["value"]),
            (found["how"] or "eq").lower() == "ge",
        )
        at = found.end()


def _literal(text: str | None) -> Any:
    if text is None or text.lower() in ("true", "false"):
        return None if text is None else text.lower() == "true"
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else int(text)


def _fits(resource: Resource, term: _Term) -> bool:
    path, inner, sub, value, is_least = term
    raw = at(resource, path)
    listed = as_list(raw)
    elements = listed if listed is not None else [] if raw is None else [raw]
    if is_least:
        return any(isinstance(one, str) and one >= value for one in elements)
    if inner is None:
        return any(is_same(one, value) for one in elements)
    objects = [o for o in map(as_object, elements) if o is not None]
    chosen = [o for o in objects if all(_fits(o, t) for t in _terms(inner))]
    return bool(chosen) if value is None else any(is_same(o.get(sub), value) for o in chosen)


def at(resource: Resource, path: str) -> Any:
    """Return what stands at a path: `a`, `a.b`, `urn:…:a.b`; the elements, of a list."""
    if path.lower().startswith("urn:"):
        urn, _, path = path.rpartition(":")
        resource = resource if urn.startswith(CORE) else resource.get(urn) or {}
    name, _, sub = path.partition(".")
    raw = resource.get(name)
    if not sub:
        return raw
    if (elements := as_list(raw)) is not None:
        return [o.get(sub) for o in map(as_object, elements) if o is not None]
    inner = as_object(raw)
    return None if inner is None else inner.get(sub)


def is_same(said: Any, wanted: Any) -> bool:
    """Compare as directories do: texts without case, complex values by their `value`."""
    if (complex_value := as_object(said)) is not None:
        said = complex_value.get("value")
    return said is not None and str(said).lower() == str(wanted).lower()
