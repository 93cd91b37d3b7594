"""A domain of Samba as a target, behind an encrypted proxy with the limits of the real server."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager

from tests.endtoend.destinations.held import Held
from tests.worlds import ldap_proxy
from tests.worlds.ad_limits import PAGE_MAX, VALUES_MAX, Limits
from tests.worlds.ldap_proxy import LdapProxy
from tests.worlds.samba import ADMIN, PASSWORD, SUFFIX, Samba

COMPANY = f"OU=company,{SUFFIX}"
STAFF, TEAMS, LEFT = (f"OU={name},{COMPANY}" for name in ("staff", "teams", "left"))
FIRST_PASSWORD, DISABLED, NEVER_EXPIRES = "Welcome.2026!", 0x2, 0x10000
DOMAIN = """\
      connector: activedirectory
      settings:
        url: {url}
        caFile: {ca}
        bindDn: {admin}
        password: env:TARGET_PASSWORD
        base: {base}
        users: {{base: "{staff}"}}
        groups: {{base: "{teams}"}}
        disabled: {{container: "{left}"}}
        initialPassword: "{first}"
        mustChangePassword: false
"""


class DomainTarget:
    """Implements `Target`."""

    password = PASSWORD

    def __init__(self, server: Samba, proxy: LdapProxy, people: int) -> None:
        self.server, self.proxy, self.people = server, proxy, people
        self.limits = Limits(page_max=PAGE_MAX, values_max=VALUES_MAX, is_encrypted=True)
        self.limits.enforce(proxy)
        for dn in (COMPANY, STAFF, TEAMS, LEFT):
            server.container(dn)
        self.settings = DOMAIN.format(
            url=proxy.url, ca=server.ca_file, admin=ADMIN, base=COMPANY,
            staff=STAFF, teams=TEAMS, left=LEFT, first=FIRST_PASSWORD,
        )  # fmt: skip

    def login(self, user_name: str) -> str:
        return user_name.lower()

    def says(self) -> Held:
        people = self._people()
        logins = {dn: held["userPrincipalName"][0].decode().lower() for dn, held in people.items()}
        assert len({*logins.values()}) == len(logins), "somebody is there twice"
        accounts = {
            logins[dn]: (
                text(held, "displayName"),
                text(held, "title"),
                logins.get(text(held, "manager"), ""),
            )
            for dn, held in people.items()
            if is_enabled(held)
        }
        groups = self.server.entries(
            TEAMS, "(objectClass=group)", attributes=["cn", "displayName", "member"]
        )
        members = {
            text(held, "displayName"): {logins[dn.decode()] for dn in held.get("member", ())}
            for held in groups.values()
        }
        assert len(members) == len(groups), "a group is there twice"
        disabled = {*logins.values()} - accounts.keys()
        return Held(accounts, members, disabled, [*_odd(people)])

    def _people(self) -> Mapping[str, Mapping[str, list[bytes]]]:
        names = ("userPrincipalName", "displayName", "title", "manager")
        asked = (*names, "userAccountControl", "pwdLastSet")
        return self.server.entries(COMPANY, "(objectClass=user)", attributes=asked)

    @contextmanager
    def cut_off(self) -> Generator[None]:
        """Three answers to each: added, given a password, enabled."""
        self.proxy.answers.insert(0, ldap_proxy.cut_at(self.proxy.count + self.people))
        try:
            yield
        finally:
            self.limits.enforce(self.proxy)

    @property
    def asked(self) -> int:
        return len(self.proxy.seen)

    def restart(self) -> None:
        self.server.restart()

    def edit(self, login: str, other: str, disabled: str) -> None:
        dns = {text(held, "userPrincipalName").lower(): dn for dn, held in self._people().items()}
        self.server.modify(dns[login], {"title": "Impostor"})
        self.server.modify(dns[other], {"userAccountControl": 0x200 | DISABLED | NEVER_EXPIRES})
        self.server.modify(dns[disabled], {"userAccountControl": 0x200})

    def expel(self, login: str, group: str) -> None:
        (person,) = self.server.entries(COMPANY, f"(userPrincipalName={login})", attributes=["cn"])
        (dn,) = self.server.entries(TEAMS, f"(displayName={group})", attributes=["cn"])
        self.server.members(dn, remove=[person])


def _odd(people: Mapping[str, Mapping[str, list[bytes]]]) -> Iterator[str]:
    for dn, held in people.items():
        if not dn.endswith(STAFF if is_enabled(held) else LEFT):
            yield f"{dn} is in the wrong place"
        if is_enabled(held) and text(held, "pwdLastSet") in ("", "0"):
            yield f"{dn} is open to everybody"


def text(held: Mapping[str, list[bytes]], name: str) -> str:
    return (held.get(name) or [b""])[0].decode()


def is_enabled(held: Mapping[str, list[bytes]]) -> bool:
    return not int(held["userAccountControl"][0]) & DISABLED
