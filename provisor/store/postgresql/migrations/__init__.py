"""How a store of an earlier version becomes one of today's. Each migration is statements, carried
out in one transaction, all of them or none."""

from __future__ import annotations

from provisor.store.postgresql.migrations import v0001, v0002, v0003, v0004, v0005, v0006

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    v0001.STATEMENTS,
    v0002.STATEMENTS,
    v0003.STATEMENTS,
    v0004.STATEMENTS,
    v0005.STATEMENTS,
    v0006.STATEMENTS,
)
"""The first makes version 1 of an empty database, the next version 2 of that, and so on."""
VERSION = len(MIGRATIONS)
OLDEST = 3
"""Processes that know this version, or a later one, may go on working on tables of the present
version: raise it with a migration that takes away, or means otherwise, what they read or write.

A store of this version or a later one is brought up to date by whoever opens it, while others go
on; an older one only when somebody asks for it, since it takes the store from those at work."""
TOLD = f"provisor.tables = {VERSION}"
"""Set wherever something is written; the database refuses who knows too little (`v0006`)."""
