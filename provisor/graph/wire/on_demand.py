"""Provisioning one object on demand (spec: graph-api 4.16, 9). Enum values are in PascalCase."""

from __future__ import annotations

from datetime import datetime

from msgspec import field

from provisor.graph.wire.base import Wire
from provisor.graph.wire.logs import ModifiedProperty


class LinkedObjects(Wire, frozen=True, kw_only=True):
    manager: Subject | None = None
    members: tuple[Subject, ...] = ()
    owners: tuple[Subject, ...] = ()


class Subject(Wire, frozen=True, kw_only=True):
    """`synchronizationJobSubject`."""

    object_id: str
    object_type_name: str
    links: LinkedObjects | None = None


class ApplicationParameters(Wire, frozen=True, kw_only=True):
    """`synchronizationJobApplicationParameters`."""

    rule_id: str
    subjects: tuple[Subject, ...]


class OnDemandRequest(Wire, frozen=True, kw_only=True):
    parameters: tuple[ApplicationParameters, ...]


class OnDemandStep(Wire, frozen=True, kw_only=True):
    name: str
    type: str
    status: str
    description: str
    timestamp: datetime
    details: dict[str, str] = field(default_factory=dict[str, str])


class OnDemandStatus(Wire, frozen=True, kw_only=True):
    status: str
    error_code: str | None = None
    reason: str | None = None
    additional_details: str | None = None
    error_category: str | None = None
    recommended_action: str | None = None


class OnDemandIdentity(Wire, frozen=True, kw_only=True):
    id: str | None = None
    type: str | None = None
    display_name: str | None = None
    details: dict[str, str] | None = None


class OnDemandSystem(Wire, frozen=True, kw_only=True):
    id: str | None = None
    name: str | None = None
    details: dict[str, str] | None = None


class OnDemandExchange(Wire, frozen=True, kw_only=True):
    """One request to the target and its answer, without secrets. Not in Graph: our own."""

    timestamp: datetime
    duration_in_milliseconds: int
    protocol: str = "HTTP"
    """HTTP, LDAP, or SQL, whose statements are told without the values they are given."""
    method: str
    address: str
    """Below the target's address; of LDAP the name of the entry."""
    request: str
    status: int
    """Of HTTP; 0: no answer came, or `outcome` tells it."""
    outcome: str = ""
    """How an operation ended that has no status of HTTP: `success (0)`, `1 row`."""
    succeeded: bool = False
    reply: str


class OnDemandOutcome(Wire, frozen=True, kw_only=True):
    """What the `value` of the answer holds, as JSON in a text."""

    action: str
    change_id: str
    end_time: datetime
    modified_properties: tuple[ModifiedProperty, ...] = ()
    provisioning_steps: tuple[OnDemandStep, ...] = ()
    reportable_identifier: str | None = None
    start_time: datetime
    status_info: OnDemandStatus
    source_identity: OnDemandIdentity
    source_system: OnDemandSystem
    target_identity: OnDemandIdentity
    target_system: OnDemandSystem
    target_exchanges: tuple[OnDemandExchange, ...] = ()


class OnDemandFailure(Wire, frozen=True, kw_only=True):
    """The same where it did not come to a decision: as far as it came."""

    target_exchanges: tuple[OnDemandExchange, ...] = ()


class OnDemandResult(Wire, frozen=True, kw_only=True):
    """What the `key` of the answer holds, as JSON in a text."""

    result: str
    details: dict[str, str] = field(default_factory=dict[str, str])
