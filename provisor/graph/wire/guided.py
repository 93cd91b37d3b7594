"""What setting up a first job takes: connectors with their settings, sources, the demonstration."""

from __future__ import annotations

from datetime import datetime

from provisor.graph.wire.base import Wire


class SettingDescription(Wire, frozen=True, kw_only=True):
    """One setting of a connector, for whoever fills it in."""

    path: str
    """As in `provisor.yaml`: `oauth.clientId` lies within `oauth`."""
    says: str
    kind: str
    """`text`, `number`, `flag`, `choice`, `path` or `secret`."""
    default: str = ""
    example: str = ""
    choices: tuple[str, ...] = ()
    is_required: bool = False
    is_usual: bool = False
    side: str = ""
    """`source` or `target`, where only one of them knows it."""


class ConnectorDescription(Wire, frozen=True, kw_only=True):
    name: str
    title: str
    can_be_source: bool
    can_be_target: bool
    settings: tuple[SettingDescription, ...] = ()


class ConnectorCatalogue(Wire, frozen=True, kw_only=True):
    value: tuple[ConnectorDescription, ...]


class SourceInUse(Wire, frozen=True, kw_only=True):
    """What an application reads from, and another may read from as well."""

    principal_id: str
    application_name: str
    connector: str
    title: str


class SourcesInUse(Wire, frozen=True, kw_only=True):
    value: tuple[SourceInUse, ...]


class SourceOf(Wire, frozen=True, kw_only=True):
    """Whose source an application is to read from."""

    principal_id: str


class DemonstrationState(Wire, frozen=True, kw_only=True):
    """Whether the demo organisation is here, and where its job is."""

    missing: str = ""
    """What has to be installed before there can be one; empty: nothing."""
    principal_id: str = ""
    """Empty where there is none."""
    job_id: str = ""


class DemonstrationDay(Wire, frozen=True, kw_only=True):
    """What happens in the demo organisation until HR exports again."""

    closes_site: bool = False
    """Many leave at once, as it happens when a site is closed."""


class ObjectAttributes(Wire, frozen=True, kw_only=True):
    """One kind of object of a system, and what it has."""

    name: str
    attributes: tuple[str, ...]


class SystemAttributes(Wire, frozen=True, kw_only=True):
    """What one system said of itself when it was last asked."""

    side: str
    """`source` or `target`."""
    asked_at: datetime
    objects: tuple[ObjectAttributes, ...]


class AttributesFound(Wire, frozen=True, kw_only=True):
    value: tuple[SystemAttributes, ...]
