"""Version 4: what targets do not show as they were told, so that it is not sent for ever."""

from __future__ import annotations

from alembic.operations import Operations


def upgrade(operations: Operations) -> None:
    operations.execute("ALTER TABLE standing ADD COLUMN echoes BLOB")
