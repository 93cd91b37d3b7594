"""What tests want of any server that holds an organisation, and a workspace that reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from tests.endtoend.company import Company
from tests.endtoend.site import Site, shown
from tests.endtoend.staff import Staff
from tests.endtoend.targets import Hard

CONFIGURATION = """\
tenant: {{id: 2f0f7a3e-4c55-4d6f-9a55-0d8f2f1f6a15}}
jobs:
  people:
    source:
{source}
    target:
      connector: scim
      settings: {{baseAddress: "{url}", token: "env:APP_TOKEN"}}
    syncAll: true
    schedule: PT1H
"""
PASSWORDS = {"LDAP_PASSWORD": "reader", "DOMAIN_PASSWORD": "Passw0rd.2026", "DB": "hr-password"}


class Origin(Protocol):
    """A server, and other hands in it. `source` is what a job's `source:` says, indented."""

    @property
    def source(self) -> str: ...

    @property
    def deletes_softly(self) -> bool:
        """Whoever is not there any more is not known to have been deleted: he is disabled."""
        ...

    @property
    def tells_deletions(self) -> bool:
        """Else they show when everything is read."""
        ...

    @property
    def away_code(self) -> int:
        """How a cycle ends while it is away."""
        ...

    @property
    def steps(self) -> Sequence[int]:
        """After how many answers, or portions of them, connections are to break in turn."""
        ...

    def found(self, staff: Staff) -> None:
        """Hold this organisation, and nothing else."""
        ...

    def become(self, before: Staff, after: Staff) -> None:
        """Change from one day to another, by what other clients do: nothing is written anew."""
        ...

    def anchors(self, staff: Staff) -> Mapping[str, str]:
        """Return by what the source is to know each person and group of ours."""
        ...

    def restart(self) -> None: ...

    def stop(self) -> None: ...

    def start(self) -> None: ...

    def cut_after(self, step: int) -> AbstractContextManager[None]:
        """Break all connections meanwhile once so many answers (or portions of them) came."""
        ...

    def lies(self) -> Mapping[str, Callable[[], AbstractContextManager[None]]]:
        """Return what it may say that is not so, by name."""
        ...

    def back_up(self) -> Callable[[], None] | None:
        """Keep all that is there; return what restores it, None where nobody can."""
        ...


class OriginSite(Site):
    """A workspace between such a server and a SCIM service."""

    def __init__(self, folder: Path, target: Hard, origin: Origin) -> None:
        self.origin = origin
        super().__init__(folder, target, Company(folder, 1, 1))

    def configure(self, *job_settings: str) -> None:
        text = CONFIGURATION.format(source=self.origin.source.rstrip(), url=self.target.url)
        (self.folder / "provisor.yaml").write_text(text, encoding="utf-8")
        self.ends(0, "apply", "provisor.yaml")

    def _environment(self) -> dict[str, str]:
        return {**super()._environment(), **PASSWORDS}

    def is_as(self, staff: Staff) -> None:
        """Hold every person and every group of the target against the organisation."""
        anchors = self.origin.anchors(staff)
        users, groups, members = self.users(), self.groups(), self.members()
        ids = {id: users[anchor].get("id") for id, anchor in anchors.items() if anchor in users}
        enabled = {anchors[p.id] for p in staff.people.values() if p.is_enabled}
        lost, left = enabled - self.active(), self.active() - enabled
        assert not lost, f"lost: {lost}"
        assert not left, f"left enabled: {left}"
        for person in staff.people.values():
            if not person.is_enabled:
                continue
            said = shown(users[anchors[person.id]])
            wanted = {
                "userName": person.user_name,
                "displayName": person.display_name or None,
                "title": person.job_title or None,
                "givenName": person.given_name or None,
                "familyName": person.family_name or None,
                "formatted": " ".join(filter(None, (person.given_name, person.family_name))),
                "mail": person.mail or None,
                "department": person.department or None,
                "manager": ids.get(person.manager),
                "active": True,
            }
            wrong = {n: (said[n], v) for n, v in wanted.items() if said[n] != v}
            assert not wrong, f"{person.id}: {wrong}"
        groups_wanted = {anchors[id]: g for id, g in staff.groups.items() if id in anchors}
        if not self.origin.deletes_softly:
            assert set(groups) == set(groups_wanted)
        for anchor, group in groups_wanted.items():
            assert groups[anchor]["displayName"] == group.display_name
            there = {anchors[m] for m in group.members if m in ids}
            differing = there ^ members[anchor]
            assert not differing, f"{group.display_name}: {differing}"
        self.nobody_is_there_twice()
