"""What a target says of itself. Nothing of it need be there (spec: scim-target 4.5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from provisor.connectors.http.body import Json, JsonObject, get, items, number_of, text_of, truth_of
from provisor.connectors.scim.paths import CORE
from provisor.connectors.scim.resources import Shape
from provisor.connectors.scim.wire import id_of, list_answer
from provisor.model.rules import AttributeDefinition, AttributeType, Mutability

OUTSIDE = frozenset({"external", "uri"})
"""Reference types that point at no object of the directory: a photo, a home page."""
ASIDE = frozenset({"type", "primary", "display", "$ref"})
"""Sub-attributes that describe an element rather than being its value."""

TYPES: Mapping[str, AttributeType] = {
    "string": AttributeType.STRING,
    "boolean": AttributeType.BOOLEAN,
    "integer": AttributeType.INTEGER,
    "decimal": AttributeType.STRING,
    "datetime": AttributeType.DATE_TIME,
    "binary": AttributeType.BINARY,
    "reference": AttributeType.REFERENCE,
}
MUTABILITIES = {mutability.value.lower(): mutability for mutability in Mutability}


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """What /ServiceProviderConfig announces; as the standard has it, where it says nothing."""

    has_patch: bool = True
    has_filter: bool = True
    has_versions: bool = False
    results_max: int | None = None
    """The most that one page holds."""
    has_cursors: bool = False
    """Lists are paged by cursor (RFC 9865), and by nothing else or rather so."""
    offers_cursors: bool = False
    """Lists can be paged by cursor."""


def abilities_of(content: Json) -> Abilities:
    filtering, paging = get(content, "filter"), get(content, "pagination")
    is_indexed = truth_of(get(paging, "index")) is not False
    prefers_cursor = text_of(get(paging, "defaultPaginationMethod")).lower() == "cursor"
    results_max = number_of(get(filtering, "maxResults")) or number_of(get(paging, "maxPageSize"))
    has_cursors = truth_of(get(paging, "cursor")) is True
    return Abilities(
        has_patch=truth_of(get(get(content, "patch"), "supported")) is not False,
        has_filter=truth_of(get(filtering, "supported")) is not False,
        has_versions=truth_of(get(get(content, "etag"), "supported")) is True,
        results_max=results_max if results_max and results_max > 0 else None,
        has_cursors=has_cursors and (prefers_cursor or not is_indexed),
        offers_cursors=has_cursors,
    )


@dataclass(frozen=True, slots=True)
class ResourceType:
    """One line of /ResourceTypes."""

    name: str
    endpoint: str
    schema: str
    extensions: tuple[str, ...]

    def is_named(self, kind: str) -> bool:
        names = (self.name, self.schema, *self.extensions)
        return kind.lower() in (name.lower() for name in names)


def resource_types_of(content: Json, base: str = "") -> tuple[ResourceType, ...]:
    """Return what lives where, as seen from `base`, the address that all requests begin with."""
    return tuple(
        ResourceType(
            name=text_of(get(resource, "name")) or id_of(resource),
            endpoint=endpoint,
            schema=text_of(get(resource, "schema")),
            extensions=tuple(
                text_of(get(extension, "schema"))
                for extension in items(get(resource, "schemaExtensions"))
            ),
        )
        for resource in _listed(content)
        if (endpoint := _beneath(base, text_of(get(resource, "endpoint"))))
    )


def _beneath(base: str, endpoint: str) -> str:
    """Return an endpoint relative to the base, as RFC 7643 section 6 has it.

    Many a server names it from its root (`/scim/v2/Users`) or with its host; a host is not
    followed, and what lies outside the base is no place of ours: the empty text.
    """
    try:
        said = urlsplit(endpoint)
    except ValueError:
        return ""
    root = urlsplit(base).path.strip("/")
    path = said.path.strip("/")
    if root and path.startswith(f"{root}/"):
        return path.removeprefix(f"{root}/")
    return "" if said.netloc and root else path


@dataclass(frozen=True, slots=True)
class Schema:
    """One schema that the target publishes."""

    id: str
    definitions: tuple[AttributeDefinition, ...]
    complex_lists: frozenset[str] = frozenset()
    shows_members: bool = False


def schemas_of(content: Json) -> tuple[Schema, ...]:
    return tuple(_schema(resource) for resource in _listed(content) if id_of(resource))


def _listed(content: Json) -> Iterable[JsonObject]:
    if isinstance(content, list):
        return items(content)
    answer = list_answer(content)
    return answer.resources if answer else ()


def _schema(resource: JsonObject) -> Schema:
    name = id_of(resource)
    prefix = "" if name.startswith(CORE) else f"{name}:"
    attributes = list(items(get(resource, "attributes")))
    lists = [a for a in attributes if _is_complex(a) and truth_of(get(a, "multiValued"))]
    members = [a for a in attributes if text_of(get(a, "name")).lower() == "members"]
    returned = [text_of(get(a, "returned")).lower() or "default" for a in members]
    return Schema(
        id=name,
        definitions=tuple(d for a in attributes for d in definitions_of(a, prefix)),
        complex_lists=frozenset(text_of(get(a, "name")).lower() for a in lists),
        shows_members=any(one in ("default", "always") for one in returned),
    )


def _is_complex(attribute: JsonObject) -> bool:
    return text_of(get(attribute, "type")).lower() == "complex"


def definitions_of(attribute: JsonObject, prefix: str = "") -> Iterator[AttributeDefinition]:
    """Yield the target attributes that one attribute of a schema offers to mappings."""
    name = prefix + text_of(get(attribute, "name"))
    if not _is_complex(attribute):
        yield _definition(attribute, name)
        return
    subs = list(items(get(attribute, "subAttributes")))
    is_many = truth_of(get(attribute, "multiValued")) is True
    if kinds := _referred(subs):
        yield replace(
            _definition(attribute, name), type=AttributeType.REFERENCE, refers_to=tuple(kinds)
        )
        return
    values = [sub for sub in subs if text_of(get(sub, "name")) not in ASIDE]
    for sub in values or subs:
        for path in _places(name, subs, is_many):
            definition = _definition(sub, f"{path}.{text_of(get(sub, 'name'))}")
            yield replace(definition, is_multivalued=is_many and path == name)


def _places(name: str, subs: Iterable[JsonObject], is_many: bool) -> Iterator[str]:
    """Yield `name[type eq "work"]` for each type that the schema knows, else `name`."""
    kinds = next((s for s in subs if is_many and text_of(get(s, "name")) == "type"), None)
    values = get(kinds, "canonicalValues")
    texts = [v for v in values if isinstance(v, str)] if isinstance(values, list) else []
    if not texts:
        yield name
    for text in texts:
        yield f'{name}[type eq "{text}"]'


def _referred(subs: Iterable[JsonObject]) -> list[str]:
    for sub in subs:
        if text_of(get(sub, "name")) == "$ref":
            kinds = get(sub, "referenceTypes")
            if isinstance(kinds, list):
                return [k for k in kinds if isinstance(k, str) and k.lower() not in OUTSIDE]
    return []


def _definition(attribute: JsonObject, name: str) -> AttributeDefinition:
    kind = TYPES.get(text_of(get(attribute, "type")).lower(), AttributeType.STRING)
    if kind is AttributeType.REFERENCE:  # a plain one points at a page, not at an object
        kind = AttributeType.STRING
    mutability = text_of(get(attribute, "mutability")).lower()
    return AttributeDefinition(
        name=name,
        type=kind,
        is_anchor=name == "id",
        is_case_exact=truth_of(get(attribute, "caseExact")) is True,
        is_required=truth_of(get(attribute, "required")) is True,
        is_multivalued=truth_of(get(attribute, "multiValued")) is True,
        mutability=MUTABILITIES.get(mutability, Mutability.READ_WRITE),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovered:
    """All that a target says of itself."""

    abilities: Abilities = field(default_factory=Abilities)
    resource_types: tuple[ResourceType, ...] = ()
    schemas: tuple[Schema, ...] = ()

    def shaped(self, shape: Shape) -> Shape:
        """Return what a kind is like, now that the target has said so."""
        named = next((t for t in self.resource_types if t.is_named(shape.kind)), None)
        if named is not None:
            told = named.endpoint
            endpoint = shape.endpoint if told.rpartition("/")[2] == shape.endpoint else told
            shape = replace(shape, endpoint=endpoint, schema=named.schema or shape.schema)
        extensions = {m.path.schema.lower() for m in shape.attributes.values()}
        known = [s for s in self.schemas if s.id.lower() in {*extensions, shape.schema.lower()}]
        lists = frozenset[str]().union(*(schema.complex_lists for schema in known))
        return replace(
            shape,
            complex_lists=shape.complex_lists | lists,
            shows_members=shape.is_group and any(schema.shows_members for schema in known),
        )

    def definitions(self, shape: Shape) -> tuple[AttributeDefinition, ...]:
        """Return the attributes that the target offers for a kind, its extensions' included."""
        named = next((t for t in self.resource_types if t.is_named(shape.kind)), None)
        wanted = {shape.schema.lower(), *(e.lower() for e in (named.extensions if named else ()))}
        return tuple(d for s in self.schemas if s.id.lower() in wanted for d in s.definitions)
