"""`openapi`: the API's description of itself, without a server."""

from __future__ import annotations

import click

from provisor.cli.main import Session
from provisor.cli.render import say
from provisor.cli.shape import command

USUAL = "http://127.0.0.1:8080"


@command(
    "openapi",
    "provisor openapi > provisor.openapi.json\n"
    "provisor openapi --server https://provisor.example.com",
)
@click.option("--server", default=USUAL, help=f"Where the server is seen. [default: {USUAL}]")
def openapi(session: Session, server: str) -> None:
    """Print the OpenAPI 3.1 description of the API: every route, with its parameters, bodies,
    answers, errors and permissions. A server answers the same at /openapi.json."""
    say(session.open.tools().describe_api(server.rstrip("/")).decode())
