"""An organisation lives in a directory server and flows into a SCIM server nobody here wrote."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests.endtoend.company import Company
from tests.endtoend.site import Site, shown
from tests.endtoend.targets import Foreign
from tests.worlds.openldap import READER, SUFFIX, OpenLdap
from tests.worlds.scim2 import Scim2

PEOPLE, AWAY, GROUPS = (f"ou={name},{SUFFIX}" for name in ("people", "away", "groups"))
COUNT = 150
PATIENCE_S = 60.0
CONFIGURATION = """\
tenant: {{id: 2f0f7a3e-4c55-4d6f-9a55-0d8f2f1f6a11}}
jobs:
  people:
    source:
      connector: ldap
      settings:
        url: {source}
        bindDn: {reader}
        password: env:LDAP_PASSWORD
        base: {suffix}
        groups: {{objectClasses: openGroup}}
        disabled: {{attribute: accountActive, value: "FALSE"}}
        pageSize: 50
    target:
      connector: scim
      settings: {{baseAddress: "{url}", token: "env:APP_TOKEN"}}
    syncAll: true
    schedule: PT1H
    guards: {{departures: {{percent: 50}}}}
"""


class DirectorySite(Site):
    """A workspace between a directory and a SCIM server."""

    def __init__(self, folder: Path, target: Foreign, directory: OpenLdap) -> None:
        self.directory = directory
        super().__init__(folder, target, Company(folder, 1, 1))

    def configure(self, *job_settings: str) -> None:
        text = CONFIGURATION.format(
            source=self.directory.url, reader=READER, suffix=SUFFIX, url=self.target.url
        )
        (self.folder / "provisor.yaml").write_text(text, encoding="utf-8")
        self.ends(0, "apply", "provisor.yaml")

    def _environment(self) -> dict[str, str]:
        return {**super()._environment(), "LDAP_PASSWORD": "reader"}

    def hire(self, uid: str, base: str = PEOPLE, **said: object) -> str:
        dn = f"uid={uid},{base}"
        attributes = {
            "objectClass": ["inetOrgPerson", "account2"],
            "cn": f"Ż {uid}",
            "sn": f"陳 {uid}",
            "displayName": f"Ż 陳 {uid}",
            "mail": f"{uid}@example.com",
            **said,
        }
        self.directory.add(dn, attributes)  # pyright: ignore[reportArgumentType]
        return dn

    def is_as_the_directory_says(self) -> None:
        """Hold every person and group of the target against what another client reads."""
        entries = self.directory.entries()
        ids = {dn: held["entryUUID"][0] for dn, held in entries.items()}
        people = {
            ids[dn]: held for dn, held in entries.items() if "inetOrgPerson" in held["objectClass"]
        }
        groups = {
            ids[dn]: held for dn, held in entries.items() if "openGroup" in held["objectClass"]
        }
        users = self.users()
        enabled = {id for id, held in people.items() if held.get("accountActive") != ["FALSE"]}
        assert self.active() == enabled
        for id in enabled:
            held, said = people[id], shown(users[id])
            assert said["userName"] == held["uid"][0]
            assert said["displayName"] == held["displayName"][0]
            assert said["mail"] == held["mail"][0]
            manager = users.get(ids.get(held.get("manager", [""])[0], ""), {})
            assert said["manager"] == manager.get("id"), held["uid"]
        assert set(self.groups()) == set(groups)
        members = self.members()
        for id, held in groups.items():
            wanted = {ids[dn] for dn in held.get("member", ()) if dn in ids}
            assert members[id] == {one for one in wanted if one in users}, held["cn"]
        self.nobody_is_there_twice()


@pytest.fixture
def site(tmp_path: Path, scim2: Scim2, slapd: OpenLdap) -> DirectorySite:
    for dn in (PEOPLE, AWAY, GROUPS):
        slapd.add(dn, {"objectClass": "organizationalUnit"})
    made = DirectorySite(tmp_path, Foreign(scim2), slapd)
    people = [made.hire("p0")]
    for number in range(1, COUNT):
        people.append(made.hire(f"p{number}", manager=people[number // 8]))
    for number in range(8):
        slapd.add(
            f"cn=g{number},{GROUPS}", {"objectClass": "openGroup", "member": people[number::8]}
        )
    slapd.add(f"cn=everybody,{GROUPS}", {"objectClass": "openGroup", "member": people})
    return made


def test_people_come_change_move_leave_and_come_again_under_an_old_name(
    site: DirectorySite,
) -> None:
    directory = site.directory
    site.run()
    site.is_as_the_directory_says()
    site.is_quiet()

    directory.rename(f"uid=p1,{PEOPLE}", "uid=renamed")
    directory.rename(f"uid=p2,{PEOPLE}", "uid=p2", AWAY)
    directory.modify(f"uid=p3,{PEOPLE}", {"displayName": "Łucja", "manager": None})
    directory.modify(f"uid=p4,{PEOPLE}", {"accountActive": "FALSE"})
    directory.delete(f"uid=p5,{PEOPLE}")
    before = directory.uuid(f"uid=p6,{PEOPLE}")
    directory.delete(f"uid=p6,{PEOPLE}")
    again = site.hire("p6", mail="again@example.com")
    directory.members(f"cn=g1,{GROUPS}", add=[again, f"uid=p8,{PEOPLE}"])
    site.hire("new", AWAY, manager=f"uid=p0,{PEOPLE}")
    directory.delete(f"cn=g7,{GROUPS}")

    site.run()
    site.run()  # whoever took a name that a leaver had waits for the leaver to go

    assert directory.uuid(again) != before
    site.is_as_the_directory_says()
    site.is_quiet()


def test_a_server_that_is_restarted_and_restored_costs_nobody_an_account(
    site: DirectorySite,
) -> None:
    directory = site.directory
    site.run()
    directory.restart()
    directory.modify(f"uid=p3,{PEOPLE}", {"displayName": "After the restart"})
    site.run()
    site.is_as_the_directory_says()

    kept = directory.back_up()
    directory.modify(f"uid=p4,{PEOPLE}", {"displayName": "After the backup"})
    site.run()
    directory.restore(kept)
    site.hire("since")
    site.run()

    site.is_as_the_directory_says()
    site.is_quiet()


def test_a_directory_that_is_away_or_shows_less_costs_nobody_an_account(
    site: DirectorySite,
) -> None:
    site.run()
    mark = site.mark
    site.directory.stop()
    site.run(5)
    site.directory.start()
    assert site.sent(mark) == []
    site.run()
    site.is_quiet()


def test_a_change_is_heard_and_not_waited_for(site: DirectorySite) -> None:
    """The schedule says once an hour."""
    site.run()
    with site.process("run", "people", "--watch") as watching:
        try:
            heard = site.hire("heard")
            id = site.directory.uuid(heard)
            wait_until(lambda: id in site.active())
            site.directory.modify(heard, {"displayName": "Heard again"})
            wait_until(lambda: site.users()[id].get("displayName") == "Heard again")
            site.directory.delete(heard)
            wait_until(lambda: id not in site.active())
        finally:
            watching.send_signal(signal.SIGTERM)
            watching.communicate(timeout=PATIENCE_S)
    site.is_as_the_directory_says()


def wait_until(holds: object) -> None:
    assert callable(holds)
    ends = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < ends, "it did not come"
        time.sleep(0.05)
