"""Kinds of SCIM resource: where they live, and how entries are read out of and put into them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from provisor.connectors.http.body import Json, JsonObject, folded, get, items, truth_of
from provisor.connectors.scim import paths
from provisor.connectors.scim.finding import Find, finder
from provisor.connectors.scim.paths import CORE, ENTERPRISE_USER, TargetPath
from provisor.connectors.scim.quirks import ManagerFormat, PatchStyle, Quirks
from provisor.connectors.scim.values import element_of, raw_of, value_of
from provisor.connectors.scim.wire import id_of, version_of
from provisor.model.entries import Anchor, Attributes, Entry, Reference, Value
from provisor.model.rules import AttributeDefinition, AttributeType, Mutability

ENTRA_GROUP = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"
STAMP = "externalId"

COMPLEX_LISTS = frozenset(
    {
        "addresses",
        "emails",
        "entitlements",
        "groups",
        "ims",
        "members",
        "phonenumbers",
        "photos",
        "roles",
        "x509certificates",
    }
)
"""Multi-valued attributes of RFC 7643 whose values are objects with a `value`."""

REQUIRED = {"User": "userName", "Group": "displayName"}
"""What RFC 7643 requires of a resource: an answer that lacks it does not show the whole."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """A target attribute that the rules map, and the place that it means."""

    definition: AttributeDefinition
    path: TargetPath
    is_text: bool = field(init=False, repr=False, compare=False)
    """A text in its place is its value as it is."""
    find: Find = field(init=False, repr=False, compare=False)
    """Finds its value in a resource."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "find", finder(self.path))
        is_one = not self.definition.is_multivalued
        is_text = is_one and self.definition.type is AttributeType.STRING
        object.__setattr__(self, "is_text", is_text)

    @property
    def is_read(self) -> bool:
        """Whether it is looked for in resources. Members never are (spec: behaviour 9.4)."""
        is_reference = self.definition.type is AttributeType.REFERENCE
        return not (is_reference and self.definition.is_multivalued)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One kind of target object: its endpoint, its schema, and what is mapped of it."""

    kind: str
    endpoint: str
    """The last part of its address: `Users`."""
    schema: str
    attributes: Mapping[str, Mapped]
    seen: tuple[Mapped, ...]
    """Those that are read out of resources."""
    complex_lists: frozenset[str] = COMPLEX_LISTS
    """In small letters: multi-valued attributes whose values are objects."""
    shows_members: bool = False
    """The target's own schema says that a group's answer lists its members by default."""
    unread: frozenset[str] = field(init=False, repr=False, compare=False)
    """Attributes that nobody can read back: secrets."""

    def __post_init__(self) -> None:
        unread = (name for name, m in self.attributes.items() if _is_unread(name, m.definition))
        object.__setattr__(self, "unread", frozenset(unread))

    @property
    def name(self) -> str:
        """`User` or `Group`, or what else the kind is called, wherever the target lets it live."""
        return name_of(self.kind)

    @property
    def is_group(self) -> bool:
        return self.name == "Group"

    def address(self, anchor: Anchor | None = None) -> str:
        """Return the address of the whole kind, or of one object."""
        if anchor is None:
            return f"/{self.endpoint}"
        assert anchor, "an object without id would be the whole kind"
        segment = quote(anchor, safe="")
        if not anchor.strip("."):
            segment = segment.replace(".", "%2E")  # "." and ".." would leave the kind
        return f"/{self.endpoint}/{segment}"

    def mapped(self, name: str) -> Mapped:
        """Return what is known of an attribute; a plain text, if it is not mapped."""
        known = self.attributes.get(name)
        return known or Mapped(AttributeDefinition(name=name), paths.parse(name))

    def is_list(self, path: TargetPath) -> bool:
        return path.attribute.lower() in self.complex_lists

    def is_secret(self, name: str) -> bool:
        """Tell whether the value of an attribute must not be shown: what nobody can read back."""
        if name in self.attributes:
            return name in self.unread
        return _is_unread(name, self.mapped(name).definition)


def _is_unread(name: str, definition: AttributeDefinition) -> bool:
    return definition.mutability is Mutability.WRITE_ONLY or name.lower() == "password"


def name_of(kind: str) -> str:
    return kind.rpartition(":")[2]


def shape_of(kind: str, definitions: Iterable[AttributeDefinition]) -> Shape:
    """Return the shape that a kind has by its name alone: `User`, or a URN that ends in `:User`."""
    name = name_of(kind)
    attributes = {d.name: Mapped(d, paths.parse(d.name)) for d in definitions}
    return Shape(
        kind=kind,
        endpoint=f"{name}s",
        schema=CORE + name if ":" not in kind or name in ("User", "Group") else kind,
        attributes=attributes,
        seen=tuple(mapped for mapped in attributes.values() if mapped.is_read),
    )


def entry_of(shape: Shape, resource: JsonObject, quirks: Quirks, tag: str = "") -> Entry | None:
    """Return what a resource says of the mapped attributes; None if it does not say who it is."""
    anchor = id_of(resource)
    if not anchor:
        return None
    version = version_of(resource) or tag or None
    return Entry(shape.kind, Anchor(anchor), attributes_of(shape, resource, quirks), version)


def attributes_of(shape: Shape, resource: JsonObject, quirks: Quirks) -> Attributes:
    said: dict[str, Value] = {}
    names = folded(resource)
    for mapped in shape.seen:
        raw = mapped.find(names, quirks.assume_type)
        if mapped.is_text and isinstance(raw, str):
            said[mapped.definition.name] = raw
        elif raw is not None:
            value = value_of(raw, mapped.definition, shape.kind)
            if value is not None:
                said[mapped.definition.name] = value
    return said


def read(shape: Shape, mapped: Mapped, resource: JsonObject, quirks: Quirks) -> Value | None:
    raw = paths.read(resource, mapped.path, quirks.assume_type)
    return None if raw is None else value_of(raw, mapped.definition, shape.kind)


def shows_whole(shape: Shape, resource: JsonObject) -> bool:
    """Tell whether an answer shows the resource in full, rather than the part that changed."""
    required = REQUIRED.get(shape.name, "id")
    return get(resource, required) is not None and get(resource, "schemas") is not None


@dataclass(frozen=True, slots=True)
class Spelling:
    """How values are written: the patch style, and the quirks that overrule it."""

    style: PatchStyle
    quirks: Quirks
    base: str = ""
    """The target's address, for references that carry one."""

    def raw(self, shape: Shape, mapped: Mapped, value: Value, *, is_patch: bool) -> Json:
        """Return a value as JSON; Booleans as text where style or quirk want it."""
        path = mapped.path
        if isinstance(value, Reference):
            return self._reference(shape, value, is_patch=is_patch)
        raw = raw_of(value, mapped.definition)
        is_flag = path.attribute.lower() == "active" or path.sub.lower() == "primary"
        if is_flag and (truth := truth_of(raw)) is not None:
            raw = truth
        if isinstance(raw, bool) and self._wants_text(path, is_patch):
            return str(raw)
        if isinstance(raw, list) and not path.sub and shape.is_list(path):
            return [element_of(one) for one in raw]
        return raw

    def _wants_text(self, path: TargetPath, is_patch: bool) -> bool:
        if self.quirks.active_as_string and path.attribute.lower() == "active":
            return True
        return is_patch and self.style is PatchStyle.ENTRA_LEGACY

    def _reference(self, shape: Shape, value: Reference, *, is_patch: bool) -> Json:
        match self.manager_format(is_patch=is_patch):
            case ManagerFormat.OBJECT:
                return {"value": str(value.anchor)}
            case ManagerFormat.LIST:
                address = f"{self.base}{shape.address(value.anchor)}"
                return [{"$ref": address, "value": str(value.anchor)}]
            case _:
                return str(value.anchor)

    def manager_format(self, *, is_patch: bool) -> ManagerFormat:
        if self.quirks.manager_format is not ManagerFormat.STYLE:
            return self.quirks.manager_format
        # Entra itself creates without manager; what its reference server reads is the object.
        is_text = is_patch and self.style.is_entra
        return ManagerFormat.STRING if is_text else ManagerFormat.OBJECT


