"""People and groups of a tenant's sources, as jobs remember them, and the GUIDs that name them.

An anchor that is a GUID names its object; else the GUID is UUIDv5 over tenant, connection, kind and
anchor. The connection is the system that the object was read from, so that two jobs that read one
source show a person once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid5

from provisor.model.entries import Anchor, Entry
from provisor.model.jobs import Application, Assignment
from provisor.ports import Journal, Registry

USER, GROUP = "User", "Group"
UNKNOWN = "Unknown"
"""The kind of what is assigned and was not read yet."""
KINDS = (USER, GROUP)
AT_ONCE = 250
"""Objects read in one go: other requests are answered in between."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A user or group of a source, as last seen."""

    id: str
    connection: str
    entry: Entry


def guid(tenant: str, connection: str, kind: str, anchor: str) -> str:
    """Return the GUID that names an object of a source."""
    try:
        return str(UUID(anchor))
    except ValueError:
        return str(uuid5(UUID(tenant), "|".join((connection, kind, anchor))))


def is_guid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Sources:
    """The journals of jobs by the system that each reads."""

    tenant: str
    journals: Mapping[str, Sequence[Journal]]

    async def people(self, kind: str, after: tuple[str, str] = ("", "")) -> AsyncIterator[Person]:
        """Yield everybody of a kind once, by connection and anchor, those after such a pair."""
        for connection in sorted(self.journals):
            if connection < after[0]:
                continue
            begin = after[1] if connection == after[0] else ""
            async for entry in _merged(self.journals[connection], kind, begin):
                id = guid(self.tenant, connection, kind, entry.anchor)
                yield Person(id=id, connection=connection, entry=entry)

    async def named(self, text: str, kinds: Sequence[str] = KINDS) -> list[Person]:
        """Return whom a GUID, an anchor, or a name (also an LDAP one) means."""
        found: dict[str, Person] = {}
        for connection, journals in self.journals.items():
            for journal in journals:
                for standing in await journal.lookup(text, 20):
                    entry = standing.source
                    if entry is None or standing.absence is not None or entry.kind not in kinds:
                        continue
                    id = guid(self.tenant, connection, entry.kind, entry.anchor)
                    found.setdefault(id, Person(id=id, connection=connection, entry=entry))
        by_anchor = [one for one in found.values() if one.entry.anchor == text]
        if by_anchor or found or not is_guid(text):
            return by_anchor or list(found.values())
        return await self._by_guid(text.lower(), kinds)

    async def _by_guid(self, id: str, kinds: Sequence[str]) -> list[Person]:
        for kind in kinds:
            async for person in self.people(kind):
                if person.id == id:
                    return [person]
        return []


async def sources_of(
    registry: Registry, tenant: str, applications: Sequence[Application]
) -> Sources:
    """Return what the jobs of some applications remember, by the system that they read."""
    journals: dict[str, list[Journal]] = {}
    for application in applications:
        for job in await registry.jobs_of(application.id):
            journal = await registry.view_journal(job.id)
            source = (await journal.systems()).get("source")
            if source is not None:
                journals.setdefault(source.identity, []).append(journal)
    return Sources(tenant, journals)


async def settled_assignments(
    sources: Sources, assignments: Sequence[Assignment]
) -> tuple[Assignment, ...]:
    """Return assignments with those that could not be told before named by kind and anchor, as
    far as they were read meanwhile; what was not counts for every kind."""
    made: list[Assignment] = []
    for one in assignments:
        if one.kind != UNKNOWN:
            made.append(one)
            continue
        found = await sources.named(one.anchor)
        made += [Assignment(kind=p.entry.kind, anchor=p.entry.anchor) for p in found]
        if not found:
            made += [Assignment(kind=kind, anchor=one.anchor) for kind in KINDS]
    return tuple(made)


async def _merged(journals: Sequence[Journal], kind: str, after: str) -> AsyncIterator[Entry]:
    """Yield what any of some journals remembers, each object once, by anchor."""
    while True:
        pages = [await one.entries(kind, Anchor(after) if after else None, AT_ONCE)
                 for one in journals]  # fmt: skip
        ends = [page[-1].anchor for page in pages if len(page) == AT_ONCE]
        horizon = min(ends, default=None)
        found = {entry.anchor: entry for page in pages for entry in page}
        for anchor in sorted(found):
            if horizon is None or anchor <= horizon:
                yield found[anchor]
        if horizon is None:
            return
        after = horizon
        await asyncio.sleep(0)
