"""How people sign in to the console by an identity provider, as `serve` is told."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

import click

from provisor.cli.exits import WrongUse
from provisor.cli.workspace import LOOPBACK, SignIn
from provisor.settings.problems import suggestion
from provisor.settings.tokens import SCOPES

F = TypeVar("F", bound=Callable[..., Any])
SECRET = "PROVISOR_SIGN_IN_SECRET"  # noqa: S105 - the name of the variable
OPTIONS = (
    click.option(
        "--sign-in-issuer",
        default="",
        envvar="PROVISOR_SIGN_IN_ISSUER",
        help="OpenID provider at which people sign in to the console.",
    ),
    click.option(
        "--sign-in-client",
        default="",
        envvar="PROVISOR_SIGN_IN_CLIENT",
        help=f"Client id there; its secret, if any, is in {SECRET}.",
    ),
    click.option(
        "--sign-in-secret-file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Or in this file.",
    ),
    click.option(
        "--sign-in-name",
        default="",
        envvar="PROVISOR_SIGN_IN_NAME",
        help="What people call the provider.",
    ),
    click.option(
        "--sign-in-claim",
        default="",
        envvar="PROVISOR_SIGN_IN_CLAIM",
        help="Claim that says what somebody is: groups. [default: roles]",
    ),
    click.option(
        "--sign-in-grant",
        multiple=True,
        envvar="PROVISOR_SIGN_IN_GRANT",
        metavar="VALUE=SCOPE,…",
        help="What whoever has this in the claim may do; repeatable.",
    ),
    click.option(
        "--sign-in-scope",
        multiple=True,
        envvar="PROVISOR_SIGN_IN_SCOPE",
        help="Asked of the provider besides openid, profile and email.",
    ),
)
NAMES = ("issuer", "client", "secret_file", "name", "claim", "grant", "scope")


def sign_in_options(command: F) -> F:
    """Give a command these options, as one argument `sign_in`. Raises WrongUse."""

    @wraps(command)
    def told(*arguments: Any, **options: Any) -> Any:
        said = {name: options.pop(f"sign_in_{name}") for name in NAMES}
        return command(*arguments, sign_in=_sign_in_of(**said), **options)

    wrapped: Callable[..., Any] = told
    for option in reversed(OPTIONS):
        wrapped = option(wrapped)
    return cast(F, wrapped)


def _sign_in_of(
    *,
    issuer: str,
    client: str,
    secret_file: Path | None,
    name: str,
    claim: str,
    grant: tuple[str, ...],
    scope: tuple[str, ...],
) -> SignIn | None:
    if bool(issuer) != bool(client):
        raise WrongUse("--sign-in-issuer and --sign-in-client go together")
    if not issuer:
        if claim or grant:
            raise WrongUse("--sign-in-claim and --sign-in-grant need --sign-in-issuer")
        return None
    address = urlsplit(issuer)
    is_near = address.scheme == "http" and (address.hostname or "") in LOOPBACK
    if not address.hostname or not (address.scheme == "https" or is_near):
        raise WrongUse("--sign-in-issuer is an address that begins with https://")
    if claim and not grant:
        raise WrongUse(f"say by --sign-in-grant what may be done by whom {claim} names")
    secret = secret_file.read_text("utf-8").strip() if secret_file else os.environ.get(SECRET, "")
    return SignIn(
        issuer=issuer,
        client_id=client,
        client_secret=secret,
        title=name,
        scopes=scope,
        claim=claim,
        grants=_grants(grant),
    )


def _grants(said: tuple[str, ...]) -> Mapping[str, frozenset[str]]:
    """Return permissions by value. Values may hold `=`, as distinguished names do."""
    grants: dict[str, frozenset[str]] = {}
    for one in said:
        value, equals, scopes = one.rpartition("=")
        chosen = [scope.strip() for scope in scopes.split(",")]
        strange = [scope for scope in chosen if scope not in SCOPES]
        if not equals or not value or strange:
            wrong = strange[0] if equals and strange else one
            hint = suggestion(wrong, SCOPES) if equals else "it is VALUE=SCOPE"
            raise WrongUse(f"--sign-in-grant {one}: there is no permission {wrong}; {hint}")
        grants[value] = grants.get(value, frozenset()) | frozenset(chosen)
    return grants
