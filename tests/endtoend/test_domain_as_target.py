"""HR files flow into a real Active Directory domain, which another client holds against them."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.endtoend.company import Company
from tests.endtoend.site import JOB, Ended, Site
from tests.worlds.samba import ADMIN, PASSWORD, SUFFIX, Samba

STAFF, LEFT = (f"OU={name},{SUFFIX}" for name in ("e2e", "e2e left"))
SALES = f"OU=sales,{STAFF}"
COUNT = int(os.environ.get("PROVISOR_E2E_ORGANISATION", "30"))
DISABLED = 2
CONFIGURATION = """\
tenant: {{id: 2f0f7a3e-4c55-4d6f-9a55-0d8f2f1f6a12}}
jobs:
  people:
    source:
      connector: csv
      settings:
        users: people.csv
        groups: groups.csv
        members: members.csv
        anchor: id
        settleFor: PT0S
    target:
      connector: activedirectory
      settings:
        url: {url}
        caFile: {ca}
        bindDn: {admin}
        password: env:DOMAIN_PASSWORD
        base: {suffix}
        users: {{base: "{staff}"}}
        groups: {{base: "{staff}"}}
        disabled: {{container: "{left}"}}
        initialPassword: env:FIRST_PASSWORD
    syncAll: true
    schedule: PT1H
    guards: {{departures: {{percent: 60}}}}
{more}"""


class NoTarget:
    """The domain is asked by other hands."""

    url, token = "", "unused"


class DomainSite(Site):
    """A workspace between HR files and a domain."""

    def __init__(self, folder: Path, server: Samba, company: Company) -> None:
        self.server = server
        super().__init__(folder, NoTarget(), company)  # pyright: ignore[reportArgumentType]

    def configure(self, *job_settings: str) -> None:
        text = CONFIGURATION.format(
            url=self.server.tls_url,
            ca=self.server.ca_file,
            admin=ADMIN,
            suffix=SUFFIX,
            staff=STAFF,
            left=LEFT,
            more="".join(f"    {line}\n" for line in job_settings),
        )
        (self.folder / "provisor.yaml").write_text(text, encoding="utf-8")
        self.ends(0, "apply", "provisor.yaml")

    def _environment(self) -> dict[str, str]:
        given = {"DOMAIN_PASSWORD": PASSWORD, "FIRST_PASSWORD": "Welcome.2026!"}
        return {**super()._environment(), **given}

    def accounts(self) -> dict[str, dict[str, list[bytes]]]:
        """Return the people of the domain by their principal names, deleted ones left aside."""
        found = dict[str, dict[str, list[bytes]]]()
        for base in (STAFF, LEFT):
            for held in self.server.entries(base, "(objectClass=user)").values():
                name = held["userPrincipalName"][0].decode().lower()
                assert name not in found, f"{name} is there twice"
                found[name] = held
        return found

    def is_as_the_files_say(self) -> None:
        accounts = self.accounts()
        names = {p.id: p.user_name.lower() for p in self.company.people.values()}
        for person in self.company.people.values():
            held = accounts.get(names[person.id])
            if held is None:
                assert not person.is_enabled, f"{person.user_name} is not there"
                continue
            assert is_enabled(held) == person.is_enabled, person.user_name
            if person.is_enabled:
                assert text(held, "displayName") == person.display_name
                assert text(held, "title") == person.job_title
                manager = accounts.get(names.get(person.manager, ""), {})
                assert held.get("manager") == manager.get("distinguishedName"), person.user_name
        for name in accounts.keys() - {*names.values()}:
            assert not is_enabled(accounts[name]), f"{name}, who has left, is enabled"
        self._groups_are_as_the_files_say(accounts, names)

    def _groups_are_as_the_files_say(
        self, accounts: Mapping[str, Mapping[str, list[bytes]]], names: Mapping[str, str]
    ) -> None:
        groups = {
            text(held, "displayName"): {*held.get("member", ())}
            for held in self.server.entries(STAFF, "(objectClass=group)").values()
        }
        for group in self.company.groups.values():
            wanted = {accounts[names[m]]["distinguishedName"][0] for m in group.members}
            assert groups[group.display_name] == wanted, group.display_name

    def run(self, code: int = 0) -> Ended:
        ended = self.provisor("run", JOB)
        assert ended.code == code, ended.told + self.provisor("escrows", JOB).out
        return ended

    def is_quiet(self) -> None:
        before = self.counted()
        self.run()
        assert self.counted() == before
        assert self.status()["lastExecution"]["countExported"] == 0

    def counted(self) -> bytes:
        """Return how far the domain has counted: each change counts."""
        found = self.server.entry("", "highestCommittedUSN")
        assert found is not None
        return found["highestCommittedUSN"][0]


def text(held: Mapping[str, list[bytes]], name: str) -> str:
    return held.get(name, [b""])[0].decode()


def is_enabled(held: Mapping[str, list[bytes]]) -> bool:
    return not int(held["userAccountControl"][0]) & DISABLED


@pytest.fixture
def site(tmp_path: Path, domain_controller: Samba) -> DomainSite:
    for dn in (STAFF, SALES, LEFT):
        domain_controller.container(dn)
    return DomainSite(tmp_path, domain_controller, Company(tmp_path, COUNT, max(COUNT // 20, 4)))


def test_people_come_are_disabled_move_come_back_and_go(site: DomainSite) -> None:
    site.run()
    site.is_as_the_files_say()
    site.is_quiet()

    # Other hands have set a bit that is none of ours.
    away, back = site.company.some(2)
    names = {id: site.company.people[id].user_name.lower() for id in (away, back)}
    held = site.accounts()[names[back]]
    guid = held["objectGUID"]
    never_expires = int(held["userAccountControl"][0]) | 0x10000
    site.server.modify(text(held, "distinguishedName"), {"userAccountControl": never_expires})
    site.company.edit(away, back, is_enabled=False)
    site.run()
    for id in (away, back):
        gone = site.accounts()[names[id]]
        assert not is_enabled(gone)
        assert text(gone, "distinguishedName").endswith(LEFT)
    site.is_quiet()

    site.company.edit(back, is_enabled=True)
    site.run()
    again = site.accounts()[names[back]]
    assert again["objectGUID"] == guid
    assert text(again, "distinguishedName").endswith(STAFF)
    assert int(again["userAccountControl"][0]) == never_expires
    site.is_as_the_files_say()
    site.is_quiet()

    site.company.dismiss(back)
    site.run()
    assert not is_enabled(site.accounts()[names[back]])
    site.is_quiet()


def test_an_expression_chooses_the_container_and_a_change_of_it_moves(site: DomainSite) -> None:
    (mover,) = site.company.some(1)
    site.company.edit(mover, department="Elsewhere")
    site.run()
    schema = site.ends(0, "schema", "show", JOB, "--json").json
    rules = schema["synchronizationRules"][0]["objectMappings"]
    users: dict[str, Any] = next(m for m in rules if m["sourceObjectName"] == "User")
    expression = f'IIF([department]="Sales", "{SALES}", "{STAFF}")'
    users["attributeMappings"].append(
        {
            "targetAttributeName": "parentDistinguishedName",
            "source": {"expression": expression},
        }
    )
    (site.folder / "people.schema.json").write_text(json.dumps(schema), encoding="utf-8")
    site.configure("schema: people.schema.json")
    site.run()
    site.company.edit(mover, department="Sales", display_name="Ł Moved, and renamed")
    site.run()

    user_name = site.company.people[mover].user_name
    held = site.accounts()[user_name.lower()]
    assert text(held, "distinguishedName").endswith(SALES)
    assert text(held, "cn") == f"Ł Moved, and renamed ({user_name.partition('@')[0]})"
    site.is_as_the_files_say()
    site.is_quiet()

    # The container of the disabled goes before what the expression says.
    site.company.edit(mover, is_enabled=False)
    site.run()
    held = site.accounts()[site.company.people[mover].user_name.lower()]
    assert not is_enabled(held)
    assert text(held, "distinguishedName").endswith(LEFT)
    site.is_quiet()


def test_login_names_that_begin_alike_are_told_apart(site: DomainSite) -> None:
    """The names of accounts end after twenty characters; and people are called alike besides."""
    alike = site.company.some(8)
    site.company.edit(
        *alike,
        user_name="maximiliane.hohenstein-{id}@example.com",
        display_name="Hohenstein, Maximiliane",
    )

    site.run()

    site.is_as_the_files_say()
    names = [text(held, "sAMAccountName") for held in site.accounts().values()]
    assert len(set(names)) == len(names)
    assert sum(name.startswith("maximiliane") for name in names) == len(alike)
    site.is_quiet()


def test_killed_amidst_its_work_it_goes_on_where_it_was(site: DomainSite) -> None:
    with site.process("run", JOB) as running:
        while len(site.server.entries(STAFF, "(objectClass=user)", attributes=["1.1"])) < COUNT / 3:
            assert running.poll() is None, "it ended before it could be killed"
        running.send_signal(signal.SIGKILL)
        running.communicate(timeout=60)
    site.server.restart()

    site.run()
    site.run()

    site.is_as_the_files_say()
    site.is_quiet()
