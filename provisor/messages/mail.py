"""Mail over SMTP: plain text, one receiver at a time, so that a refused one troubles no other."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from enum import StrEnum

from provisor.messages.message import Message, Undelivered, domain_of, is_address, one_line
from provisor.ports import Clock

TIMEOUT_S = 15.0
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    post: Post
    to: str
    clock: Clock

    @property
    def name(self) -> str:
        return f"mail:{self.to}"

    async def send(self, message: Message) -> None:
        if not is_address(self.to) or not is_address(parseaddr(self.post.sender)[1]):
            raise Undelivered("this is no address", is_final=True)
        await asyncio.to_thread(_handed_over, self.post, self.to, self.written(message))

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


def _handed_over(post: Post, to: str, mail: EmailMessage) -> None:
    """Raises Undelivered, whatever went wrong."""
    try:
        with _connected(post) as server:
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


def _connected(post: Post) -> smtplib.SMTP:
    if post.security is Security.TLS:
        trust = ssl.create_default_context()
        return smtplib.SMTP_SSL(post.host, post.port, timeout=TIMEOUT_S, context=trust)
    server = smtplib.SMTP(post.host, post.port, timeout=TIMEOUT_S)
    if post.security is Security.STARTTLS:
        try:
            server.starttls(context=ssl.create_default_context())
        except BaseException:
            server.close()
            raise
    return server
