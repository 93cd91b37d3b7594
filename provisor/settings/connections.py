"""One connection: its connector knows it, its settings are right, its secrets are kept apart."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from provisor.connectors.catalog import Connector, Settings
from provisor.connectors.installed import (
    ConnectorUnusable,
    connector_named,
    connector_names,
    connectors_that,
    refuse_clash,
)
from provisor.model.rules import AttributeDefinition
from provisor.settings.forms import ConnectionForm
from provisor.settings.problems import Problems, suggestion
from provisor.settings.references import SEALED, is_reference, resolve

SOURCE, TARGET = "source", "target"
PLACEHOLDER = "https://unresolved.invalid/"
"""Stands in for what a reference would say, so that all else can be checked."""
WORK = 2**14
"""Cost of guessing a sealed secret from what is stored in its place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A connection that was examined."""

    settings: Mapping[str, object]
    """As written, but literal secrets replaced by what says only which they are."""
    secrets: Mapping[str, str]
    """The literal secrets, by path; they go to the vault."""
    unresolved: tuple[tuple[str, str], ...]
    """Path and reason of each reference that leads nowhere just now."""
    definitions: Mapping[str, Sequence[AttributeDefinition]]


def check_connection(
    form: ConnectionForm,
    side: str,
    path: tuple[str, ...],
    problems: Problems,
    environment: Mapping[str, str],
    tenant: str,
) -> Checked | None:
    """Return what is known of a connection, or None with all that is wrong noted."""
    known = connector_names()
    if form.connector not in known:
        problems.add(
            (*path, "connector"),
            f"there is no connector {form.connector}; {suggestion(form.connector, known)}",
        )
        return None
    try:
        refuse_clash(form.connector)
        connector = connector_named(form.connector)
    except ConnectorUnusable as failure:
        problems.add((*path, "connector"), f"{failure} ({failure.code})")
        return None
    if _opener(connector, side) is None:
        able = connectors_that(lambda one: _opener(one, side) is not None)
        problems.add(
            (*path, "connector"),
            f"{form.connector} cannot be a {side}; connectors that can: {', '.join(able)}",
        )
        return None
    return _check_settings(form, connector, path, problems, environment, tenant)


def _opener(connector: Connector, side: str) -> object:
    return connector.open_source if side == SOURCE else connector.open_target


def _check_settings(
    form: ConnectionForm,
    connector: Connector,
    path: tuple[str, ...],
    problems: Problems,
    environment: Mapping[str, str],
    tenant: str,
) -> Checked | None:
    base = problems.file.parent
    resolved = resolve(form.settings, base, environment, {})
    missing = {one.path: one.message for one in resolved.unresolved}
    stand_in = _with_placeholders(form.settings, resolved.settings, missing)
    before = len(problems.found)
    for complaint in connector.check(stand_in, base):
        if complaint.path not in missing:
            at = (*path, "settings", *complaint.path.split("."))
            problems.add(at, complaint.message)
    if len(problems.found) > before:
        return None
    secrets: dict[str, str] = {}
    kept = _sealed(form.settings, "", connector, tenant, secrets)
    return Checked(
        settings=kept,
        secrets=secrets,
        unresolved=tuple(missing.items()),
        definitions={} if missing else connector.definitions(resolved.settings, base),
    )


def _with_placeholders(
    written: Mapping[str, object], resolved: Mapping[str, object], missing: Mapping[str, str]
) -> Settings:
    """Put something in the place of each reference that leads nowhere."""

    def filled(tree: Mapping[str, object], known: Mapping[str, object], prefix: str) -> Settings:
        values: dict[str, object] = dict(known)
        for name, value in tree.items():
            path = f"{prefix}{name}"
            if path in missing:
                values[name] = PLACEHOLDER
            elif isinstance(value, Mapping):
                inner = cast(Mapping[str, object], known.get(name, {}))
                values[name] = filled(cast(Mapping[str, object], value), inner, f"{path}.")
        return values

    return filled(written, resolved, "")


def _sealed(
    settings: Mapping[str, object],
    prefix: str,
    connector: Connector,
    tenant: str,
    secrets: dict[str, str],
) -> Mapping[str, object]:
    """Return settings without literal secrets, which are noted in `secrets`."""
    kept: dict[str, object] = {}
    for name, value in settings.items():
        path = f"{prefix}{name}"
        if isinstance(value, Mapping):
            inner = cast(Mapping[str, object], value)
            kept[name] = _sealed(inner, f"{path}.", connector, tenant, secrets)
        elif isinstance(value, str) and connector.is_secret(path) and not is_reference(value):
            secrets[path] = value
            kept[name] = seal(value, path, tenant)
        else:
            kept[name] = value
    return kept


def seal(secret: str, path: str, tenant: str) -> str:
    """Return what stands for a secret: the same for the same one, and of no use to a reader."""
    salt = f"{tenant}|{path}".encode()
    digest = hashlib.scrypt(secret.encode("utf-8"), salt=salt, n=WORK, r=8, p=1, dklen=16)
    return SEALED + digest.hex()
