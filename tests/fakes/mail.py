"""A mail server in this process, which keeps what it is handed; some receivers it does not like."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP


@dataclass
class MailServer:
    """`reject@` is never taken; `tempfail@` not until `is_well`."""

    port: int = 0
    mails: list[tuple[str, EmailMessage]] = field(default_factory=list[tuple[str, EmailMessage]])
    """Receivers as the envelope has them, and what they got."""
    is_well: bool = False
    is_private: list[bool] = field(default_factory=list[bool])
    """Of each mail: whether it came over TLS."""

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if address.startswith("reject@"):
            return "550 no such user"
        if address.startswith("tempfail@") and not self.is_well:
            return "451 try later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        mail = message_from_bytes(envelope.content, policy=default)
        assert isinstance(mail, EmailMessage)
        self.is_private.append(server.transport.get_extra_info("sslcontext") is not None)
        self.mails += [(to, mail) for to in envelope.rcpt_tos]
        return "250 OK"

    @property
    def receivers(self) -> list[str]:
        return [to for to, _ in self.mails]


@contextmanager
def mail_server(
    starttls: ssl.SSLContext | None = None, tls: ssl.SSLContext | None = None
) -> Generator[MailServer]:
    """Run a server: in the open, or with TLS offered (`starttls`), or with nothing else (`tls`)."""
    caught, loop = MailServer(), asyncio.new_event_loop()

    async def begin() -> asyncio.Server:
        def made() -> SMTP:
            return SMTP(caught, loop=loop, tls_context=starttls)

        return await loop.create_server(made, "127.0.0.1", 0, ssl=tls)

    server = loop.run_until_complete(begin())
    caught.port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield caught
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
