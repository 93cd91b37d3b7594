"""What a connector is to those who use one, and what rules ask of its sides."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from provisor.connectors.described import Setting
from provisor.connectors.http.door import OPEN, Door
from provisor.model.expressions import attributes_of
from provisor.model.rules import AttributeDefinition, ObjectMapping, Rules
from provisor.ports import Clock, Documents, Ears, Entropy, Prober, Source, Target, TargetReader

if TYPE_CHECKING:
    from provisor.connectors.around.pace import Line, Paces
    from provisor.connectors.around.trace import Trace
    from provisor.connectors.http.settings import HttpSettings

CHECKED: Final = "settings are checked before they are used"
Settings: TypeAlias = Mapping[str, object]
"""As an administrator wrote them, every reference resolved."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong with one setting (`oauth.clientId`), and the way out."""

    path: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a connector needs besides its settings."""

    base: Path
    """What paths in settings are relative to."""
    rules: Rules
    clock: Clock
    entropy: Entropy
    paces: Paces | None = None
    """Shared by all jobs, so that two of them do not press one target twice as hard."""
    documents: Documents | None = None
    """Where a connector keeps what it is to know again."""
    owner: str = ""
    """Whose connection it is: the id of its application."""
    door: Door = OPEN
    """Where requests may go."""
    hidden: tuple[str, ...] = field(default=(), repr=False)
    """All secrets of whoever's connection it is: none of them is to be shown."""
    trace: Trace | None = None
    """Where a target notes what it is asked and answers, each in the words of its protocol."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connector:
    """One kind of directory. What it cannot be is None."""

    title: str
    check: Callable[[Settings, Path], Sequence[Complaint]]
    settings: tuple[Setting, ...] = ()
    """What its settings say, for whoever fills them in."""
    secrets: frozenset[str] = frozenset()
    """Settings that must not be stored in the open; `headers.` covers all below it."""
    missing: Callable[[Settings], str] = lambda _: ""
    """What is missing before it can be used at all; empty when nothing is."""
    definitions: Callable[[Settings, Path], Mapping[str, Sequence[AttributeDefinition]]] = (
        lambda _settings, _base: {}
    )
    """What a source itself knows of its attributes, as far as it can be seen now."""
    open_source: Callable[[Settings, Surroundings], Source] | None = None
    open_ears: Callable[[Settings, Surroundings], Ears] | None = None
    """Where the source may tell by itself that something has changed."""
    open_reader: Callable[[Settings, Surroundings], TargetReader] | None = None
    open_target: Callable[[Settings, Surroundings], Target] | None = None
    probe_source: Callable[[Settings, Surroundings], Prober] | None = None
    """Whoever can be opened can be probed. Rules may be empty: nothing is mapped yet."""
    probe_target: Callable[[Settings, Surroundings], Prober] | None = None

    def is_secret(self, path: str) -> bool:
        return path in self.secrets or f"{path.split('.')[0]}." in self.secrets


def required(rules: Rules) -> Mapping[str, frozenset[str]]:
    """Return, by kind of source object, the attributes that mappings and filters read."""
    found: dict[str, frozenset[str]] = {}
    for mapping in rules.values():
        if mapping.is_enabled:
            kind = mapping.source_kind
            found[kind] = found.get(kind, frozenset()) | _read_by(mapping)
    return found


def _read_by(mapping: ObjectMapping) -> frozenset[str]:
    groups = (*mapping.scope, *mapping.input_filter, *mapping.category_filter)
    names = {clause.attribute for group in groups for clause in group.clauses}
    for attribute in mapping.attributes:
        if attribute.source is not None:
            names |= attributes_of(attribute.source)
    return frozenset(names)


def pace_of(settings: HttpSettings, around: Surroundings) -> Line | None:
    if around.paces is None:
        return None
    return around.paces.of(settings.base, settings.rate_limit, settings.connections_max)


def written(rules: Rules) -> Mapping[str, tuple[AttributeDefinition, ...]]:
    """Return, by kind of target object, the attributes that are mapped."""
    found: dict[str, dict[str, AttributeDefinition]] = {}
    for mapping in rules.values():
        attributes = found.setdefault(mapping.target_kind, {})
        attributes.update((m.target.name, m.target) for m in mapping.attributes)
    return {kind: tuple(attributes.values()) for kind, attributes in found.items()}
