"""How a store of an earlier version becomes one of today's. Each migration is statements, carried
out in one transaction, all of them or none."""

from __future__ import annotations

from provisor.store.postgresql.migrations import v0001, v0002, v0003, v0004, v0005

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    v0001.STATEMENTS,
    v0002.STATEMENTS,
    v0003.STATEMENTS,
    v0004.STATEMENTS,
    v0005.STATEMENTS,
)
"""The first makes version 1 of an empty database, the next version 2 of that, and so on."""
