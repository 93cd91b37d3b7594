"""What both kinds of directories have in common: a tree of names, changed by other hands."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any, NamedTuple, Protocol, cast

from provisor.demo.organisation import Group, Person
from tests.endtoend.origins.differing import between
from tests.endtoend.staff import Staff
from tests.worlds import ldap_proxy
from tests.worlds.ldap_proxy import LdapProxy, Pdu, Rule
from tests.worlds.openldap import OpenLdap
from tests.worlds.samba import Samba


class Units(NamedTuple):
    """The containers."""

    people: str
    away: str
    groups: str


class Manner(Protocol):
    """How entries are named, and what they say."""

    units: Units

    def rdn(self, person: Person) -> str: ...

    def group_rdn(self, group: Group) -> str: ...

    def attributes(self, staff: Staff, person: Person) -> dict[str, Any]: ...

    def group_attributes(self, staff: Staff, group: Group) -> dict[str, Any]: ...


class Tree:
    """An organisation in a directory server behind a proxy."""

    steps = (2, 40, 800, 16_000)
    away_code = 5
    tells_deletions = True

    def __init__(self, server: OpenLdap | Samba, proxy: LdapProxy, manner: Manner) -> None:
        self.server, self.proxy, self.manner = server, proxy, manner
        self.well()

    def well(self) -> None:
        self.proxy.well()

    # names

    def dn(self, staff: Staff, id: str) -> str:
        units = self.manner.units
        where = units.away if id in staff.away else units.people
        return f"{self.manner.rdn(staff.people[id])},{where}"

    def group_dn(self, group: Group) -> str:
        return f"{self.manner.group_rdn(group)},{self.manner.units.groups}"

    # hands

    def ldif(self, staff: Staff) -> str:
        """Return all of an organisation, superiors first."""
        return "\n".join(self._ldif(staff))

    def _ldif(self, staff: Staff) -> Iterator[str]:
        for unit in self.manner.units:
            yield f"dn: {unit}\nobjectClass: organizationalUnit\n"
        for id, person in staff.people.items():
            yield _entry(self.dn(staff, id), self._said(staff, person))
        for group in staff.groups.values():
            yield _entry(self.group_dn(group), self._group_said(staff, group))

    def become(self, before: Staff, after: Staff) -> None:
        server, said = self.server, between(before, after)
        for group in said.gone_groups:
            server.delete(self.group_dn(group))
        for person in said.gone_people:
            server.delete(self.dn(before, person.id))
        for old, new in said.changed:
            if self.manner.rdn(old) != self.manner.rdn(new):
                server.rename(self.dn(before, old.id), self.manner.rdn(new))
        units = self.manner.units
        for person in said.moved:
            old, new = (units.people, units.away)[:: 1 if person.id in after.away else -1]
            rdn = self.manner.rdn(person)
            server.rename(f"{rdn},{old}", rdn, new)
        for person in said.new_people:
            server.add(self.dn(after, person.id), self._said(after, person))
        for old, new in said.changed:
            was, now = self.manner.attributes(after, old), self.manner.attributes(after, new)
            changes: dict[str, object] = {n: v or None for n, v in now.items() if v != was[n]}
            if old.manager != new.manager:
                changes["manager"] = self.dn(after, new.manager) if new.manager else None
            if changes:
                server.modify(self.dn(after, new.id), changes)
        for group in said.new_groups:
            server.add(self.group_dn(group), self._group_said(after, group))
        for old, new in said.regrouped:
            self._regroup(after, old, new)

    def _regroup(self, staff: Staff, old: Group, new: Group) -> None:
        if old.display_name != new.display_name:
            self.server.rename(self.group_dn(old), self.manner.group_rdn(new))
        come = [self.dn(staff, m) for m in new.members if m not in {*old.members}]
        go = [self.dn(staff, m) for m in old.members if m not in {*new.members}]
        if come or go:
            self.server.members(self.group_dn(new), add=come, remove=go)

    def _said(self, staff: Staff, person: Person) -> dict[str, Any]:
        manager = {"manager": self.dn(staff, person.manager)} if person.manager else {}
        return {n: v for n, v in self.manner.attributes(staff, person).items() if v} | manager

    def _group_said(self, staff: Staff, group: Group) -> dict[str, Any]:
        members = {"member": [self.dn(staff, m) for m in group.members]} if group.members else {}
        return self.manner.group_attributes(staff, group) | members

    def restart(self) -> None:
        self.server.restart()

    def stop(self) -> None:
        self.server.stop()

    def start(self) -> None:
        self.server.start()

    def back_up(self) -> Callable[[], None] | None:
        kept = self.server.back_up()
        return lambda: self.server.restore(kept)

    # wires

    def cut_after(self, step: int) -> AbstractContextManager[None]:
        return self._spoiled(ldap_proxy.cut_at(step))

    def lies(self) -> Mapping[str, Callable[[], AbstractContextManager[None]]]:
        units = self.manner.units
        rules: dict[str, Rule] = {
            "nobody is there": ldap_proxy.hides(f",{units.people}", f",{units.away}"),
            "no group is there": ldap_proxy.hides(f",{units.groups}"),
            "half are not there": _hides_half,
            "each is told twice": ldap_proxy.tells_twice,
            "every second page is empty": ldap_proxy.every_second_page_is_empty(),
            "too many to be shown": ldap_proxy.results_are(4),
            "cookies are lost": ldap_proxy.without_controls(),
            "busy": ldap_proxy.results_are(51, keeps_controls=True),
        }
        return {name: partial(self._spoiled, rule) for name, rule in rules.items()}

    @contextmanager
    def _spoiled(self, rule: Rule) -> Generator[None]:
        self.well()
        self.proxy.answers = [rule, *self.proxy.answers]
        try:
            yield
        finally:
            self.well()


def _hides_half(pdu: Pdu) -> Sequence[bytes] | None:
    """Show neither these, nor what is asked of them by their ids: a right was lost."""
    return () if pdu.tag == ldap_proxy.ENTRY and zlib.crc32(pdu.dn.encode()) % 2 else None


def _entry(dn: str, attributes: Mapping[str, Any]) -> str:
    lines = [_line("dn", dn)]
    for name, value in attributes.items():
        listed = cast("list[str]", value) if isinstance(value, list) else [str(value)]
        lines += [_line(name, one) for one in listed]
    return "\n".join(lines) + "\n"


def _line(name: str, value: str) -> str:
    return f"{name}:: {base64.b64encode(value.encode()).decode()}"
