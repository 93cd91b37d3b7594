"""A webhook: a signed JSON document, so that its receiver knows who sent it, and when.

    Provisor-Signature: v1=HMAC-SHA256(secret, "{timestamp}.{id}.{body}"), in hexadecimal digits

The timestamp is part of what is signed: who refuses old ones cannot be sent a recorded one again.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from provisor.messages.message import Message, Undelivered
from provisor.ports import Clock

SendOut: TypeAlias = Callable[[str, bytes, Mapping[str, str]], Awaitable[int]]
"""Posts a body with headers to an address, and returns the status of the answer. Raises OSError."""
GONE = 410


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    url: str
    secret: str = field(repr=False)
    send_out: SendOut
    clock: Clock

    @property
    def name(self) -> str:
        return "webhook"

    async def send(self, message: Message) -> None:
        body = json.dumps(message.document, ensure_ascii=False, separators=(",", ":")).encode()
        timestamp = str(int(self.clock.now().timestamp()))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Provisor",
            "Provisor-Id": message.id,
            "Provisor-Timestamp": timestamp,
            "Provisor-Signature": f"v1={signature(self.secret, timestamp, message.id, body)}",
        }
        try:
            status = await self.send_out(self.url, body, headers)
        except OSError as failure:
            raise Undelivered(f"it cannot be reached: {type(failure).__name__}") from None
        if not 200 <= status < 300:
            raise Undelivered(f"it answered {status}", is_final=status == GONE)


def signature(secret: str, timestamp: str, id: str, body: bytes) -> str:
    signed = f"{timestamp}.{id}.".encode() + body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
