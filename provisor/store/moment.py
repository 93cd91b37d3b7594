"""The store as it was in one moment: what a job is made ready from is asked for once.

Making a job ready asks for a dozen documents, each after whose they are; none of it changes the
next answer. What is written, or asked of anything else, goes to the store.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import cast

from provisor.model.jobs import Application, Job
from provisor.ports import Registry, Vault


async def moment_of(
    registry: Registry,
    job: Job,
    application: Application | None,
    documents: Collection[tuple[str, str]],
) -> Registry:
    """Return the store as it is now: with a job and its application as they were read just now,
    and those documents (owner and name) that will be asked for."""
    moment = _Moment(registry, job)
    moment.applications[job.application_id] = application
    moment.documents = dict.fromkeys(documents)
    moment.documents |= await registry.documents(documents)
    return cast(Registry, moment)


def now_beside(registry: Registry, moment: Registry) -> Registry:
    """Return the store as it is whenever it is asked, but for applications: those are as they
    were in the moment."""
    return cast(Registry, _Beside(registry, moment))


class _Beside:
    def __init__(self, registry: Registry, moment: Registry) -> None:
        self._registry, self.find_application = registry, moment.find_application

    def __getattr__(self, name: str) -> object:
        return getattr(self._registry, name)


class _Moment:
    """A registry that answers three questions for itself, and hands on all others."""

    def __init__(self, registry: Registry, job: Job) -> None:
        self._registry, self._job = registry, job
        self.applications: dict[str, Application | None] = {}
        self.documents: dict[tuple[str, str], bytes | None] = {}

    async def find_application(self, id: str) -> Application | None:
        if id not in self.applications:
            self.applications[id] = await self._registry.find_application(id)
        return self.applications[id]

    async def job(self, id: str) -> Job | None:
        return self._job if id == self._job.id else await self._registry.job(id)

    async def document(self, owner: str, name: str) -> bytes | None:
        if (owner, name) not in self.documents:
            self.documents[owner, name] = await self._registry.document(owner, name)
        return self.documents[owner, name]

    def __getattr__(self, name: str) -> object:
        return getattr(self._registry, name)


def vault_of_moment(vault: Vault) -> Vault:
    """Return a vault that is asked once which secrets somebody has."""
    return cast(Vault, _Names(vault))


class _Names:
    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._names: dict[str, Sequence[str]] = {}

    async def names(self, owner: str) -> Sequence[str]:
        if owner not in self._names:
            self._names[owner] = await self._vault.names(owner)
        return self._names[owner]

    def __getattr__(self, name: str) -> object:
        return getattr(self._vault, name)
