"""OpenLDAP as a target, behind a proxy."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from tests.endtoend.destinations.held import Held
from tests.worlds import ldap_proxy
from tests.worlds.ldap_proxy import LdapProxy
from tests.worlds.openldap import ADMIN, SUFFIX, OpenLdap

PEOPLE_OU, GROUPS_OU = f"ou=people,{SUFFIX}", f"ou=groups,{SUFFIX}"
DIRECTORY = """\
      connector: ldap
      settings:
        url: {url}
        bindDn: {admin}
        password: env:TARGET_PASSWORD
        base: {suffix}
        users: {{base: "{people}", objectClasses: [inetOrgPerson, account2]}}
        groups: {{base: "{groups}", objectClasses: openGroup}}
        disabled: {{attribute: accountActive, value: "FALSE", enabledValue: "TRUE"}}
"""


class DirectoryTarget:
    """Implements `Target`."""

    password = "secret"

    def __init__(self, server: OpenLdap, proxy: LdapProxy, people: int) -> None:
        self.server, self.proxy, self.people = server, proxy, people
        for dn in (PEOPLE_OU, GROUPS_OU):
            server.add(dn, {"objectClass": "organizationalUnit"})
        self.settings = DIRECTORY.format(
            url=proxy.url, admin=ADMIN, suffix=SUFFIX, people=PEOPLE_OU, groups=GROUPS_OU
        )

    def login(self, user_name: str) -> str:
        return user_name.partition("@")[0]

    def says(self) -> Held:
        people = self.server.entries(PEOPLE_OU, "(objectClass=inetOrgPerson)", attributes=["*"])
        groups = self.server.entries(GROUPS_OU, "(objectClass=openGroup)", attributes=["*"])
        logins = {dn: held["uid"][0] for dn, held in people.items()}
        assert len({*logins.values()}) == len(logins), "somebody is there twice"
        enabled = {d: h for d, h in people.items() if h.get("accountActive") != ["FALSE"]}
        accounts = {
            logins[dn]: (
                held.get("displayName", [""])[0],
                held.get("title", [""])[0],
                logins.get(held.get("manager", [""])[0], ""),
            )
            for dn, held in enabled.items()
        }
        members = {
            held["cn"][0]: {logins[dn] for dn in held.get("member", ())} for held in groups.values()
        }
        return Held(accounts, members, {logins[dn] for dn in people.keys() - enabled.keys()})

    @contextmanager
    def cut_off(self) -> Generator[None]:
        self.proxy.spoil(ldap_proxy.cut_at(self.people // 3))
        try:
            yield
        finally:
            self.proxy.answers = []

    @property
    def asked(self) -> int:
        return len(self.proxy.seen)

    def restart(self) -> None:
        self.server.restart()

    def edit(self, login: str, other: str, disabled: str) -> None:
        people = self.server.entries(PEOPLE_OU, "(objectClass=inetOrgPerson)", attributes=["uid"])
        dns = {held["uid"][0]: dn for dn, held in people.items()}
        self.server.modify(dns[login], {"title": "Impostor"})
        self.server.modify(dns[other], {"accountActive": "FALSE"})
        self.server.modify(dns[disabled], {"accountActive": "TRUE"})

    def expel(self, login: str, group: str) -> None:
        (person,) = self.server.entries(PEOPLE_OU, f"(uid={login})", attributes=["uid"])
        (dn,) = self.server.entries(GROUPS_OU, f"(cn={group})", attributes=["cn"])
        self.server.members(dn, remove=[person])
