"""An organisation in a domain of Samba, behind a proxy with the limits of the real server."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from ldap3.utils.dn import escape_rdn

from provisor.demo.organisation import Group, Person
from tests.endtoend.origins.tree import Tree, Units
from tests.endtoend.staff import Staff
from tests.worlds.ad_limits import PAGE_MAX, VALUES_MAX, Limits
from tests.worlds.ldap_proxy import LdapProxy
from tests.worlds.samba import ADMIN, SUFFIX, Samba

ENABLED, DISABLED = 544, 546
SOURCE = """\
      connector: activedirectory
      settings:
        url: {url}
        bindDn: {admin}
        password: env:DOMAIN_PASSWORD
        base: {suffix}
        users: {{filter: "(employeeID=*)"}}
        groups: {{base: "{groups}"}}
        changes: {changes}
"""


class Accounts:
    """Implements `tree.Manner`."""

    units = Units(*(f"OU={name},{SUFFIX}" for name in ("org", "org away", "org groups")))

    def rdn(self, person: Person) -> str:
        return f"CN={escape_rdn(f'{person.id} {person.display_name}'[:64].strip())}"

    def group_rdn(self, group: Group) -> str:
        return f"CN={escape_rdn(group.display_name)}"

    def attributes(self, staff: Staff, person: Person) -> dict[str, Any]:
        return {
            "objectClass": "user",
            "sAMAccountName": _account(person.id),
            "employeeID": "1",
            "userPrincipalName": person.user_name,
            "sn": person.family_name,
            "givenName": person.given_name,
            "displayName": person.display_name,
            "mail": person.mail,
            "title": person.job_title,
            "department": person.department,
            "userAccountControl": str(ENABLED if person.is_enabled else DISABLED),
        }

    def group_attributes(self, staff: Staff, group: Group) -> dict[str, Any]:
        return {"objectClass": "group", "sAMAccountName": _account(group.id)}


def _account(id: str) -> str:
    return f"a.{id}"[:20]


class Domain(Tree):
    """Implements `Origin`."""

    def __init__(self, server: Samba, proxy: LdapProxy, changes: str) -> None:
        super().__init__(server, proxy, Accounts())
        self.domain, self.deletes_softly = server, changes == "snapshot"
        self.source = SOURCE.format(
            url=proxy.url,
            admin=ADMIN,
            suffix=SUFFIX,
            groups=self.manner.units.groups,
            changes=changes,
        )

    @classmethod
    @contextmanager
    def run(cls, folder: Path, seed: Path, changes: str) -> Generator[Domain]:
        with Samba.run(folder, seed) as server, LdapProxy.run(389, server.host) as proxy:
            yield cls(server, proxy, changes)

    def well(self) -> None:
        super().well()
        Limits(page_max=PAGE_MAX, values_max=VALUES_MAX).enforce(self.proxy)

    def found(self, staff: Staff) -> None:
        self.domain.load(self.ldif(staff))

    def anchors(self, staff: Staff) -> Mapping[str, str]:
        wanted = ["objectGUID", "sAMAccountName"]
        ids: dict[str, str] = {}
        for unit in self.manner.units:
            for held in self.domain.entries(unit, "(sAMAccountName=*)", attributes=wanted).values():
                name = held["sAMAccountName"][0].decode()
                ids[name] = str(UUID(bytes_le=held["objectGUID"][0]))
        return {id: ids[_account(id)] for id in (*staff.people, *staff.groups)}
