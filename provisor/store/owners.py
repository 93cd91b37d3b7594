"""To whom the store keeps documents and secrets: applications, jobs, and tenants as a whole."""

from __future__ import annotations

import msgspec

WORKSPACE, TENANTS = "workspace", "tenants"
HOME = ""
"""The tenant that the workspace is of, and the only one of most."""


def owner_in(tenant: str, owner: str) -> str:
    """Return who owns in the store what is the workspace's to a tenant."""
    return f"{WORKSPACE} {tenant}" if owner == WORKSPACE and tenant != HOME else owner


def tenants_in(content: bytes | None) -> tuple[str, ...]:
    """Return the tenants beside the workspace's own that its document of that name tells."""
    return msgspec.json.decode(content, type=tuple[str, ...]) if content else ()
