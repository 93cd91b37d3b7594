"""What is sent, and what may become of it. No value of anybody's is in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{1,63}"
)
"""No quoting, no comments, no line breaks: whatever is let through here is one address."""


class Undelivered(Exception):
    """It was not taken. `is_final`: nor will it ever be."""

    def __init__(self, message: str, *, is_final: bool = False) -> None:
        super().__init__(message)
        self.is_final = is_final


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    id: str
    """The same whenever this is sent again, so that whoever gets it twice can tell."""
    subject: str
    text: str
    document: Mapping[str, object]
    """The same for programs."""


class Way(Protocol):
    """One way to one receiver."""

    @property
    def name(self) -> str:
        """Names it for good: what has gone this way is not sent so again."""
        ...

    async def send(self, message: Message) -> None:
        """Raises Undelivered."""
        ...


def is_address(text: str) -> bool:
    return bool(ADDRESS.fullmatch(text))


def domain_of(address: str) -> str:
    return address.rpartition("@")[2].lower()


def one_line(text: str) -> str:
    """Return a text that cannot begin another line, nor hide what it is."""
    return "".join(c if c.isprintable() else " " for c in text).strip()
