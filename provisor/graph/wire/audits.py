"""The audit as Graph's `directoryAudit` tells it."""

from __future__ import annotations

from datetime import datetime

from provisor.graph.wire.base import Wire
from provisor.graph.wire.logs import ModifiedProperty


class AppIdentity(Wire, frozen=True, kw_only=True):
    """The key that was used, and the address it was used from; empty: the command line."""

    display_name: str | None = None
    ip_address: str | None = None


class AuditInitiator(Wire, frozen=True, kw_only=True):
    app: AppIdentity
    user: str | None = None


class TargetResource(Wire, frozen=True, kw_only=True):
    display_name: str | None = None
    modified_properties: tuple[ModifiedProperty, ...] = ()


class DirectoryAudit(Wire, frozen=True, kw_only=True):
    id: str
    activity_date_time: datetime
    activity_display_name: str
    category: str = "ProvisioningManagement"
    logged_by_service: str = "Account Provisioning"
    result: str = "success"
    initiated_by: AuditInitiator
    target_resources: tuple[TargetResource, ...] = ()
