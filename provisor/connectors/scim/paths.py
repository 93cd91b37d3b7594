"""Target paths: which place in a SCIM resource an attribute name means (spec: expression 10)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from provisor.connectors.http.body import Json, JsonObject, folded, get, items, key_of, truth_of

CORE = "urn:ietf:params:scim:schemas:core:2.0:"
ENTERPRISE_USER = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

_NAME = r"[A-Za-z$_][A-Za-z0-9$_-]*"
_FILTER = re.compile(
    rf"\[\s*({_NAME})\s+eq\s+(?:\"((?:[^\"\\]|\\.)*)\"|(true|false|-?[0-9]+))\s*\]",
    re.IGNORECASE,
)
_ATTRIBUTE = re.compile(rf"({_NAME})(?:\.({_NAME}))?")


class PathError(ValueError):
    """A target attribute name that is no path."""


@dataclass(frozen=True, slots=True)
class ElementFilter:
    """Which element of a multi-valued attribute is meant: the one whose `name` is `value`."""

    name: str
    value: str

    @property
    def literal(self) -> Json:
        """The value as a new element carries it: `primary eq "True"` compares as Boolean."""
        if self.name.lower() == "primary" and (truth := truth_of(self.value)) is not None:
            return truth
        return self.value

    def fits(self, element: JsonObject) -> bool:
        return fits(get(element, self.name), self.literal)


@dataclass(frozen=True, slots=True)
class TargetPath:
    """A place in a resource: `name.givenName`, `emails[type eq "work"].value`, `urn:…:manager`."""

    text: str
    schema: str
    """The extension's URN; empty for the resource's own schema."""
    attribute: str
    filter: ElementFilter | None = None
    sub: str = ""
    key: str = field(init=False, repr=False, compare=False)
    """The attribute's name in small letters."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", self.attribute.lower())

    @property
    def whole(self) -> str:
        """The path of the whole attribute, without filter and sub-attribute."""
        return f"{self.schema}:{self.attribute}" if self.schema else self.attribute

    @property
    def element(self) -> tuple[str, ElementFilter | None]:
        """What paths into the same element of the same attribute have in common."""
        return self.whole.lower(), self.filter


def parse(text: str) -> TargetPath:
    """Return the place that a target attribute's name means. Raises PathError."""
    head, bracket, _ = text.partition("[")
    colon = head.rfind(":")
    schema, rest = text[: max(colon, 0)], text[colon + 1 :]
    if schema.lower().startswith(CORE.lower()):
        schema = ""
    if bracket:
        return _filtered(text, schema, rest)
    found = _ATTRIBUTE.fullmatch(rest)
    if found is None:
        raise PathError(f'{text!r} is no attribute, attribute.sub or attribute[type eq "x"].sub')
    return TargetPath(text, schema, found[1], None, found[2] or "")


def _filtered(text: str, schema: str, rest: str) -> TargetPath:
    name, _, _ = rest.partition("[")
    found = _FILTER.match(rest, len(name))
    if found is None or re.fullmatch(_NAME, name) is None:
        raise PathError(f'{text!r} has no filter of the form [attribute eq "value"]')
    after = rest[found.end() :]
    if after and re.fullmatch(rf"\.{_NAME}", after) is None:
        raise PathError(f"{text!r} goes on after its filter with {after!r}")
    value = re.sub(r"\\(.)", r"\1", found[2]) if found[3] is None else found[3]
    return TargetPath(text, schema, name, ElementFilter(found[1], value), after[1:])


def fits(raw: Json, wanted: Json) -> bool:
    """Compare a sub-attribute with the literal of a filter, as directories do."""
    if isinstance(wanted, bool):
        return truth_of(raw) is wanted
    return raw is not None and str(raw).casefold() == str(wanted).casefold()


def read(resource: JsonObject, path: TargetPath, assumed_type: str = "") -> Json:
    """Return what stands at a place, as it came; None if nothing does.

    For a multi-valued attribute without filter that is the list of what its elements say.
    `assumed_type`: an only element without type counts as one of this type (spec: scim-target Q8).
    """
    return read_folded(folded(resource), path, assumed_type)


def read_folded(resource: JsonObject, path: TargetPath, assumed_type: str = "") -> Json:
    """As `read`, of a resource whose own names are in small letters: done once for many paths."""
    raw = _attribute(resource, path)
    if path.filter is not None:
        element = _element(raw, path.filter, assumed_type)
        return None if element is None else get(element, path.sub or "value")
    if not path.sub:
        return raw
    if isinstance(raw, list):
        said = [get(element, path.sub) for element in items(raw)]
        return [one for one in said if one is not None]
    return get(raw, path.sub)


