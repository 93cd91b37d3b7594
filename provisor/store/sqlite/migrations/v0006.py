"""Version 6: who was taken out of which group, and when, so that removals add up over a day."""

from __future__ import annotations

from alembic.operations import Operations


def upgrade(operations: Operations) -> None:
    operations.execute(
        """
        CREATE TABLE removal (
            job INTEGER NOT NULL, mapping TEXT NOT NULL, anchor TEXT NOT NULL,
            kind TEXT NOT NULL, target TEXT NOT NULL, at INTEGER NOT NULL,
            PRIMARY KEY (job, mapping, anchor, kind, target)
        ) WITHOUT ROWID
        """
    )
