"""What jobs are told: the rules of their schema, the policy of their settings."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import lru_cache

from provisor.app.checks import template_schema
from provisor.app.connections import Connections, application_of
from provisor.engine.work import Mandate
from provisor.graph.credentials import SETTINGS, load_secrets
from provisor.graph.people import UNKNOWN, settled_assignments, sources_of
from provisor.graph.policy import OPTIONS, JobOptions, from_api, from_file
from provisor.graph.problems import Problem as Found
from provisor.graph.problems import errors
from provisor.graph.schema.document import read_schema
from provisor.graph.schema.rules import to_rules, without_deletes
from provisor.model.entries import Anchor, EntryKey
from provisor.model.jobs import Application, Job
from provisor.model.rules import AttributeDefinition, MappingName, ObjectMapping, Policy, Rules
from provisor.ports import Registry, Vault
from provisor.settings import stored
from provisor.settings.connections import SOURCE
from provisor.settings.defaults import keys_of
from provisor.settings.leaves import nest
from provisor.settings.problems import Invalid, Problem
from provisor.settings.workspace import Definitions

UNDERSTOOD_MAX = 64
"""So many different schemas are kept as rules; the jobs of one template mostly have the same."""


@lru_cache(UNDERSTOOD_MAX)
def understood(
    content: bytes, definitions: tuple[tuple[str, tuple[AttributeDefinition, ...]], ...]
) -> tuple[Rules, tuple[Found, ...]]:
    """Return the rules that a schema comes to, with what is wrong with it.

    Reading one costs more than a cycle that finds a single change, and says the same each time.
    """
    schema, form = read_schema(content)
    if schema is None:
        return dict[MappingName, ObjectMapping](), form
    return to_rules(schema, dict(definitions))


@dataclass(frozen=True, slots=True, kw_only=True)
class Mandates:
    """What one store's jobs are told."""

    registry: Registry
    vault: Vault
    connections: Connections

    async def mandate(self, job: Job, draft: bytes | None = None) -> Mandate:
        """Return what a job would be told now, or under a drafted schema. Raises Invalid."""
        rules = await self.rules(job, draft)
        return await self.under(job, await application_of(self.registry, job), rules)

    async def under(self, job: Job, application: Application, rules: Rules) -> Mandate:
        """Return what a job would be told under these rules."""
        options = await self._options(job, application)
        if not options.has_hard_deletes:
            rules = without_deletes(rules)
        policy = options.policy
        return Mandate(rules=rules, policy=policy, policy_hash=policy_hash(policy))

    async def rules(self, job: Job, draft: bytes | None = None) -> Rules:
        """Return the rules that a job would run under now, or would with a drafted schema.

        Raises Invalid.
        """
        application = await application_of(self.registry, job)
        try:
            connector, settings = await self.connections.side(application, SOURCE)
        except Invalid:
            return await self.rules_with(job, {}, draft)
        base = await self.connections.base()
        return await self.rules_with(job, connector.definitions(settings, base), draft)

    async def rules_with(
        self, job: Job, definitions: Definitions, draft: bytes | None = None
    ) -> Rules:
        """Return a job's rules, read with what its source defines. Raises Invalid."""
        content = draft or await self.registry.document(job.id, stored.SCHEMA)
        content = content or template_schema(job.template_id).encode()
        known = tuple(sorted((kind, tuple(named)) for kind, named in definitions.items()))
        rules, found = understood(content, known)
        if wrong := errors(found):
            raise Invalid(
                Problem("schema", 0, f"jobs.{job.name}", str(problem)) for problem in wrong
            )
        return rules

    async def _options(self, job: Job, application: Application) -> JobOptions:
        tenant = await stored.load_tenant(self.registry)
        leaves = await stored.load_policy(self.registry, job.id)
        options = {name: value for name, value in nest(leaves).items() if name in OPTIONS}
        own, wrong = from_file(options)
        assert not wrong, "what is stored was checked"
        own = replace(
            own,
            sync_all=application.syncs_all,
            assigned=await self._assigned(application),
            canaries=keys_of(leaves.get("canaries")),
            default_domain=tenant.default_domain if tenant else "",
        )
        put = await load_secrets(self.registry, self.vault, application)
        switches = {key: value for key, value in put.items() if key in SETTINGS}
        options, _ = from_api(own, settings=job.settings, secrets=switches)
        return options

    async def _assigned(self, application: Application) -> frozenset[EntryKey]:
        assignments = application.assignments
        if any(one.kind == UNKNOWN for one in assignments):
            tenant = await stored.load_tenant(self.registry)
            sources = await sources_of(self.registry, tenant.id if tenant else "", [application])
            assignments = await settled_assignments(sources, assignments)
        return frozenset(EntryKey(one.kind, Anchor(one.anchor)) for one in assignments)


def policy_hash(policy: Policy) -> str:
    """Return what changes whenever the policy decides otherwise about an object by itself.

    Guards and thresholds weigh whole cycles, and assignments are compared one by one.
    """
    decisive = (
        policy.sync_all,
        policy.skips_out_of_scope_deletions,
        policy.relinks_missing,
        policy.deletes_released,
        policy.default_domain,
    )
    return hashlib.sha256(repr(decisive).encode()).hexdigest()
