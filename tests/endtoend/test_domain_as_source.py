"""An organisation lives in a real Active Directory domain and flows into a SCIM server that nobody
here wrote."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from tests.endtoend.company import Company
from tests.endtoend.site import Site, shown
from tests.endtoend.targets import Foreign
from tests.worlds.samba import ADMIN, PASSWORD, SUFFIX, Samba
from tests.worlds.scim2 import Scim2

PEOPLE, AWAY, OUTSIDE = (f"OU={name},{SUFFIX}" for name in ("e2e source", "e2e away", "e2e out"))
EVERYBODY = f"CN=everybody,{PEOPLE}"
COUNT, ENABLED, DISABLED = 40, 544, 546
CONFIGURATION = """\
tenant: {{id: 2f0f7a3e-4c55-4d6f-9a55-0d8f2f1f6a13}}
jobs:
  people:
    source:
      connector: activedirectory
      settings:
        url: {source}
        bindDn: {admin}
        password: env:DOMAIN_PASSWORD
        base: {suffix}
        users: {{filter: "(employeeID=*)"}}
        groups: {{filter: "(description=ours)"}}
        pageSize: 7
    target:
      connector: scim
      settings: {{baseAddress: "{url}", token: "env:APP_TOKEN"}}
    syncAll: true
    schedule: PT1H
    guards: {{departures: {{percent: 50}}}}
"""


class DomainSite(Site):
    """A workspace between a domain and a SCIM server."""

    def __init__(self, folder: Path, target: Foreign, server: Samba) -> None:
        self.server = server
        super().__init__(folder, target, Company(folder, 1, 1))

    def configure(self, *job_settings: str) -> None:
        text = CONFIGURATION.format(
            source=self.server.url, admin=ADMIN, suffix=SUFFIX, url=self.target.url
        )
        (self.folder / "provisor.yaml").write_text(text, encoding="utf-8")
        self.ends(0, "apply", "provisor.yaml")

    def _environment(self) -> dict[str, str]:
        return {**super()._environment(), "DOMAIN_PASSWORD": PASSWORD}

    def hire(self, name: str, base: str = PEOPLE, **said: object) -> str:
        dn = f"CN={name},{base}"
        attributes: dict[str, object] = {
            "userPrincipalName": f"{name}@corp.example.com",
            "userAccountControl": ENABLED,
            "employeeID": "1",
            "displayName": f"Ż 陳 {name}",
            "sn": f"陳 {name}",
            "mail": f"{name}@example.com",
            **said,
        }
        self.server.person(dn, name, **attributes)
        return dn

    def is_as_the_domain_says(self) -> None:
        """Hold every person and group of the target against what another client reads."""
        entries = self.server.entries(attributes=["*"])
        ids = {
            dn: str(UUID(bytes_le=held["objectGUID"][0]))
            for dn, held in entries.items()
            if held.get("objectGUID")
        }
        people = {ids[dn]: held for dn, held in entries.items() if held.get("employeeID")}
        users = self.users()
        enabled = {id for id, held in people.items() if not int(held["userAccountControl"][0]) & 2}
        assert self.active() == enabled
        for id in enabled:
            held, said = people[id], shown(users[id])
            assert said["userName"] == held["userPrincipalName"][0].decode()
            assert said["displayName"] == held["displayName"][0].decode()
            manager = users.get(ids.get(held.get("manager", [b""])[0].decode(), ""), {})
            assert said["manager"] == manager.get("id"), held["cn"]
        members = self.members()
        groups = {
            ids[dn]: held
            for dn, held in entries.items()
            if held.get("description") == [b"ours"] and b"group" in held["objectClass"]
        }
        assert set(self.groups()) == set(groups)
        for id, held in groups.items():
            wanted = {ids[dn.decode()] for dn in held.get("member", ())}
            assert members[id] == {one for one in wanted if one in people}, held["cn"]
        self.nobody_is_there_twice()


@pytest.fixture
def site(tmp_path: Path, scim2: Scim2, domain_controller: Samba) -> DomainSite:
    for dn in (PEOPLE, AWAY, OUTSIDE):
        domain_controller.container(dn)
    made = DomainSite(tmp_path, Foreign(scim2), domain_controller)
    people = [made.hire("p0")]
    for number in range(1, COUNT):
        people.append(made.hire(f"p{number}", manager=people[number // 8]))
    domain_controller.group(EVERYBODY, "everybody", description="ours", member=people)
    domain_controller.group(f"CN=few,{PEOPLE}", "few", description="ours", member=people[::5])
    return made


def test_people_come_change_move_leave_and_come_again_under_an_old_name(site: DomainSite) -> None:
    server = site.server
    site.run()
    site.is_as_the_domain_says()
    site.is_quiet()

    server.rename(f"CN=p1,{PEOPLE}", "CN=renamed")
    server.rename(f"CN=p2,{PEOPLE}", "CN=p2", AWAY)
    server.modify(f"CN=p3,{PEOPLE}", {"displayName": "Łucja", "manager": None})
    server.modify(f"CN=p4,{PEOPLE}", {"userAccountControl": DISABLED})
    server.delete(f"CN=p9,{PEOPLE}")
    before = server.guid(f"CN=p10,{PEOPLE}")
    server.delete(f"CN=p10,{PEOPLE}")
    again = site.hire("p10", mail="again@example.com")
    server.members(EVERYBODY, add=[again], remove=[f"CN=p11,{PEOPLE}"])
    server.modify(f"CN=p12,{PEOPLE}", {"employeeID": None})
    site.hire("new", AWAY, manager=f"CN=p0,{PEOPLE}")
    server.delete(f"CN=few,{PEOPLE}")

    site.run()
    site.run()  # whoever took a name that a leaver had waits for the leaver to go

    assert server.guid(again) != before
    site.is_as_the_domain_says()
    site.is_quiet()


def test_a_domain_that_is_restarted_restored_and_away_costs_nobody_an_account(
    site: DomainSite,
) -> None:
    server = site.server
    site.run()
    server.restart()
    server.modify(f"CN=p3,{PEOPLE}", {"displayName": "After the restart"})
    site.run()
    site.is_as_the_domain_says()

    kept = server.back_up()
    server.modify(f"CN=p4,{PEOPLE}", {"displayName": "After the backup"})
    site.run()
    server.restore(kept)
    site.hire("since")
    site.run()
    site.is_as_the_domain_says()

    mark = site.mark
    server.stop()
    site.run(5)
    assert site.sent(mark) == []
    server.start()
    site.is_quiet()
