"""What is asked of a store again and again, held in memory for as long as it is true.

Whoever changes applications or jobs counts that in the store, in the same transaction: what was
read under the number that stands there now is what would be read again.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from provisor.model.jobs import Application, Job, Status
from provisor.model.rules import MappingName
from provisor.store.sql.database import Connection
from provisor.store.sql.documents import from_json, job_of

CHANGES = "changes"
"""Where it is counted how often applications and jobs were changed, but for their statuses."""
LINKS = """
SELECT m.name, (
    SELECT count(*) FROM standing s
    WHERE s.mapping = m.number AND s.state IN ('managed', 'disabled', 'leaving'))
FROM mapping m WHERE m.job = ? ORDER BY m.name
"""
STATE = """
SELECT epoch, status, cycle, (SELECT max(number) FROM cycle WHERE cycle.job = job.number)
FROM job WHERE number = ?
"""
"""What differs whenever somebody has begun or ended something that may link or unlink."""
OBJECTS = "SELECT max(number) FROM standing"
MANY, AGE_MAX_S = 5_000, 1.0
"""Among so many objects, linked or not, links take milliseconds to count: that is not done more
often than this."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """All applications, and which jobs each has."""

    changes: str = ""
    applications: tuple[Application, ...] = ()
    by_id: Mapping[str, Application] = field(default_factory=dict[str, Application])
    """By each of their three ids, in small letters."""
    jobs: Mapping[str, Sequence[int]] = field(default_factory=dict[str, list[int]])
    """The numbers of an application's jobs, by its id."""
    tenants: Mapping[str, str] = field(default_factory=dict[str, str])
    """Whose each job is, by its id."""


@dataclass(frozen=True, slots=True)
class _Counted:
    under: tuple[object, ...]
    """What the job was like."""
    links: Mapping[MappingName, int]
    good_until: float


class Glance:
    def __init__(self, connection: Connection) -> None:
        self._run = connection.execute
        self._inventory = Inventory()
        self._links: dict[int, _Counted] = {}
        self._all: dict[int, tuple[str, Job]] = {}
        """Every job by its number, with its status as it is stored."""
        self._all_under = ""

    # applications and jobs

    def changed(self) -> None:
        """Count a change; call inside the transaction that makes it."""
        self._run(
            "INSERT INTO meta (name, value) VALUES (?, '1')"
            " ON CONFLICT (name) DO UPDATE"
            " SET value = CAST(CAST(meta.value AS BIGINT) + 1 AS TEXT)",
            (CHANGES,),
        )

    def _changes(self) -> str:
        row = self._run("SELECT value FROM meta WHERE name = ?", (CHANGES,)).fetchone()
        return str(row[0]) if row else "0"

    def inventory(self) -> Inventory:
        changes = self._changes()
        if changes != self._inventory.changes:
            self._inventory = self._taken(changes)
        return self._inventory

    def _taken(self, changes: str) -> Inventory:
        found = self._run("SELECT content FROM application ORDER BY id").fetchall()
        applications = tuple(from_json(content, Application) for (content,) in found)
        jobs, tenants = dict[str, list[int]](), dict[str, str]()
        owners = {one.id: one.tenant for one in applications}
        of_jobs = (
            "SELECT number, id, json_extract(definition, '$.application_id') FROM job ORDER BY id"
        )
        for number, id, application in self._run(of_jobs):
            jobs.setdefault(application, []).append(number)
            tenants[id] = owners.get(application, "")
        return Inventory(
            changes=changes,
            applications=applications,
            by_id={
                id.lower(): one
                for one in applications
                for id in (one.id, one.app_id, one.principal_id)
            },
            jobs=jobs,
            tenants=tenants,
        )

    def all_jobs(self) -> list[Job]:
        """Return every job. Whoever keeps a schedule asks each second: what is as it was is not
        read again."""
        changes = self._changes()
        if changes != self._all_under:
            found = self._run("SELECT number, definition, status FROM job ORDER BY id").fetchall()
            self._all = {n: (status, job_of(definition, status)) for n, definition, status in found}
            self._all_under = changes
            return [job for _, job in self._all.values()]
        statuses = self._run("SELECT number, status FROM job").fetchall()
        for number, status in statuses:
            before, job = self._all.get(number, (None, None))
            if job is not None and before != status:
                self._all[number] = status, replace(job, status=from_json(status, Status))
        return [job for _, job in self._all.values()]

    def jobs_of(self, application: str) -> list[Job]:
        found: list[Job] = []
        for number in self.inventory().jobs.get(application, ()):
            row = self._run(
                "SELECT definition, status FROM job WHERE number = ?", (number,)
            ).fetchone()
            if row is not None:  # else it was deleted just now
                found.append(job_of(*row))
        return found

    # how many are linked

    def links(self, number: int) -> Mapping[MappingName, int]:
        """Count the live links of a job; those of a second ago are good enough where there are
        many, and nobody has begun or ended anything since."""
        under = tuple(self._run(STATE, (number,)).fetchone() or ())
        held, now = self._links.get(number), time.monotonic()
        if held is not None and held.under == under and now < held.good_until:
            return held.links
        links = {MappingName(name): n for name, n in self._run(LINKS, (number,)) if n}
        (objects,) = self._run(OBJECTS).fetchone() or (None,)
        if (objects or 0) >= MANY:
            self._links[number] = _Counted(under, links, now + AGE_MAX_S)
        return links
