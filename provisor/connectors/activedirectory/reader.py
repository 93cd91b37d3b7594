"""Looking at a domain as a target. Holds no way to write."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from provisor.connectors.activedirectory.domain import AD_CAPABILITY
from provisor.connectors.activedirectory.settings import AdSettings
from provisor.connectors.activedirectory.source import system_of
from provisor.connectors.activedirectory.written import (
    PASSWORD,
    AdMapped,
    as_directory,
    same_text,
)
from provisor.connectors.ldap.mapped import WHOLE_NAME, Mapped
from provisor.connectors.ldap.reader import CODE, Kinds, LdapReader
from provisor.connectors.ldapwire.schema import Schema
from provisor.errors import Denied
from provisor.model.entries import Entry, MatchQuery, System
from provisor.model.rules import AttributeDefinition
from provisor.ports import Clock


class AdReader(LdapReader):
    """Implements `ports.TargetReader` for a domain."""

    def __init__(self, settings: AdSettings, kinds: Kinds, clock: Clock) -> None:
        super().__init__(as_directory(settings), kinds, clock)
        self.domain = settings

    @property
    def system(self) -> System:
        return System(system_of(self.domain).identity, self.domain.account)

    async def probe(self) -> None:
        if AD_CAPABILITY not in (await self.said()).texts("supportedCapabilities"):
            message = f"{self.where} is no Active Directory; use the connector ldap for it"
            raise Denied(message, code=CODE)
        await super().probe()

    async def find(self, query: MatchQuery) -> Sequence[Entry]:
        """Find who has this very value but for case; a domain overlooks accents besides."""
        found = await super().find(query)
        if query.attribute == WHOLE_NAME:
            return found
        return [one for one in found if same_text(one.attributes.get(query.attribute), query.value)]

    def can_compare(self, schema: Schema, attribute: str) -> bool:
        """A domain does not say by what rule it compares, and compares what it keeps."""
        return attribute.lower() != PASSWORD.lower()

    def _mapping(self, name: str, definitions: Iterable[AttributeDefinition]) -> Mapped:
        plain = super()._mapping(name, definitions)
        return AdMapped(plain.kind, plain.disabling, plain.definitions, PASSWORD)
