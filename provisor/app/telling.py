"""Telling administrators, where it is configured to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisor.app.machine import docs
from provisor.app.rooms import Rooms
from provisor.runtime.parts import Parts
from provisor.settings import stored

if TYPE_CHECKING:  # a command that tells nobody does not wait for what telling needs
    from provisor.runtime.notifier import Notifier


async def notify(rooms: Rooms, parts: Parts) -> None:
    """Send what is to be told, where it is configured to whom."""
    tenant = await stored.load_tenant(parts.registry)
    if tenant is not None and tenant.notifications:
        await notifier_of(rooms).flush()


def notifier_of(rooms: Rooms) -> Notifier:
    """Return what tells every tenant's administrators."""
    from provisor.graph.http.telling import Teller, notifier

    def teller(tenant: str) -> Teller:
        expiry = rooms.composer(tenant).connections.expiry
        return Teller(parts=rooms.parts(tenant), docs=docs(), expiry=expiry)

    return notifier(rooms.for_all(), teller)
