"""`serve`: the API and the schedule, in one process."""

from __future__ import annotations

from pathlib import Path

import click

from provisor.cli.exits import WrongUse
from provisor.cli.failures import tell as tell_failure
from provisor.cli.firstkey import welcome
from provisor.cli.main import Session
from provisor.cli.render import tell
from provisor.cli.session import within
from provisor.cli.shape import command
from provisor.cli.signin import sign_in_options
from provisor.cli.telling import telling_of, telling_options
from provisor.cli.workspace import ServeOptions, SignIn, Telling, Workspace
from provisor.runtime.interruption import Interruption
from provisor.runtime.worker import OUTGROWN

LOOPBACK = ("localhost", "127.0.0.1", "::1")
PATH = click.Path(exists=True, dir_okay=False, path_type=Path)


@command(
    "serve",
    "provisor serve\n"
    "provisor serve --host 0.0.0.0 --tls-cert cert.pem --tls-key key.pem \\\n"
    "  --public-url https://provisor.example.com",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option(
    "--port",
    default=8080,
    show_default=True,
    type=click.IntRange(0, 65_535),
    help="Port to listen at; 0 takes a free one.",
)
@click.option("--tls-cert", "certificate", type=PATH, help="Certificate chain, PEM.")
@click.option("--tls-key", "key", type=PATH, help="Its key, PEM.")
@click.option("--public-url", default="", help="How clients reach it, if not as it listens.")
@click.option("--allowed-host", "hosts", multiple=True, help="A further name clients may use.")
@click.option("--trusted-proxy", "proxies", multiple=True, help="Whose X-Forwarded is believed.")
@click.option(
    "--issuer",
    default="",
    envvar="PROVISOR_ISSUER",
    help="Take tokens of this OpenID issuer, too.",
)
@click.option("--audience", default="", envvar="PROVISOR_AUDIENCE", help="What they are for.")
@click.option("--jwks-url", "keys_url", default="", envvar="PROVISOR_JWKS_URL", help="Its keys.")
@click.option("--no-runner", is_flag=True, help="Run no cycles here: `provisor worker` does.")
@sign_in_options
@telling_options
@click.option(
    "--local-metrics",
    is_flag=True,
    help="Show /metrics without a token to who asks from this machine.",
)
@click.option("--only-schedule", is_flag=True, hidden=True, help="What `serve` starts for itself.")
@click.option("--exposed", is_flag=True, hidden=True, help="Beside a server for other machines.")
def serve(
    session: Session,
    host: str,
    port: int,
    certificate: Path | None,
    key: Path | None,
    public_url: str,
    hosts: tuple[str, ...],
    proxies: tuple[str, ...],
    issuer: str,
    audience: str,
    keys_url: str,
    log_format: str,
    log_level: str,
    collector: str,
    traced: float,
    *,
    sign_in: SignIn | None,
    no_runner: bool,
    local_metrics: bool,
    only_schedule: bool,
    exposed: bool,
) -> int:
    """Answer the API and run started jobs as their schedules say, until a signal.

    Requests need a token: `provisor token create` makes one. Where there is none yet, and somebody
    sits at the terminal, one is made to sign in to the console with.
    """
    telling = telling_of(log_format, log_level, collector, traced)
    options = ServeOptions(
        host=host,
        port=port,
        certificate=certificate,
        key=key,
        public_url=public_url,
        hosts=hosts,
        proxies=proxies,
        issuer=issuer,
        audience=audience,
        keys_url=keys_url,
        sign_in=sign_in,
        runs=not no_runner,
        has_local_metrics=local_metrics,
        telling=telling,
    )

    async def work(workspace: Workspace) -> int:
        if only_schedule:
            return await _keep_schedule(workspace, exposed, telling)
        _check(options)
        return await _serve(workspace, options)

    return within(session, work)


def _check(options: ServeOptions) -> None:
    """Raises WrongUse."""
    if (options.certificate is None) != (options.key is None):
        raise WrongUse("--tls-cert and --tls-key go together")
    if options.host not in LOOPBACK and options.certificate is None:
        raise WrongUse(
            f"tokens would travel in the open to {options.host}: give --tls-cert and --tls-key, or "
            "listen at 127.0.0.1 behind a proxy that has TLS"
        )
    if options.has_local_metrics and options.proxies:
        raise WrongUse(
            "--local-metrics would show them to everybody behind --trusted-proxy: use a token"
        )
    if bool(options.issuer) != bool(options.audience):
        raise WrongUse("--issuer and --audience go together")


async def _keep_schedule(workspace: Workspace, is_exposed: bool, telling: Telling) -> int:
    """Run the schedule for the process at the other end of standard input."""
    interruption = Interruption(workspace.parts.clock)
    with interruption.on_signals():
        await workspace.schedule(interruption, is_exposed, telling)
    if interruption.outgrown is not None:
        tell_failure(interruption.outgrown)
        return OUTGROWN
    return 0


async def _serve(workspace: Workspace, options: ServeOptions) -> int:
    interruption = Interruption(workspace.parts.clock)

    def began(address: str) -> None:
        tell(f"provisor: serving at {address}")

    await welcome(workspace)
    with interruption.on_signals():
        try:
            await workspace.serve(options, interruption, began)
        except OSError as failure:
            reason = failure.strerror or str(failure)
            raise WrongUse(f"{options.host}:{options.port} cannot be had: {reason}") from failure
    return interruption.exit_code
