"""What a workspace has: its applications, what they join, and who may ask. Beside Graph."""

from __future__ import annotations

from datetime import datetime

from msgspec import field

from provisor.graph.wire.base import Wire
from provisor.graph.wire.systems import ConnectionSide


class JobName(Wire, frozen=True, kw_only=True):
    """A job, as far as others mention it."""

    id: str
    name: str
    principal_id: str
    code: str
    concern: str


class ApplicationSummary(Wire, frozen=True, kw_only=True):
    """One application, as the list of all tells it."""

    principal_id: str
    app_id: str
    name: str
    """In `provisor.yaml`."""
    display_name: str
    syncs_all: bool
    """Everybody counts as assigned."""
    count_assigned: int
    owners: tuple[str, ...] = ()
    source: str | None
    """The connectors on both sides; null where there is none yet."""
    target: str | None
    jobs: tuple[JobName, ...]


class ApplicationOverview(Wire, frozen=True, kw_only=True):
    count: int = field(name="@odata.count")
    value: tuple[ApplicationSummary, ...]


class SharedConnection(ConnectionSide, frozen=True, kw_only=True):
    """One connection, with all that use it."""

    applications: tuple[str, ...]
    jobs: tuple[JobName, ...]


class SharedConnections(Wire, frozen=True, kw_only=True):
    value: tuple[SharedConnection, ...]


class Key(Wire, frozen=True, kw_only=True):
    """An API key as it may be told: never what it is."""

    id: str
    name: str
    scopes: tuple[str, ...]
    created: datetime
    expires: datetime | None = None
    revoked: datetime | None = None
    is_good: bool


class Keys(Wire, frozen=True, kw_only=True):
    scopes: tuple[str, ...]
    """All permissions that there are."""
    value: tuple[Key, ...]


class NewKey(Wire, frozen=True, kw_only=True):
    """The body of `POST provisor/tokens`."""

    name: str
    scopes: tuple[str, ...]
    expires_in: str | None = None
    """How long it is good: `P90D`; null: until it is revoked."""


class MadeKey(Key, frozen=True, kw_only=True):
    """A key that was just made. Its text is told this once."""

    token: str
