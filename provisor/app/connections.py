"""The two sides of an application: their connectors, settings and secrets, as of now."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from provisor.cli.places import FILE
from provisor.connectors.catalog import Connector
from provisor.connectors.http.door import OPEN, Door, place_of
from provisor.connectors.http.settings import SECRET_LENGTH_MIN
from provisor.connectors.installed import ConnectorUnusable, connector_named
from provisor.graph.credentials import (
    ADDRESSES,
    KEYS,
    MASKED,
    load_secrets,
    overlaid,
    replaced_by,
    secrets_of,
)
from provisor.model.jobs import Application, Job
from provisor.ports import Registry, Vault
from provisor.settings import stored
from provisor.settings.connections import SOURCE, TARGET
from provisor.settings.forms import ConnectionForm
from provisor.settings.learned import digest_of, load_learned
from provisor.settings.problems import Invalid, Problem
from provisor.settings.references import resolve


@dataclass(frozen=True, slots=True, kw_only=True)
class Connections:
    """Where applications lead, and with what, from what one store holds."""

    folder: Path
    registry: Registry
    vault: Vault
    is_exposed: bool = False
    """The API is asked from other machines too: what is near to us is near to strangers."""

    async def base(self) -> Path:
        """Return what paths in settings are relative to."""
        return stored.base_of(self.folder, await stored.load_applied(self.registry))

    async def sides(
        self, application: Application, base: Path
    ) -> Mapping[str, tuple[Connector, Mapping[str, object]]]:
        """Return both sides' connectors and settings. Raises Invalid with all their problems."""
        connections = await stored.load_connections(self.registry, application.id)
        problems: list[Problem] = []
        sides = {
            side: await self._side(application, side, connections, base, problems)
            for side in (SOURCE, TARGET)
        }
        if problems:
            raise Invalid(problems)
        return sides

    async def side(
        self,
        application: Application,
        side: str,
        secrets: Mapping[str, str] | None = None,
        *,
        learns: bool = True,
    ) -> tuple[Connector, Mapping[str, object]]:
        """Return one side's connector and settings; with `secrets` those of the API are not
        looked up, and without `learns` what probes have learned is left out. Raises Invalid."""
        connections = await stored.load_connections(self.registry, application.id)
        problems: list[Problem] = []
        found = await self._side(
            application, side, connections, await self.base(), problems, secrets, learns=learns
        )
        if problems:
            raise Invalid(problems)
        return found

    async def tells(self, application: Application) -> bool:
        """Return whether its source is of a kind that may tell by itself that it has changed."""
        connections = await stored.load_connections(self.registry, application.id)
        if SOURCE not in connections:
            return False
        form = msgspec.convert(connections[SOURCE], ConnectionForm)
        try:
            return connector_named(form.connector).open_ears is not None
        except ConnectorUnusable:
            return False

    async def missing(self, application: Application) -> str:
        """Return what an application lacks before it can be used."""
        base = await self.base()
        connections = await stored.load_connections(self.registry, application.id)
        problems: list[Problem] = []
        for side in (SOURCE, TARGET):
            connector, settings = await self._side(application, side, connections, base, problems)
            if problems:
                return f"{problems[0].path}: {problems[0].message}"
            if lacking := connector.missing(settings):
                return f"{side}.settings: {lacking}"
        return ""

    async def hidden(self, application: Application) -> tuple[str, ...]:
        """Return every secret that is kept for an application."""
        names = await self.vault.names(application.id)
        shown = {name for name in names if name in KEYS and name not in MASKED}
        found = [await self.vault.get(application.id, name) for name in names if name not in shown]
        return tuple(secret for secret in found if secret and len(secret) >= SECRET_LENGTH_MIN)

    async def door(
        self, application: Application, secrets: Mapping[str, str] | None = None
    ) -> Door:
        """Return where requests for an application may go: what the API named leads to nothing
        of our own network. With `secrets` those are what it named."""
        if secrets is None:
            secrets = await load_secrets(self.registry, self.vault, application)
        if not any(secrets.get(key) for key in ADDRESSES):
            return OPEN
        connections = await stored.load_connections(self.registry, application.id)
        trusted: set[tuple[str, int]] = set()
        if TARGET in connections:
            form = msgspec.convert(connections[TARGET], ConnectionForm)
            base = await self.base()
            said = secrets_of(resolve(form.settings, base, os.environ, {}).settings)
            trusted = {place for key in ADDRESSES if (place := place_of(said.get(key, "")))}
        tenant = await stored.load_tenant(self.registry)
        return Door(
            is_guarded=True,
            trusted=frozenset(trusted),
            allowed=tenant.allowed_targets if tenant else (),
            allows_loopback=not self.is_exposed,
        )

    async def expiry(self, application: Application) -> Mapping[str, datetime]:
        """Return when the credentials for either side expire, where they tell."""
        from provisor.graph.http.telling import expiry_of

        put = await load_secrets(self.registry, self.vault, application)
        found: dict[str, datetime] = {}
        for side, said in ((SOURCE, ""), (TARGET, put.get("TokenExpiration", ""))):
            try:
                _, settings = await self.side(application, side, put)
            except Invalid:
                continue
            expires = expiry_of(str(settings.get("token") or ""), said)
            if expires is not None:
                found[side] = expires
        return found

    async def _side(
        self,
        application: Application,
        side: str,
        connections: Mapping[str, object],
        base: Path,
        problems: list[Problem],
        secrets: Mapping[str, str] | None = None,
        *,
        learns: bool = True,
    ) -> tuple[Connector, Mapping[str, object]]:
        """Return one side's connector and settings, every reference resolved as of now."""
        if side == TARGET and side not in connections and secrets is not None:
            # Credentials are tried out before there is a job (spec: graph-api 3.8).
            connections = {TARGET: {"connector": "scim", "settings": {}}}
        if side not in connections:
            path = f"applications.{application.name}.{side}"
            problems.append(Problem(FILE, 0, path, "there is none yet"))
            return connector_named("inbound"), {}
        form = msgspec.convert(connections[side], ConnectionForm)
        try:
            connector = connector_named(form.connector)
        except ConnectorUnusable as failure:  # its package was taken away since it was set up
            path = f"applications.{application.name}.{side}.connector"
            problems.append(Problem(FILE, 0, path, f"{failure} ({failure.code})"))
            return connector_named("inbound"), {}
        sealed = await stored.sealed(self.vault, application.id, side)
        resolved = resolve(form.settings, base, os.environ, sealed)
        settings: Mapping[str, object] = resolved.settings
        if side == TARGET:
            if secrets is None:
                secrets = await load_secrets(self.registry, self.vault, application)
            settings = overlaid(settings, secrets)
        if learns:
            digest = digest_of(connector, settings)
            learned = await load_learned(self.registry, application.id, side, digest)
            settings = {**learned, **settings}
        replaced = replaced_by(secrets or {}) if side == TARGET else ()
        unresolved = [
            one for one in resolved.unresolved if one.path.partition(".")[0] not in replaced
        ]
        path = f"applications.{application.name}.{side}"
        problems += [Problem(FILE, 0, f"{path}.{one.path}", one.message) for one in unresolved]
        if not unresolved:
            problems += [
                Problem(FILE, 0, f"{path}.{one.path}", one.message)
                for one in connector.check(settings, base)
            ]
        return connector, settings


async def application_of(registry: Registry, job: Job) -> Application:
    """Return whose a job is. Raises Invalid."""
    application = await registry.find_application(job.application_id)
    if application is not None:
        return application
    raise Invalid([Problem(FILE, 0, f"jobs.{job.name}", "its application is gone; apply again")])


def connector_name(connections: Mapping[str, object], side: str) -> str:
    """Return which connector is on a side; empty where there is none yet."""
    if side not in connections:
        return ""
    return msgspec.convert(connections.get(side, {}), ConnectionForm).connector
