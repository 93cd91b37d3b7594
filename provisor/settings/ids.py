"""Ids that come from names, so that they survive the loss of the store (settled 27, 34)."""

from __future__ import annotations

from collections.abc import Container
from uuid import UUID, uuid5


def derived(tenant: str, kind: str, name: str, taken: Container[str] = ()) -> str:
    """Return the id of a thing of this kind and name.

    A number is added only where something renamed has kept the id of this name.
    """
    space, number = UUID(tenant), 1
    while True:
        suffix = "" if number == 1 else f"#{number}"
        id = str(uuid5(space, f"{kind}|{name}{suffix}"))
        if id not in taken:
            return id
        number += 1


def job_id(template: str, tenant: str, app_id: str) -> str:
    """Return `{templateId}.{tenant, 32 hex}.{appId}`."""
    return f"{template}.{UUID(tenant).hex}.{app_id}"
