"""Version 4: what the log says of somebody, what failed with a code, and what was logged at a time
is found by an index."""

from __future__ import annotations

STATEMENTS = (
    "CREATE INDEX record_anchor ON record (anchor, position)",
    "CREATE INDEX record_target ON record (target, position) WHERE target IS NOT NULL",
    "CREATE INDEX record_code ON record (code, position) WHERE code <> ''",
    "CREATE INDEX cycle_began ON cycle (began)",
)
