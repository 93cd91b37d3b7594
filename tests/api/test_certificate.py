"""Who renews the server's certificate writes its files anew, and that is all there is to do."""

from __future__ import annotations

import asyncio
import ssl
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.request import urlopen

import pytest
from cryptography import x509

from provisor.graph.http.certificate import Certificate
from provisor.telemetry.levels import LogFormat, LogLevel
from provisor.telemetry.logs import configure
from tests.api.served import serving, target, wait_until, workspace
from tests.api.test_metrics import shown
from tests.api.tls import certificate

EXPIRES = "provisor_certificate_expires_timestamp_seconds"


class Now:
    """A clock that stands still."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def serial(port: int) -> int:
    """Return the number of the certificate that is shown."""
    pem = ssl.get_server_certificate(("127.0.0.1", port), timeout=60)
    return x509.load_pem_x509_certificate(pem.encode()).serial_number


def measured(port: int, trusted: Path) -> float:
    """Return what Prometheus is told, by which it warns."""
    context = ssl.create_default_context(cafile=trusted)
    with urlopen(f"https://127.0.0.1:{port}/metrics", context=context, timeout=60) as answer:
        return shown(answer.read().decode()).of(EXPIRES)


def test_a_renewed_certificate_is_shown_without_a_restart(tmp_path: Path) -> None:
    files = certificate(tmp_path)
    with target() as scim:
        token = workspace(tmp_path, scim)
        with serving(tmp_path, scim, token, *files.arguments, "--local-metrics") as served:
            before, expires = serial(served.port), measured(served.port, files.certificate)

            certificate(tmp_path)

            wait_until(lambda: serial(served.port) != before, every_s=0.5)
            assert measured(served.port, files.certificate) >= expires > time.time()


@pytest.fixture
def kept(tmp_path: Path) -> tuple[Certificate, ssl.SSLContext, list[datetime]]:
    """Return what keeps a certificate, as the server begins with it."""
    files, told = certificate(tmp_path), list[datetime]()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    clock = Now(datetime.now(UTC))
    made = Certificate(chain=files.certificate, key=files.key, clock=clock, expires=told.append)
    made.began()
    return made, context, told


def named(context: ssl.SSLContext, chain: Path) -> int:
    """Return the number of the certificate that a client is shown."""
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(to_server, to_client, server_side=True)
    client = trusting.wrap_bio(to_client, to_server)
    for _ in range(4):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    der = client.getpeercert(binary_form=True)
    assert der is not None
    return x509.load_der_x509_certificate(der).serial_number


def test_half_of_a_pair_is_not_shown(
    kept: tuple[Certificate, ssl.SSLContext, list[datetime]], tmp_path: Path
) -> None:
    """Files are written one after the other: for a moment they do not fit together."""
    keeping, context, told = kept
    before = named(context, keeping.chain)
    aside = tmp_path / "aside"
    aside.mkdir()
    renewed = certificate(aside)

    keeping.chain.write_bytes(renewed.certificate.read_bytes())
    keeping.look(context)
    assert named(context, keeping.chain) == before

    keeping.key.write_bytes(renewed.key.read_bytes())
    keeping.look(context)
    assert named(context, keeping.chain) != before
    assert len(told) == 2


def test_it_is_told_once_a_day_that_a_certificate_expires(
    kept: tuple[Certificate, ssl.SSLContext, list[datetime]], capfd: pytest.CaptureFixture[str]
) -> None:
    keeping, context, told = kept
    configure(LogFormat.JSON, LogLevel.INFO)
    assert timedelta(0) < told[0] - datetime.now(UTC) < timedelta(days=1)

    keeping.look(context)
    keeping.look(context)
    keeping.clock = Now(datetime.now(UTC) + timedelta(days=1))
    keeping.look(context)

    assert capfd.readouterr().err.count("certificate expires") == 2