def _attribute(resource: JsonObject, path: TargetPath) -> Json:
    if not path.schema:
        return resource.get(path.key)
    nested = resource.get(path.schema.lower())
    if nested is None:  # some servers flatten extensions
        return resource.get(path.whole.lower())
    return get(nested, path.attribute)


def _element(raw: Json, wanted: ElementFilter, assumed_type: str) -> JsonObject | None:
    elements = list(items(raw))
    for element in elements:
        if wanted.fits(element):
            return element
    if len(elements) == 1 and wanted.name.lower() == "type" and fits(assumed_type, wanted.value):
        return elements[0] if get(elements[0], "type") is None else None
    return None


def has_element(resource: JsonObject, path: TargetPath) -> bool:
    """Tell whether there is an element that the filter of a path selects."""
    raw = _attribute(folded(resource), path)
    return path.filter is not None and any(path.filter.fits(e) for e in items(raw))


def place(body: JsonObject, path: TargetPath, value: Json, *, is_list: bool) -> None:
    """Put a value where a path says, in a body that is being written.

    `is_list`: the attribute is multi-valued and complex, so that a path without filter means its
    first element. Paths with the same filter share one element.
    """
    container = body if not path.schema else _nested(body, path.schema)
    name = key_of(container, path.attribute)
    if path.filter is None and not path.sub:
        container[name] = value
        return
    if path.filter is None and not is_list:
        _nested(container, path.attribute)[key_of(get(container, name), path.sub)] = value
        return
    element = _chosen(_listed(container, name), path.filter)
    element[key_of(element, path.sub or "value")] = value


def _listed(container: JsonObject, name: str) -> list[Json]:
    raw = container.get(name)
    if isinstance(raw, list):
        return raw
    made: list[Json] = [] if raw is None else [raw]
    container[name] = made
    return made


def _chosen(elements: list[Json], wanted: ElementFilter | None) -> JsonObject:
    for element in items(elements):
        if wanted is None or wanted.fits(element):
            return element
    made: JsonObject = {} if wanted is None else {wanted.name: wanted.literal}
    elements.append(made)
    return made


def _nested(container: JsonObject, name: str) -> JsonObject:
    key = key_of(container, name)
    inner = container.get(key)
    if isinstance(inner, dict):
        return inner
    made: JsonObject = {}
    container[key] = made
    return made


def clear(body: JsonObject, path: TargetPath) -> None:
    """Take a value out of a body. An element that says nothing any more goes with it."""
    container = get(body, path.schema) if path.schema else body
    if not isinstance(container, dict):
        return
    name = key_of(container, path.attribute)
    raw = container.get(name)
    if not path.sub and path.filter is None:
        container.pop(name, None)
    elif isinstance(raw, dict):
        raw.pop(key_of(raw, path.sub), None)
    elif isinstance(raw, list):
        _clear_in(raw, path)


def _clear_in(elements: list[Json], path: TargetPath) -> None:
    for element in list(elements):
        if isinstance(element, dict) and (path.filter is None or path.filter.fits(element)):
            element.pop(key_of(element, path.sub or "value"), None)
            if not _says_something(element, path.filter):
                elements.remove(element)


def _says_something(element: JsonObject, wanted: ElementFilter | None) -> bool:
    silent = {"primary", "type", "display", "$ref", wanted.name.lower() if wanted else ""}
    return any(name.lower() not in silent for name in element)


def equals(path: TargetPath, literal: str) -> Iterator[str]:
    """Yield the filters that ask for `path eq literal`, the one that RFC 7644 means first.

    Servers understand one or the other for an element of a multi-valued attribute; what the last
    one finds too much is sorted out by whoever verifies.
    """
    if path.filter is None:
        yield f"{path.text} eq {literal}"
        return
    wanted = path.filter
    chosen = "true" if wanted.literal is True else quoted(wanted.value)
    sub = path.sub or "value"
    yield f"{path.whole}[{wanted.name} eq {chosen} and {sub} eq {literal}]"
    yield f"{path.text} eq {literal}"
    yield f"{path.whole}.{sub} eq {literal}"


def quoted(text: str) -> str:
    """Return a text as a JSON string literal, as filters want it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\x00-\x1f]", lambda c: f"\\u{ord(c[0]):04x}", escaped) + '"'
