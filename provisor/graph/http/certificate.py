"""The certificate that the server shows: put in place anew when its files are, and told of before
it expires.

Whoever renews it (certbot, cert-manager, a script) writes two files, one after the other: what does
not fit together is not taken, and looked at again.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from cryptography import x509

from provisor.ports import Clock
from provisor.runtime.interruption import Interruption

LOOK_AGAIN_S = 10.0
WARNED_FROM = timedelta(days=14)
WARNED_EVERY = timedelta(days=1)
log = structlog.get_logger()


@dataclass(slots=True, kw_only=True)
class Certificate:
    """Two files of PEM: a chain whose first certificate is the server's, and its key."""

    chain: Path
    key: Path
    clock: Clock
    expires: Callable[[datetime], None]
    """Is told when the certificate expires that is shown."""
    _taken: tuple[object, ...] = ()
    """How the files looked whose certificate is shown."""
    _refused: tuple[object, ...] = ()
    _ends: datetime | None = field(default=None)
    _warned_at: datetime | None = None

    def began(self) -> None:
        """Take note of what the server has begun with."""
        self._taken = self._looks()
        self._read()

    async def keep(self, context: ssl.SSLContext, interruption: Interruption) -> None:
        """Show what the files hold, until an interruption."""
        while not interruption.is_asked:
            self.look(context)
            await interruption.sleep(LOOK_AGAIN_S)

    def look(self, context: ssl.SSLContext) -> None:
        """Take what the files hold, if that is another; warn of what expires soon."""
        looks = self._looks()
        if looks not in (self._taken, self._refused):
            try:
                # Tried aside first: half of a pair would be shown as it is.
                ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self.chain, self.key)
                context.load_cert_chain(self.chain, self.key)
            except (OSError, ssl.SSLError) as failure:
                self._refused = looks
                log.warning("certificate refused", reason=str(failure), file=str(self.chain))
            else:
                self._taken = looks
                self._warned_at = None
                self._read()
                log.info("certificate renewed", expires=str(self._ends))
        self._warn()

    def _looks(self) -> tuple[object, ...]:
        """Return what is another once a file was written; links are followed."""
        found: list[object] = []
        for path in (self.chain, self.key):
            try:
                stat = path.stat()
                found.append((stat.st_ino, stat.st_mtime_ns, stat.st_size))
            except OSError as error:
                found.append(error.errno)
        return tuple(found)

    def _read(self) -> None:
        try:
            first = x509.load_pem_x509_certificates(self.chain.read_bytes())[0]
        except (OSError, ValueError, IndexError):
            return  # the server shows it all the same
        self._ends = first.not_valid_after_utc
        self.expires(self._ends)

    def _warn(self) -> None:
        now = self.clock.now()
        if self._ends is None or self._ends - now > WARNED_FROM:
            return
        if self._warned_at is None or now - self._warned_at >= WARNED_EVERY:
            self._warned_at = now
            log.warning("certificate expires", expires=str(self._ends), file=str(self.chain))
