"""`secrets`: credentials in the vault, instead of in files and environments."""

from __future__ import annotations

import sys

import click
import msgspec

from provisor.cli.exits import WrongUse
from provisor.cli.guard import complain
from provisor.cli.main import Session
from provisor.cli.render import say, table
from provisor.cli.session import audit, within
from provisor.cli.shape import json_option, workspace_option
from provisor.cli.workspace import Workspace
from provisor.connectors.installed import connector_named
from provisor.model.audit import Altered
from provisor.model.jobs import Application
from provisor.planner.status import Configured, Unquarantined
from provisor.settings import stored
from provisor.settings.connections import SOURCE, TARGET, seal
from provisor.settings.leaves import flatten, nest
from provisor.settings.problems import suggestion
from provisor.settings.references import references


@click.group(
    epilog="\b\nExamples:\n  provisor secrets list\n"
    "  provisor secrets set people target.token < token.txt"
)
def secrets() -> None:
    """Keep secrets in the vault, encrypted with the workspace's key."""


@secrets.command(
    "list",
    epilog="\b\nExample:\n  provisor secrets list",
)
@json_option
@workspace_option
@click.pass_obj
def list_(session: Session, *, as_json: bool) -> int:
    """Show which settings are secrets or references, and never what they hold."""

    async def work(workspace: Workspace) -> None:
        rows: list[tuple[str, str, str]] = []
        for application in await workspace.parts.registry.applications():
            connections = await stored.load_connections(workspace.parts.registry, application.id)
            for side in (SOURCE, TARGET):
                settings = nest(flatten(connections), f"{side}.settings.")
                for path, text in references(settings):
                    where = text if ":" in text and not text.startswith("sealed:") else "vault"
                    rows.append((application.name, f"{side}.{path}", where))
        if as_json:
            value = [{"application": a, "path": p, "from": f} for a, p, f in rows]
            say(msgspec.json.encode({"value": value}).decode())
        else:
            say(table([("APPLICATION", "SETTING", "FROM"), *rows]) if rows else "no secrets")

    return within(session, work)


@secrets.command(
    "set",
    epilog="\b\nExamples:\n  provisor secrets set people target.token < token.txt\n"
    "  provisor secrets set people target.oauth.clientSecret     asks for it",
)
@click.argument("application")
@click.argument("path")
@workspace_option
@click.pass_obj
def set_(session: Session, application: str, path: str) -> int:
    """Put a secret of APPLICATION into the vault; PATH is a setting such as target.token.

    It is read from standard input, or asked for; never from the command line, where others see it.
    """
    if sys.stdin.isatty():
        secret = str(click.prompt(path, hide_input=True))
    else:
        secret = sys.stdin.read().rstrip("\r\n")

    async def work(workspace: Workspace) -> None:
        if not secret:
            raise WrongUse("standard input was empty; nothing was stored")
        chosen = await _application(workspace, application)
        await _put(workspace, chosen, path, secret)
        say(f"{path} of {chosen.name} is stored, encrypted")
        await _refresh(workspace, chosen)

    return within(session, work)


async def _application(workspace: Workspace, name: str) -> Application:
    applications = await workspace.parts.registry.applications()
    for application in applications:
        if name == application.name:
            return application
    known = suggestion(name, [one.name for one in applications])
    raise WrongUse(f"there is no application {name}; {known}")


async def _put(workspace: Workspace, application: Application, path: str, secret: str) -> None:
    """Store the secret, and in its place in the settings what stands for it."""
    parts = workspace.parts
    side, _, inner = path.partition(".")
    connections = await stored.load_connections(parts.registry, application.id)
    leaves = flatten(connections)
    chosen = leaves.get(f"{side}.connector")
    if chosen is None:
        raise WrongUse(f"{path} is no setting: begin with source. or target.")
    connector = connector_named(str(chosen))
    if not connector.is_secret(inner):
        known = ", ".join(sorted(f"{side}.{one}" for one in connector.secrets)) or "none"
        raise WrongUse(f"{path} is no secret of this connector; secrets are: {known}")
    tenant = await stored.load_tenant(parts.registry)
    leaves[f"{side}.settings.{inner}"] = seal(secret, inner, tenant.id if tenant else "")
    before = await parts.vault.get(application.id, path)
    await parts.vault.put(application.id, path, secret)
    content = msgspec.json.encode(nest(leaves))
    await parts.registry.put_document(application.id, stored.CONNECTIONS, content)
    told = Altered(path, "" if before is None else "*", "*")
    about = f"{application.name} {path}"
    await audit(workspace, "Update provisioning setting or credentials", about, told)


async def _refresh(workspace: Workspace, application: Application) -> None:
    """A job that lacked this may run now; one in quarantine tries again."""
    missing = await workspace.missing(application)
    if missing:
        complain(f"still missing: {missing}")
    for job in await workspace.parts.registry.jobs():
        if job.application_id == application.id:
            events = (Configured(is_usable=not missing), Unquarantined())
            await workspace.parts.registry.note(job.id, *events)
