"""The systems that an application joins, and what a probe finds out of them: beside Graph."""

from __future__ import annotations

from msgspec import field

from provisor.graph.wire.base import Wire
from provisor.model.directories import Topic, Weight


class ConnectionSide(Wire, frozen=True, kw_only=True):
    """What an application reads from, or writes to."""

    side: str
    """`source` or `target`."""
    connector: str
    title: str = ""
    """What the connector is, in words; empty where its package is gone."""
    settings: dict[str, object] = field(default_factory=dict[str, object])
    """By path, as written: references are not followed, and secrets are masked."""
    has_secrets_of_api: bool = False
    """What the API put lies over what is written."""
    missing: str | None = None
    """What is lacking before it can be used."""


class Connections(Wire, frozen=True, kw_only=True):
    value: tuple[ConnectionSide, ...]


class ProbeFinding(Wire, frozen=True, kw_only=True):
    topic: Topic
    code: str
    weight: Weight
    message: str
    remedy: str = ""


class ProbedSystem(Wire, frozen=True, kw_only=True):
    connector: str
    system: str
    """What names the system, as jobs remember it."""
    view: str
    is_usable: bool
    findings: tuple[ProbeFinding, ...] = ()
    learned: dict[str, object] = field(default_factory=dict[str, object])


class ProbeDocument(Wire, frozen=True, kw_only=True):
    """Both systems of a job, looked at, as the command line tells it."""

    source: ProbedSystem
    target: ProbedSystem
