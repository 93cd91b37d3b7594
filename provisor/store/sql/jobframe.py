"""What a job remembers of itself: the columns that only whoever has it changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from provisor.store.sql.database import Connection

FRAME = """
SELECT systems, watermark, is_initial, generation, adopted, policy_hash, faults_count,
       held IS NOT NULL, cycle IS NOT NULL,
       listed_kinds <> '[]' OR EXISTS (SELECT 1 FROM listed l WHERE l.job = job.number)
FROM job WHERE number = ?
"""


@dataclass(frozen=True, slots=True)
class Frame:
    """The columns as they lie in the table."""

    systems: str
    watermark: str | None
    is_initial: bool
    generation: int
    adopted: str | None
    policy_hash: str | None
    faults_count: int
    is_held: bool
    """A snapshot is held. What approves it comes from elsewhere, and changes nothing of this."""
    was_open: bool
    """A cycle was under way when this was read."""
    had_listed: bool
    """Something of the target was listed, by then."""

    def with_columns(self, columns: Mapping[str, object]) -> Frame:
        """Return it with other values; columns that are not of it are left out."""
        known = {name: value for name, value in columns.items() if name in Frame.__slots__}
        if "held" in columns:
            known["is_held"] = columns["held"] is not None
        return replace(self, **known)


def load_frame(connection: Connection, job: int) -> Frame | None:
    row = connection.execute(FRAME, (job,)).fetchone()
    return None if row is None else Frame(*row)
