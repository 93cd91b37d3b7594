"""Version 9: when each job is due next stands beside its status, where an index finds it."""

from __future__ import annotations

from typing import cast

from alembic.operations import Operations
from sqlalchemy import text

from provisor.store.sql.due import derived


def upgrade(operations: Operations) -> None:
    operations.execute("ALTER TABLE job ADD COLUMN due_at INTEGER")
    operations.execute("CREATE INDEX job_due ON job (due_at) WHERE due_at IS NOT NULL")
    run = operations.get_bind().execute
    jobs = run(text("SELECT number, definition, status FROM job")).fetchall()
    for due_at, number in derived(cast("list[tuple[int, str, str]]", jobs)):
        run(
            text("UPDATE job SET due_at = :due_at WHERE number = :number"),
            {"due_at": due_at, "number": number},
        )
