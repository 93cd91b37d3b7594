"""Single looks at a directory that is written to: what it says of itself, what objects are called.
Holds no way to write."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final, TypeVar

from provisor.connectors.ldap.anchors import anchor_of, anchor_value
from provisor.connectors.ldap.mapped import Mapped
from provisor.connectors.ldap.settings import Kind, LdapSettings, Referrals
from provisor.connectors.ldapwire import filters, names, reading
from provisor.connectors.ldapwire.messages import Found, Search
from provisor.connectors.ldapwire.reading import ResultPage, RootDse, root_dse
from provisor.connectors.ldapwire.results import BUSY_RETRY_S, Code, Result, read_failure
from provisor.connectors.ldapwire.schema import Schema, read_schema
from provisor.connectors.ldapwire.session import Session
from provisor.connectors.ldapwire.values import NotAValue
from provisor.errors import Denied, Throttled, Unreachable
from provisor.model.entries import Anchor, Reference
from provisor.model.rules import AttributeDefinition
from provisor.ports import Clock

Kinds = Mapping[str, tuple[AttributeDefinition, ...]]
"""The mapped attributes of each kind of target object."""
PATIENCE_S: Final = (1.0, 3.0, 9.0)
"""Pauses before something is asked again that a busy server would not do."""
IN_ONE_FILTER: Final = 100
T = TypeVar("T")


class LdapLooks:
    """A directory that can be looked at."""

    def __init__(self, settings: LdapSettings, kinds: Kinds, clock: Clock) -> None:
        self.settings, self._clock = settings, clock
        self.session = Session(settings.endpoint, settings.credentials)
        self._mapped = {name: self._mapping(name, kinds.get(name, ())) for name in kinds}
        self.root: RootDse | None = None
        self._schema: Schema | None = None
        self.dns: dict[Anchor, str] = {}
        """What objects were called when they were last seen."""

    async def close(self) -> None:
        await self.session.close()

    @property
    def where(self) -> str:
        return str(self.settings.endpoint)

    def mapped(self, kind: str) -> Mapped:
        if kind not in self._mapped:
            self._mapped[kind] = self._mapping(kind, ())
        return self._mapped[kind]

    def _mapping(self, name: str, definitions: Iterable[AttributeDefinition]) -> Mapped:
        kinds: dict[str, Kind] = {kind.name: kind for kind in self.settings.kinds}
        if name not in kinds:
            known = ", ".join(kinds)
            raise Denied(f"an LDAP target has no {name}; it has {known}", code="NotImplemented")
        return Mapped(kinds[name], self.settings.disabling, {d.name: d for d in definitions})

    async def said(self) -> RootDse:
        """Return what the server says of itself, asked once."""
        if self.root is None:
            self.root = await root_dse(await self.session.connection())
        return self.root

    async def schema(self) -> Schema:
        if self._schema is None:
            self._schema = await read_schema(await self.session.connection())
        return self._schema

    def searches(self, mapped: Mapped, filter: str) -> list[Search]:
        """Return what asks for objects of a kind wherever they are put: who is hired again under
        his old name may lie among the disabled."""
        asked = mapped.requested()
        return [
            Search(base=base, scope=scope, filter=filter, attributes=asked)
            for base, scope in mapped.places
        ]

    async def found(self, kind: str, anchor: Anchor) -> Found | None:
        """Return an entry by its anchor. It is looked for wherever the server keeps entries: who
        was moved out of the base is still ours."""
        mapped = self.mapped(kind)
        value = self.comparable(mapped.kind, anchor)
        if value is None:
            return None
        search = Search(
            base=await self.suffix(mapped.kind.base),
            filter=filters.equals(mapped.kind.anchor, value),
            attributes=mapped.requested(),
        )
        found = await self.all_of(search)
        for one in found:
            self.dns[anchor] = one.dn
        return found[0] if found else None

    def comparable(self, kind: Kind, anchor: Anchor) -> bytes | str | None:
        value = anchor_value(kind.anchor, anchor)
        if kind.anchor.lower() == "entryuuid":
            try:
                anchor_of("guid", str(anchor).encode())
            except NotAValue:
                return None
        return value

    async def suffix(self, base: str) -> str:
        contexts = [c for c in (await self.said()).naming_contexts if names.is_below(base, c)]
        return max(contexts, key=len, default=base)

    async def names_of(self, references: Iterable[Reference]) -> dict[Reference, str]:
        """Return what objects are called now; who is not there is left out."""
        known: dict[Reference, str] = {}
        by_kind: dict[str, list[Reference]] = {}
        for reference in references:
            by_kind.setdefault(reference.kind, []).append(reference)
        for kind, wanted in by_kind.items():
            mapped = self.mapped(kind)
            base = await self.suffix(mapped.kind.base)
            for first in range(0, len(wanted), IN_ONE_FILTER):
                part = wanted[first : first + IN_ONE_FILTER]
                values = {r: self.comparable(mapped.kind, r.anchor) for r in part}
                asked = [filters.equals(mapped.kind.anchor, v) for v in values.values() if v]
                if not asked:
                    continue
                search = Search(
                    base=base, filter=filters.any_of(asked), attributes=(mapped.kind.anchor,)
                )
                for found in await self.all_of(search):
                    anchor = anchor_of(mapped.kind.anchor, found.values(mapped.kind.anchor)[0])
                    self.dns[anchor] = found.dn
                    known[Reference(kind, anchor)] = found.dn
        return known

    async def look(self, search: Search) -> tuple[list[Found], Result]:
        """Return what a small search shows, and how it ended; a busy server is given time."""

        async def once() -> ResultPage:
            return await reading.page(await self.session.connection(), search)

        shown = await self.patiently(once, lambda answer: answer.result)
        self.refuse_elsewhere(shown.elsewhere)
        return [*shown.found], shown.result

    async def patiently(
        self, once: Callable[[], Awaitable[T]], result_of: Callable[[T], Result]
    ) -> T:
        """Ask until the server is not busy any more. Raises Throttled when patience ends."""
        for pause in (*PATIENCE_S, None):
            answer = await once()
            if result_of(answer).code != Code.BUSY:
                return answer
            if pause is not None:
                await self._clock.sleep(pause)
        raise Throttled(BUSY_RETRY_S, f"{self.where} is busy")

    async def all_of(self, search: Search) -> list[Found]:
        """Return all that a search shows. Raises Unreachable where that is not all."""
        found, result = await self.look(search)
        if not result.is_success:
            raise read_failure(result, f"the search below '{search.base}' at {self.where}")
        return found

    def refuse_elsewhere(self, elsewhere: Sequence[object]) -> None:
        if elsewhere and self.settings.referrals is not Referrals.IGNORE:
            message = (
                f"{self.where} says that a part of the base is held elsewhere; "
                "choose a base without it, or say referrals: ignore"
            )
            raise Unreachable(message, code="SourceReadIncomplete")
