"""How a value is found in resources: what its path means is worked out once, for all of them.

Each way tries what nearly every server sends, names spelled as the path spells them; whatever is
otherwise is read as `paths` reads it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from provisor.connectors.http.body import Json, JsonObject
from provisor.connectors.scim import paths
from provisor.connectors.scim.paths import ElementFilter, TargetPath

Find: TypeAlias = Callable[[JsonObject, str], Json]
"""Takes a resource whose own names are in small letters, and the type that is assumed of an only
element without one."""


def finder(path: TargetPath) -> Find:
    """Return what finds the value at a path; the same as `paths.read_folded`."""
    if path.schema:
        return _generally(path) if path.filter or path.sub else _in_extension(path)
    if path.filter is not None:
        is_text = isinstance(path.filter.literal, str)
        return _in_element(path, path.filter) if is_text else _generally(path)
    return _in_part(path) if path.sub else _at_once(path)


def _generally(path: TargetPath) -> Find:
    def find(resource: JsonObject, assumed_type: str) -> Json:
        return paths.read_folded(resource, path, assumed_type)

    return find


def _at_once(path: TargetPath) -> Find:
    key = path.key

    def find(resource: JsonObject, assumed_type: str) -> Json:
        return resource.get(key)

    return find


def _in_part(path: TargetPath) -> Find:
    """`name.givenName`"""
    key, sub = path.key, path.sub

    def find(resource: JsonObject, assumed_type: str) -> Json:
        whole = resource.get(key)
        if isinstance(whole, dict) and sub in whole:
            return whole[sub]
        return paths.read_folded(resource, path, assumed_type)

    return find


def _in_extension(path: TargetPath) -> Find:
    """`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department`"""
    schema, attribute = path.schema.lower(), path.attribute

    def find(resource: JsonObject, assumed_type: str) -> Json:
        extension = resource.get(schema)
        if isinstance(extension, dict) and attribute in extension:
            return extension[attribute]
        return paths.read_folded(resource, path, assumed_type)

    return find


def _in_element(path: TargetPath, wanted: ElementFilter) -> Find:
    """`emails[type eq "work"].value`, where the first element is the one that is meant."""
    key, name, value, sub = path.key, wanted.name, wanted.literal, path.sub or "value"

    def find(resource: JsonObject, assumed_type: str) -> Json:
        elements = resource.get(key)
        if isinstance(elements, list) and elements:
            first = elements[0]
            if isinstance(first, dict) and sub in first and first.get(name) == value:
                return first[sub]
        return paths.read_folded(resource, path, assumed_type)

    return find
