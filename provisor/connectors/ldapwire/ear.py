"""What a directory is asked to change, in its own words: LDIF (RFC 2849), without passwords."""

from __future__ import annotations

from collections.abc import Awaitable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from provisor.connectors.around.trace import WHOLE_BYTES_MAX, Exchange, Trace
from provisor.connectors.ldapwire.messages import Extended, Modification, Values
from provisor.connectors.ldapwire.results import Result
from provisor.ports import Clock

HIDDEN = "***"
PASSWORDS = frozenset({"userpassword", "unicodepwd", "dbcspwd", "authpassword"})


@dataclass(frozen=True, slots=True)
class Ear:
    """Notes each change and how it ended; what is done is awaited here and handed on."""

    trace: Trace
    clock: Clock
    hides: frozenset[str] = PASSWORDS
    """Attributes, in small letters, whose values are secret."""

    async def add(
        self, dn: str, attributes: Mapping[str, Values], done: Awaitable[Result]
    ) -> Result:
        lines = [f"{n}: {one}" for n, values in attributes.items() for one in self._said(n, values)]
        return await self._heard("add", dn, lines, done)

    async def modify(
        self, dn: str, modifications: Sequence[Modification], done: Awaitable[Result]
    ) -> Result:
        lines: list[str] = []
        for one in modifications:
            lines.append(f"{one.change.name.lower()}: {one.attribute}")
            lines += [f"{one.attribute}: {v}" for v in self._said(one.attribute, one.values)]
            lines.append("-")
        return await self._heard("modify", dn, lines, done)

    async def modify_dn(
        self, dn: str, rdn: str, superior: str | None, done: Awaitable[Result]
    ) -> Result:
        moved = [f"newsuperior: {superior}"] if superior is not None else []
        return await self._heard("modrdn", dn, [f"newrdn: {rdn}", *moved], done)

    async def delete(self, dn: str, done: Awaitable[Result]) -> Result:
        return await self._heard("delete", dn, [], done)

    async def extended(self, oid: str, done: Awaitable[Extended]) -> Extended:
        """What an extended operation carries may be a password, and is told of none."""
        began, ended = self.clock.now(), None
        try:
            ended = await done
            return ended
        finally:
            self._note("extended", oid, "", began, ended.result if ended else None)

    async def _heard(
        self, method: str, dn: str, lines: Sequence[str], done: Awaitable[Result]
    ) -> Result:
        began, ended = self.clock.now(), None
        try:
            ended = await done
            return ended
        finally:
            self._note(method, dn, "\n".join(lines), began, ended)

    def _said(self, attribute: str, values: Values) -> Iterator[str]:
        name = attribute.partition(";")[0].lower()
        for value in values:
            yield HIDDEN if name in self.hides else _text(value)

    def _note(
        self, method: str, address: str, sent: str, began: datetime, ended: Result | None
    ) -> None:
        took = self.clock.now() - began
        self.trace.note(
            Exchange(
                at=began,
                duration_ms=round(took.total_seconds() * 1000),
                method=method,
                address=address,
                sent=sent if len(sent) <= WHOLE_BYTES_MAX else f"({len(sent):,} characters)",
                status=0,
                answered=ended.message if ended and method != "extended" else "",
                protocol="LDAP",
                outcome=f"{ended.name} ({ended.code})" if ended else "no answer",
                is_done=ended is not None and ended.is_success,
            )
        )


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return f"({len(value):,} bytes)"
