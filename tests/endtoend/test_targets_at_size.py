"""HR files of a realistic organisation flow into a directory and into databases, and stay equal.

The target is cut off while it is filled, so that what was done is not heard of; it is restarted,
and others change what we wrote. Nobody is lost, doubled or left enabled.

A small one is part of the tests; PROVISOR_E2E_ORGANISATION=10000 makes it as large as that, with a
group of half of them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import cast

import pytest

from provisor.demo.organisation import Organisation, files
from tests.endtoend.company import Company
from tests.endtoend.destinations.database import DatabaseTarget
from tests.endtoend.destinations.directory import DirectoryTarget
from tests.endtoend.destinations.domain import DomainTarget
from tests.endtoend.destinations.held import Target
from tests.endtoend.site import JOB, Site
from tests.endtoend.staff import EVERYBODY, Staff, a_day, staff
from tests.worlds import openldap
from tests.worlds.hands import Dialect, hands
from tests.worlds.ldap_proxy import LdapProxy
from tests.worlds.openldap import OpenLdap
from tests.worlds.samba import Samba
from tests.worlds.tcp import Wire

PEOPLE = int(os.environ.get("PROVISOR_E2E_ORGANISATION", "100"))
IS_LARGE = PEOPLE > 1000
TARGETS = ("ldap", "domain", "sqlite", "postgresql", *(("mariadb",) if IS_LARGE else ()))
ASKED_MAX = 40
"""Requests of a cycle that has nothing to do, however many people there are."""
CONFIGURATION = """\
tenant: {{id: 2f0f7a3e-4c55-4d6f-9a55-0d8f2f1f6a16}}
jobs:
  people:
    source:
      connector: csv
      settings:
        {{users: people.csv, groups: groups.csv, members: members.csv, anchor: id, settleFor: PT0S}}
    target:
{target}
    syncAll: true
    schedule: PT1H
"""


class FilesSite(Site):
    """A workspace between HR files and such a target."""

    def __init__(self, folder: Path, held: Target) -> None:
        self.held = held
        super().__init__(folder, NoTarget(), Company(folder, 1, 1))  # pyright: ignore[reportArgumentType]

    def configure(self, *job_settings: str) -> None:
        text = CONFIGURATION.format(target=self.held.settings.rstrip())
        (self.folder / "provisor.yaml").write_text(text, encoding="utf-8")
        self.ends(0, "apply", "provisor.yaml")

    def _environment(self) -> dict[str, str]:
        return {**super()._environment(), "TARGET_PASSWORD": self.held.password}

    def write(self, now: Staff) -> None:
        for name, text in files(Organisation(now.people, now.groups)).items():
            self.company.put(name, text.encode())

    def is_as(self, now: Staff) -> None:
        """Hold what other hands find in the target against the files."""
        says = self.held.says()
        assert not says.odd
        logins = {p.id: self.held.login(p.user_name) for p in now.people.values()}
        there = says.accounts.keys() | says.disabled  # whoever never was enabled is not
        managers = {id: login for id, login in logins.items() if login in there}
        assert says.accounts == {
            logins[p.id]: (p.display_name, p.job_title, managers.get(p.manager, ""))
            for p in now.people.values()
            if p.is_enabled
        }
        for group in now.groups.values():
            wanted = {logins[m] for m in group.members if logins[m] in there}
            assert says.members[group.display_name] == wanted, group.display_name


class NoTarget:
    """The target is asked by other hands."""

    url, token = "", "unused"


@contextmanager
def told(what: str) -> Generator[None]:
    began = time.perf_counter()
    yield
    if IS_LARGE:
        print(f"  {what:<32}{time.perf_counter() - began:8.1f} s", flush=True)  # noqa: T201


@pytest.fixture(params=TARGETS)
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FilesSite]:
    with ExitStack() as stack:
        if request.param == "ldap":
            if not openldap.IS_THERE:
                pytest.skip(openldap.NOT_THERE)
            server = cast(OpenLdap, request.getfixturevalue("slapd"))
            proxy = stack.enter_context(LdapProxy.run(server.port))
            target: Target = DirectoryTarget(server, proxy, PEOPLE)
        elif request.param == "domain":
            domain = cast(Samba, request.getfixturevalue("domain_controller"))
            before = LdapProxy.run(636, domain.host, certificates=domain.folder)
            target = DomainTarget(domain, stack.enter_context(before), PEOPLE)
        else:
            made = hands(cast(Dialect, request.param), tmp_path, request)
            wire = stack.enter_context(Wire.to(made.port)) if made.port else None
            target = DatabaseTarget(made, wire, PEOPLE)
        yield FilesSite(tmp_path, target)


@pytest.mark.timeout(3600 if IS_LARGE else 300)
def test_whatever_happens_to_an_organisation_happens_in_the_target(site: FilesSite) -> None:
    chance, now = Random(3), staff(PEOPLE, max(PEOPLE // 20, 12), PEOPLE // 2)
    site.write(now)
    with told("cut off while it is filled"):
        _cut_off(site)
    with told("first cycle, at last"):
        site.run()
    site.is_as(now)
    _is_quiet(site)

    for _ in range(2):
        now = a_day(now, chance)
        site.write(now)
        with told("a day"):
            site.run()
            site.run()
        site.is_as(now)
    _is_quiet(site)

    now = _regrouped(now, chance)
    site.write(now)
    site.held.restart()
    with told("members change, after a restart"):
        before = site.held.asked
        site.run()
    assert site.held.asked - before <= 2 * ASKED_MAX + PEOPLE // 50, "members change one by one"
    site.is_as(now)

    _edited_by_others(site, now)
    _is_quiet(site)


def _cut_off(site: FilesSite) -> None:
    """A part arrives, and of what was done last nobody hears."""
    with site.held.cut_off():
        ended = site.provisor("run", JOB)
    assert ended.code in ((3, 5) if site.held.asked else (0,)), ended.told
    site.held.restart()


def _is_quiet(site: FilesSite) -> None:
    """A further cycle changes nothing, and asks about nobody."""
    before = site.held.asked
    with told("a quiet cycle"):
        site.run()
    assert site.status()["lastExecution"]["countExported"] == 0, site.provisor("logs", JOB).out
    assert site.held.asked - before <= ASKED_MAX, "it asks about each"


def _regrouped(now: Staff, chance: Random) -> Staff:
    """A tenth of the largest group goes, and as many others come."""
    largest = now.groups[EVERYBODY]
    few = len(largest.members) // 10
    gone = set(chance.sample(largest.members, few))
    others = sorted(now.people.keys() - set(largest.members))
    stay = tuple(member for member in largest.members if member not in gone)
    changed = replace(largest, members=(*stay, *chance.sample(others, few)))
    return replace(now, groups={**now.groups, EVERYBODY: changed})


def _edited_by_others(site: FilesSite, now: Staff) -> None:
    """A reconcile finds what others changed, and puts it right again."""
    enabled = [site.held.login(p.user_name) for p in now.people.values() if p.is_enabled]
    login, other = enabled[0], enabled[-1]
    disabled = min(site.held.says().disabled)
    site.held.edit(login, other, disabled)
    everybody = now.groups[EVERYBODY].display_name
    expelled = min(site.held.says().members[everybody])
    site.held.expel(expelled, everybody)
    says = site.held.says()
    assert expelled not in says.members[everybody]
    assert says.accounts[login][1] == "Impostor"
    assert other in says.disabled
    assert disabled in says.accounts
    with told("a reconcile"):
        site.ends(0, "reconcile", JOB)
        site.run()
    site.is_as(now)
