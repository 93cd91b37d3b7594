"""Who is in a group: told to the directory by what was added and what was removed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from provisor.connectors.ldap.mapped import Mapped
from provisor.connectors.ldap.members import (
    MEMBER_UID,
    attribute_of,
    held,
    normal,
    placeholder,
    values_of,
)
from provisor.connectors.ldap.writer import LdapWriter
from provisor.connectors.ldapwire import controls, filters
from provisor.connectors.ldapwire.controls import Control
from provisor.connectors.ldapwire.messages import Change, Modification, Scope, Search
from provisor.connectors.ldapwire.results import Code
from provisor.connectors.ldapwire.schema import Schema
from provisor.errors import Rejected
from provisor.model.decisions import ReferencesChange
from provisor.model.entries import Anchor, Reference

LOOKS_MAX: Final = 3
"""So often a group is looked at while others change who is in it."""
AT_ONCE: Final = 1_000
"""So many members go into one request."""
ALREADY: Final = frozenset(
    {
        Code.ATTRIBUTE_OR_VALUE_EXISTS,
        Code.ENTRY_ALREADY_EXISTS,
        Code.NO_SUCH_ATTRIBUTE,
        Code.UNWILLING_TO_PERFORM,
        Code.OBJECT_CLASS_VIOLATION,
    }
)
"""What servers say of a member who is there already, or is not, or was the last one."""


class Membership:
    """Adds to groups, and takes out of them."""

    def __init__(self, directory: LdapWriter) -> None:
        self._directory = directory

    def complete(
        self, schema: Schema, mapped: Mapped, dn: str, held: dict[str, list[bytes]]
    ) -> None:
        """Put somebody into a new group whose class wants a member: a placeholder."""
        needed = self._needed(schema, mapped)
        if needed and not any(name.lower() == needed.lower() for name in held):
            held[needed] = [placeholder(mapped, dn)]

    def _needed(self, schema: Schema, mapped: Mapped) -> str:
        """Return the attribute without which a group may not be; empty if it may be empty."""
        attribute = attribute_of(schema, mapped, "members") if mapped.kind.members else ""
        for name in mapped.kind.made_of:
            must, _ = schema.takes(name)
            if attribute and attribute.lower() in {one.lower() for one in must}:
                return attribute
        return ""

    async def change(
        self, mapped: Mapped, group: Anchor, dn: str, change: ReferencesChange
    ) -> None:
        """Add and remove references of one group (or whatever else points at many).

        Raises Rejected with those who could not be added since they are not there.
        """
        directory = self._directory
        schema = await directory.schema()
        attribute = attribute_of(schema, mapped, change.name)
        added = await values_of(directory, attribute, change.added)
        removed = {*(await values_of(directory, attribute, change.removed)).values()}
        if attribute.lower() != MEMBER_UID:
            removed |= await self._earlier(change.removed)
        if added and self._needed(schema, mapped) == attribute:
            removed |= await self._stand_in(mapped, dn, attribute) - {*added.values()}
        await self._send(mapped, group, dn, attribute, {*added.values()}, removed)
        missing = change.added - set(added)
        if missing:
            listed = ", ".join(sorted(f"{one.kind} {one.anchor}" for one in missing))
            raise Rejected(
                f"these are not there to be members of '{dn}': {listed}",
                code="UnableToResolveReferenceAttributeValue",
                refused=frozenset(missing),
            )

    async def _stand_in(self, mapped: Mapped, dn: str, attribute: str) -> set[bytes]:
        """Return the placeholder where it is in the group: whoever comes takes its place."""
        value = placeholder(mapped, dn)
        condition = filters.equals(attribute, value.decode())
        search = Search(base=dn, scope=Scope.BASE, filter=condition, attributes=("1.1",))
        found, _ = await self._directory.look(search)
        return {value} if found else set()

    async def _earlier(self, references: Iterable[Reference]) -> set[bytes]:
        """Return names that we have taken from objects, and nobody else has: a server that follows
        up renames in groups does so a little later, if it does at all."""
        directory, found = self._directory, set[bytes]()
        for reference in references:
            for dn in directory.renamed.get(reference.anchor, ()):
                search = Search(base=dn, scope=Scope.BASE, attributes=("1.1",))
                _, result = await directory.look(search)
                if result.code == Code.NO_SUCH_OBJECT:
                    found.add(dn.encode())
        return found

    async def _send(
        self,
        mapped: Mapped,
        group: Anchor,
        dn: str,
        attribute: str,
        added: set[bytes],
        removed: set[bytes],
    ) -> None:
        directory = self._directory
        is_lenient = (await directory.said()).has_control(controls.PERMISSIVE_MODIFY)
        lenient = [controls.permissive_modify()] if is_lenient else []
        for some_added, some_removed in _portions(added, removed):
            await self._send_some(mapped, group, dn, attribute, (some_added, some_removed), lenient)

    async def _send_some(
        self,
        mapped: Mapped,
        group: Anchor,
        dn: str,
        attribute: str,
        portion: tuple[set[bytes], set[bytes]],
        lenient: Sequence[Control],
    ) -> None:
        directory, (added, removed) = self._directory, portion
        changes = _changes(attribute, added, removed)
        result = await directory.try_modify(mapped, group, dn, changes, *lenient)
        for _ in range(LOOKS_MAX):
            if result.code not in ALREADY:
                break
            # Who is there may be another between a look and a write: servers follow up renames.
            changes = await self._differing(mapped, dn, attribute, added, removed)
            if not changes:
                return
            result = await directory.try_modify(mapped, group, dn, changes)
        if not result.is_success:
            raise directory.refused(result, f"changing the members of '{dn}'")

    async def _differing(
        self, mapped: Mapped, dn: str, attribute: str, added: set[bytes], removed: set[bytes]
    ) -> list[Modification]:
        """Return what is still to be changed of a group as it is now."""
        there = await held(self._directory, dn, attribute)
        added, removed = _left(added, there), _there(removed, there)
        is_last = len(removed) == len(there) and not added
        if is_last and self._needed(await self._directory.schema(), mapped):
            added = {placeholder(mapped, dn)} - there
            removed -= {placeholder(mapped, dn)}
        return _changes(attribute, added, removed)


def _portions(added: set[bytes], removed: set[bytes]) -> Iterator[tuple[set[bytes], set[bytes]]]:
    """Yield so many as go into one request, those who come first: a group is never without them.

    Active Directory takes no more than 5,000 values at once.
    """
    if len(added) + len(removed) <= AT_ONCE:
        if added or removed:
            yield added, removed
        return
    for values, is_coming in ((sorted(added), True), (sorted(removed), False)):
        for first in range(0, len(values), AT_ONCE):
            some = {*values[first : first + AT_ONCE]}
            yield (some, set[bytes]()) if is_coming else (set[bytes](), some)


def _changes(attribute: str, added: set[bytes], removed: set[bytes]) -> list[Modification]:
    changes: list[Modification] = []
    if added:
        changes.append(Modification(Change.ADD, attribute, tuple(sorted(added))))
    if removed:
        changes.append(Modification(Change.DELETE, attribute, tuple(sorted(removed))))
    return changes


def _left(added: set[bytes], held: set[bytes]) -> set[bytes]:
    """Return who is not there yet."""
    there = {normal(one) for one in held}
    return {one for one in added if normal(one) not in there}


def _there(removed: set[bytes], held: set[bytes]) -> set[bytes]:
    """Return the values that are there and are to go, as the server spells them."""
    wanted = {normal(one) for one in removed}
    return {one for one in held if normal(one) in wanted}
