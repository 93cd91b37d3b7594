"""Version 3: when each job is due next stands beside its status, where an index finds it.

Whoever climbs derives it for the jobs that are there (`opening._climb`).
"""

from __future__ import annotations

STATEMENTS = (
    "ALTER TABLE job ADD COLUMN due_at BIGINT",
    "CREATE INDEX job_due ON job (due_at) WHERE due_at IS NOT NULL",
)
