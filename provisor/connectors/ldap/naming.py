"""What an object is called, and where it lies: from what it says to its distinguished name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from provisor.connectors.ldap.mapped import PARENT, WHOLE_NAME, Mapped
from provisor.connectors.ldapwire import names
from provisor.connectors.ldapwire.names import NotAName, Part
from provisor.errors import Rejected
from provisor.model.entries import Value
from provisor.model.rules import ACCOUNT_ENABLED


@dataclass(frozen=True, slots=True)
class Place:
    """A distinguished name in its two parts."""

    rdn: str
    parent: str

    @property
    def dn(self) -> str:
        return names.join(self.rdn, self.parent)


def placed(mapped: Mapped, said: Mapping[str, Value | None], current: str | None) -> Place:
    """Return where an object belongs that says this; None of `said` is what it had before.

    A whole name goes before a container, and the container of the disabled before both: who is
    there stays there. Who is enabled again and is told no container goes back to the base. Raises
    Rejected.
    """
    before = Place("", mapped.kind.base)
    if current is not None:
        before = Place(names.format((names.first(current),)), names.parent(current))
    rdn, parent = _rdn(mapped, said, current) or before.rdn, before.parent
    container = said.get(PARENT)
    if isinstance(container, str) and container:
        parent = _checked(container)
    whole = said.get(WHOLE_NAME)
    if isinstance(whole, str) and whole:
        _checked(whole)
        rdn, parent = names.format((names.first(whole),)), names.parent(whole)
    disabled = mapped.disabling.container
    enabled = said.get(ACCOUNT_ENABLED)
    if disabled and enabled is False:
        parent = disabled
    elif disabled and enabled is None and names.is_below(before.parent, disabled):
        parent = before.parent  # to move them out would enable them
    elif disabled and enabled is True and names.is_below(parent, disabled):
        parent = mapped.kind.base
    if not rdn:
        message = f"{mapped.kind.naming} has no value, and objects are named by it"
        raise Rejected(message, code="MandatoryFieldsMissing")
    return Place(rdn, parent)


def _rdn(mapped: Mapped, said: Mapping[str, Value | None], current: str | None) -> str:
    """Return the component that the new values make; empty if they change none of it."""
    if current is None:
        value = _text(said, mapped.kind.naming)
        return names.rdn((mapped.kind.naming, value)) if value else ""
    parts: list[Part] = []
    for part in names.first(current):
        value = _text(said, part.type)
        parts.append(Part(part.type, value) if value else part)
    return names.format((tuple(parts),))


def _text(said: Mapping[str, Value | None], attribute: str) -> str:
    for name, value in said.items():
        if name.lower() == attribute.lower() and value is not None:
            first = value[0] if isinstance(value, tuple) else value
            return str(first)
    return ""


def _checked(name: str) -> str:
    try:
        names.parse(name)
    except NotAName as odd:
        raise Rejected(str(odd), code="UnprocessableEntity") from odd
    return name
