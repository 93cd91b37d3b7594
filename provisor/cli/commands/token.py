"""`token`: keys for the API."""

from __future__ import annotations

import click
import msgspec

from provisor.cli.exits import WrongUse
from provisor.cli.main import Session
from provisor.cli.render import moment, say, table, tell
from provisor.cli.session import administrator, within
from provisor.cli.shape import json_option, workspace_option
from provisor.cli.workspace import Workspace
from provisor.settings.durations import parse_duration
from provisor.settings.problems import suggestion
from provisor.settings.tokens import SCOPES, KeyExists, Token, load_tokens
from provisor.settings.tokens import create as create_key
from provisor.settings.tokens import revoke as revoke_key


@click.group(
    epilog="\b\nExamples:\n"
    "  provisor token create console --scope Synchronization.ReadWrite.All\n"
    "  provisor token list\n"
    "  provisor token revoke console"
)
def token() -> None:
    """Make, show and revoke keys for the API."""


@token.command(
    "create",
    epilog="\b\nExample:\n"
    "  provisor token create terraform --scope Synchronization.ReadWrite.All \\\n"
    "    --scope Application.Read.All --expires P90D\n\n"
    "\b\nScopes:\n" + "\n".join(f"  {scope}" for scope in SCOPES),
)
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, required=True, help="A permission; repeatable.")
@click.option("--expires", default="", help="After how long it ends: P90D. [default: never]")
@json_option
@workspace_option
@click.pass_obj
def create(
    session: Session, name: str, scopes: tuple[str, ...], expires: str, *, as_json: bool
) -> int:
    """Make a key called NAME and print it: this once, and never again."""

    async def work(workspace: Workspace) -> None:
        chosen = [_scope(scope) for scope in scopes]
        lasts = parse_duration(expires) if expires else None
        if expires and lasts is None:
            raise WrongUse(f"{expires} is no duration such as P90D")
        try:
            made, text = await create_key(workspace.parts, name, chosen, lasts, administrator())
        except KeyExists as failure:
            raise WrongUse(str(failure)) from failure
        if as_json:
            say(msgspec.json.encode({"id": made.id, "name": name, "token": text}).decode())
        else:
            tell(f"the key {name} ({made.id}); it is not shown again:")
            say(text)

    return within(session, work)


def _scope(text: str) -> str:
    found = next((one for one in SCOPES if one.lower() == text.lower()), None)
    if found is None:
        raise WrongUse(f"there is no permission {text}; {suggestion(text, SCOPES)}")
    return found


@token.command("list", epilog="\b\nExample:\n  provisor token list")
@json_option
@workspace_option
@click.pass_obj
def list_(session: Session, *, as_json: bool) -> int:
    """Show which keys there are, and never what they are."""

    async def work(workspace: Workspace) -> None:
        known = await load_tokens(workspace.parts.registry)
        if as_json:
            shown = [{k: v for k, v in _fields(one).items() if k != "hash"} for one in known]
            say(msgspec.json.encode({"value": shown}).decode())
            return
        now = workspace.parts.clock.now()
        rows = [_row(one, one.is_good(now)) for one in known]
        heading = ("NAME", "ID", "STATE", "CREATED", "EXPIRES", "SCOPES")
        say(table([heading, *rows]) if rows else "no keys; `provisor token create` makes one")

    return within(session, work)


def _fields(one: Token) -> dict[str, object]:
    return msgspec.convert(msgspec.to_builtins(one), dict[str, object])


def _row(one: Token, is_good: bool) -> tuple[str, ...]:
    state = "good" if is_good else "revoked" if one.revoked else "expired"
    return (
        one.name,
        one.id,
        state,
        moment(one.created),
        moment(one.expires),
        " ".join(one.scopes),
    )


@token.command("revoke", epilog="\b\nExample:\n  provisor token revoke console")
@click.argument("name")
@workspace_option
@click.pass_obj
def revoke(session: Session, name: str) -> int:
    """End the key NAME, by name or id: from now on it is refused."""

    async def work(workspace: Workspace) -> None:
        if not await revoke_key(workspace.parts, name, administrator(), by_name=True):
            raise WrongUse(f"there is no key {name}; `provisor token list` shows them")
        say(f"{name} is refused from now on")

    return within(session, work)