@dataclass(slots=True)
class _Body:
    """A resource that is being written."""

    content: JsonObject
    extensions: list[str] = field(default_factory=list[str])


def body_of(shape: Shape, attributes: Attributes, spelling: Spelling) -> JsonObject:
    """Return what creates an object (spec: scim-target 5.1, 7). Members are never part of it."""
    body = _Body({"schemas": []})
    for name, value in attributes.items():
        mapped = shape.mapped(name)
        if is_written(shape, mapped, spelling.quirks) and mapped.is_read:
            put(shape, body.content, mapped, value, spelling)
            if mapped.path.schema and mapped.path.schema not in body.extensions:
                body.extensions.append(mapped.path.schema)
    _make_primary(shape, body.content, spelling.quirks)
    body.content["schemas"] = [*_schemas(shape, body.extensions, spelling.style)]
    if spelling.style.is_entra:
        body.content["meta"] = {"resourceType": shape.schema.rpartition(":")[2]}
        if not shape.is_group:
            body.content.setdefault("roles", [])
    return body.content


def is_written(shape: Shape, mapped: Mapped, quirks: Quirks) -> bool:
    """Tell whether an attribute is ever sent: ids are the target's, and some paths are dropped.

    What a kind cannot be without is sent all the same: a group has a `displayName`, where that of
    people is dropped.
    """
    name = mapped.path.text.lower()
    if name == REQUIRED.get(shape.name, "").lower():
        return True
    dropped = {path.lower() for path in quirks.drop_paths}
    return name not in ("id", "meta") and not dropped & {name, mapped.path.whole.lower()}


def put(shape: Shape, body: JsonObject, mapped: Mapped, value: Value, spelling: Spelling) -> None:
    """Put a value where its path says, in the body of a POST or PUT."""
    raw = spelling.raw(shape, mapped, value, is_patch=False)
    path = mapped.path
    if isinstance(value, Reference) and spelling.manager_format(is_patch=False) is (
        ManagerFormat.VALUE_PATH
    ):
        raw = {"value": raw}
    if not path.sub and path.filter is None and shape.is_list(path) and not isinstance(raw, list):
        raw = [element_of(raw)]
    paths.place(body, path, raw, is_list=shape.is_list(path))


def _schemas(shape: Shape, extensions: Iterable[str], style: PatchStyle) -> Iterable[str]:
    yield shape.schema
    if not style.is_entra:
        yield from extensions
    elif shape.is_group:
        yield ENTRA_GROUP
    elif shape.name == "User":
        yield ENTERPRISE_USER


def _make_primary(shape: Shape, body: JsonObject, quirks: Quirks) -> None:
    mapped = {m.path.attribute.lower() for m in shape.attributes.values() if _says_primary(m.path)}
    for attribute in quirks.auto_primary:
        elements = list(items(get(body, attribute)))
        is_said = attribute.lower() in mapped or any(get(e, "primary") for e in elements)
        if elements and not is_said:
            elements[0]["primary"] = True


def _says_primary(path: TargetPath) -> bool:
    by_filter = path.filter is not None and path.filter.name.lower() == "primary"
    return by_filter or path.sub.lower() == "primary"
