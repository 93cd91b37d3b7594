"""The audit: what administrators did, in the order in which they did it."""

from __future__ import annotations

from collections.abc import Sequence

from provisor.model.audit import Act, Altered
from provisor.store.sql.codec import from_micros, to_micros
from provisor.store.sql.database import Connection
from provisor.store.sql.documents import from_json, to_json


def keep(connection: Connection, act: Act, tenant: str) -> None:
    """Add an act; call inside a transaction."""
    connection.execute(
        "INSERT INTO audit (at, by, activity, about, origin, altered, tenant)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (to_micros(act.at), act.by, act.activity, act.about, act.origin, to_json(act.altered),
         tenant),
    )  # fmt: skip


def latest(connection: Connection, tenant: str, limit: int, before: int) -> Sequence[Act]:
    found = connection.execute(
        "SELECT at, by, activity, about, origin, altered FROM audit WHERE tenant = ?"
        " ORDER BY number DESC LIMIT ? OFFSET ?",
        (tenant, limit, before),
    )
    return [
        Act(
            at=from_micros(at),
            by=by,
            activity=activity,
            about=about,
            origin=origin,
            altered=from_json(altered, tuple[Altered, ...]),
        )
        for at, by, activity, about, origin, altered in found
    ]
