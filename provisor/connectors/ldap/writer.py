"""Single requests that change an entry, each sure to change the very one that is meant."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from provisor.connectors.ldap.mapped import Mapped
from provisor.connectors.ldap.reader import Kinds, LdapReader
from provisor.connectors.ldap.settings import LdapSettings
from provisor.connectors.ldapwire import controls, names
from provisor.connectors.ldapwire.controls import Control
from provisor.connectors.ldapwire.messages import Modification
from provisor.connectors.ldapwire.results import Code, Result, heard_of, write_failure
from provisor.errors import AdapterError, Stale
from provisor.model.entries import Anchor
from provisor.ports import Clock


class LdapWriter(LdapReader):
    """A directory that can be changed as well."""

    def __init__(self, settings: LdapSettings, kinds: Kinds, clock: Clock) -> None:
        super().__init__(settings, kinds, clock)
        self.renamed: dict[Anchor, set[str]] = {}
        """What objects were called before we called them otherwise."""

    def called(self, anchor: Anchor, dn: str) -> str:
        """Return what an entry is called in a request that changes it."""
        return dn

    async def modify(
        self,
        mapped: Mapped,
        anchor: Anchor,
        dn: str,
        modifications: Sequence[Modification],
        *extra: Control,
    ) -> None:
        result = await self.try_modify(mapped, anchor, dn, modifications, *extra)
        if not result.is_success:
            raise self.refused(result, f"changing '{dn}'")

    async def try_modify(
        self,
        mapped: Mapped,
        anchor: Anchor,
        dn: str,
        modifications: Sequence[Modification],
        *extra: Control,
    ) -> Result:
        connection = await self.session.connection()

        async def once(*guard: Control) -> Result:
            return await connection.modify(self.called(anchor, dn), modifications, *guard, *extra)

        return await self._guarded(mapped, anchor, dn, once)

    async def _guarded(
        self, mapped: Mapped, anchor: Anchor, dn: str, once: Callable[..., Awaitable[Result]]
    ) -> Result:
        """Do something to a name only if it still means this very object."""
        guard = await self._guard(mapped, anchor)
        result = await self.patiently(lambda: once(*guard), lambda one: one)
        if result.code != Code.ASSERTION_FAILED:
            return result
        # OpenLDAP asks our question of other entries too where its overlay `unique` looks for
        # them, and then says no although the entry is the right one. We look ourselves.
        found = await self.found(mapped.kind.name, anchor)
        if found is None or names.normal(found.dn) != names.normal(dn):
            return result
        return await self.patiently(once, lambda one: one)

    async def _guard(self, mapped: Mapped, anchor: Anchor) -> list[Control]:
        """Return what makes sure that the name still means this very object (RFC 4528)."""
        if not (await self.said()).has_control(controls.ASSERTION):
            return []
        value = self.comparable(mapped.kind, anchor)
        return [controls.assertion(mapped.kind.anchor, value)] if value else []

    def refused(self, result: Result, what: str) -> AdapterError:
        is_double = result.code == Code.CONSTRAINT_VIOLATION and "unique" in result.message.lower()
        if is_double:
            message = f"{what} at {self.where}: {result}; another object has this value"
            told = heard_of(result, f"{what} at {self.where}")
            return Stale(message, code="EntryConflict", heard=told)
        return write_failure(result, f"{what} at {self.where}")
