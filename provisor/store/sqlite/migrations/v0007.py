"""Version 7: what the images of a mapping show, so that an edit doubts only those that may lack
something.

Nothing is known of those that are there: the first edit has them looked at once more.
"""

from __future__ import annotations

from alembic.operations import Operations


def upgrade(operations: Operations) -> None:
    operations.execute("ALTER TABLE mapping ADD COLUMN shown TEXT DEFAULT '{}' NOT NULL")
