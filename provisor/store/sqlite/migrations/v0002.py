"""Version 2: what is to be told, kept until it was."""

from __future__ import annotations

from alembic.operations import Operations


def upgrade(operations: Operations) -> None:
    operations.execute(
        """
        CREATE TABLE notice (
            number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
            job INTEGER NOT NULL REFERENCES job (number),
            "key" TEXT NOT NULL,
            content TEXT NOT NULL,
            attempts INTEGER DEFAULT 0 NOT NULL,
            sent TEXT DEFAULT '[]' NOT NULL,
            due_at INTEGER,
            UNIQUE (job, "key")
        )
        """
    )
    operations.execute("CREATE INDEX notice_due ON notice (due_at) WHERE due_at IS NOT NULL")
