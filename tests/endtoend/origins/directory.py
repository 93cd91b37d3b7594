"""An organisation in OpenLDAP."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ldap3.utils.dn import escape_rdn

from provisor.demo.organisation import Group, Person
from tests.endtoend.origins.tree import Tree, Units
from tests.endtoend.staff import Staff
from tests.worlds.ldap_proxy import LdapProxy
from tests.worlds.openldap import READER, SUFFIX, OpenLdap

PATIENCE_S = 120.0
ENTRIES = "(|(objectClass=inetOrgPerson)(objectClass=openGroup))"
SOURCE = """\
      connector: ldap
      settings:
        url: {url}
        bindDn: {reader}
        password: env:LDAP_PASSWORD
        base: {suffix}
        groups: {{objectClasses: openGroup}}
        disabled: {{attribute: accountActive, value: "FALSE"}}
        changes: {changes}
"""


class Entries:
    """Implements `tree.Manner`."""

    units = Units(*(f"ou={name},{SUFFIX}" for name in ("people", "away", "groups")))

    def rdn(self, person: Person) -> str:
        return f"uid={person.user_name}"

    def group_rdn(self, group: Group) -> str:
        return f"cn={escape_rdn(group.display_name)}"

    def attributes(self, staff: Staff, person: Person) -> dict[str, Any]:
        return {
            "objectClass": ["inetOrgPerson", "account2"],
            "cn": person.display_name,
            "sn": person.family_name,
            "givenName": person.given_name,
            "displayName": person.display_name,
            "mail": person.mail,
            "title": person.job_title,
            "departmentNumber": person.department,
            "accountActive": "TRUE" if person.is_enabled else "FALSE",
        }

    def group_attributes(self, staff: Staff, group: Group) -> dict[str, Any]:
        return {"objectClass": "openGroup"}


class Directory(Tree):
    """Implements `Origin`."""

    def __init__(self, server: OpenLdap, proxy: LdapProxy, changes: str) -> None:
        super().__init__(server, proxy, Entries())
        self.source = SOURCE.format(url=proxy.url, reader=READER, suffix=SUFFIX, changes=changes)
        self.directory, self.deletes_softly = server, changes != "sync"
        self.tells_deletions = changes != "timestamps"

    @classmethod
    @contextmanager
    def run(cls, folder: Path, changes: str) -> Generator[Directory]:
        with OpenLdap.run(folder) as server, LdapProxy.run(server.port) as proxy:
            yield cls(server, proxy, changes)

    def found(self, staff: Staff) -> None:
        file = self.directory.folder / "organisation.ldif"
        file.write_text(self.ldif(staff), encoding="utf-8")
        self.directory.load(file)

    def become(self, before: Staff, after: Staff) -> None:
        """The server follows up who points at whom by itself, a little later, and misses some: who
        came again under an old name must not be in the groups of the one before."""
        super().become(before, after)
        seen = dict[str, set[str]]()
        ends = time.monotonic() + PATIENCE_S
        while differing := self._differing(after):
            assert time.monotonic() < ends, f"the server has other members: {[*differing][:3]}"
            if differing == seen:  # it has stopped following up
                for dn, members in differing.items():
                    self.directory.modify(dn, {"member": sorted(members)})
            seen = differing
            time.sleep(1.0)

    def _differing(self, staff: Staff) -> dict[str, set[str]]:
        """Return who should be in those groups in which others are."""
        said = self.directory.entries(filter="(objectClass=openGroup)", attributes=["cn", "member"])
        held = {one["cn"][0]: {m.lower() for m in one.get("member", ())} for one in said.values()}
        found: dict[str, set[str]] = {}
        for group in staff.groups.values():
            wanted = {self.dn(staff, id).lower() for id in group.members if id in staff.people}
            if wanted != held.get(group.display_name, set()):
                found[self.group_dn(group)] = wanted
        return found

    def anchors(self, staff: Staff) -> Mapping[str, str]:
        said = self.directory.entries(filter=ENTRIES, attributes=["entryUUID", "uid", "cn"])
        people = {held["uid"][0]: held["entryUUID"][0] for held in said.values() if held.get("uid")}
        groups = {
            held["cn"][0]: held["entryUUID"][0] for held in said.values() if not held.get("uid")
        }
        return {
            **{p.id: people[p.user_name] for p in staff.people.values()},
            **{g.id: groups[g.display_name] for g in staff.groups.values()},
        }
