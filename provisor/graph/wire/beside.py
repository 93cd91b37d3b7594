"""What stands beside Graph's own types: plans, what is staged, object connections, tokens."""

from __future__ import annotations

from msgspec import UNSET, UnsetType, field

from provisor.graph.wire.base import Wire
from provisor.graph.wire.jobs import SynchronizationJob
from provisor.graph.wire.pairs import SecretPair
from provisor.graph.wire.templates import SynchronizationTemplate


class Synchronization(Wire, frozen=True, kw_only=True):
    """The singleton: what a service principal has, as far as it is asked for."""

    id: str
    secrets: tuple[SecretPair, ...] = ()
    jobs: tuple[SynchronizationJob, ...] | UnsetType = UNSET
    templates: tuple[SynchronizationTemplate, ...] | UnsetType = UNSET


class SynchronizationChange(Wire, frozen=True, kw_only=True):
    """The body of `PUT synchronization`."""

    secrets: tuple[SecretPair, ...] = ()


class ObjectConnection(Wire, frozen=True, kw_only=True):
    """Which source object governs which target object."""

    object_id: str
    source_anchor: str
    target_anchor: str | None = None
    display_name: str | None = None
    object_type_name: str | None = None


class PlanRequest(Wire, frozen=True, kw_only=True):
    reconcile: bool = False


class PlanDocument(Wire, frozen=True, kw_only=True):
    """What a cycle would do. Steps are described with the command line."""

    job: str
    job_id: str
    made_at: str
    hash: str
    is_store_restored: bool = False
    """The store was restored or copied: the plan is what a cycle does that trusts nothing of it."""
    counts: dict[str, object] = field(default_factory=dict[str, object])
    failed: int = 0
    error: dict[str, object] | None = None
    steps: tuple[object, ...] = ()
    step_count: int = 0


class WhatIfDocument(Wire, frozen=True, kw_only=True):
    """What a drafted schema would change, as the command line tells it."""

    job: str
    job_id: str
    examined: int
    changed_mappings: tuple[str, ...] = ()
    counts: dict[str, int] = field(default_factory=dict[str, int])
    in_doubt: int = 0
    dropped_mappings: dict[str, int] = field(default_factory=dict[str, int])
    unseen_attributes: tuple[str, ...] = ()
    unknown_attributes: tuple[str, ...] = ()
    error: dict[str, object] | None = None
    objects: tuple[dict[str, object], ...] = ()
    object_count: int = 0


class ExplanationDocument(Wire, frozen=True, kw_only=True):
    """Every step for one object, as the command line tells it."""

    object_mapping: str
    whose: dict[str, object] = field(name="object")
    is_in_source: bool
    source: dict[str, object] = field(default_factory=dict[str, object])
    """What the source says, without what may not be shown."""
    scope: dict[str, object] | None = None
    match: dict[str, object]
    values: tuple[dict[str, object], ...] = ()
    decision: dict[str, object] | None = None
    problem: str | None = None
    references: tuple[dict[str, object], ...] = ()
    escrow: dict[str, object] | None = None
    references_escrow: dict[str, object] | None = None


class StagedObject(Wire, frozen=True, kw_only=True):
    object_mapping: str
    object: str
    display_name: str | None = None
    reason: str | None = None
    """Of a departure: `deleted`, `absent` or `disabled` in the source, or `unentitled`: there and
    active, but out of scope or not assigned."""


class Staged(Wire, frozen=True, kw_only=True):
    """What waits for an administrator, and the hash that names exactly this."""

    hash: str
    departures: tuple[StagedObject, ...] = ()
    members: tuple[StagedObject, ...] = ()
    snapshot: str = ""
    """Why the latest snapshot proves no absence; empty if none is held."""


class Approval(Wire, frozen=True, kw_only=True):
    hash: str


class Wellness(Wire, frozen=True, kw_only=True):
    status: str


class TokenRequest(Wire, frozen=True, kw_only=True, rename=None):
    """The form of the token endpoint."""

    grant_type: str
    client_id: str
    client_secret: str
    scope: str | None = None


class TokenGrant(Wire, frozen=True, kw_only=True, rename=None):
    token_type: str
    expires_in: int
    access_token: str


class TokenRefusal(Wire, frozen=True, kw_only=True, rename=None):
    """As OAuth tells it (RFC 6749, 5.2)."""

    error: str
    error_description: str


class Ping(Wire, frozen=True, kw_only=True):
    value: str
