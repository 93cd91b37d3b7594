"""What a directory is found to be by whoever sets it up: its objects, and a probe of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from provisor.model.entries import System
from provisor.model.rules import AttributeDefinition


@dataclass(frozen=True, slots=True)
class ObjectDefinition:
    """One kind of object, with all that mappings may name of it."""

    kind: str
    """As the connector's entries are called: `User`, `Group`."""
    attributes: tuple[AttributeDefinition, ...]
    """Each name once; at most one is the anchor. References name kinds of this directory."""


@dataclass(frozen=True, slots=True)
class DirectoryDefinition:
    """What a directory itself says of its objects now."""

    objects: tuple[ObjectDefinition, ...]


class Topic(StrEnum):
    """What a finding is about, in the order in which a probe goes through them."""

    CONNECTION = "connection"
    CREDENTIALS = "credentials"
    PERMISSIONS = "permissions"
    FEATURES = "features"
    """What the server supports, and which server it is."""
    OBJECTS = "objects"
    """Whether what the rules read and write is there."""
    CHANGES = "changes"
    """Of a source: how changes and deletions can be told."""
    CONDUCT = "conduct"
    """What the connector will therefore do."""


class Weight(StrEnum):
    OK = "ok"
    WARNING = "warning"
    """It works, and not as well as it could."""
    ERROR = "error"
    """No cycle can succeed like this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that a probe found out."""

    topic: Topic
    code: str
    """Stable, for scripts; of an error the code that a cycle would fail with."""
    message: str
    """A sentence for an administrator. Never a secret, never somebody's values."""
    weight: Weight = Weight.OK
    remedy: str = ""
    """The way out; whatever is not OK has one."""


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """All that a probe found out. After an error the topics that hang on it are missing."""

    system: System
    findings: tuple[Finding, ...]
    learned: Mapping[str, str | int | bool] = field(default_factory=dict[str, "str | int | bool"])
    """Settings that trying has shown to be right, where they differ from those in force. They are
    kept, and hold for as long as the connection's settings stay as they are."""

    @property
    def is_usable(self) -> bool:
        return not any(one.weight is Weight.ERROR for one in self.findings)


@dataclass(frozen=True, slots=True)
class Probed:
    """One side of a job, probed."""

    connector: str
    """What it is, in words."""
    report: ProbeReport


def fine(topic: Topic, code: str, message: str) -> Finding:
    return Finding(topic=topic, code=code, message=message)


def warning(topic: Topic, code: str, message: str, remedy: str) -> Finding:
    return Finding(topic=topic, code=code, message=message, weight=Weight.WARNING, remedy=remedy)


def wrong(topic: Topic, code: str, message: str, remedy: str) -> Finding:
    return Finding(topic=topic, code=code, message=message, weight=Weight.ERROR, remedy=remedy)


def report(
    system: System,
    findings: Iterable[Finding],
    learned: Mapping[str, str | int | bool] | None = None,
) -> ProbeReport:
    """Return the report of what was found, in the order of the topics."""
    order = {topic: place for place, topic in enumerate(Topic)}
    return ProbeReport(
        system, tuple(sorted(findings, key=lambda one: order[one.topic])), learned or {}
    )
