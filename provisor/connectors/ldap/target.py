"""Writing to a directory that speaks LDAP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Self, TypeVar, assert_never

from provisor.connectors.around.trace import Trace
from provisor.connectors.ldap.anchors import anchor_of
from provisor.connectors.ldap.mapped import (
    PARENT,
    WHOLE_NAME,
    Mapped,
)
from provisor.connectors.ldap.membership import Membership
from provisor.connectors.ldap.naming import Place, placed
from provisor.connectors.ldap.reader import Kinds
from provisor.connectors.ldap.settings import LdapSettings
from provisor.connectors.ldap.writer import LdapWriter
from provisor.connectors.ldapwire import ber, controls, messages, names
from provisor.connectors.ldapwire.controls import Control
from provisor.connectors.ldapwire.ear import PASSWORDS, Ear
from provisor.connectors.ldapwire.messages import Change, Found, Modification
from provisor.connectors.ldapwire.results import Code, Result, heard_of
from provisor.errors import AdapterError, Rejected, Stale, Unanswered
from provisor.model.decisions import (
    AttributeChange,
    Create,
    Delete,
    Exported,
    ReferencesChange,
    Update,
    Write,
)
from provisor.model.entries import Anchor, Attributes, Reference, Value
from provisor.model.rules import ACCOUNT_ENABLED
from provisor.ports import Clock

T = TypeVar("T")
DONE = Result(code=Code.SUCCESS)


class LdapTarget(LdapWriter):
    """Implements `ports.Target` for a directory that speaks LDAP."""

    def __init__(self, settings: LdapSettings, kinds: Kinds, clock: Clock) -> None:
        super().__init__(settings, kinds, clock)
        self.membership = Membership(self)

    def overheard(self, trace: Trace | None) -> Self:
        """Note what is changed from now on, where somebody wants to know."""
        if trace is not None:
            own = {one.password.lower() for one in self._mapped.values() if one.password}
            self.session.ear = Ear(trace, self._clock, PASSWORDS | own)
        return self

    async def export(self, write: Write) -> Exported:
        match write:
            case Create():
                return await self._create(write)
            case Update():
                return await self._again(lambda: self._update(write))
            case Delete(kind, anchor):
                return await self._again(lambda: self.remove(kind, anchor))
            case _:
                assert_never(write)

    async def _again(self, what: Callable[[], Awaitable[T]]) -> T:
        """Do something that may be done twice once more, where nobody knows if it was done."""
        try:
            return await what()
        except Unanswered:
            return await what()

    # creating

    async def _create(self, write: Create) -> Exported:
        mapped = self.mapped(write.kind)
        attributes = dict(write.attributes)
        password = attributes.pop(mapped.password, None)
        if password is not None:
            self.refuse_to_shout()
        place = placed(mapped, attributes, None)
        self._check_place(mapped, place)
        dns = await self.names_of(_pointed(attributes.values()))
        held = self._entry(mapped, attributes, place, dns)
        self.membership.complete(await self.schema(), mapped, place.dn, held)
        connection = await self.session.connection()

        async def add() -> Result:
            return await connection.add(place.dn, held, *await self._reading_back(mapped))

        result = await self.patiently(add, lambda one: one)
        if not result.is_success:
            raise self.refused(result, f"adding '{place.dn}'")
        anchor = await self._anchor_of_new(mapped, place.dn, result)
        self.dns[anchor] = place.dn
        await self.furnish(mapped, anchor, place.dn, attributes, _text(password))
        return Exported(anchor, heard=heard_of(result, f"adding '{place.dn}'"))

    def _check_place(self, mapped: Mapped, place: Place) -> None:
        """Refuse to put anybody where he is not looked for: a create whose answer is lost would be
        done again, or nobody would know of him when he leaves."""
        if not mapped.is_found_in(place.parent):
            key = f"{mapped.kind.name.lower()}s.base"
            message = (
                f"'{place.parent}' lies outside {key}, '{mapped.kind.base}', and nobody is looked "
                f"for there; choose a {key} that holds both"
            )
            raise Rejected(message, code="UnprocessableEntity")

    def _entry(
        self, mapped: Mapped, attributes: Attributes, place: Place, dns: Mapping[Reference, str]
    ) -> dict[str, list[bytes]]:
        held: dict[str, list[bytes]] = {"objectClass": [c.encode() for c in mapped.kind.made_of]}
        for name, value in attributes.items():
            if name in (PARENT, WHOLE_NAME) or mapped.is_computed(name):
                continue
            given = [*mapped.octets(name, value, dns)]
            if given:
                known = next((k for k in held if k.lower() == name.lower()), name)
                held[known] = list(dict.fromkeys([*held.get(known, []), *given]))
        for part in names.first(place.dn):
            known = next((k for k in held if k.lower() == part.type.lower()), part.type)
            if part.value.encode() not in held.get(known, []):
                held.setdefault(known, []).append(part.value.encode())
        held.update(self.state_of_new(mapped, attributes.get(ACCOUNT_ENABLED)))
        return held

    def state_of_new(self, mapped: Mapped, enabled: Value | None) -> Mapping[str, list[bytes]]:
        """Return what a new entry says of whether it may be used. Raises Rejected."""
        state = () if enabled is None else self._state(mapped, is_enabled=bool(enabled))
        return {mapped.disabling.attribute: [*state]} if state else {}

    def switching(
        self, mapped: Mapped, found: Found, *, is_enabled: bool
    ) -> Sequence[Modification]:
        """Return what enables or disables an account. Raises Rejected."""
        state = self._state(mapped, is_enabled=is_enabled)
        attribute = mapped.disabling.attribute
        return [Modification(Change.REPLACE, attribute, state)] if attribute else []

    def _state(self, mapped: Mapped, *, is_enabled: bool) -> tuple[bytes, ...]:
        """Return the values that say whether an account may be used. Raises Rejected."""
        how = mapped.disabling
        if is_enabled:
            return (how.enabled.encode(),) if how.enabled else ()
        if how.container and not how.attribute:
            return ()  # it is moved
        if not how.disabled:
            message = (
                "nothing says how an account is disabled here: give the target the setting "
                "`disabled` with attribute and value, or with a container"
            )
            raise Rejected(message, code="UnprocessableEntity")
        return (how.disabled.encode(),)

    async def _reading_back(self, mapped: Mapped) -> list[Control]:
        """Return what asks for the anchor of a new entry in the answer itself (RFC 4527)."""
        if not (await self.said()).has_control(controls.POST_READ):
            return []
        return [controls.post_read(mapped.kind.anchor)]

    async def _anchor_of_new(self, mapped: Mapped, dn: str, result: Result) -> Anchor:
        """Return the anchor of an entry that was just made. It is there: not to see it is no
        refusal."""
        try:
            told = controls.post_read_answer(result.controls)
            found = messages.entry(told) if told else None
            if found is None or not found.values(mapped.kind.anchor):
                seen, _ = await self.look(
                    messages.Search(
                        base=dn, scope=messages.Scope.BASE, attributes=(mapped.kind.anchor,)
                    )
                )
                found = seen[0] if seen else None
            if found is not None and (held := found.values(mapped.kind.anchor)):
                return anchor_of(mapped.kind.anchor, held[0])
        except (AdapterError, ber.Malformed) as failure:
            raise Unanswered(f"'{dn}' was made, and cannot be seen: {failure}") from failure
        raise Unanswered(f"'{dn}' was made, and shows no {mapped.kind.anchor}")

    async def furnish(
        self, mapped: Mapped, anchor: Anchor, dn: str, attributes: Attributes, password: str
    ) -> None:
        """Give a new account its password; one that is refused leaves no account behind."""
        if not password:
            return
        try:
            await self.set_password(mapped, anchor, dn, password)
        except Rejected as refusal:
            await self.remove(mapped.kind.name, anchor)
            raise refusal from None

    async def set_password(self, mapped: Mapped, anchor: Anchor, dn: str, password: str) -> None:
        """Let the server itself store a password, hashed as it does (RFC 3062)."""
        self.refuse_to_shout()
        connection = await self.session.connection()
        what = f"setting the password of '{dn}'"
        if (await self.said()).has_extension(messages.PASSWORD_MODIFY):
            value = ber.sequence(ber.octets(dn, 0x80), ber.octets(password, 0x82))

            async def once() -> Result:
                return (await connection.extended(messages.PASSWORD_MODIFY, value)).result
        else:
            changes = [Modification(Change.REPLACE, mapped.password, (password.encode(),))]

            async def once() -> Result:
                return await connection.modify(dn, changes)

        result = await self.patiently(once, lambda one: one)
        if not result.is_success:
            hidden = Result(code=result.code, message=result.message.replace(password, "***"))
            raise self.refused(hidden, what)

    def refuse_to_shout(self) -> None:
        if not self.settings.is_private:
            message = "a password is not sent where others can read it: use ldaps:// or startTls"
            raise Rejected(message, code="NotPermitted")

    # changing

    async def _update(self, write: Update) -> Exported:
        mapped = self.mapped(write.kind)
        found = await self.found(write.kind, write.anchor)
        if found is None:
            raise Stale(f"there is no {write.kind} {write.anchor}", code="InvalidAnchor")
        changes = {c.name: c.after for c in write.changes if isinstance(c, AttributeChange)}
        if changes.get(ACCOUNT_ENABLED) is False:
            # Who leaves is shut out first: to the container of the disabled the way may be barred.
            await self._modified(mapped, write.anchor, found.dn, found, changes)
            dn = await self._moved(mapped, write.anchor, found, changes)
        else:
            dn = await self._moved(mapped, write.anchor, found, changes)
            await self._modified(mapped, write.anchor, dn, found, changes)
        if password := _text(changes.get(mapped.password)):
            await self.set_password(mapped, write.anchor, dn, password)
        for change in write.changes:
            if isinstance(change, ReferencesChange) and (change.added or change.removed):
                await self.membership.change(mapped, write.anchor, dn, change)
        return Exported(write.anchor, heard=heard_of(DONE, f"changing '{dn}'"))

    async def _moved(
        self, mapped: Mapped, anchor: Anchor, found: Found, changes: Mapping[str, Value | None]
    ) -> str:
        """Rename and move an entry where what it is called, or where it lies, has changed."""
        place = placed(mapped, changes, found.dn)
        if names.normal(place.dn) == names.normal(found.dn) and place.rdn == names.format(
            (names.first(found.dn),)
        ):
            return found.dn
        is_moved = names.normal(place.parent) != names.normal(names.parent(found.dn))
        if is_moved:
            self._check_place(mapped, place)
        connection = await self.session.connection()
        superior = place.parent if is_moved else None

        async def rename(*guard: Control) -> Result:
            return await connection.modify_dn(found.dn, place.rdn, *guard, superior=superior)

        result = await self._guarded(mapped, anchor, found.dn, rename)
        if result.code == Code.NO_SUCH_OBJECT and is_moved:
            # The container is missing, unless the entry itself went meanwhile.
            message = f"moving '{found.dn}' to '{place.parent}': {result}; make the container first"
            raise Rejected(message, code="UnprocessableEntity")
        if not result.is_success:
            raise self.refused(result, f"renaming '{found.dn}' to '{place.dn}'")
        self.dns[anchor] = place.dn
        self.renamed.setdefault(anchor, set()).add(found.dn)
        return place.dn

    async def _modified(
        self,
        mapped: Mapped,
        anchor: Anchor,
        dn: str,
        found: Found,
        changes: Mapping[str, Value | None],
    ) -> None:
        named = {part.type.lower() for part in names.first(dn)}
        dns = await self.names_of(_pointed(v for v in changes.values() if v is not None))
        modifications: list[Modification] = []
        for name, after in changes.items():
            if name == ACCOUNT_ENABLED:
                if after is not None:
                    modifications += self.switching(mapped, found, is_enabled=bool(after))
                continue
            if name in (PARENT, WHOLE_NAME, mapped.password) or name.lower() in named:
                continue
            modifications.append(
                Modification(Change.REPLACE, name, mapped.octets(name, after, dns))
            )
        if modifications:
            await self.change(mapped, anchor, dn, modifications, changes)

    async def change(
        self,
        mapped: Mapped,
        anchor: Anchor,
        dn: str,
        modifications: Sequence[Modification],
        changes: Mapping[str, Value | None],
    ) -> None:
        """Change an entry; `changes` are what the modifications were made from."""
        await self.modify(mapped, anchor, dn, modifications)

    # deleting

    async def remove(self, kind: str, anchor: Anchor) -> Exported:
        mapped = self.mapped(kind)
        found = await self.found(kind, anchor)
        if found is None:
            return Exported(None)
        connection = await self.session.connection()

        async def once(*guard: Control) -> Result:
            return await connection.delete(self.called(anchor, found.dn), *guard)

        result = await self._guarded(mapped, anchor, found.dn, once)
        is_gone = result.code in (Code.NO_SUCH_OBJECT, Code.ASSERTION_FAILED)
        if not is_gone and not result.is_success:
            raise self.refused(result, f"deleting '{found.dn}'")
        self.dns.pop(anchor, None)
        if await self.found(kind, anchor) is not None:
            message = f"{self.where} says that '{found.dn}' was deleted, and still has it"
            raise Rejected(message, code="UnprocessableEntity")
        return Exported(None, heard=heard_of(result, f"deleting '{found.dn}'"))


def _pointed(values: Iterable[Value]) -> list[Reference]:
    found: list[Reference] = []
    for value in values:
        given = value if isinstance(value, tuple) else (value,)
        found += [one for one in given if isinstance(one, Reference)]
    return found


def _text(value: Value | None) -> str:
    return value if isinstance(value, str) else ""
