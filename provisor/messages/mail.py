"""Mail over SMTP: plain text, one receiver at a time, so that a refused one troubles no other."""

from __future__ import annotations

import asyncio
import smtplib
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from enum import StrEnum
from typing import TypeAlias

from provisor.errors import AdapterError
from provisor.messages.message import Message, Undelivered, domain_of, is_address, one_line
from provisor.ports import Clock

Dial: TypeAlias = Callable[[str, int], Awaitable[socket.socket]]
"""Connects to a port of a name, looked up once, where one may go there. Raises OSError, Denied."""
TIMEOUT_S = 15.0
"""For each answer of a server."""
FINAL = range(500, 600)
"""Answers by which a server says that asking again is no use (RFC 5321 4.2.1)."""


class Security(StrEnum):
    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """The server that mail is handed to."""

    host: str
    port: int
    security: Security
    sender: str
    username: str = ""
    password: str = field(default="", repr=False)
    ca_file: str = ""
    """Whom to trust besides those that this machine trusts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    post: Post
    to: str
    dial: Dial
    clock: Clock

    @property
    def name(self) -> str:
        return f"mail:{self.to}"

    async def send(self, message: Message) -> None:
        if not is_address(self.to) or not is_address(parseaddr(self.post.sender)[1]):
            raise Undelivered("this is no address", is_final=True)
        try:
            line = await self.dial(self.post.host, self.post.port)
        except (AdapterError, OSError) as failure:
            raise Undelivered(f"the server cannot be used: {type(failure).__name__}") from None
        line.settimeout(TIMEOUT_S)
        await asyncio.to_thread(_handed_over, line, self.post, self.to, self.written(message))

    def written(self, message: Message) -> EmailMessage:
        mail = EmailMessage(policy=SMTP)
        mail["From"] = one_line(self.post.sender)
        mail["To"] = self.to
        mail["Subject"] = one_line(message.subject)
        mail["Date"] = format_datetime(self.clock.now())
        sender = domain_of(parseaddr(self.post.sender)[1])
        mail["Message-ID"] = f"<{message.id}@{sender}>"
        # No out-of-office replies to a machine (RFC 3834 5).
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.text, cte="8bit" if message.text.isascii() else "base64")
        return mail


def _handed_over(line: socket.socket, post: Post, to: str, mail: EmailMessage) -> None:
    """Raises Undelivered, whatever went wrong."""
    try:
        with line, _greeted(line, post) as server:
            if post.username:
                server.login(post.username, post.password)
            server.send_message(mail, parseaddr(post.sender)[1], [to])
    except smtplib.SMTPRecipientsRefused as refusal:
        ((code, _),) = refusal.recipients.values()
        raise Undelivered(f"the address was refused ({code})", is_final=code in FINAL) from None
    except smtplib.SMTPResponseException as refusal:
        raise Undelivered(f"the server refused with {refusal.smtp_code}") from None
    except (smtplib.SMTPException, OSError) as failure:
        # What a server says may repeat what it was told: only the kind of failure is passed on.
        raise Undelivered(f"the server cannot be used: {type(failure).__name__}") from None


class _Line(smtplib.SMTP):
    """Speaks on the connection that was made for it, wherever its server's name leads by now."""

    def __init__(self, line: socket.socket, post: Post) -> None:
        self._line = line
        super().__init__(post.host, post.port, timeout=TIMEOUT_S)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self._line


def _greeted(line: socket.socket, post: Post) -> smtplib.SMTP:
    """Begin to speak with a server; with TLS only if it is the one that it is called."""
    if post.security is Security.TLS:
        return _Line(_trust(post).wrap_socket(line, server_hostname=post.host), post)
    server = _Line(line, post)
    if post.security is Security.STARTTLS:
        try:
            server.starttls(context=_trust(post))
        except BaseException:
            server.close()
            raise
    return server


def _trust(post: Post) -> ssl.SSLContext:
    trust = ssl.create_default_context()
    if post.ca_file:
        trust.load_verify_locations(cafile=post.ca_file)
    trust.minimum_version = ssl.TLSVersion.TLSv1_2
    return trust
