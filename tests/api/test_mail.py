"""Mail goes by the one door: its server's name is looked up once, and has to be allowed and proven.

The mail servers are real ones, and so is their TLS.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from provisor.connectors.http.dialling import connected
from provisor.connectors.http.door import OPEN, Door
from provisor.graph.http.exchange import line_to
from provisor.messages.mail import Mail, Post, Security
from provisor.messages.message import Message, Undelivered
from tests.api.tls import Certificate, certificate
from tests.fakes.mail import mail_server

MESSAGE = Message(id="m1", subject="Provisor: look", text="Look.\n", document={})
NAME = "mail.example.com"
Names = dict[str, list[str]]


class Clock:
    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    async def sleep(self, seconds: float) -> None: ...


@pytest.fixture(scope="module")
def proof(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """What names mean: each look-up takes the next address, and the last one stays."""
    known: Names = {}
    whole = socket.getaddrinfo

    def looked_up(host: Any, *rest: Any, **more: Any) -> Any:
        if host in known:
            host = known[host].pop(0) if len(known[host]) > 1 else known[host][0]
        return whole(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    return known


def context(proof: Certificate) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(proof.certificate, proof.key)
    return made


def mail(port: int, security: Security, host: str = "localhost", ca_file: object = "") -> Mail:
    post = Post(
        host=host,
        port=port,
        security=security,
        sender="Provisor <provisor@example.com>",
        ca_file=str(ca_file),
    )
    return Mail(post=post, to="it@example.com", dial=line_to, clock=Clock())


def send(mail: Mail) -> None:
    asyncio.run(mail.send(MESSAGE))


def test_starttls_hides_mail_from_the_first_word_that_matters(proof: Certificate) -> None:
    with mail_server(starttls=context(proof)) as server:
        send(mail(server.port, Security.STARTTLS, ca_file=proof.certificate))
        assert (server.receivers, server.is_private) == (["it@example.com"], [True])


def test_a_server_that_speaks_nothing_but_tls_is_spoken_to(proof: Certificate) -> None:
    with mail_server(tls=context(proof)) as server:
        send(mail(server.port, Security.TLS, ca_file=proof.certificate))
        assert (server.receivers, server.is_private) == (["it@example.com"], [True])


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
def test_who_has_a_certificate_for_another_name_gets_nothing(
    proof: Certificate, security: Security, names: Names
) -> None:
    names[NAME] = ["127.0.0.1"]
    is_tls = security is Security.TLS
    with mail_server(
        tls=context(proof) if is_tls else None, starttls=None if is_tls else context(proof)
    ) as server:
        with pytest.raises(Undelivered, match="SSLCertVerificationError"):
            send(mail(server.port, security, NAME, proof.certificate))
        assert server.mails == []


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
def test_who_has_a_certificate_that_nobody_trusts_gets_nothing(
    proof: Certificate, security: Security
) -> None:
    is_tls = security is Security.TLS
    with mail_server(
        tls=context(proof) if is_tls else None, starttls=None if is_tls else context(proof)
    ) as server:
        with pytest.raises(Undelivered, match="SSLCertVerificationError"):
            send(mail(server.port, security))
        assert server.mails == []


def test_a_server_that_offers_no_tls_where_it_is_wanted_gets_nothing() -> None:
    with mail_server() as server:
        with pytest.raises(Undelivered, match="SMTPNotSupportedError"):
            send(mail(server.port, Security.STARTTLS))
        assert server.mails == []


def test_a_name_is_looked_up_once_and_what_it_was_found_to_be_is_connected_to(names: Names) -> None:
    """Who answers otherwise the second time leads nobody astray."""
    names[NAME] = ["127.0.0.1", "192.0.2.1"]
    with mail_server() as server:
        send(mail(server.port, Security.NONE, NAME))
        assert server.receivers == ["it@example.com"]
    assert names[NAME] == ["192.0.2.1"]


def test_a_door_that_is_shut_lets_no_mail_through(names: Names) -> None:
    names[NAME] = ["127.0.0.1"]
    with mail_server() as server:
        for host in (NAME, "127.0.0.1", "::ffff:127.0.0.1"):
            shut = partial(connected, Door(is_guarded=True), timeout_s=10)
            with pytest.raises(Undelivered, match="Denied"):
                send(replace(mail(server.port, Security.NONE, host), dial=shut))
        assert server.mails == []
        listed = Door(is_guarded=True, allowed=(NAME,))
        send(
            replace(
                mail(server.port, Security.NONE, NAME),
                dial=partial(connected, listed, timeout_s=10),
            )
        )
        assert server.receivers == ["it@example.com"]


def test_a_server_that_is_not_there_or_never_greets_is_no_end_of_anything(names: Names) -> None:
    names["nowhere.example.com"] = ["127.0.0.1"]
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]

        async def hardly_waits(host: str, port: int) -> socket.socket:
            line = await connected(OPEN, host, port, 10)
            line.shutdown(socket.SHUT_RDWR)
            return line

        with pytest.raises(Undelivered):
            send(replace(mail(port, Security.NONE), dial=hardly_waits))
    with pytest.raises(Undelivered, match="ConnectionRefusedError"):
        send(mail(port, Security.NONE, "nowhere.example.com"))


def test_the_issuer_that_the_configuration_names_is_trusted_from_its_folder(
    proof: Certificate, tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").write_bytes(proof.certificate.read_bytes())
    with mail_server(starttls=context(proof)) as server:
        send(mail(server.port, Security.STARTTLS, ca_file=tmp_path / "ca.pem"))
        with pytest.raises(Undelivered, match="FileNotFoundError"):
            send(mail(server.port, Security.STARTTLS, ca_file=tmp_path / "no.pem"))
        assert len(server.mails) == 1
