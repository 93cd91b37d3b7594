"""Version 10: what the log says of somebody, what failed with a code, and what was logged at a time
is found by an index."""

from __future__ import annotations

from alembic.operations import Operations

INDEXES = (
    "CREATE INDEX record_anchor ON record (anchor)",
    "CREATE INDEX record_target ON record (target) WHERE target IS NOT NULL",
    "CREATE INDEX record_code ON record (code) WHERE code <> ''",
    "CREATE INDEX cycle_began ON cycle (began)",
)


def upgrade(operations: Operations) -> None:
    for index in INDEXES:
        operations.execute(index)
