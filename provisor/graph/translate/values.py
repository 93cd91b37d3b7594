"""Values as logs and answers show them: text, and nothing but text."""

from __future__ import annotations

import base64
from datetime import datetime

from provisor.graph.wire.base import instant_text
from provisor.graph.wire.logs import ModifiedProperty
from provisor.model.decisions import AttributeChange, ReferencesChange, TargetChange
from provisor.model.entries import Attributes, Reference, Scalar, Value


def value_text(value: Value | None) -> str | None:
    """Return a value as text: `True`, a date with Z, several values with commas."""
    match value:
        case None:
            return None
        case tuple():
            return ", ".join(_scalar_text(one) for one in value)
        case _:
            return _scalar_text(value)


def _scalar_text(value: Scalar) -> str:
    match value:
        case datetime():
            return instant_text(value)
        case bytes():
            return base64.b64encode(value).decode("ascii")
        case Reference(_, anchor):
            return anchor
        case _:
            return str(value)


def texts(attributes: Attributes) -> dict[str, str]:
    """Return all attributes as text."""
    return {name: value_text(value) or "" for name, value in attributes.items()}


def modified_property(change: TargetChange) -> ModifiedProperty:
    """Return one change with its old and new value. Values to be hidden are hidden already."""
    match change:
        case AttributeChange(name, before, after):
            old, new = value_text(before), value_text(after)
        case ReferencesChange(name, added, removed):
            old, new = _anchors(removed), _anchors(added)
    return ModifiedProperty(display_name=name, old_value=old, new_value=new)


def _anchors(references: frozenset[Reference]) -> str | None:
    return ", ".join(sorted(reference.anchor for reference in references)) or None
