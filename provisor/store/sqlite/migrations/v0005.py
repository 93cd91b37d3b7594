"""Version 5: the audit says in which tenant something was done, from where, and what it changed."""

from __future__ import annotations

from alembic.operations import Operations


def upgrade(operations: Operations) -> None:
    for column in ("tenant TEXT DEFAULT ''", "origin TEXT DEFAULT ''", "altered TEXT DEFAULT '[]'"):
        operations.execute(f"ALTER TABLE audit ADD COLUMN {column} NOT NULL")
