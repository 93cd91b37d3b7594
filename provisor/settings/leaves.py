"""Configuration as leaves: one value for each path, so that three of them can be merged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, cast

Leaves: TypeAlias = Mapping[str, object]
"""Values by dotted path: `guards.departures.percent`. What is as usual is left out.

Values are what JSON is made of; a list is one value. A dot inside a key is written `\\.`.
"""

NO_LEAVES: Leaves = {}


@dataclass(frozen=True, slots=True)
class Item:
    """An application or a job."""

    leaves: Leaves
    renamed_from: str = ""
    has_schedule: bool = False
    """A schedule in the file starts a new job (settled 23)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """All that a workspace configures, in the one form in which it is compared and merged."""

    tenant: Leaves = field(default_factory=dict[str, object])
    applications: Mapping[str, Item] = field(default_factory=dict[str, Item])
    jobs: Mapping[str, Item] = field(default_factory=dict[str, Item])


def flatten(tree: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    """Return the leaves of nested mappings. An empty mapping has none, nor has null."""
    leaves: dict[str, object] = {}
    for key, value in tree.items():
        path = prefix + key.replace(".", "\\.")
        if isinstance(value, Mapping):
            leaves.update(flatten(cast(Mapping[str, object], value), f"{path}."))
        elif value is not None:
            leaves[path] = value
    return leaves


def nest(leaves: Leaves, prefix: str = "") -> dict[str, object]:
    """Return the leaves below `prefix` as nested mappings; the inverse of `flatten`."""
    tree: dict[str, object] = {}
    for path, value in leaves.items():
        if not path.startswith(prefix):
            continue
        *above, last = steps(path.removeprefix(prefix))
        place = tree
        for step in above:
            place = cast(dict[str, object], place.setdefault(step, {}))
        place[last] = value
    return tree


def steps(path: str) -> list[str]:
    """Return the keys along a path."""
    marked = path.replace("\\.", "\0")
    return [step.replace("\0", ".") for step in marked.split(".")]
