"""Where the jobs of a store stand, for whoever only looks: a tenth of what opening a store for work
loads, and the same answers (`store/tenants.py`)."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from provisor.model.jobs import Application, Job
from provisor.store.owners import HOME, TENANTS, WORKSPACE, owner_in, tenants_in
from provisor.store.sql.documents import from_json, job_of
from provisor.store.sqlite.connect import NAMED_FAILURES, Connection, connect
from provisor.store.sqlite.opening import prepare


@dataclass(frozen=True, slots=True)
class Seen:
    jobs: Sequence[Job]
    document: bytes | None
    """The one of the workspace's that was asked for."""


def look(store: Path, tenant: str, document: str) -> Seen | None:
    """Return a tenant's jobs, and one of its documents; None where there is no such tenant.

    Raises StoreFailed (too new, damaged).
    """
    prepare(store)
    with closing(connect(store, sqlite3.Connection)) as connection, NAMED_FAILURES:
        others = tenants_in(_document(connection, WORKSPACE, TENANTS))
        if tenant != HOME and tenant not in others:
            return None
        stored = connection.execute("SELECT content FROM application").fetchall()
        applications = [from_json(content, Application) for (content,) in stored]
        mine = {one.id for one in applications if one.tenant == tenant}
        rows = connection.execute("SELECT definition, status FROM job").fetchall()
        jobs = [job_of(*row) for row in rows]
        return Seen(
            [job for job in jobs if job.application_id in mine],
            _document(connection, owner_in(tenant, WORKSPACE), document),
        )


def _document(connection: Connection, owner: str, name: str) -> bytes | None:
    asked = "SELECT content FROM document WHERE owner = ? AND name = ?"
    row = connection.execute(asked, (owner, name)).fetchone()
    return row[0] if row else None
