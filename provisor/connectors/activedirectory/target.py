"""Writing to a domain: as to any directory, and with what is a domain's own besides.

An account is made disabled, is given a password, and only then enabled. Changes and deletions name
objects by their objectGUID, so that none reaches somebody who took a name meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from provisor.connectors.activedirectory import values
from provisor.connectors.activedirectory.reader import AdReader
from provisor.connectors.activedirectory.settings import AdSettings
from provisor.connectors.activedirectory.shape import CONTROL
from provisor.connectors.activedirectory.written import (
    LAST_SET,
    LAST_SIGNED_IN,
    PASSWORD,
    AdMapped,
    quoted,
    switched,
)
from provisor.connectors.ldap.mapped import Mapped
from provisor.connectors.ldap.reader import Kinds
from provisor.connectors.ldap.target import LdapTarget
from provisor.connectors.ldapwire.endpoint import Security
from provisor.connectors.ldapwire.messages import Change, Found, Modification
from provisor.connectors.ldapwire.results import Code, Result, heard_of
from provisor.errors import AdapterError, Rejected, Stale
from provisor.model.decisions import Create, Exported, Update, Write
from provisor.model.entries import Anchor, Attributes, Value
from provisor.model.rules import ACCOUNT_ENABLED
from provisor.ports import Clock, Entropy

TAKEN: Final = ("00000524", "00000526", "00000563", "00002071", "000021C7", "000021C8")
"""With these a domain says that a name is somebody else's: user, group, alias, object, service
principal name, user principal name ([MS-ERREF] 2.2)."""
LETTERS: Final = ("abcdefghijkmnpqrstuvwxyz", "ABCDEFGHJKLMNPQRSTUVWXYZ", "23456789", "!#%+-_=.")
RANDOM_LENGTH: Final = 32
SWITCHES: Final = 3


class AdTarget(AdReader, LdapTarget):
    """Implements `ports.Target` for a domain."""

    def __init__(self, settings: AdSettings, kinds: Kinds, clock: Clock, entropy: Entropy) -> None:
        super().__init__(settings, kinds, clock)
        self._entropy = entropy

    async def export(self, write: Write) -> Exported:
        match write:
            case Create(kind, attributes):
                self._check(kind, attributes)
                if attributes.get(ACCOUNT_ENABLED) is True:
                    self.refuse_to_shout()  # before there is an account without a password
            case Update(kind, _, changes):
                self._check(kind, {c.name: getattr(c, "after", None) for c in changes})
            case _:
                pass
        return await super().export(write)

    def _check(self, kind: str, said: Mapping[str, Value | None]) -> None:
        mapped = self.mapped(kind)
        assert isinstance(mapped, AdMapped)
        mapped.check(said)

    def called(self, anchor: Anchor, dn: str) -> str:
        return f"<GUID={anchor}>"

    # accounts that are made

    def state_of_new(self, mapped: Mapped, enabled: Value | None) -> Mapping[str, list[bytes]]:
        if mapped.kind.name != "User":
            return {}
        return {CONTROL: [str(values.NORMAL_ACCOUNT | values.ACCOUNT_DISABLED).encode()]}

    async def furnish(
        self, mapped: Mapped, anchor: Anchor, dn: str, attributes: Attributes, password: str
    ) -> None:
        """Give a new account its password, and enable it; one that is refused either is taken
        back."""
        if mapped.kind.name != "User":
            return
        try:
            if password or self._is_encrypted:
                await self.set_password(mapped, anchor, dn, password or self._initial_password())
            if attributes.get(ACCOUNT_ENABLED) is True:
                control = values.NORMAL_ACCOUNT | values.ACCOUNT_DISABLED
                changes = [*switched(control, is_enabled=True), *self._expiring()]
                await self.modify(mapped, anchor, dn, changes)
        except Rejected as refusal:
            await self.remove(mapped.kind.name, anchor)
            raise refusal from None

    def _initial_password(self) -> str:
        """Return what a new account is given that no mapping gives a password.

        Without the setting it is one that nobody knows: whoever is to sign in has it set anew.
        """
        if self.domain.initial_password:
            return self.domain.initial_password
        chosen = [letters[self._entropy.below(len(letters))] for letters in LETTERS]
        every = "".join(LETTERS)
        while len(chosen) < RANDOM_LENGTH:
            chosen.append(every[self._entropy.below(len(every))])
        return "".join(chosen)

    def _expiring(self) -> list[Modification]:
        """Return what makes people choose a password of their own when they first sign in."""
        if not self.domain.must_change_password:
            return []
        return [Modification(Change.REPLACE, LAST_SET, (b"0",))]

    async def set_password(self, mapped: Mapped, anchor: Anchor, dn: str, password: str) -> None:
        self.refuse_to_shout()
        changes = [Modification(Change.REPLACE, PASSWORD, (quoted(password),))]
        result = await self.try_modify(mapped, anchor, dn, changes)
        if not result.is_success:
            hidden = Result(code=result.code, message=result.message.replace(password, "***"))
            raise self.refused(hidden, f"setting the password of '{dn}'")

    def refuse_to_shout(self) -> None:
        if not self._is_encrypted:
            message = (
                "a domain takes passwords over encrypted connections only, and enables nobody "
                "without one: use ldaps:// or startTls"
            )
            raise Rejected(message, code="NotPermitted")

    @property
    def _is_encrypted(self) -> bool:
        return self.domain.endpoint.security is not Security.NONE

    # accounts that are switched on and off

    def switching(
        self, mapped: Mapped, found: Found, *, is_enabled: bool
    ) -> Sequence[Modification]:
        held = found.values(CONTROL)
        if not held:
            message = f"the account that writes does not see {CONTROL} of '{found.dn}'"
            raise Rejected(f"{message}; let it read and write it", code="InsufficientRights")
        return switched(values.long(held[0]), is_enabled=is_enabled)

    async def change(
        self,
        mapped: Mapped,
        anchor: Anchor,
        dn: str,
        modifications: Sequence[Modification],
        changes: Mapping[str, Value | None],
    ) -> None:
        enabled = changes.get(ACCOUNT_ENABLED)
        if enabled is True:
            modifications = [*modifications, *await self._first_time(mapped, anchor, dn)]
            if not modifications:
                return
        result = await self.try_modify(mapped, anchor, dn, modifications)
        for _ in range(SWITCHES):
            if enabled is None or result.code != Code.NO_SUCH_ATTRIBUTE:
                break
            # Somebody else changed another bit since we looked.
            found = await self._now(mapped, anchor)
            others = [one for one in modifications if one.attribute != CONTROL]
            modifications = [*others, *self.switching(mapped, found, is_enabled=bool(enabled))]
            if not modifications:
                return
            result = await self.try_modify(mapped, anchor, dn, modifications)
        if not result.is_success:
            raise self.refused(result, f"changing '{dn}'")

    async def _first_time(self, mapped: Mapped, anchor: Anchor, dn: str) -> list[Modification]:
        """Return what goes with enabling somebody who has never signed in.

        One without a password gets one: the connection broke while the account was made. Some
        servers would enable it all the same.
        """
        found = await self._now(mapped, anchor)
        is_on = not values.is_disabled(_number(found, CONTROL))
        if is_on or _number(found, LAST_SIGNED_IN):
            return []
        if _number(found, LAST_SET) == 0:
            await self.set_password(mapped, anchor, dn, self._initial_password())
        return self._expiring()

    async def _now(self, mapped: Mapped, anchor: Anchor) -> Found:
        found = await self.found(mapped.kind.name, anchor)
        if found is None:
            raise Stale(f"there is no {mapped.kind.name} {anchor}", code="InvalidAnchor")
        return found

    def refused(self, result: Result, what: str) -> AdapterError:
        if any(number in result.message.upper() for number in TAKEN):
            message = f"{what} at {self.where}: {result}; another object has this name"
            told = heard_of(result, f"{what} at {self.where}")
            return Stale(message, code="EntryConflict", heard=told)
        return super().refused(result, what)


def _number(found: Found, attribute: str) -> int:
    held = found.values(attribute)
    return values.long(held[0]) if held else 0
