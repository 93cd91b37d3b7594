"""`tenant`: several tenants in one store, each of which sees only its own."""

from __future__ import annotations

from uuid import UUID

import click
import msgspec

from provisor.cli.exits import WrongUse
from provisor.cli.main import Session
from provisor.cli.render import say, table
from provisor.cli.session import administrator, within
from provisor.cli.shape import json_option, workspace_option
from provisor.cli.workspace import Workspace
from provisor.model.audit import Altered
from provisor.settings.stored import Tenant, load_tenant, put_tenant
from provisor.store.tenants import add_tenant, tenants


@click.group(
    epilog="\b\nExamples:\n"
    "  provisor tenant add 5b7c3f5e-8a3c-4c4f-9a62-2f3ad7a3b1aa --name Contoso\n"
    "  provisor --tenant 5b7c3f5e-8a3c-4c4f-9a62-2f3ad7a3b1aa apply contoso/provisor.yaml\n"
    "  provisor tenant list"
)
def tenant() -> None:
    """Keep further tenants in this workspace's store.

    Every command is about the workspace's own tenant, unless --tenant before it names another.
    """


@tenant.command(
    "add", epilog="\b\nExample:\n  provisor tenant add 5b7c3f5e-8a3c-4c4f-9a62-2f3ad7a3b1aa"
)
@click.argument("id")
@click.option("--name", default="", help="What people call it.")
@workspace_option
@click.pass_obj
def add(session: Session, id: str, name: str) -> int:
    """Add the tenant ID, a UUID."""

    async def work(workspace: Workspace) -> None:
        parts = workspace.parts
        try:
            chosen = str(UUID(id))
        except ValueError as failure:
            raise WrongUse(f"{id} is no UUID, which the id of a tenant is") from failure
        if session.tenant:
            raise WrongUse("tenants are added by the workspace's own; leave --tenant out")
        own = await load_tenant(parts.registry)
        if (own is not None and chosen == own.id) or chosen in await tenants(parts.registry):
            raise WrongUse(f"there is a tenant {chosen} already")
        await add_tenant(parts.registry, chosen)
        store = workspace.store_as(chosen)
        await put_tenant(store, Tenant(id=chosen, display_name=name))
        now, told = parts.clock.now(), (Altered("displayName", "", name),)
        await parts.registry.audit(now, administrator(), "Add tenant", chosen, altered=told)
        say(f"tenant {chosen} added; next: provisor --tenant {chosen} apply FILE")

    return within(session, work)


@tenant.command("list", epilog="\b\nExample:\n  provisor tenant list --json")
@json_option
@workspace_option
@click.pass_obj
def list_(session: Session, *, as_json: bool) -> int:
    """Show the tenants of this store."""

    async def work(workspace: Workspace) -> None:
        registry = workspace.parts.registry
        if session.tenant:
            raise WrongUse("tenants are listed by the workspace's own; leave --tenant out")
        found = [await load_tenant(registry)]
        found += [await load_tenant(workspace.store_as(id)) for id in await tenants(registry)]
        known = [one for one in found if one is not None]
        if as_json:
            shown = [{"id": one.id, "displayName": one.display_name} for one in known]
            say(msgspec.json.encode({"value": shown}).decode())
            return
        rows = [(one.id, one.display_name) for one in known]
        say(table([("TENANT", "NAME"), *rows]) if rows else "no tenant yet")

    return within(session, work)
